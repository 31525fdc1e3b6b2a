mod hostile;
mod messages;
mod schema;
mod taken;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

use super::super::page::{Page, Source};
use super::*;

fn page(html: &str, language: Option<&str>) -> Page {
    let url = Url::parse("http://h.test/shop/page?x=1").unwrap();
    Page::read(Source { url: &url, charset: None, is_xml: false, language, body: html.as_bytes() }, soon())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// The data of the items of a page, and what became of the rules.
fn read(rules: &str, html: &str, language: Option<&str>) -> (Value, Tally) {
    let mut tally = Tally::default();
    let rules = Rules::parse(rules).unwrap_or_else(|e| panic!("{e}"));
    let items = rules.items(&page(html, language), soon(), &mut tally);
    (items.into_iter().map(|item| Value::Object(item.data)).collect(), tally)
}

#[track_caller]
fn gives(rules: &str, html: &str, expected: Value) {
    assert_eq!(read(&format!("[item.a]\n{rules}"), html, None).0, expected, "{rules}");
}

const SHOP: &str = "<base href='/img/'><ul><li class=p data-id=7><h2 title='Long name'>Name\n <b>one</b></h2>
    <i class=price>1.234,50 EUR</i><i class=tag>red</i><i class=tag> </i><i class=tag>blue</i><a href='a b.html'>x</a>
    <input type=checkbox checked><script>hidden</script></li>
    <li class='p sale'><h2>Two</h2><i class=price>free</i><input type=checkbox></li></ul>";

#[test]
fn each_gives_an_item_for_each_element_in_the_order_of_the_page() {
    gives("each = '.p'\nfields.n = { css = 'h2' }", SHOP, json!([{"n": "Name one"}, {"n": "Two"}]));
    gives("fields.n = { css = 'h2' }", SHOP, json!([{"n": "Name one"}]));
    gives("fields.n = { css = 'h5' }", SHOP, json!([]));
    gives("each = 'li'\nfields.n = { css = 'h5' }", SHOP, json!([{"n": null}, {"n": null}]));
    let mut tally = Tally::default();
    let rules =
        Rules::parse("[item.b]\neach = 'h2'\nfields.t = {}\n[item.a]\neach = 'li'\nfields.t = { get = 'class' }");
    let items = rules.unwrap().items(&page(SHOP, None), soon(), &mut tally);
    let found: Vec<_> = items.iter().map(|item| (item.item.as_str(), item.position)).collect();
    assert_eq!(found, [("b", 1), ("b", 2), ("a", 1), ("a", 2)]);
}

#[test]
fn a_field_gets_text_html_or_an_attribute_of_an_element_or_of_the_item_itself() {
    let of = |fields: &str, expected: Value| gives(&format!("each = '.p'\n{fields}"), SHOP, expected);
    of("fields.a = { css = 'h2', get = 'title' }", json!([{"a": "Long name"}, {"a": null}]));
    of("fields.a = { css = 'h2', get = 'html' }", json!([{"a": "Name\n <b>one</b>"}, {"a": "Two"}]));
    of("fields.a = { css = 'b', get = 'outer_html' }", json!([{"a": "<b>one</b>"}, {"a": null}]));
    of("fields.a = { get = 'DATA-ID' }", json!([{"a": "7"}, {"a": null}]));
    of("fields.a = {}", json!([{"a": "Name one 1.234,50 EURred bluex"}, {"a": "Two free"}]));
}

#[test]
fn scope_is_the_element_of_the_item_and_nothing_above_it_is_found() {
    let html = "<div class=x><p>outside</p><div class=x><p>inside</p></div></div><p>after</p>";
    gives("each = '.x .x'\nfields.a = { css = 'p' }", html, json!([{"a": "inside"}]));
    gives("each = '.x'\nfields.a = { css = ':scope > p' }", html, json!([{"a": "outside"}, {"a": "inside"}]));
    gives(
        "each = '.p'\nfields.a = { css = ':scope.sale', get = 'class' }",
        SHOP,
        json!([{"a": null}, {"a": "p sale"}]),
    );
    gives("each = '.p'\nfields.a = { css = 'li' }", SHOP, json!([{"a": null}, {"a": null}]));
}

#[test]
fn a_value_is_read_as_asked_or_takes_its_default() {
    let of = |fields: &str, expected: Value| gives(&format!("each = '.p'\n{fields}"), SHOP, expected);
    of("fields.a = { css = '.price', as = 'number' }", json!([{"a": 1234.5}, {"a": null}]));
    of("fields.a = { css = '.price', as = 'number', default = 0 }", json!([{"a": 1234.5}, {"a": 0}]));
    of("fields.a = { get = 'data-id', as = 'integer' }", json!([{"a": 7}, {"a": null}]));
    of(
        "fields.a = { css = 'a', get = 'href', as = 'url' }",
        json!([{"a": "http://h.test/img/a%20b.html"}, {"a": null}]),
    );
    of("fields.a = { css = 'input', get = 'checked', as = 'boolean' }", json!([{"a": true}, {"a": false}]));
    of("fields.a = { css = 'input', get = 'checked' }", json!([{"a": null}, {"a": null}]));
    gives("fields.a = { css = 'time', as = 'date' }", "<time>27. November 2026", json!([{"a": "2026-11-27"}]));
    gives("fields.a = { css = 'p', as = 'boolean' }", "<p>In stock", json!([{"a": true}]));
}

#[test]
fn match_takes_its_first_group_or_all_of_it() {
    gives("fields.a = { css = 'p', match = '[0-9.]+' }", "<p>costs 9.50 EUR", json!([{"a": "9.50"}]));
    gives(
        "fields.a = { css = 'p', match = '([0-9.]+) (EUR)', as = 'number' }",
        "<p>costs 9.50 EUR",
        json!([{"a": 9.5}]),
    );
    gives(
        "fields.a = { css = 'p', match = 'x(y)?' }\nfields.b = { css = 'p' }",
        "<p>x",
        json!([{"a": null, "b": "x"}]),
    );
    gives("fields.a = { css = 'p', match = 'z', default = 'none' }", "<p>x", json!([{"a": "none"}]));
}

#[test]
fn many_gives_a_list_of_what_can_be_read() {
    let of = |fields: &str, expected: Value| gives(&format!("each = '.p'\n{fields}"), SHOP, expected);
    of("fields.a = { css = '.tag', many = true }", json!([{"a": ["red", "blue"]}, {"a": null}]));
    of(
        "fields.a = { css = '.tag', many = true, default = ['none'] }",
        json!([{"a": ["red", "blue"]}, {"a": ["none"]}]),
    );
    of("fields.a = { css = '.tag', many = true, required = true }", json!([{"a": ["red", "blue"]}]));
    let rules = "[item.a]\nfields.a = { css = 'i', many = true, as = 'integer' }";
    let (data, tally) = read(rules, "<i>1</i><i>x</i><i>3</i>", None);
    assert_eq!(data, json!([{"a": [1, 3]}]));
    assert_eq!(tally.rules["a"].fields["a"], FieldTally { absent: 0, unreadable: 1 });
}

#[test]
fn fields_within_a_field_make_an_object() {
    let html = "<p><b>Ann</b><a href=/ann>x</a></p><p><b></b></p>";
    let inner = "fields = { name = { css = 'b', required = true }, link = { css = 'a', get = 'href', as = 'url' } }";
    let ann = json!({"name": "Ann", "link": "http://h.test/ann"});
    gives(&format!("fields.by = {{ css = 'p', {inner} }}"), html, json!([{"by": ann}]));
    gives(&format!("fields.by = {{ css = 'p', many = true, {inner} }}"), html, json!([{"by": [ann]}]));
    gives(
        &format!("fields.by = {{ css = 'p + p', {inner} }}\nfields.x = {{ css = 'b' }}"),
        html,
        json!([{"by": null, "x": "Ann"}]),
    );
    gives("fields.by = { fields = { n = { css = 'b' } } }", html, json!([{"by": {"n": "Ann"}}]));
    gives("fields.by = { fields = { n = { css = 'h1' } } }", html, json!([]));
}

#[test]
fn the_language_of_the_page_or_of_the_rule_decides_how_numbers_and_dates_are_read() {
    let rules = "fields.n = { css = 'p', as = 'number' }\nfields.d = { css = 'i', as = 'date' }";
    let html = "<p>1.500</p><i>03/04/2026</i>";
    let of = |locale: &str, language| read(&format!("[item.a]\n{locale}{rules}"), html, language).0;
    assert_eq!(of("", Some("de")), json!([{"n": 1500.0, "d": "2026-04-03"}]));
    assert_eq!(of("", Some("en-US")), json!([{"n": 1.5, "d": "2026-03-04"}]));
    assert_eq!(of("", None), json!([{"n": 1.5, "d": null}]));
    assert_eq!(of("locale = 'en'\n", Some("de")), json!([{"n": 1.5, "d": "2026-03-04"}]));
}

#[test]
fn where_decides_on_the_url_and_what_was_not_found_is_counted_and_told() {
    let rules = "[item.here]\nwhere = '/shop/'\neach = 'li'\nfields.n = { css = 'h2', required = true }\nfields.price = { css = '.price', as = 'number' }
        fields.b = { css = 'b' }\n[item.elsewhere]\nwhere = '/blog/'\nfields.n = { css = 'h2' }\n[item.never]\nfields.n = { css = 'h6' }";
    let html = format!("{SHOP}<li>without</li>");
    let (_, mut tally) = read(rules, &html, None);
    let of = |name: &str| tally.rules[name].clone();
    assert_eq!((of("here").tried, of("here").matched, of("here").items, of("here").incomplete), (1, 1, 2, 1));
    assert_eq!(of("here").fields["price"], FieldTally { absent: 1, unreadable: 1 });
    let (_, other) = read(rules, &html, None);
    tally.merge(other);
    let told = Rules::parse(rules).unwrap().told(&tally);
    let lines = [
        "here: 4 items on 2 of 2 pages; left out for want of a required field: 2 items; price: not there 2 times, not readable 2 times; b: not there 4 times; n: not there 2 times",
        "elsewhere: its `where` matches no page's URL",
        "never: never matched, tried on 2 pages",
    ];
    assert_eq!(told, lines);
}

#[test]
fn names_and_columns_are_those_of_the_file_in_its_order() {
    let rules = Rules::parse("[item.z]\nfields.t = {}\nfields.n = { as = 'number' }\nfields.i = { as = 'integer' }\nfields.b = { as = 'boolean' }
        fields.d = { as = 'date' }\nfields.u = { as = 'url' }\nfields.m = { many = true }\nfields.o = { fields = { x = {} } }\n[item.a]\nfields.x = {}");
    let rules = rules.unwrap();
    assert_eq!(rules.names().collect::<Vec<_>>(), ["z", "a"]);
    use Column as C;
    let columns = [
        ("t", C::Text),
        ("n", C::Number),
        ("i", C::Integer),
        ("b", C::Boolean),
        ("d", C::Text),
        ("u", C::Text),
        ("m", C::Json),
        ("o", C::Json),
    ];
    assert_eq!(rules.columns("z").collect::<Vec<_>>(), columns);
    assert_eq!(rules.columns("none").count(), 0);
}
