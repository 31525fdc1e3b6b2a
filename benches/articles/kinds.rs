//! What stands in the middle of a page, for twelve kinds of pages. Main content is marked `data-main`; what stands within
//! it and is none, `data-not`; what one may take or leave, such as a title or a date, `data-either`.

use super::words::Language;

/// Makes text of a language, always the same for the same seed.
pub struct Writer {
    pub random: fastrand::Rng,
    pub language: &'static Language,
}

/// The middle of a page.
pub struct Middle {
    pub title: String,
    /// Holds the main content.
    pub body: String,
    /// What follows, none of it main content.
    pub after: String,
}

pub type Kind = fn(&mut Writer) -> Middle;

pub const KINDS: [(&str, Kind); 12] = [
    ("news", news),
    ("blog", blog),
    ("documentation", documentation),
    ("forum", forum),
    ("shop", shop),
    ("recipe", recipe),
    ("wiki", wiki),
    ("landing page", landing),
    ("event", event),
    ("job", job),
    ("questions", questions),
    ("list", list),
];

impl Writer {
    pub fn name(&mut self) -> &'static str {
        let names = self.language.names;
        names[self.random.usize(..names.len())]
    }

    pub fn plain(&mut self) -> String {
        let sentences = self.language.sentences;
        let mut text = sentences[self.random.usize(..sentences.len())].to_owned();
        while text.contains('{') {
            text = text.replacen("{}", self.name(), 1);
        }
        while text.contains('#') {
            text = text.replacen('#', &self.random.u32(2..95).to_string(), 1);
        }
        text
    }

    /// A sentence, now and then with a link or an emphasis in it.
    fn sentence(&mut self) -> String {
        let text = self.plain();
        let name = self.language.names.iter().find(|name| text.contains(*name));
        match (self.random.u8(..5), name) {
            (0, Some(name)) => {
                text.replacen(name, &format!("<a href=\"/topic/{}\">{name}</a>", self.random.u16(..)), 1)
            }
            (1, Some(name)) => text.replacen(name, &format!("<em>{name}</em>"), 1),
            _ => text,
        }
    }

    pub fn text(&mut self, sentences: usize) -> String {
        let space = self.language.space;
        (0..sentences).map(|_| self.sentence()).collect::<Vec<_>>().join(space)
    }

    fn paragraph(&mut self) -> String {
        let sentences = self.random.usize(2..6);
        format!("<p>{}</p>\n", self.text(sentences))
    }

    fn paragraphs(&mut self, count: usize) -> String {
        (0..count).map(|_| self.paragraph()).collect()
    }

    /// The beginning of a sentence.
    pub fn headline(&mut self) -> String {
        let text = self.plain();
        let words = self.random.usize(3..8);
        if self.language.space.is_empty() {
            return text.chars().take(words * 3).collect();
        }
        text.split(' ').take(words).collect::<Vec<_>>().join(" ").trim_matches([',', ';', ':', '„']).to_owned()
    }

    fn items(&mut self, count: usize) -> String {
        (0..count).map(|_| format!("<li>{}</li>\n", self.headline())).collect()
    }

    fn date(&mut self) -> String {
        let (month, day) = (self.random.u8(1..13), self.random.u8(1..29));
        format!("<time datetime=\"2026-{month:02}-{day:02}\">{day}.{month}.2026</time>")
    }

    pub fn related(&mut self) -> String {
        let label = self.language.related;
        let cards: String = (0..4)
            .map(|_| {
                let (head, text) = (self.headline(), self.plain());
                format!("<div class=\"card\"><a href=\"/r/{}\"><img src=\"/i.jpg\" alt=\"\"><h3>{head}</h3></a><p>{text}</p></div>\n", self.random.u16(..))
            })
            .collect();
        format!("<section class=\"related\"><h2>{label}</h2>{cards}</section>\n")
    }

    pub fn comments(&mut self) -> String {
        let label = self.language.comments;
        let count = self.random.usize(2..7);
        let entries: String = (0..count)
            .map(|_| {
                let (name, date, text) = (self.name(), self.date(), self.text(2));
                format!("<li class=\"comment\"><b>{name}</b> {date}<p>{text}</p><a href=\"#reply\">↩</a></li>\n")
            })
            .collect();
        format!("<div id=\"comments\" class=\"comments\"><h3>{label} ({count})</h3><ol>{entries}</ol></div>\n")
    }

    fn share(&self) -> String {
        format!(
            "<ul class=\"share\" data-not><li><a href=\"#f\">Facebook</a></li><li><a href=\"#x\">X</a></li><li><a href=\"#m\">{}</a></li></ul>\n",
            self.language.share
        )
    }

    fn advert(&self) -> String {
        format!("<div class=\"ad-slot\" data-not><a href=\"https://ads.example/\">{}</a></div>\n", self.language.advert)
    }

    fn figure(&mut self) -> String {
        let (file, alt, caption) = (self.random.u16(..), self.headline(), self.plain());
        format!("<figure><img src=\"/img/{file}.jpg\" alt=\"{alt}\"><figcaption>{caption}</figcaption></figure>\n")
    }

    fn table(&mut self, rows: usize) -> String {
        let rows: String = (0..rows)
            .map(|_| {
                format!(
                    "<tr><th>{}</th><td>{}</td><td>{}</td></tr>\n",
                    self.name(),
                    self.headline(),
                    self.random.u16(..)
                )
            })
            .collect();
        format!("<table><tbody>{rows}</tbody></table>\n")
    }

    fn code(&mut self) -> String {
        let (name, count) = (self.random.u16(..), self.random.u8(..));
        format!(
            "<pre><code class=\"language-rust\">let part{name} = store.open(\"db{count}\")?;\nfor row in part{name}.rows() {{\n    println!(\"{{row}} {count}\");\n}}\n</code></pre>\n"
        )
    }
}

