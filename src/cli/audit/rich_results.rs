//! What search engines require of things that pages describe, to show them as rich results.

use std::collections::{BTreeMap, BTreeSet};

/// A thing as a node of JSON-LD describes it.
#[derive(Debug, Default)]
pub struct Node {
    pub id: Option<String>,
    pub types: BTreeSet<String>,
    /// The properties that it has, and of each the properties of the things that it names.
    pub properties: BTreeMap<String, BTreeSet<String>>,
}

impl Node {
    pub fn merge(&mut self, other: Self) {
        self.id = self.id.take().or(other.id);
        self.types.extend(other.types);
        for (name, within) in other.properties {
            self.properties.entry(name).or_default().extend(within);
        }
    }
}

/// Properties of which one is enough.
type AnyOf = &'static [&'static str];

#[derive(Debug)]
struct Required {
    /// The types that it is required of. A more special type is known only if it stands here.
    of: &'static [&'static str],
    properties: &'static [AnyOf],
    /// What a thing that a property names must have in turn, if the property is there.
    within: &'static [(&'static str, AnyOf)],
}

const RATING: (&str, AnyOf) = ("aggregateRating", &["ratingValue"]);
const RATINGS: (&str, AnyOf) = ("aggregateRating", &["ratingCount", "reviewCount"]);
const REVIEWER: (&str, AnyOf) = ("review", &["author"]);

/// The required properties of Google's "Structured data markup that Google Search supports", as its pages on the types have
/// them (<https://developers.google.com/search/docs/appearance/structured-data/search-gallery>). Of Article, NewsArticle and
/// BlogPosting it requires nothing.
const REQUIRED: &[Required] = &[
    Required {
        of: &["Product", "ProductGroup"],
        properties: &[&["name"], &["offers", "review", "aggregateRating", "hasVariant"]],
        within: &[("offers", &["price", "priceSpecification", "lowPrice"]), RATING, RATINGS, REVIEWER],
    },
    Required { of: &["Recipe"], properties: &[&["name"], &["image"]], within: &[RATING, RATINGS, REVIEWER] },
    Required {
        of: &[
            "Event",
            "BusinessEvent",
            "ChildrensEvent",
            "ComedyEvent",
            "DanceEvent",
            "EducationEvent",
            "ExhibitionEvent",
            "Festival",
            "FoodEvent",
            "LiteraryEvent",
            "MusicEvent",
            "ScreeningEvent",
            "SocialEvent",
            "SportsEvent",
            "TheaterEvent",
        ],
        properties: &[&["name"], &["startDate"], &["location"]],
        within: &[],
    },
    Required {
        of: &["JobPosting"],
        properties: &[
            &["title"],
            &["description"],
            &["datePosted"],
            &["hiringOrganization"],
            &["jobLocation", "applicantLocationRequirements"],
        ],
        within: &[],
    },
    Required { of: &["BreadcrumbList", "ItemList"], properties: &[&["itemListElement"]], within: &[] },
    Required {
        of: &["FAQPage", "QAPage"],
        properties: &[&["mainEntity"]],
        within: &[("mainEntity", &["name"]), ("mainEntity", &["acceptedAnswer", "suggestedAnswer"])],
    },
    Required { of: &["VideoObject"], properties: &[&["name"], &["thumbnailUrl"], &["uploadDate"]], within: &[] },
    Required {
        of: &[
            "LocalBusiness",
            "AutoDealer",
            "Bakery",
            "BarOrPub",
            "CafeOrCoffeeShop",
            "Dentist",
            "HealthClub",
            "Hotel",
            "Library",
            "Pharmacy",
            "Plumber",
            "RealEstateAgent",
            "Restaurant",
            "Store",
        ],
        properties: &[&["name"], &["address"]],
        within: &[RATING, RATINGS, REVIEWER],
    },
    Required {
        of: &["Review"],
        properties: &[&["author"], &["itemReviewed"], &["reviewRating", "positiveNotes", "negativeNotes"]],
        within: &[("itemReviewed", &["name"]), ("reviewRating", &["ratingValue"])],
    },
    Required {
        of: &["AggregateRating", "EmployerAggregateRating"],
        properties: &[&["itemReviewed"], &["ratingValue"], &["ratingCount", "reviewCount"]],
        within: &[("itemReviewed", &["name"])],
    },
    Required {
        of: &["SoftwareApplication", "MobileApplication", "WebApplication"],
        properties: &[&["name"], &["offers"], &["aggregateRating", "review"]],
        within: &[("offers", &["price", "priceSpecification", "lowPrice"]), RATING, RATINGS, REVIEWER],
    },
    Required { of: &["Course", "Dataset"], properties: &[&["name"], &["description"]], within: &[] },
    Required { of: &["Movie"], properties: &[&["name"], &["image"]], within: &[RATING, RATINGS, REVIEWER] },
    Required {
        of: &["ProfilePage"],
        properties: &[&["mainEntity"]],
        within: &[("mainEntity", &["name", "alternateName"])],
    },
    Required {
        of: &["DiscussionForumPosting"],
        properties: &[&["author"], &["datePublished"], &["text", "image", "video", "sharedContent"]],
        within: &[("author", &["name"])],
    },
];

