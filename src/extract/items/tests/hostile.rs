use super::*;

fn bounded(rules: &str, html: &str, deadline: Instant) -> (usize, Vec<Bound>) {
    let mut tally = Tally::default();
    let items = Rules::parse(rules).unwrap().items(&page(html, None), deadline, &mut tally);
    (items.len(), tally.bounded.into_keys().collect())
}

#[test]
fn more_items_than_a_page_may_have_are_left_out_and_told() {
    let html = format!("{}{}", "<i>x</i>".repeat(6_000), "<b>x</b>".repeat(11_000));
    assert_eq!(bounded("[item.a]\neach = 'b'\nfields.t = {}", &html, soon()), (10_000, vec![Bound::Items]));
    let twice = "[item.a]\neach = 'i'\nfields.t = {}\n[item.b]\neach = 'b'\nfields.t = {}";
    assert_eq!(bounded(twice, &html, soon()), (10_000, vec![Bound::Items]));
}

#[test]
fn items_that_are_larger_than_a_page_may_make_are_left_out_and_told() {
    let html = format!("{}{}", "<div>".repeat(400), "text ".repeat(20_000));
    let (items, bounds) = bounded("[item.a]\neach = 'div'\nfields.t = {}", &html, soon());
    assert!(items > 50 && items < 400, "{items}");
    assert_eq!(bounds, [Bound::Bytes]);
    let (items, bounds) = bounded("[item.a]\neach = 'div'\nfields.t = { get = 'html' }", &html, soon());
    assert!(items < 400 && bounds == [Bound::Bytes], "{items} {bounds:?}");
}

#[test]
fn a_selector_that_explodes_ends_with_the_time() {
    let html = format!("{}{}", "<b>".repeat(150), "<i></i>".repeat(20_000));
    for css in ["u ~ i", "b:has(u ~ i)", "i:has(~ i ~ u)"] {
        let rules = format!("[item.a]\neach = '{css}'\nfields.t = {{}}");
        let begin = Instant::now();
        let (items, bounds) = bounded(&rules, &html, begin + Duration::from_millis(300));
        assert_eq!((items, bounds), (0, vec![Bound::Time]), "{rules}");
    }
}

#[test]
fn what_is_nested_deep_is_read_without_end_of_the_stack() {
    let html = format!("{}<u>x</u>", "<div>".repeat(3_000));
    assert_eq!(bounded("[item.a]\neach = 'body > div:has(u)'\nfields.t = {}", &html, soon()), (0, vec![Bound::Depth]));
    assert_eq!(bounded("[item.a]\nfields.t = { css = 'div u' }", &html, soon()), (1, vec![]));
    let deep =
        ["is", "not", "where", "has"].map(|name| format!("{}p{}", format!(":{name}(").repeat(190), ")".repeat(190)));
    for css in deep {
        let _ = Rules::parse(&format!("[item.a]\neach = '{css}'\nfields.t = {{}}")).map(|rules| {
            rules.items(&page(&html, None), soon(), &mut Tally::default());
        });
    }
    let long = Rules::parse(&format!("[item.a]\neach = '{}'\nfields.t = {{}}", "p".repeat(1_001))).unwrap_err();
    assert!(long.problem.contains("longer than 1000 bytes"), "{long}");
    let mut fields = "{ css = 'p' }".to_owned();
    for _ in 0..9 {
        fields = format!("{{ fields = {{ x = {fields} }} }}");
    }
    let deep = Rules::parse(&format!("[item.a]\nfields.x = {fields}")).unwrap_err();
    assert!(deep.problem.contains("8 deep at most"), "{deep}");
}

#[test]
fn a_value_is_cut_before_it_is_matched() {
    let html = format!("<p>{}end", "x".repeat(2 << 20));
    let (data, _) = read(
        "[item.a]\nfields.end = { css = 'p', match = 'end$' }\nfields.x = { css = 'p', match = '^x' }",
        &html,
        None,
    );
    assert_eq!(data, json!([{"end": null, "x": "x"}]));
}

#[test]
fn references_that_multiply_end() {
    let ids: Vec<_> = (0..200).map(|id| format!("{{\"@id\": \"#{id}\"}}")).collect();
    let things: Vec<_> =
        (0..200).map(|id| format!("{{\"@id\": \"#{id}\", \"@type\": \"T\", \"p\": [{}]}}", ids.join(","))).collect();
    let html = format!("<script type=application/ld+json>[{}]</script>", things.join(","));
    let rules = "[item.a]\nschema = 'T'\nfields.x = { property = 'p.p.p.p.p.p.p.q' }";
    let (items, bounds) = bounded(rules, &html, Instant::now() + Duration::from_millis(500));
    assert!(items == 0 && !bounds.is_empty(), "{bounds:?}");
}

#[test]
fn defaults_and_names_of_fields_count_as_what_is_taken() {
    let fields: String =
        (0..190).map(|field| format!("fields.field_with_a_name_{field} = {{ css = 'u' }}\n")).collect();
    let html = "<p>".repeat(5_000);
    for rules in [fields, format!("fields.x = {{ css = 'u', default = '{}' }}", "x".repeat(100_000))] {
        let (items, bounds) = bounded(&format!("[item.a]\neach = 'p'\n{rules}"), &html, soon());
        assert!((100..5_000).contains(&items) && bounds == [Bound::Bytes], "{items} {bounds:?}");
    }
}

#[test]
fn a_file_has_so_many_regular_expressions_and_no_more() {
    let fields: String = (0..199).map(|field| format!("fields.f{field} = {{ match = 'x' }}\n")).collect();
    let rules = |more: &str| Rules::parse(&format!("[item.a]\nwhere = 'x'\n{fields}{more}"));
    assert!(rules("").is_ok());
    assert!(rules("[item.b]\nwhere = 'x'\nfields.f = {}").unwrap_err().problem.contains("200 regular"));
}