fn news(w: &mut Writer) -> Middle {
    let (title, name, date) = (w.headline(), w.name(), w.date());
    let body = format!(
        "<h1 data-either>{title}</h1>\n<p class=\"byline\" data-either>{name} · {date}</p>\n{share}<div data-main>\n<p class=\"lead\"><strong>{lead}</strong></p>\n{figure}{first}{ad}{second}<div class=\"infobox-related\" data-not><a href=\"/a\">{a}</a><br><a href=\"/b\">{b}</a></div>\n<h2>{head}</h2>\n{third}<blockquote><p>{quote}</p></blockquote>\n{last}</div>\n",
        share = w.share(),
        lead = w.plain(),
        figure = w.figure(),
        first = w.paragraphs(3),
        ad = w.advert(),
        second = w.paragraphs(2),
        a = w.headline(),
        b = w.headline(),
        head = w.headline(),
        third = w.paragraphs(2),
        quote = w.text(2),
        last = w.paragraphs(2),
    );
    Middle { title, body, after: w.related() + &w.comments() }
}

fn blog(w: &mut Writer) -> Middle {
    let title = w.headline();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<div class=\"meta\" data-either>{date} {author}</div>\n<div data-main>\n{first}<h2>{head}</h2>\n{second}<ul>\n{items}</ul>\n{code}{third}{figure}<h2>{end}</h2>\n{last}</div>\n<p class=\"tags\" data-either><a href=\"/t/1\">{tag}</a> <a href=\"/t/2\">{other}</a></p>\n<div class=\"author-box\"><img src=\"/me.jpg\" alt=\"\"><h4>{author}</h4><p>{bio}</p></div>\n",
        date = w.date(),
        author = w.name(),
        first = w.paragraphs(2),
        head = w.headline(),
        second = w.paragraphs(2),
        items = w.items(4),
        code = w.code(),
        third = w.paragraphs(2),
        figure = w.figure(),
        end = w.headline(),
        last = w.paragraphs(1),
        tag = w.name(),
        other = w.name(),
        bio = w.text(2),
    );
    Middle { title, body, after: w.comments() }
}

fn documentation(w: &mut Writer) -> Middle {
    let title = w.headline();
    let sections: String = (0..3)
        .map(|n| {
            format!(
                "<h2 id=\"s{n}\">{head}<a class=\"headerlink\" href=\"#s{n}\" data-not>¶</a></h2>\n{text}{code}<div class=\"admonition note\"><p class=\"admonition-title\">Note</p>{note}</div>\n",
                head = w.headline(), text = w.paragraphs(1), code = w.code(), note = w.paragraph(),
            )
        })
        .collect();
    let contents: String = (0..3).map(|n| format!("<li><a href=\"#s{n}\">{}</a></li>", w.headline())).collect();
    let body = format!(
        "<ul class=\"breadcrumbs\"><li><a href=\"/\">Docs</a></li><li><a href=\"/g\">{crumb}</a></li></ul>\n<div class=\"toc\"><ul>{contents}</ul></div>\n<div data-main>\n<h1 data-either>{title}</h1>\n{intro}{sections}<dl><dt><code>--depth</code></dt><dd>{one}</dd><dt><code>--rate</code></dt><dd>{two}</dd></dl>\n{table}</div>\n<div class=\"prev-next\"><a href=\"/p\">{prev}</a> <a href=\"/n\">{next}</a></div>\n",
        crumb = w.headline(),
        intro = w.paragraphs(1),
        one = w.plain(),
        two = w.plain(),
        table = w.table(5),
        prev = w.headline(),
        next = w.headline(),
    );
    Middle { title, body, after: String::new() }
}

