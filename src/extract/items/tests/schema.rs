use super::*;

const PRODUCT: &str = "[item.p]\nschema = 'Product'\nfields.name = {}\nfields.price = { property = ['offers.price', 'offers.lowPrice'], as = 'number' }";

#[test]
fn things_are_read_from_json_ld_else_microdata_else_rdfa() {
    let jsonld = "<script type=application/ld+json>{\"@type\": \"Product\", \"name\": \"A\", \"offers\": {\"price\": \"9.50\"}}</script>";
    let microdata = "<p itemscope itemtype=http://schema.org/Product><b itemprop=name>B</b><i itemprop=offers itemscope><b itemprop=price>1,5</b></i></p>";
    let rdfa = "<p vocab=https://schema.org/ typeof=Product><b property=name>C</b></p>";
    let of = |html: &str| read(PRODUCT, html, Some("de")).0;
    assert_eq!(of(&format!("{rdfa}{microdata}{jsonld}")), json!([{"name": "A", "price": 9.5}]));
    assert_eq!(of(&format!("{rdfa}{microdata}")), json!([{"name": "B", "price": 1.5}]));
    assert_eq!(of(rdfa), json!([{"name": "C", "price": null}]));
    assert_eq!(of("<p>nothing"), json!([]));
}

#[test]
fn a_thing_is_found_in_graphs_lists_and_other_things_and_parts_are_reached_by_their_names() {
    let of = |json: &str| read(PRODUCT, &format!("<script type=application/ld+json>{json}</script>"), None).0;
    let a = json!([{"name": "A", "price": 2.0}]);
    assert_eq!(
        of(
            r#"{"@graph": [{"@type": "WebPage"}, {"@type": ["Thing", "Product"], "name": "A", "offers": [{"@id": "o"}]},
        {"@id": "o", "lowPrice": 2}]}"#
        ),
        a
    );
    assert_eq!(
        of(
            r#"{"@type": "WebPage", "mainEntity": {"@type": "http://schema.org/Product", "schema:name": "A", "offers": [{}, {"price": 2}]}}"#
        ),
        a
    );
    let nested = r#"[{"@type": "Product", "name": "A", "related": {"@type": "Product", "name": "no"}}, {"@type": "Product", "name": {"@value": "B"}}]"#;
    assert_eq!(of(nested), json!([{"name": "A", "price": null}, {"name": "B", "price": null}]));
    assert_eq!(of(r#"{"@type": "Product", "@id": "x"}"#), json!([]));
}

#[test]
fn fields_of_things_are_lists_objects_and_names() {
    let rules = "[item.p]\nschema = ['Recipe', 'HowTo']\nfields.author = {}\nfields.image = { as = 'url' }\nfields.steps = { many = true }
        fields.by = { property = 'author', many = true, fields = { n = { property = 'name' }, u = { property = 'url', as = 'url' } } }";
    let html = r#"<script type=application/ld+json>{"@type": "Recipe", "author": [{"name": "Ann", "url": "/ann"}, {"name": "Ben"}],
        "image": {"@type": "ImageObject", "url": "i.png"}, "steps": {"@list": ["one", {"name": "two"}, 3]}}</script>"#;
    let expected = json!([{
        "author": "Ann", "image": "http://h.test/shop/i.png", "steps": ["one", "two", "3"],
        "by": [{"n": "Ann", "u": "http://h.test/ann"}, {"n": "Ben", "u": null}],
    }]);
    assert_eq!(read(rules, html, None).0, expected);
}

#[test]
fn the_rules_that_are_there_read_what_schema_org_describes() {
    for (name, json, expected) in [
        (
            "product",
            r#"{"@type": "Product", "name": "Lamp", "brand": {"@type": "Brand", "name": "Lux"}, "image": ["/1.png", "/2.png"], "offers": {"@type": "Offer",
                "price": "1299.00", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"}, "aggregateRating": {"ratingValue": "4.5", "reviewCount": 11}}"#,
            json!({"name": "Lamp", "brand": "Lux", "price": 1299.0, "currency": "EUR", "availability": "InStock", "rating": 4.5,
                "reviews": 11, "images": ["http://h.test/1.png", "http://h.test/2.png"]}),
        ),
        (
            "article",
            r#"{"@type": "NewsArticle", "headline": "News", "author": [{"name": "Ann"}, "Ben"], "datePublished": "2026-11-27T10:00:00+01:00",
                "publisher": {"name": "Paper"}, "isAccessibleForFree": "False", "keywords": "a, b"}"#,
            json!({"headline": "News", "authors": ["Ann", "Ben"], "published": "2026-11-27T10:00:00+01:00", "publisher": "Paper",
                "free": false, "keywords": ["a, b"]}),
        ),
        (
            "event",
            r#"{"@type": "MusicEvent", "name": "Concert", "startDate": "2026-11-27", "location": {"name": "Hall", "address": {"addressLocality": "Bonn"},
                "geo": {"latitude": "50.73"}}, "performer": {"name": "Band"}, "offers": [{"price": 20, "priceCurrency": "EUR"}]}"#,
            json!({"name": "Concert", "starts": "2026-11-27", "venue": "Hall", "city": "Bonn", "latitude": 50.73,
                "performers": ["Band"], "price": 20.0, "currency": "EUR"}),
        ),
        (
            "job",
            r#"{"@type": "JobPosting", "title": "Baker", "hiringOrganization": {"name": "Oven", "sameAs": "https://o.test/"}, "datePosted": "2026-11-01",
                "employmentType": ["FULL_TIME"], "baseSalary": {"currency": "EUR", "value": {"minValue": 3000, "maxValue": 4000, "unitText": "MONTH"}}}"#,
            json!({"title": "Baker", "company": "Oven", "company_link": "https://o.test/", "posted": "2026-11-01", "employment": ["FULL_TIME"],
                "salary": null, "salary_min": 3000.0, "salary_max": 4000.0, "salary_unit": "MONTH", "currency": "EUR"}),
        ),
        (
            "recipe",
            r#"{"@type": "Recipe", "name": "Soup", "author": {"name": "Ann"}, "recipeYield": 4, "totalTime": "PT1H", "recipeIngredient": ["Water", "Salt"],
                "recipeInstructions": [{"@type": "HowToStep", "text": "Boil."}, {"@type": "HowToStep", "text": "Eat."}], "nutrition": {"calories": "20 kcal"}}"#,
            json!({"name": "Soup", "author": "Ann", "yield": "4", "total_time": "PT1H", "ingredients": ["Water", "Salt"],
                "steps": ["Boil.", "Eat."], "calories": "20 kcal"}),
        ),
    ] {
        let html = format!("<script type=application/ld+json>{json}</script>");
        let (data, tally) = read(Rules::builtin(name).unwrap(), &html, Some("de"));
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(data[0].get(field), Some(value), "{field} of {name}");
        }
        assert_eq!(tally.rules[name].items, 1);
    }
    assert_eq!(Rules::builtin("../x"), None);
}
