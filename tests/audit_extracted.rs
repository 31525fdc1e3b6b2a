//! `audit` over what `extract` derived: each page is a case, named by what it promises.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::site::{Made, Site, audit, crawl, details, findings, page};
use common::web::Web;
use common::{Bench, stdout};
use harvestman::demo::Reply;
use serde_json::Value;

/// Pages, and what is to be found on each: the names of findings, with the path of the other URL if there is one.
#[derive(Default)]
struct Cases {
    site: Site,
    listed: Vec<(&'static str, String, Vec<&'static str>)>,
    /// What is served beside them.
    robots: &'static str,
}

impl Cases {
    fn add(&mut self, says: &'static str, path: &str, reply: Reply, finds: &[&'static str]) {
        self.site.put(path, reply);
        self.listed.push((says, path.to_owned(), finds.to_vec()));
    }

    /// A page without fault but for its body.
    fn body(&mut self, says: &'static str, path: &str, body: &str, finds: &[&'static str]) {
        let made = page(path);
        let body = format!("{body}{}", made.body.replace(&format!("<h1>{path}</h1>"), ""));
        self.add(says, path, Made { body, ..made }.reply(), finds);
    }

    /// A page without fault but for what is added to its head.
    fn head(&mut self, says: &'static str, path: &str, head: &str, finds: &[&'static str]) {
        self.add(says, path, page(path).head(head).reply(), finds);
    }

    /// Crawls, extracts and audits, and sees that each case finds what it is to find and nothing else is found.
    async fn judge(self, extract: &str) -> (Bench, harvestman::demo::Server) {
        let paths: Vec<_> = self.listed.iter().map(|(_, path, _)| path.as_str()).collect();
        self.site.put("/", page("/").links(&paths).reply());
        self.site.put("/robots.txt", Reply::text(self.robots));
        let server = self.site.serve().await;
        let bench = Bench::new();
        crawl(&bench, &server, &["--extract", extract, "--max-connections-per-host", "16"]).await;
        let found = findings(&bench, &server).await;
        let of_path = |path: &str| {
            let words = found.iter().map(|row| row.split(' ').collect::<Vec<_>>());
            let own = words.filter(|words| words.get(1) == Some(&path));
            let mut own: Vec<_> = own.map(|words| [&words[..1], &words[2..]].concat().join(" ")).collect();
            own.sort();
            own
        };
        for (says, path, finds) in &self.listed {
            let mut finds = finds.clone();
            finds.sort_unstable();
            assert_eq!(of_path(path), finds, "{path}: {says}");
        }
        assert_eq!(of_path("/"), [""; 0]);
        let expected: usize = self.listed.iter().map(|(_, _, finds)| finds.len()).sum();
        assert_eq!(found.len(), expected, "there are findings on pages that are no case: {found:?}");
        (bench, server)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headings_and_images_are_judged_by_what_they_say() {
    let mut cases = Cases::default();
    let h1 = |n: usize| format!("/h1/{n}");
    let (none, several, alt) = (["h1-missing"], ["h1-several"], ["image-alt-missing"]);
    cases.body("one heading of the first level is as it should be", &h1(1), "<h1>One</h1>", &[]);
    cases.body("a page needs one", &h1(2), "<h2>Two</h2>", &none);
    cases.body("an empty one says nothing", &h1(3), "<h1></h1>", &none);
    cases.body("nor does one of white space", &h1(4), "<h1> &nbsp;\n<br></h1>", &none);
    cases.body("an image says what stands for it", &h1(5), "<h1><img src=l.png alt=Logo></h1>", &[]);
    cases.body("a decoration does not", &h1(6), "<h1><img src=l.png alt=''></h1>", &none);
    cases.body("what is in a template is not on the page", &h1(7), "<template><h1>One</h1></template>", &none);
    cases.body("two are one too many", &h1(8), "<h1>One</h1><h1>Two</h1>", &several);
    cases.body(
        "in sections too",
        &h1(9),
        "<h1>One</h1><section><h1>Two</h1></section><section><h1>Three</h1></section>",
        &several,
    );
    cases.body("an empty one beside it does not count", &h1(10), "<h1>One</h1><h1> </h1>", &[]);
    cases.body("others beside it are fine", &h1(11), "<h1>One</h1><h2>Two</h2><h2>Three</h2><h3>Four</h3>", &[]);
    cases.body("a script's text is none", &h1(12), "<h1><script>1</script></h1>", &none);
    let hidden = Made { body: page("/h1/13").body.replace("h1>", "p>"), ..page("/h1/13") };
    let hidden = hidden.head("<meta name=robots content=noindex>").reply();
    cases.add("a page that is not to be shown needs none", "/h1/13", hidden, &["noindex"]);
    let other = Made { body: page("/h1/14").body.replace("h1>", "p>"), ..page("/h1/14") };
    let other = other.head("<link rel=canonical href=/h1/1>").reply();
    cases.add("nor one that is shown under another URL", "/h1/14", other, &["canonical-elsewhere /h1/1"]);

    let mut image = |says, n: usize, body: &str, finds: &[&'static str]| {
        cases.body(says, &format!("/image/{n}"), &format!("<h1>Image {n}</h1>{body}"), finds);
    };
    image("an image with a text is as it should be", 1, "<img src=a.png alt='A leg'>", &[]);
    image("an empty text says that it is decoration", 2, "<img src=a.png alt=''>", &[]);
    image("so does one without a value", 3, "<img src=a.png alt>", &[]);
    image("an image needs a text", 4, "<img src=a.png>", &alt);
    image("several are one finding", 5, "<img src=a.png><img src=b.png><img src=c.png alt=C>", &alt);
    image("one that stands there twice is one", 6, "<img src=a.png><img src=a.png>", &alt);
    image("one that is loaded late needs a text too", 7, "<img data-src=a.png>", &alt);
    image("one of several sizes needs a text too", 8, "<img srcset='a.png 1x, b.png 2x'>", &alt);
    image("in a picture, the image has it", 9, "<picture><source srcset=a.webp><img src=a.png alt=A></picture>", &[]);
    image("in a picture, the image lacks it", 10, "<picture><source srcset=a.webp><img src=a.png></picture>", &alt);
    image("a template's is not on the page", 11, "<template><img src=a.png></template>", &[]);
    image("an inlined one is not told", 12, "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", &[]);
    image("a drawing is no image", 13, "<svg><title>A</title></svg>", &[]);
    image("within a link it needs one", 14, "<a href=/h1/1><img src=a.png></a>", &alt);
    let (bench, server) = cases.judge("all").await;
    let images = details(&bench, &server, "image-alt-missing").await;
    assert!(images.contains(&"/image/5|2 images, such as /image/a.png".to_owned()), "{images:?}");
    assert!(images.contains(&"/image/6|1 image: /image/a.png".to_owned()), "{images:?}");
    assert!(details(&bench, &server, "h1-several").await.contains(&"/h1/9|3 of them".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_ld_is_to_be_readable_and_complete() {
    let mut cases = Cases::default();
    let mut number = 0;
    let mut block = |says, text: &str, finds: &[&'static str]| {
        number += 1;
        cases.head(
            says,
            &format!("/ld/{number}"),
            &format!("<script type='application/ld+json'>{text}</script>"),
            finds,
        );
    };
    let (broken, incomplete) = (["jsonld-broken"], ["jsonld-incomplete"]);
    block("a block without fault is fine", r#"{"@type": "Person", "name": "A"}"#, &[]);
    block("commas too many are overlooked", r#"{"@type": "Person", "name": "A",}"#, &[]);
    block("comments are overlooked", "/* from the template */ {\"@type\": \"Person\"} // end", &[]);
    block("a list is fine", r#"[{"@type": "Person"}, {"@type": "Place"}]"#, &[]);
    block("an empty block is none", " ", &[]);
    block("a block that is cut off is broken", r#"{"@type": "Person", "name": "A"#, &broken);
    block("quotation marks are double", "{'@type': 'Person'}", &broken);
    block("a template's placeholder is no JSON", r#"{"@type": "Person", "name": {{ name }}}"#, &broken);
    block("mark-up is no JSON", "<p>Person</p>", &broken);
    block("a block of two objects is read as both", r#"{"@type": "Person"} {"@type": "Place"}"#, &[]);
    block(
        "of two blocks the broken one is told",
        r#"{"@type": "Person"}</script><script type="application/ld+json">{"#,
        &broken,
    );
    block("scripts of another type are none", "{}</script><script type='application/json'>{", &[]);

    block("a product needs an offer or a rating", r#"{"@type": "Product", "name": "A"}"#, &incomplete);
    block(
        "an offer needs a price",
        r#"{"@type": "Product", "name": "A", "offers": {"availability": "InStock"}}"#,
        &incomplete,
    );
    block("a product with an offer is complete", r#"{"@type": "Product", "name": "A", "offers": {"price": 1}}"#, &[]);
    block(
        "a product with a rating is complete",
        r#"{"@type": "Product", "name": "A", "aggregateRating": {"ratingValue": 4, "reviewCount": 2}}"#,
        &[],
    );
    block("an offer may stand elsewhere", r#"{"@type": "Product", "name": "A", "offers": {"@id": "o"}}"#, &[]);
    block(
        "the name of the vocabulary does not matter",
        r#"{"@type": "https://schema.org/Product", "name": "A"}"#,
        &incomplete,
    );
    block("one type of several counts", r#"{"@type": ["Thing", "Product"], "name": "A"}"#, &incomplete);
    block(
        "in a graph each thing counts",
        r#"{"@graph": [{"@type": "Person"}, {"@type": "Recipe", "name": "A"}]}"#,
        &incomplete,
    );
    block("a reference is no description", r#"{"@graph": [{"@type": "Recipe", "@id": "r"}]}"#, &[]);
    block(
        "two nodes may describe one thing",
        r#"[{"@type": "Recipe", "@id": "r", "name": "A"}, {"@type": "Recipe", "@id": "r", "image": "a.png"}]"#,
        &[],
    );
    block("an event needs a place", r#"{"@type": "Event", "name": "A", "startDate": "2026-05-01"}"#, &incomplete);
    block(
        "an event with time and place is complete",
        r#"{"@type": "Event", "name": "A", "startDate": "2026-05-01", "location": {"@type": "Place", "name": "B"}}"#,
        &[],
    );
    block(
        "a job needs an employer",
        r#"{"@type": "JobPosting", "title": "A", "description": "B", "datePosted": "2026-05-01", "jobLocation": "C"}"#,
        &incomplete,
    );
    block(
        "a job at home is complete",
        r#"{"@type": "JobPosting", "title": "A", "description": "B", "datePosted": "2026-05-01", "jobLocationType": "TELECOMMUTE",
            "hiringOrganization": "C", "applicantLocationRequirements": {"name": "DE"}}"#,
        &[],
    );
    block("breadcrumbs need steps", r#"{"@type": "BreadcrumbList"}"#, &incomplete);
    block(
        "breadcrumbs with steps are complete",
        r#"{"@type": "BreadcrumbList", "itemListElement": [{"position": 1, "name": "A"}]}"#,
        &[],
    );
    block(
        "questions need answers",
        r#"{"@type": "FAQPage", "mainEntity": [{"@type": "Question", "name": "A?"}]}"#,
        &incomplete,
    );
    block(
        "questions with answers are complete",
        r#"{"@type": "FAQPage", "mainEntity": [{"@type": "Question", "name": "A?", "acceptedAnswer": {"text": "B"}}]}"#,
        &[],
    );
    block("a video needs an image and a date", r#"{"@type": "VideoObject", "name": "A"}"#, &incomplete);
    block("a restaurant needs an address", r#"{"@type": "Restaurant", "name": "A"}"#, &incomplete);
    block(
        "a shop with an address is complete",
        r#"{"@type": "Store", "name": "A", "address": {"streetAddress": "B"}}"#,
        &[],
    );
    block(
        "a review needs what it is of",
        r#"{"@type": "Review", "author": "A", "reviewRating": {"ratingValue": 5}}"#,
        &incomplete,
    );
    block("of an article nothing is required", r#"{"@type": "NewsArticle"}"#, &[]);
    cases.body(
        "microdata is not judged",
        "/ld/microdata",
        "<h1>M</h1><div itemscope itemtype='https://schema.org/Product'><b itemprop=name>A</b></div>",
        &[],
    );
    let (bench, server) = cases.judge("all").await;
    let told = details(&bench, &server, "jsonld-broken").await;
    assert!(told.iter().any(|row| row.starts_with("/ld/11|JSON-LD block 2, line 1, column ")), "{told:?}");
    let told = details(&bench, &server, "jsonld-incomplete").await;
    assert!(told.contains(&"/ld/20|Recipe without image".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn translations_name_each_other_by_tags_that_there_are() {
    let mut cases = Cases { robots: "User-agent: *\nDisallow: /closed/\n", ..Cases::default() };
    let link = |tag: &str, href: &str| format!("<link rel=alternate hreflang='{tag}' href='{href}'>");
    let all = ["en", "de", "fr"].map(|tag| link(tag, &format!("/{tag}"))).concat() + &link("x-default", "/en");
    for path in ["/en", "/de", "/fr"] {
        cases.head("translations that all name each other are fine", path, &all, &[]);
    }
    cases.head("a translation that names nobody is told", "/one", &link("de", "/mute"), &["hreflang-unreturned /mute"]);
    cases.head("the one that does not name others is not told itself", "/mute", "", &[]);
    cases.head("one that names another page is told", "/two", &link("de", "/fr"), &["hreflang-unreturned /fr"]);
    cases.head("a page may name itself alone", "/self", &link("en", "/self"), &[]);
    cases.head("a fragment makes no other page", "/part", &link("de", "/part/de#top"), &[]);
    cases.head("nor does one on the way back", "/part/de", &link("en", "/part#top"), &[]);
    let header = page("/header").reply().with_header("link", "</header/de>; rel=\"alternate\"; hreflang=\"de\"");
    cases.add("the header Link names translations too", "/header", header, &[]);
    cases.head("and is named in turn", "/header/de", &link("en", "/header"), &[]);
    let copy = format!("{}<link rel=canonical href=/en>", link("de", "/mute"));
    cases.head("a page that is shown under another URL is not judged", "/copy", &copy, &["canonical-elsewhere /en"]);
    let gone = ["broken-link /gone", "hreflang-broken /gone"];
    cases.head("a translation that is missing is broken", "/dead", &link("de", "/gone"), &gone);
    cases.site.put("/gone", Reply::status(404));
    cases.head("one that redirects is broken", "/old", &link("de", "/moved"), &["hreflang-broken /moved"]);
    cases.site.put("/moved", Reply::redirect(301, "/mute"));
    let closed = ["hreflang-broken /closed/de"];
    cases.head("one that is forbidden is broken", "/shut", &link("de", "/closed/de"), &closed);
    cases.head("one that is elsewhere is not checked", "/far", &link("de", "http://elsewhere.test/"), &[]);
    let other = "<link rel=alternate hreflang=de><link rel=stylesheet hreflang=de href=/gone>";
    cases.head("what names no alternate is no translation", "/none", other, &[]);
    for (tag, says) in [
        ("en-GB", "a language and a region"),
        ("EN-gb", "case does not count"),
        ("zh-Hant-TW", "a script may stand between"),
        ("es-419", "a region may be a number"),
        ("fil", "a language may have three letters if it has no two"),
        ("x-default", "what is for all others"),
    ] {
        let path = format!("/tag/{tag}");
        cases.head(says, &path, &link(tag, &path), &[]);
    }
    for (tag, says) in [
        ("en-UK", "the United Kingdom is GB"),
        ("en_GB", "parts are set apart by hyphens"),
        ("eng", "a language that has two letters is written with two"),
        ("us", "a country is no language"),
        ("es-LATAM", "a continent is no region"),
        ("en-EU", "nor is a union of countries"),
        ("german", "nor a language its name"),
        ("xx", "nor any two letters"),
    ] {
        let path = format!("/tag/{tag}");
        let finding: &'static str = format!("hreflang-code {path}").leak();
        cases.head(says, &path, &link(tag, &path), &[finding]);
    }
    let (bench, server) = cases.judge("all").await;
    let told = details(&bench, &server, "hreflang-code").await;
    assert!(
        told.contains(&"/tag/en-UK|`en-UK`: there is no region UK: the United Kingdom is GB".to_owned()),
        "{told:?}"
    );
    let told = details(&bench, &server, "hreflang-broken").await;
    assert_eq!(told, ["/dead|de: 404", "/old|de: 301", "/shut|de: robots"]);
    let told = stdout(&audit(&bench, &[]).await);
    assert!(told.contains("hreflang: 1 translation not asked for"), "{told}");
}

const GERMAN: &str = "Der Weberknecht lebt in Wäldern und Gärten und ist nachts unterwegs. Mit seinen langen Beinen tastet er den \
    Boden ab und sucht nach kleinen Insekten, nach Pflanzenresten und manchmal auch nach Pilzen. Anders als die Spinnen baut er \
    kein Netz und besitzt auch kein Gift. Wenn er in Gefahr gerät, wirft er ein Bein ab, das noch eine Weile zuckt und den Feind \
    ablenkt. Im Herbst legen die Weibchen ihre Eier in die Erde, aus denen im Frühling die jungen Tiere schlüpfen.";
const ENGLISH: &str = "The harvestman lives in woods and gardens and walks about at night. With its long legs it feels its way over \
    the ground and looks for small insects, for what is left of plants and sometimes for mushrooms. Unlike spiders it builds no web \
    and has no venom at all. When it is in danger it throws off a leg, which goes on twitching for a while and leads the enemy \
    astray. In autumn the females lay their eggs into the soil, from which the young animals hatch in the following spring.";
const SPANISH: &str = "El opilión vive en los bosques y en los jardines y anda por la noche. Con sus largas patas va tocando el suelo \
    y busca pequeños insectos, restos de plantas y a veces también setas. A diferencia de las arañas no teje ninguna tela y tampoco \
    tiene veneno. Cuando está en peligro se desprende de una pata, que sigue moviéndose durante un rato y distrae al enemigo. En \
    otoño las hembras ponen sus huevos en la tierra, de los que salen en primavera los animales jóvenes.";
const DANISH: &str = "Mejeren lever i skove og haver og går omkring om natten. Med sine lange ben føler den sig frem over jorden og \
    leder efter små insekter, efter planterester og nogle gange også efter svampe. I modsætning til edderkopperne bygger den intet \
    net og har heller ingen gift. Når den er i fare, kaster den et ben af, som bliver ved med at bevæge sig et stykke tid og afleder \
    fjenden. Om efteråret lægger hunnerne deres æg i jorden, og ud af dem kommer de unge dyr om foråret.";

/// A page with this text, in the language that it says.
fn written(path: &str, lang: &str, text: &str) -> Reply {
    let made = page(path);
    let lang = if lang.is_empty() { String::new() } else { format!(" lang='{lang}'") };
    let title = format!("<h1>{path}</h1><p>{text}</p>");
    let reply = page(path).reply();
    let html = format!("<!doctype html><html{lang}><head><meta charset=utf-8>{}</head><body>{title}", made.head);
    Reply { body: html.into_bytes(), ..reply }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_is_that_of_the_text_where_that_is_beyond_doubt() {
    let mut cases = Cases::default();
    let conflict = ["language-conflict"];
    let mut text = |says, path: &str, lang: &str, text: &str, finds: &[&'static str]| {
        cases.add(says, path, written(path, lang, text), finds);
    };
    let [german, english, spanish, danish] = [GERMAN, ENGLISH, SPANISH, DANISH].map(|text| format!("{text} {text}"));
    let halves = format!("{ENGLISH} {GERMAN}");
    text("German that says it is German", "/de", "de-AT", &german, &[]);
    text("English that says it is English", "/en", "en_US", &english, &[]);
    text("Spanish that says it is Spanish", "/es", "ES", &spanish, &[]);
    text("German that says it is English", "/de/en", "en", &german, &conflict);
    text("English that says it is German", "/en/de", "de-DE", &english, &conflict);
    text("Spanish that says it is French", "/es/fr", "fr", &spanish, &conflict);
    text("what says nothing is not judged", "/none", "", &german, &[]);
    text("nor is what names no language", "/name", "english", &german, &[]);
    text("nor what is short", "/short", "en", "Der Weberknecht lebt in Wäldern und Gärten.", &["thin"]);
    text("nor what is in two languages", "/both", "en", &halves, &[]);
    text("nor languages that cannot be told apart", "/da", "no", &danish, &[]);
    text("nor those that cannot be told at all", "/gl", "gl", &spanish, &[]);
    text("numbers are in no language", "/digits", "en", &"4711 0815 2048 ".repeat(60), &[]);
    let header = |path: &str, lang: &str| page(path).reply().with_header("content-language", lang);
    cases.add("a header that says the same is fine", "/header/en", header("/header/en", "en-GB"), &[]);
    cases.add("a header that says another is told", "/header/de", header("/header/de", "de"), &conflict);
    cases.add("a header may name several readers", "/header/both", header("/header/both", "de, en"), &[]);
    let twice = header("/header/twice", "de").with_header("content-language", "en");
    cases.add("in two lines too", "/header/twice", twice, &[]);
    cases.judge("metadata").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn main_contents_that_are_almost_the_same_are_found_once() {
    let mut cases = Cases::default();
    let story = |path: &str, head: &str, change: usize| {
        let words: Vec<_> =
            (0..600).map(|n| if n == change { "changed".to_owned() } else { format!("word{n}") }).collect();
        let made = page(path).head(head);
        let body = format!("<h1>{path}</h1><article><p>{}</article>", words.join(" "));
        Made { body, ..made }.reply()
    };
    let near = ["near-duplicate /near/1"];
    cases.add("the first of those that are alike is the other URL", "/near/1", story("/near/1", "", 1_000), &[]);
    cases.add("a page with one other word is almost the same", "/near/2", story("/near/2", "", 100), &near);
    cases.add("it does not matter where it is", "/near/3", story("/near/3", "", 500), &near);
    let named = story("/near/4", "<link rel=canonical href=/near/1>", 200);
    cases.add("a page that names the other as canonical is fine", "/near/4", named, &["canonical-elsewhere /near/1"]);
    let hidden = story("/near/5", "<meta name=robots content=noindex>", 300);
    cases.add("a page that is not to be shown is fine", "/near/5", hidden, &["noindex"]);
    let brief = |path: &str| {
        let made = page(path);
        Made { body: format!("<h1>{path}</h1><article><p>{}</article>", "few words ".repeat(20)), ..made }.reply()
    };
    cases.add("texts of less than 50 words are not compared", "/brief/1", brief("/brief/1"), &["thin"]);
    cases.add("nor with each other", "/brief/2", brief("/brief/2"), &["thin"]);
    cases.head("a page of other words is another", "/other/1", "", &[]);
    cases.head("and so is the next", "/other/2", "", &[]);
    cases.judge("all").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_without_effect_are_told_with_the_option_that_leaves_them_out() {
    let site = Site::default();
    let shown = |path: &str| page(path).head(&format!("<link rel=canonical href='{path}'>")).reply();
    let mut links = Vec::new();
    let mut put = |url: String, shows: &str| {
        site.put(&url, shown(shows));
        links.push(url);
    };
    for number in 1..=4 {
        put(format!("/list?sid={number}"), "/list");
        put(format!("/page?n={number}"), &format!("/page?n={number}"));
        put(format!("/both?a={number}&b={number}"), "/both");
        put(format!("/evil?x'y={number}"), "/evil");
        put(format!("/mixed?m={number}"), if number == 4 { "/mixed?m=4" } else { "/mixed" });
    }
    for number in 1..=3 {
        put(format!("/shop/{number}"), &format!("/shop/{number}"));
        put(format!("/shop/{number}?utm_source=mail"), &format!("/shop/{number}"));
        put(format!("/few?once={number}"), "/few");
    }
    let paths: Vec<_> = links.iter().map(String::as_str).collect();
    site.put("/", page("/").links(&paths).reply());
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &["--max-connections-per-host", "16"]).await;
    let found = findings(&bench, &server).await;
    let found: Vec<_> = found.iter().filter(|row| row.starts_with("parameter-")).collect();
    assert_eq!(
        found,
        [
            "parameter-without-effect /list?sid=2 /list?sid=1",
            "parameter-without-effect /shop/1?utm_source=mail /shop/1"
        ]
    );
    let told = details(&bench, &server, "parameter-without-effect").await;
    assert!(told[0].ends_with("`sid` makes no difference in 3 pairs: --drop-params 'sid'"), "{told:?}");
    crawl(&bench, &server, &["--fresh", "--drop-params", "sid,utm_source", "--database", "dropped.db"]).await;
    let output = audit(&bench, &["--database", "dropped.db"]).await;
    assert!(!stdout(&output).contains("parameter-without"), "{}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_extracted_or_changed_since_is_told_as_unchecked() {
    let web = Web::new(|day, path| match (path, day) {
        ("/", _) => Reply::html("<title>A</title><h1>A</h1><a href=/a>a</a>"),
        ("/a", 1) => Reply::html("<title>A</title><p>without a heading"),
        ("/a", _) => Reply::html("<title>A</title><p>still without"),
        _ => Reply::status(404),
    });
    let web = web.await;
    let unchecked = async || {
        let (printed, _) = web.run(&["audit", "--format", "json"]).await;
        let whole: Value = serde_json::from_str(&printed).unwrap();
        let gaps = whole["unchecked"].as_array().unwrap().clone();
        gaps.iter().map(|gap| format!("{}: {}", gap["what"], gap["why"]).replace('"', "")).collect::<Vec<_>>()
    };
    let missing = "select count(*) from findings where finding = 'h1-missing' and state <> 'fixed'";
    web.crawl(&[]).await;
    let told = unchecked().await;
    for (name, kind) in [("h1-missing", "metadata"), ("jsonld-broken", "metadata"), ("near-duplicate", "articles")] {
        assert!(told.contains(&format!("{name}: needs `harvestman extract {kind}`")), "{name}: {told:?}");
    }
    web.run(&["extract"]).await;
    let told = unchecked().await;
    assert!(told.iter().all(|gap| !gap.contains("extract")), "{told:?}");
    assert_eq!(web.rows(missing).await, ["1"]);
    web.crawl(&[]).await;
    let told = unchecked().await;
    for kind in ["metadata", "articles"] {
        let gap = format!("{kind}: 1 page not read as now stored: needs `harvestman extract {kind}`");
        assert!(told.contains(&gap), "{told:?}");
    }
    let of_last = format!("{missing} and run = 2");
    assert_eq!(web.rows(&of_last).await, ["0"], "what it was before says nothing of what it is");
    web.run(&["extract"]).await;
    unchecked().await;
    assert_eq!(web.rows(&of_last).await, ["1"]);
}
