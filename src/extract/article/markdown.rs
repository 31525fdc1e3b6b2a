//! From the HTML of a main content to Markdown.

use dom_query::{Document, NodeRef};
use html5ever::tendril::StrTendril;

/// Elements that are a line or a block of their own, as Markdown's own are.
const LINES: &str = "dt, dd, figcaption, summary, legend, address";
const BLOCKS: &str = "figure, details, main, header, footer, aside, fieldset, form, hgroup, center, nav";
/// What stands apart from the words around it in a cell or a link, where Markdown has one line.
const APART: &str = "br, p, div, section, article, blockquote, pre, ul, ol, li, dl, hr, h1, h2, h3, h4, h5, h6";
const TABLES: [&str; 7] = ["table", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// Cells in a row of what Markdown can show as a table.
const MAX_COLUMNS: usize = 50;

/// CommonMark with GitHub's tables and without HTML. Text that would be read as Markdown is escaped.
pub(super) fn of(html: StrTendril) -> String {
    let document = Document::fragment(html);
    document.select(LINES).rename("p");
    document.select(BLOCKS).rename("div");
    document.select("table").nodes().iter().for_each(tabulate);
    document.select("a").nodes().iter().for_each(in_a_line);
    document.select(":is(h1, h2, h3, h4, h5, h6) br").nodes().iter().for_each(space_for);
    document.root().descendants().iter().filter(|node| node.is_text()).for_each(keep_references);
    document.md(None).to_string()
}

/// Gives all rows of a table the same number of cells, each in one line. What is there for the layout is made blocks.
fn tabulate(table: &NodeRef<'_>) {
    let parts: Vec<_> = table.descendants_it().filter(NodeRef::is_element).collect();
    for caption in parts.iter().filter(|part| part.has_name("caption")) {
        caption.rename("p");
        table.insert_before(caption);
    }
    let rows: Vec<_> = parts.iter().filter(|part| part.has_name("tr")).map(cells).collect();
    let columns = rows.iter().map(|row| row.iter().map(span).sum()).max().unwrap_or(0);
    if !(2..=MAX_COLUMNS).contains(&columns) || parts.iter().any(|part| part.has_name("table")) {
        let is_of_table = |part: &&NodeRef<'_>| TABLES.iter().any(|name| part.has_name(name));
        parts.iter().chain([table]).filter(is_of_table).for_each(|part| part.rename("div"));
        return;
    }
    for row in &rows {
        row.iter().for_each(in_a_line);
        let missing = columns - row.len();
        if let Some(last) = row.last() {
            let name = if last.has_name("th") { "th" } else { "td" };
            (0..missing).for_each(|_| last.insert_after(&table.tree.new_element(name)));
        }
    }
}

fn cells<'a>(row: &NodeRef<'a>) -> Vec<NodeRef<'a>> {
    row.children_it(false).filter(|cell| cell.has_name("td") || cell.has_name("th")).collect()
}

/// The columns that a cell takes (WHATWG HTML, 4.9.11 "colspan").
fn span(cell: &NodeRef<'_>) -> usize {
    cell.attr("colspan").and_then(|span| span.parse().ok()).unwrap_or(1).clamp(1, 1000)
}

/// Makes one line of what an element holds.
fn in_a_line(element: &NodeRef<'_>) {
    dom_query::Selection::from(*element).select(APART).nodes().iter().for_each(space_for);
}

/// Sets what an element holds apart by spaces.
fn space_for(element: &NodeRef<'_>) {
    if element.prev_sibling().is_some() {
        element.insert_before(&element.tree.new_text(" "));
    }
    if element.next_sibling().is_some() {
        element.insert_after(&element.tree.new_text(" "));
    }
    element.rename("span");
}

