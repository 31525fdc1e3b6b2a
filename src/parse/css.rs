//! What a style sheet names: `url()`, the strings of `image-set()`, and `@import` (CSS Values and Units, section 4.5; CSS
//! Images, section 2.5; CSS Cascade, section 2).

use cssparser::{ParseError, Parser, Token};

/// URLs of one style sheet, at most.
const MAX_URLS: usize = 1_000;
/// Imports among them that count as style sheets, which are read in turn: what style sheets lead to comes to an end.
const MAX_IMPORTS: usize = 10;

/// A URL as a style sheet writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CssUrl {
    pub url: String,
    /// It is itself a style sheet.
    pub is_import: bool,
}

/// The URLs of a style sheet, or of the declarations of a `style` attribute, in their order. What cannot be is passed over,
/// and so is what lies within too many blocks.
pub fn urls(css: &str) -> Vec<CssUrl> {
    let mut urls = Vec::new();
    read(&mut Parser::new(css), &mut urls, false);
    urls.iter_mut().filter(|found| found.is_import).skip(MAX_IMPORTS).for_each(|found| found.is_import = false);
    urls
}

/// What an at-rule makes of the strings that follow it.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Import,
    /// Its URL is but a name.
    Namespace,
    Other,
}

fn read(parser: &mut Parser<'_>, urls: &mut Vec<CssUrl>, is_set: bool) {
    let mut rule = Rule::Other;
    while urls.len() < MAX_URLS {
        let Ok(token) = parser.next() else { break };
        let url = match token {
            Token::UnquotedUrl(url) => Some(url.to_string()),
            Token::QuotedString(url) if rule == Rule::Import || is_set => Some(url.to_string()),
            Token::AtKeyword(name) if name.eq_ignore_ascii_case("import") => {
                rule = Rule::Import;
                continue;
            }
            Token::AtKeyword(name) => {
                rule = if name.eq_ignore_ascii_case("namespace") { Rule::Namespace } else { Rule::Other };
                continue;
            }
            Token::Function(name) if name.eq_ignore_ascii_case("url") || name.eq_ignore_ascii_case("src") => {
                let url = parser.parse_nested_block(|inner| {
                    Ok::<_, ParseError<()>>(inner.expect_string_cloned().map(|url| url.to_string())?)
                });
                url.ok()
            }
            Token::Function(name) => {
                let name = name.to_ascii_lowercase();
                descend(parser, urls, name == "image-set" || name == "-webkit-image-set");
                None
            }
            Token::ParenthesisBlock | Token::SquareBracketBlock => {
                descend(parser, urls, false);
                None
            }
            Token::CurlyBracketBlock => {
                rule = Rule::Other;
                descend(parser, urls, false);
                None
            }
            Token::Semicolon => {
                rule = Rule::Other;
                None
            }
            _ => None,
        };
        if let Some(url) = url.filter(|_| rule != Rule::Namespace) {
            urls.push(CssUrl { url, is_import: rule == Rule::Import });
            // What follows in an import are its conditions.
            rule = Rule::Other;
        }
    }
}

fn descend(parser: &mut Parser<'_>, urls: &mut Vec<CssUrl>, is_set: bool) {
    // Too deep a block is an error, and is left out.
    let _ = parser.parse_nested_block(|inner| {
        read(inner, urls, is_set);
        Ok::<_, ParseError<()>>(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(css: &str) -> Vec<String> {
        urls(css).into_iter().map(|found| format!("{}{}", if found.is_import { "@" } else { "" }, found.url)).collect()
    }

    #[test]
    fn urls_and_imports_are_found_wherever_a_style_sheet_may_have_them() {
        let css = r#"@charset "utf-8"; @import "a.css"; @import url(b.css) screen; @import url("c.css") supports(display: grid);
            @namespace svg url(http://www.w3.org/2000/svg); /* url(no.png) */
            @font-face { src: url(f.woff2) format("woff2"), url('f.woff') }
            @media print { a::before { content: "url(no.png)"; background: URL( g.png ) no-repeat, linear-gradient(red, blue) } }
            b { background-image: image-set("h.png" 1x, url(i.png) 2x); cursor: url(j\.cur), auto; --x: { y: url(k.png) } }"#;
        let expected = ["@a.css", "@b.css", "@c.css", "f.woff2", "f.woff", "g.png", "h.png", "i.png", "j.cur", "k.png"];
        assert_eq!(found(css), expected);
        assert_eq!(found("color: red; background: url(x.png)"), ["x.png"]);
    }

    #[test]
    fn what_is_broken_or_too_deep_is_passed_over() {
        assert_eq!(found("a { background: url(x y.png) } b { background: url(z.png) }"), ["z.png"]);
        assert_eq!(found("} ; @import ; a { b: url( } c"), [""; 0]);
        let deep = format!("{}url(x.png)", "(".repeat(1_000_000));
        assert!(found(&deep).len() <= 1);
        assert_eq!(urls(&"url(x)".repeat(20_000)).len(), MAX_URLS);
    }
}
