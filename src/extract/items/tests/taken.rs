use super::*;

#[test]
fn what_is_taken_is_told_with_its_element_and_the_way_to_it() {
    let html = "<main id=m><article class='p q'><h3><a title=A href=/a>A…</a></h3></article><article class=p><h3><a title=B>B</a></h3><b>5 €</b></article></main>";
    let rules = "[item.p]\neach = '.p'\nfields.name = { css = 'h3 a', get = 'title' }\nfields.price = { css = 'b', as = 'integer' }
        fields.o = { css = 'h3', fields = { n = { css = 'a' } } }\nfields.class = { get = 'class' }";
    let mut tally = Tally::default();
    let explained = Rules::parse(rules).unwrap().explain(&page(html, None), soon(), &mut tally, false);
    let (item, taken) = &explained[1];
    assert_eq!(json!(item.data), json!({"name": "B", "price": 5, "o": {"n": "B"}, "class": "p"}));
    let told: Vec<_> =
        taken.iter().map(|taken| [&taken.field, &taken.path, &taken.tag, &taken.given].map(String::as_str)).collect();
    let expected = [
        ["", "main#m > article.p:nth-of-type(2)", "<article class=\"p\">", ""],
        ["name", "h3 > a", "<a title=\"B\">", "B"],
        ["price", "b", "<b>", "5 €"],
        ["o", "h3", "<h3>", ""],
        ["o.n", "a", "<a title=\"B\">", "B"],
        ["class", ":scope", "<article class=\"p\">", "p"],
    ];
    assert_eq!(told, expected);
    assert_eq!(explained[0].1.len(), 5, "the price is not there");
}

#[test]
fn of_a_file_where_is_not_asked() {
    let rules = Rules::parse("[item.p]\nwhere = '^https://example.com/'\nfields.n = { css = 'p' }").unwrap();
    let of = |is_local| rules.explain(&page("<p>x", None), soon(), &mut Tally::default(), is_local).len();
    assert_eq!((of(true), of(false)), (1, 0));
}