/// A text that spells a character reference is to be read as such a text (CommonMark, 2.5), but code is not read.
fn keep_references(text: &NodeRef<'_>) {
    let is_code = |above: NodeRef<'_>| above.has_name("code") || above.has_name("pre");
    let content = text.text();
    if content.contains('&') && content.contains(';') && !text.ancestors_it(None).any(is_code) {
        text.set_text(content.replace('&', "&amp;"));
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_markdown_has_is_written_as_markdown() {
        let table = [
            ("<h1>One</h1><p>two<br>three</p><h3>Four<br>five</h3>", "# One\n\ntwo  \nthree\n\n### Four five"),
            ("<p>a <b>b</b> <em>c</em> <code>d_e</code></p>", "a **b** *c* `d_e`"),
            ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n    - b\n- c"),
            ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b"),
            ("<ul><li><p>a</p><pre>b\n\nc</pre></li></ul>", "- a\n\n  ```\n  b\n\n  c\n  ```"),
            ("<a href='https://x.example/a(b)'>the <b>link</b></a>", "[the link](https://x.example/a(b))"),
            ("<a href='https://x.example/a)b'>c]d</a>", "[c\\]d](<https://x.example/a)b>)"),
            (
                "<a href='https://x.example/'><h3>Head</h3><p>text<br>more</p></a>",
                "[Head text more](https://x.example/)",
            ),
            ("<img src='https://x.example/i.png' alt='a ] picture'>", "![a \\] picture](https://x.example/i.png)"),
            ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n> \n> b"),
            ("<pre><code class='language-rust'>fn a() {\n    b\n}\n</code></pre>", "```rust\nfn a() {\n    b\n}\n```"),
            ("<pre>a ``` &lt;b></pre>", "````\na ``` <b>\n````"),
            ("a<hr>b", "a\n\n---\n\nb"),
            ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n\nb"),
            (
                "<figure><img src='https://x.example/i'><figcaption>c</figcaption></figure>",
                "![](https://x.example/i)\n\nc",
            ),
            ("<details><summary>a</summary>b</details>c", "a\n\nb\n\nc"),
        ];
        for (html, markdown) in table {
            assert_eq!(of(html.into()), markdown, "{html}");
        }
    }

    #[test]
    fn all_rows_of_a_table_have_the_same_cells_and_a_table_for_the_layout_is_none() {
        let table = [
            ("<tr><th>a</th><th>b</th></tr><tr><td>1</td><td>x|y</td></tr>", "| a | b |\n| - | - |\n| 1 | x\\|y |"),
            ("<tr><td>a</td><td>1<br>2<p>3</p></td></tr>", "|   |   |\n| - | - |\n| a | 1 2 3 |"),
            (
                "<tr><th colspan=2>a</th></tr><tr><td>b</td><td>c</td></tr><tr><td>d</td></tr>",
                "| a |  |\n| - | - |\n| b | c |\n| d |  |",
            ),
            (
                "<tr><td><ul><li>a</li><li>b</li></ul></td><td><pre>x\ny</pre></td></tr>",
                "|   |   |\n| - | - |\n| a b | x y |",
            ),
            ("<tr><td>a</td></tr><tr><td>b</td></tr>", "a\n\nb"),
            ("<tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td><p>c</p></td></tr>", "a\n\nb\n\nc"),
        ];
        for (rows, markdown) in table {
            assert_eq!(of(format!("<table>{rows}</table>").into()), markdown, "{rows}");
        }
        let caption = of("<table><caption>C</caption><tr><td>a</td><td>b</td></tr></table>".into());
        assert!(caption.starts_with("C\n\n"), "{caption}");
    }

    #[test]
    fn text_that_would_be_read_as_markdown_or_html_is_escaped() {
        let table = [
            (
                "# a *b* _c_ `d` [e](f) ~~g~~ | ! \\",
                "\\# a \\*b\\* \\_c\\_ \\`d\\` \\[e\\](f) \\~\\~g\\~\\~ \\| ! \\\\",
            ),
            ("1. a<p>1) b<p>- c<p>+ d<p>&gt; e", "1\\. a\n\n1\\) b\n\n\\- c\n\n\\+ d\n\n\\> e"),
            ("a<br># b<br>===<br>---<br>```", "a  \n\\# b  \n\\===  \n\\---  \n\\`\\`\\`"),
            ("&lt;script>alert(1)&lt;/script>", "\\<script>alert(1)\\</script>"),
            (
                "&amp;lt;i&amp;gt; &amp;amp; AT&T; <code>&amp;amp;</code>",
                "&amp;lt;i&amp;gt; &amp;amp; AT&amp;T; `&amp;`",
            ),
            ("![x](y)", "\\!\\[x\\](y)"),
        ];
        for (html, markdown) in table {
            assert_eq!(of(html.into()), markdown, "{html}");
        }
    }
}