/// What a thing lacks, type by type. A node that has nothing but its name refers to a thing and does not describe it; so does
/// a property whose value has nothing but that.
pub fn lacking(node: &Node) -> Vec<String> {
    if node.id.is_some() && node.properties.is_empty() {
        return Vec::new();
    }
    let known = |required: &Required| required.of.iter().copied().find(|name| node.types.contains(*name));
    let rules = REQUIRED.iter().filter_map(|required| Some((known(required)?, required)));
    let told = rules.filter_map(|(name, required)| {
        let missing =
            required.properties.iter().filter(|any| !any.iter().any(|one| node.properties.contains_key(*one)));
        let mut missing: Vec<_> = missing.map(|any| any.join(" or ")).collect();
        for (property, any) in required.within {
            let within = node.properties.get(*property).filter(|within| !within.is_empty());
            if within.is_some_and(|within| !any.iter().any(|one| within.contains(*one))) {
                missing.push(format!("{property}.{}", any.join(" or ")));
            }
        }
        (!missing.is_empty()).then(|| format!("{name} without {}", missing.join(", ")))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(types: &[&str], paths: &[&str]) -> Node {
        let mut node = Node { types: types.iter().map(|name| (*name).to_owned()).collect(), ..Node::default() };
        for path in paths {
            let (name, within) = path.split_once('.').map_or((*path, None), |(name, within)| (name, Some(within)));
            node.properties.entry(name.to_owned()).or_default().extend(within.map(str::to_owned));
        }
        node
    }

    #[test]
    fn what_a_type_requires_and_is_not_there_is_told() {
        for (kind, paths, told) in [
            ("Product", &["name"][..], "Product without offers or review or aggregateRating or hasVariant"),
            (
                "Product",
                &["name", "offers.availability"],
                "Product without offers.price or priceSpecification or lowPrice",
            ),
            ("Product", &["offers.price"], "Product without name"),
            (
                "Recipe",
                &["name", "image", "aggregateRating.ratingValue"],
                "Recipe without aggregateRating.ratingCount or reviewCount",
            ),
            ("MusicEvent", &["name", "location.name"], "MusicEvent without startDate"),
            (
                "JobPosting",
                &["title", "description", "datePosted"],
                "JobPosting without hiringOrganization, jobLocation or applicantLocationRequirements",
            ),
            ("BreadcrumbList", &["name"], "BreadcrumbList without itemListElement"),
            ("FAQPage", &["mainEntity.name"], "FAQPage without mainEntity.acceptedAnswer or suggestedAnswer"),
            ("VideoObject", &["name", "uploadDate"], "VideoObject without thumbnailUrl"),
            ("Restaurant", &["name"], "Restaurant without address"),
            (
                "Review",
                &["author.name", "itemReviewed.name", "reviewRating.bestRating"],
                "Review without reviewRating.ratingValue",
            ),
            ("AggregateRating", &["ratingValue", "ratingCount"], "AggregateRating without itemReviewed"),
            ("SoftwareApplication", &["name", "offers.price"], "SoftwareApplication without aggregateRating or review"),
            ("Dataset", &["name"], "Dataset without description"),
            ("Movie", &["name"], "Movie without image"),
            ("ProfilePage", &["name"], "ProfilePage without mainEntity"),
            (
                "DiscussionForumPosting",
                &["author.url", "datePublished", "text"],
                "DiscussionForumPosting without author.name",
            ),
            ("Event", &[], "Event without name, startDate, location"),
        ] {
            assert_eq!(lacking(&node(&[kind], paths)), [told], "{kind} {paths:?}");
        }
    }

    #[test]
    fn what_is_complete_or_requires_nothing_or_only_refers_lacks_nothing() {
        for (kind, paths) in [
            ("Product", &["name", "offers.price"][..]),
            ("Product", &["name", "offers"]),
            ("Product", &["name", "review.author", "review.reviewRating"]),
            ("Event", &["name", "startDate", "location.address", "offers.url"]),
            (
                "JobPosting",
                &[
                    "title",
                    "description",
                    "datePosted",
                    "hiringOrganization.name",
                    "applicantLocationRequirements.name",
                ],
            ),
            ("FAQPage", &["mainEntity.name", "mainEntity.acceptedAnswer"]),
            ("Article", &[]),
            ("NewsArticle", &["headline"]),
            ("Person", &["name"]),
        ] {
            assert_eq!(lacking(&node(&[kind], paths)), [""; 0], "{kind} {paths:?}");
        }
        let reference = Node { id: Some("#it".to_owned()), ..node(&["Product"], &[]) };
        assert_eq!(lacking(&reference), [""; 0]);
        let both = lacking(&node(&["Product", "Movie"], &["image"]));
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn no_type_stands_in_two_rules() {
        let mut types: Vec<_> = REQUIRED.iter().flat_map(|required| required.of).collect();
        let all = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), all);
    }
}
