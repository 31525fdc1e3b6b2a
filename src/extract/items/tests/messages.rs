use super::*;

/// Rules that cannot be, line and column of what is wrong, and what is told of it.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "1:1", "there are no rules: write a table such as [item.product]"),
    ("[item]\n", "1:2", "from 1 to 100 items"),
    ("[item.a]\nfields.x = { css = 'a' \n", "2:23", "inline table"),
    ("[item.a]\nfields.x = {}\nfields.x = {}", "3:8", "duplicate key"),
    ("[items.a]\nfields.x = {}", "1:2", "unknown key `items`: a file of rules has tables such as [item.product]"),
    (
        "[item.a]\nfields.x = {}\neech = 'p'",
        "3:1",
        "unknown key `eech`: an item has `where`, `each` or `schema`, `locale` and `fields`",
    ),
    (
        "[item.a]\nfields.x = { cs = 'p' }",
        "2:14",
        "unknown key `cs`: a field has `css`, `get`, `match`, `as`, `required`",
    ),
    ("[item.a]\nfields.x = { property = 'p' }", "2:14", "unknown key `property`"),
    ("[item.a]\nschema = 'T'\nfields.x = { css = 'p' }", "3:14", "unknown key `css`: a field has `property`"),
    ("[item.Product]\nfields.x = {}", "1:7", "`Product` cannot be the name of an item"),
    ("[item.a-b]\nfields.x = {}", "1:7", "a small letter, then small letters, digits and `_`"),
    ("[item.1]\nfields.x = {}", "1:7", "cannot be the name of an item"),
    ("[item.a]\n", "1:7", "the item `a` has no fields"),
    ("[item.a]\nfields = {}", "2:1", "from 1 to 200 fields"),
    (
        "[item.a]\nfields.url = { css = 'a' }",
        "2:8",
        "a field cannot be named `url`, which is a column of its own in the view",
    ),
    ("[item.a]\nfields.Position = {}", "2:8", "a field cannot be named `Position`"),
    ("[item.a]\nfields.'a b' = {}", "2:8", "`a b` cannot be the name of a field"),
    ("[item.a]\nfields.Name = {}\nfields.name = {}", "3:8", "there is a field `name` already, in other letters"),
    ("[item.a]\nfields.x = 'p'", "2:12", "`x` must be a table, such as { css = \"h1\" }"),
    ("item = 3", "1:8", "`item` must be a table"),
    ("[item.a]\nfields.x = { css = 5 }", "2:20", "`css` must be a text in quotation marks"),
    ("[item.a]\nfields.x = { css = 'p', many = 'yes' }", "2:32", "`many` must be true or false"),
    ("[item.a]\nfields.x = { css = 'p', required = 1 }", "2:36", "`required` must be true or false"),
    ("[item.a]\nfields.x = { css = 'p >' }", "2:20", "it is no CSS selector: it ends with a combinator"),
    ("[item.a]\neach = ''\nfields.x = {}", "2:8", "it is no CSS selector: a selector is missing"),
    (
        "[item.a]\neach = 'p:hover'\nfields.x = {}",
        "2:8",
        "a pseudo-class that is not known, or that only a browser knows",
    ),
    ("[item.a]\neach = 'p]'\nfields.x = {}", "2:8", "something stands where it cannot stand"),
    ("[item.a]\nwhere = '('\nfields.x = {}", "2:9", "it is not a regular expression that can be used: unclosed group"),
    ("[item.a]\nfields.x = { match = 'a{1000}{1000}' }", "2:22", "it takes too much memory"),
    ("[item.a]\nlocale = 'german!'\nfields.x = {}", "2:10", "`german!` is no language: write one such as de or pt-BR"),
    (
        "[item.a]\nfields.x = { as = 'money' }",
        "2:19",
        "`as` is text, number, integer, boolean, date or url, and not `money`",
    ),
    ("[item.a]\nfields.x = { get = 'a b' }", "2:20", "`get` is text, html, outer_html or the name of an attribute"),
    (
        "[item.a]\nfields.x = { as = 'integer', default = 'none' }",
        "2:40",
        "`default` must be a value that is `as = \"integer\"`",
    ),
    ("[item.a]\nfields.x = { as = 'integer', default = 1.5 }", "2:40", "`as = \"integer\"`"),
    ("[item.a]\nfields.x = { default = 1 }", "2:24", "`as = \"text\"`"),
    ("[item.a]\nfields.x = { as = 'number', default = nan }", "2:39", "`as = \"number\"`"),
    ("[item.a]\nfields.x = { as = 'date', default = 'soon' }", "2:37", "such as 2026-01-31"),
    ("[item.a]\nfields.x = { as = 'url', default = '/x' }", "2:36", "such as \"https://example.com/\""),
    (
        "[item.a]\nfields.x = { many = true, default = 'x' }",
        "2:37",
        "`default` must be a list of values that are `as = \"text\"`",
    ),
    ("[item.a]\nfields.x = { required = true, default = 'x' }", "2:31", "a required field has no `default`"),
    (
        "[item.a]\nfields.x = { as = 'text', fields = { y = {} } }",
        "2:14",
        "a field with `fields` is an object, for which `as` means nothing",
    ),
    ("[item.a]\nfields.x = { fields = {} }", "2:14", "from 1 to 200 fields"),
    ("[item.a]\neach = 'p'\nschema = 'T'\nfields.x = {}", "3:1", "an item has one of them"),
    ("[item.a]\nschema = []\nfields.x = {}", "2:10", "`schema` must be a text in quotation marks, or a list of them"),
    ("# ü\n[item.a]\nfields.'ü' = { css = 'ü', as = 'x' }", "3:32", "`as` is text"),
];

#[test]
fn a_rule_that_cannot_be_is_told_with_its_place() {
    let mut wrong = Vec::new();
    for (text, place, words) in REFUSED {
        let told = Rules::parse(text).map_or_else(|e| e.to_string(), |_| "it is taken".to_owned());
        if !told.starts_with(&format!("{place}: ")) || !told.contains(words) {
            wrong.push(format!("{text}\n  {told}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn a_default_of_its_kind_is_taken() {
    let rules = "fields.a = { css = 'h6', default = '' }\nfields.b = { css = 'h6', as = 'number', default = 0x10 }\nfields.c = { css = 'h6', as = 'date', default = 2026-01-31 }
        fields.d = { css = 'h6', as = 'boolean', default = false }\nfields.e = { css = 'h6', as = 'url', default = 'https://e.test' }
        fields.f = { css = 'h6', as = 'integer', many = true, default = [] }\nfields.g = { css = 'p' }";
    let expected =
        json!([{"a": "", "b": 16, "c": "2026-01-31", "d": false, "e": "https://e.test/", "f": [], "g": "x"}]);
    gives(rules, "<p>x", expected);
}
