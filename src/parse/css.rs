//! What a style sheet names: `url()`, the strings of `image-set()`, and `@import` (CSS Values and Units, section 4.5; CSS
//! Images, section 2.5; CSS Cascade, section 2).

use cssparser::{ParseError, Parser, Token};

/// URLs of one style sheet, at most.
const MAX_URLS: usize = 10_000;

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
    urls
}

fn read(parser: &mut Parser<'_>, urls: &mut Vec<CssUrl>, is_set: bool) {
    // What the last at-rule begins with.
    let (mut imports, mut names_space) = (false, false);
    while urls.len() < MAX_URLS {
        let Ok(token) = parser.next() else { break };
        let mut add = |url: &str| {
            if !names_space {
                urls.push(CssUrl { url: url.to_owned(), is_import: imports });
            }
            imports = false;
        };
        match token {
            Token::UnquotedUrl(url) => add(url),
            Token::QuotedString(url) if imports || is_set => add(url),
            Token::AtKeyword(name) => {
                (imports, names_space) = (name.eq_ignore_ascii_case("import"), name.eq_ignore_ascii_case("namespace"));
            }
            Token::Semicolon => (imports, names_space) = (false, false),
            Token::Function(name) if name.eq_ignore_ascii_case("url") || name.eq_ignore_ascii_case("src") => {
                let url = parser.parse_nested_block(|inner| Ok::<_, ParseError<'_, ()>>(inner.expect_string_cloned()?));
                if let Ok(url) = url {
                    add(&url);
                }
            }
            Token::Function(name) => {
                let name = name.to_ascii_lowercase();
                descend(parser, urls, name == "image-set" || name == "-webkit-image-set");
            }
            Token::ParenthesisBlock | Token::SquareBracketBlock => descend(parser, urls, false),
            Token::CurlyBracketBlock => {
                (imports, names_space) = (false, false);
                descend(parser, urls, false);
            }
            _ => {}
        }
    }
}

fn descend(parser: &mut Parser<'_>, urls: &mut Vec<CssUrl>, is_set: bool) {
    // Too deep a block is an error, and is left out.
    let _ = parser.parse_nested_block(|inner| {
        read(inner, urls, is_set);
        Ok::<_, ParseError<'_, ()>>(())
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
        let expected =
            ["@a.css", "@b.css", "@c.css", "f.woff2", "f.woff", "g.png", "h.png", "i.png", "j.cur", "k.png"];
        assert_eq!(found(css), expected);
        assert_eq!(found("color: red; background: url(x.png)"), ["x.png"]);
    }

    #[test]
    fn what_is_broken_or_too_deep_is_passed_over() {
        assert_eq!(found("a { background: url(x y.png) } b { background: url(z.png) }"), ["z.png"]);
        assert_eq!(found("} ; @import ; a { b: url( } c"), [""; 0]);
        let deep = format!("{}url(x.png)", "(".repeat(1_000_000));
        assert_eq!(found(&deep), [""; 0]);
        assert_eq!(urls(&"url(x)".repeat(20_000)).len(), MAX_URLS);
    }
}
