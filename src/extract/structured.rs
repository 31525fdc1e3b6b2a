//! What a page states about things for machines: JSON-LD, microdata, RDFa Lite. All three are given as objects in the shape
//! of JSON-LD: `@type`, `@id`, and a key for each property, whose value is an array if it has several.

mod jsonld;
mod microdata;
mod objects;
mod rdfa;

use serde_json::Value;

pub use jsonld::{Block, Broken, jsonld};
pub use objects::{Object, all, short, types};

use super::page::Page;
use super::work::Work;

/// All that a page states, with how: what is preferred first. As far as there is `work`.
pub fn all_of(page: &Page, work: &Work) -> [(&'static str, Vec<Value>); 3] {
    let blocks = jsonld(&page.html).into_iter().filter_map(Result::ok).collect();
    [("JSON-LD", blocks), ("microdata", microdata::read(page, work)), ("RDFa", rdfa::read(page, work))]
}

/// The items of a page's microdata (WHATWG HTML, 5) that are no property of another one, within the bounds of a page.
pub fn microdata(page: &Page) -> Vec<Value> {
    microdata::read(page, &Work::new(None))
}

/// The things that a page describes by RDFa Lite 1.1 (W3C) and that are no property of another one, within the bounds of
/// a page.
pub fn rdfa(page: &Page) -> Vec<Value> {
    rdfa::read(page, &Work::new(None))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;
    use url::Url;

    use super::super::page::{Page, Source};
    use super::*;

    fn page(html: &str) -> Page {
        let url = Url::parse("http://h.test/dir/page").unwrap();
        let source = Source { url: &url, charset: None, is_xml: false, language: None, body: html.as_bytes() };
        Page::read(source, Instant::now() + Duration::from_secs(60))
    }

    #[test]
    fn microdata_gives_items_with_the_values_that_their_elements_state() {
        for (html, expected) in [
            (
                "<div itemscope itemtype='https://schema.org/Product http://other.test/T' itemid=p1>
                 <h1 itemprop=name>A <b>bold</b>\n<script>x</script>thing</h1>
                 <img itemprop='image photo' src=i.png><a itemprop=url href='/p'>p</a>
                 <div itemprop=offers itemscope itemtype=http://schema.org/Offer><p><span itemprop=price content=9.50>€</span>
                 <meta itemprop=priceCurrency content=EUR><time itemprop=until datetime=2026-01-31>soon</time></div>
                 <data itemprop=sku value=77>no. 77</data><span itemprop=color>red</span><span itemprop=color>blue</span>",
                json!([{
                    "@type": ["Product", "http://other.test/T"], "@id": "http://h.test/dir/p1", "name": "A bold thing",
                    "photo": "http://h.test/dir/i.png", "image": "http://h.test/dir/i.png", "url": "http://h.test/p",
                    "offers": {"@type": "Offer", "price": "9.50", "priceCurrency": "EUR", "until": "2026-01-31"},
                    "sku": "77", "color": ["red", "blue"],
                }]),
            ),
            (
                "<p itemscope itemref='b a'>x</p><i id=a itemprop=one>1</i><div id=b><i itemprop=two>2</i></div>",
                json!([{"two": "2", "one": "1"}]),
            ),
            (
                "<div itemscope id=a itemref=a><p itemprop=self itemscope itemref=a><i itemprop=x>1</i></p></div>",
                json!([{"self": {"x": "1"}}]),
            ),
            ("<p itemprop=lost>x</p>", json!([])),
        ] {
            assert_eq!(json!(microdata(&page(html))), expected, "{html}");
        }
    }

    #[test]
    fn rdfa_lite_gives_things_of_a_vocabulary_or_a_prefix() {
        for (html, expected) in [
            (
                "<div vocab='https://schema.org/' typeof=Recipe resource='#r'><h1 property=name>Soup</h1>
                 <p property=author typeof=Person><span property=name>Ann</span></p><time property=datePublished
                 datetime=2026-01-31>soon</time><a property='url sameAs' href='/s'>s</a><i property=yield content=4>four</i></div>
                 <p property=name>outside",
                json!([{
                    "@type": "Recipe", "@id": "http://h.test/dir/page#r", "name": "Soup",
                    "author": {"@type": "Person", "name": "Ann"}, "datePublished": "2026-01-31",
                    "url": "http://h.test/s", "sameAs": "http://h.test/s", "yield": "4",
                }]),
            ),
            (
                "<body prefix='s: http://schema.org/ o: http://o.test/#'><p typeof='s:Event o:T'><b property='s:name o:n'>E</b>",
                json!([{"@type": ["Event", "o:T"], "name": "E", "o:n": "E"}]),
            ),
            ("<meta property='og:title' content=T><p typeof='schema:Thing'></p>", json!([{"@type": "Thing"}])),
        ] {
            assert_eq!(json!(rdfa(&page(html))), expected, "{html}");
        }
    }

    #[test]
    fn lists_and_graphs_are_taken_apart_and_types_lose_the_name_of_schema_org() {
        let values = [json!([{"@type": "A"}, "text"]), json!({"@context": "c", "@graph": [{"@type": "B"}, {"x": 1}]})];
        let found: Vec<_> = all(&values).into_iter().map(|object| types(object).collect::<Vec<_>>()).collect();
        assert_eq!(found, [vec!["A"], vec!["B"], vec![]]);
        let object = json!({"@type": ["http://schema.org/A", " schema:B", "https://other.test/C", 7]});
        let types: Vec<_> = types(object.as_object().unwrap()).collect();
        assert_eq!(types, ["A", "B", "https://other.test/C"]);
    }

    #[test]
    fn what_is_stated_of_a_hostile_page_is_bounded() {
        let deep = "<div itemscope itemprop=a typeof=T property=a>".repeat(2_000);
        let page_of = |html: &str| page(&format!("<div itemscope typeof=T>{html}"));
        assert_eq!(microdata(&page_of(&deep)).len(), 1);
        assert_eq!(rdfa(&page_of(&deep)).len(), 1);
        // Each of the items is as large as all that they refer to.
        let many = "<p itemscope itemref=x></p>".repeat(3_000);
        let large = format!("<div id=x>{}</div>", "<i itemprop=a>1234567890</i>".repeat(10_000));
        let found = microdata(&page(&(many + &large)));
        assert!((10..2_999).contains(&found.len()), "{}", found.len());
    }
}