fn forum(w: &mut Writer) -> Middle {
    let title = w.headline();
    let count = w.random.usize(4..8);
    let posts: String = (0..count)
        .map(|n| {
            format!(
                "<div class=\"post\" id=\"p{n}\"><div class=\"user\" data-either><a href=\"/u/{n}\">{name}</a><br>{number} posts</div>\n<div class=\"date\" data-either>{date} <a href=\"#p{n}\">#{n}</a></div>\n<div class=\"message\" data-main>{text}</div>\n<div class=\"signature\">{signature}</div><div class=\"actions\"><a href=\"/q\">Quote</a> <a href=\"/l\">Like</a></div></div>\n",
                name = w.name(), number = w.random.u16(..), date = w.date(), text = w.paragraphs(1 + n % 3), signature = w.headline(),
            )
        })
        .collect();
    Middle {
        body: format!("<h1 data-either>{title}</h1>\n<div class=\"thread\">{posts}</div>\n"),
        title,
        after: w.related(),
    }
}

fn shop(w: &mut Writer) -> Middle {
    let title = w.headline();
    let body = format!(
        "<div class=\"product\"><div class=\"gallery\"><img src=\"/p1.jpg\" alt=\"\"><img src=\"/p2.jpg\" alt=\"\"></div>\n<div class=\"summary\"><h1 data-either>{title}</h1>\n<p class=\"price\" data-either>{price},99 €</p><form action=\"/cart\"><button>+ 1</button></form></div>\n<div class=\"description\" data-main>{text}<ul>\n{items}</ul>\n{table}{more}</div></div>\n<div class=\"reviews\" data-either>{reviews}</div>\n",
        price = w.random.u16(..),
        text = w.paragraphs(2),
        items = w.items(5),
        table = w.table(6),
        more = w.paragraphs(1),
        reviews = w.paragraphs(2),
    );
    Middle { title, body, after: w.related() }
}

fn recipe(w: &mut Writer) -> Middle {
    let title = w.headline();
    let ingredients: String = (0..8).map(|_| format!("<li>{} g {}</li>\n", w.random.u16(..), w.headline())).collect();
    let steps: String = (0..5).map(|_| format!("<li>{}</li>\n", w.text(2))).collect();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<div class=\"rating\" data-either>★★★★☆ ({votes})</div>\n{share}<div data-main>{intro}{figure}<h2>{one}</h2>\n<ul class=\"ingredients\">\n{ingredients}</ul>\n<h2>{two}</h2>\n<ol class=\"steps\">\n{steps}</ol>\n{ad}{table}</div>\n",
        votes = w.random.u8(..),
        share = w.share(),
        intro = w.paragraphs(1),
        figure = w.figure(),
        one = w.headline(),
        two = w.headline(),
        ad = w.advert(),
        table = w.table(3),
    );
    Middle { title, body, after: w.comments() + &w.related() }
}

fn wiki(w: &mut Writer) -> Middle {
    let title = w.name().to_owned();
    let sections: String = (0..4)
        .map(|n| {
            format!(
                "<h2><span id=\"s{n}\">{head}</span><span class=\"mw-editsection\" data-not>[<a href=\"/edit\">edit</a>]</span></h2>\n{text}",
                head = w.headline(), text = w.paragraphs(2),
            )
        })
        .collect();
    let notes: String =
        (0..5).map(|n| format!("<li id=\"n{n}\"><a href=\"#c{n}\">^</a> {}</li>", w.headline())).collect();
    let contents: String = (0..4).map(|n| format!("<li><a href=\"#s{n}\">{n} {}</a></li>", w.headline())).collect();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<div data-main><table class=\"infobox\">{box_}</table>\n{intro}<div id=\"toc\" class=\"toc\" data-not><ul>{contents}</ul></div>\n{sections}{table}<div data-either><h2>References</h2><ol class=\"references\">{notes}</ol></div></div>\n<div id=\"catlinks\"><a href=\"/c/1\">{a}</a> | <a href=\"/c/2\">{b}</a></div>\n",
        box_ = w.table(4).replace("<table>", "").replace("</table>", ""),
        intro = w.paragraphs(2),
        table = w.table(5),
        a = w.headline(),
        b = w.headline(),
    );
    Middle { title, body, after: String::new() }
}

fn landing(w: &mut Writer) -> Middle {
    let title = w.headline();
    let features: String = (0..6)
        .map(|_| format!("<div class=\"feature\"><svg></svg><h3>{}</h3><p>{}</p></div>\n", w.headline(), w.text(2)))
        .collect();
    let voices: String =
        (0..3).map(|_| format!("<blockquote><p>{}</p><cite>{}</cite></blockquote>\n", w.text(2), w.name())).collect();
    let asked: String = (0..4)
        .map(|_| format!("<details><summary>{}?</summary><p>{}</p></details>\n", w.headline(), w.text(3)))
        .collect();
    let body = format!(
        "<section class=\"hero\" data-main><h1 data-either>{title}</h1><p>{lead}</p><a class=\"btn\" href=\"/go\" data-either>{go}</a></section>\n<section class=\"features\" data-main>{features}</section>\n<section class=\"testimonials\" data-main>{voices}</section>\n<section class=\"pricing\" data-main>{table}</section>\n<section class=\"faq\" data-main>{asked}</section>\n",
        lead = w.text(2),
        go = w.headline(),
        table = w.table(4),
    );
    Middle { title, body, after: format!("<section class=\"newsletter\"><p>{}</p></section>", w.language.newsletter) }
}

fn event(w: &mut Writer) -> Middle {
    let title = w.headline();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<div data-main><dl class=\"facts\"><dt>{when}</dt><dd>{date}, {hour}:30</dd><dt>{place}</dt><dd>{where_}</dd></dl>\n{text}<h2>{program}</h2>\n{table}{last}</div>\n<p data-either><a class=\"btn\" href=\"/tickets\">{go}</a></p>\n",
        when = w.name(),
        date = w.date(),
        hour = w.random.u8(10..22),
        place = w.name(),
        where_ = w.headline(),
        text = w.paragraphs(2),
        program = w.headline(),
        table = w.table(6),
        last = w.paragraphs(1),
        go = w.headline(),
    );
    Middle { title, body, after: w.related() }
}

fn job(w: &mut Writer) -> Middle {
    let title = w.headline();
    let sections: String = (0..3).map(|_| format!("<h3>{}</h3>\n<ul>\n{}</ul>\n", w.headline(), w.items(6))).collect();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<p class=\"facts\" data-either>{place} · {company} · {date}</p>\n<div data-main>{intro}{sections}{last}</div>\n<form action=\"/apply\"><label>{label}<input name=\"mail\"></label><button>{go}</button></form>\n",
        place = w.name(),
        company = w.name(),
        date = w.date(),
        intro = w.paragraphs(1),
        last = w.paragraphs(2),
        label = w.name(),
        go = w.headline(),
    );
    Middle { title, body, after: w.related() }
}

fn questions(w: &mut Writer) -> Middle {
    let title = w.headline() + "?";
    let answers: String = (0..3)
        .map(|n| {
            format!(
                "<div class=\"answer\" id=\"a{n}\"><div class=\"votes\" data-either>{votes}</div><div class=\"answer-text\" data-main>{text}{code}{more}</div><div class=\"signature\" data-either>{name} {date}</div><ul class=\"notes\" data-either><li>{note}</li></ul></div>\n",
                votes = w.random.u8(..), text = w.paragraphs(2), code = w.code(), more = w.paragraphs(1), name = w.name(), date = w.date(), note = w.plain(),
            )
        })
        .collect();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<div class=\"question\"><div class=\"votes\" data-either>{votes}</div><div class=\"question-text\" data-main>{text}{code}</div></div>\n{answers}",
        votes = w.random.u8(..),
        text = w.paragraphs(2),
        code = w.code(),
    );
    let linked: String = (0..8).map(|n| format!("<li><a href=\"/q/{n}\">{}?</a></li>", w.headline())).collect();
    Middle {
        title,
        body,
        after: format!("<div class=\"linked\"><h4>{}</h4><ul>{linked}</ul></div>\n", w.language.related),
    }
}

fn list(w: &mut Writer) -> Middle {
    let title = w.name().to_owned();
    let count = w.random.usize(10..18);
    let cards: String = (0..count)
        .map(|n| {
            format!(
                "<div class=\"teaser\"><a href=\"/item/{n}\"><img src=\"/i/{n}.jpg\" alt=\"\"></a><h2><a href=\"/item/{n}\">{head}</a></h2><p>{text}</p><a href=\"/item/{n}\" data-not>{more}</a></div>\n",
                head = w.headline(), text = w.plain(), more = w.language.more,
            )
        })
        .collect();
    let filters: String =
        (0..6).map(|n| format!("<li><label><input type=\"checkbox\">{} ({n})</label></li>", w.name())).collect();
    let pages: String = (1..9).map(|n| format!("<li><a href=\"?page={n}\">{n}</a></li>")).collect();
    let body = format!(
        "<h1 data-either>{title}</h1>\n<ul class=\"filters\">{filters}</ul>\n<div class=\"results\" data-main>{cards}</div>\n<ul class=\"pagination\">{pages}</ul>\n"
    );
    Middle { title, body, after: String::new() }
}
