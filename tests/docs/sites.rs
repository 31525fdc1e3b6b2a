//! The sites that the documentation names, as far as its commands need them.

use crate::web::{Answer, Asked};

pub const HOSTS: [&str; 6] = [
    "example.com",
    "www.example.com",
    "books.toscrape.com",
    "quotes.toscrape.com",
    "other.example",
    "members.example.com",
];
/// A page that is another one each night.
pub const NEWS: &str = "/news/";

/// The name and password, and the cookie, of the one who may see the pages for members.
const MEMBER: &str = "Basic bWU6c2VjcmV0"; // me:secret
const SESSION: &str = "session=7f3a";

pub fn answer(asked: &Asked) -> Answer {
    match (asked.host, asked.path) {
        (_, "/robots.txt") => (200, vec![], "User-agent: *\nDisallow: /private\n".to_owned()),
        ("example.com" | "www.example.com", _) => example(asked),
        ("members.example.com", _) => members(asked),
        ("books.toscrape.com", "/") => books(),
        ("books.toscrape.com", path) if path.starts_with("/catalogue/") => {
            html("A book | Books to Scrape", "<h1>A book</h1>")
        }
        ("quotes.toscrape.com", "/") => {
            html("Quotes to Scrape", "<p>“A day without sunshine is like, you know, night.”</p>")
        }
        (host, path) if host.ends_with(".example") => town(host, path),
        _ => html("Not found", "There is no such page.").with_status(404),
    }
}

trait WithStatus {
    fn with_status(self, status: u16) -> Self;
}

impl WithStatus for Answer {
    fn with_status(self, status: u16) -> Self {
        (status, self.1, self.2)
    }
}

fn html(title: &str, body: &str) -> Answer {
    let page = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title></head><body>{body}</body></html>"
    );
    (200, vec![("content-type", "text/html; charset=utf-8".to_owned())], page)
}

fn redirect(to: &str) -> Answer {
    (302, vec![("location", to.to_owned())], String::new())
}

/// A small company that sells lamps.
fn example(asked: &Asked) -> Answer {
    match asked.path {
        "/" => html(
            "Example: lamps, and how to live with them",
            "<nav><a href=/guide>Guide</a> <a href=/catalogue/>Catalogue</a> <a href=/news/>News</a> <a href=/docs/>Docs</a></nav>
             <h1>Lamps</h1><p>Made by hand since 1926.</p><img src=/logo.png>
             <a href=/private>For us</a> <a href=/old-guide>The guide of last year</a> <a href=/gone>A lamp that is gone</a>
             <a href=https://other.example/>A friend</a>",
        ),
        "/guide" => html("How to choose a lamp", &format!("<article><h1>How to choose a lamp</h1>{}</article>", GUIDE)),
        "/old-guide" => redirect("/guide"),
        "/docs/" => html("Docs", "<h1>Docs</h1><p>How lamps are mounted.</p><a href=/docs/mounting>Mounting</a>"),
        "/docs/mounting" => html("Mounting a lamp", "<h1>Mounting</h1><p>Two screws, and patience. <a href=/docs/#bulbs>Bulbs</a></p>"),
        "/catalogue/" => html("Catalogue", "<h1>Catalogue</h1><a href=/catalogue/1>Page 1</a> <a href=/catalogue/2>Page 2</a>"),
        "/catalogue/1" => catalogue(&[("Attic lamp", "£51.77", "3 left"), ("Desk lamp", "£20.00", "12 left")]),
        "/catalogue/2" => catalogue(&[("Street lamp", "on request", "1 left")]),
        NEWS => {
            let items: String = (1..=asked.night).map(|night| format!("<a href=/news/{night}>Night {night}</a> ")).collect();
            html("News", &format!("<h1>News</h1>{items}"))
        }
        "/sitemap.xml" => {
            let urls = ["/", "/guide", "/catalogue/", "/forgotten"].map(|path| format!("<url><loc>https://example.com{path}</loc></url>"));
            let xml = format!("<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{}</urlset>", urls.concat());
            (200, vec![("content-type", "application/xml".to_owned())], xml)
        }
        "/forgotten" => html("A forgotten page", "<h1>A page that nobody links to</h1>"),
        path if path.starts_with(NEWS) => html(&format!("What was new on night {}", &path[NEWS.len()..]), "<p>A lamp was lit."),
        _ => html("Not found", "There is no such page.").with_status(404),
    }
}

const GUIDE: &str = "<p>A lamp is chosen by the light that is wanted, and not by the lamp: who reads needs light from the \
    side, who eats needs light from above, and who sleeps needs none at all, least of all a blue one.</p>\
    <h2>Warm or cold</h2><p>Warm light has 2,700 kelvin, cold light 6,500. In the evening warm light lets people come to \
    rest, and in a workshop cold light shows scratches that would else be found by the customer, who always finds them.</p>\
    <h2>How bright</h2><p>A room of twenty square metres takes some 2,000 lumens, spread over several lamps rather than \
    from one in the middle, which leaves the corners dark and the faces in shadow.</p>";

fn catalogue(lamps: &[(&str, &str, &str)]) -> Answer {
    let lamp = |(name, price, stock): &(&str, &str, &str)| {
        format!(
            "<article class=book data-id={}><h3><a href=/guide title='{name}'>{name}</a></h3><p class=price>{price}</p>\
             <p class=stock>{stock}</p></article>",
            name.len()
        )
    };
    html("Lamps", &lamps.iter().map(lamp).collect::<String>())
}

/// A login by a form, which sets a cookie, and pages for those who have it or a password.
fn members(asked: &Asked) -> Answer {
    let may_see = asked.cookie.contains(SESSION) || asked.authorization == MEMBER;
    match asked.path {
        "/login" => html("Log in", "<form method=post><input name=user><input name=password type=password></form>"),
        "/logout" => redirect("/login"),
        _ if !may_see && asked.path.starts_with("/reports") => redirect("/login"),
        "/" => html("Members", "<a href=/reports/>Reports</a>"),
        "/reports/" => {
            html("Reports", "<a href=/reports/1>One</a> <a href=/reports/2>Two</a> <a href=/logout>Log out</a>")
        }
        "/reports/1" | "/reports/2" => html("A report", &format!("<h1>Report {}</h1>", &asked.path[9..])),
        _ => html("Not found", "").with_status(404),
    }
}

fn books() -> Answer {
    let books: String = (1..=6).map(|book| format!("<a href=/catalogue/{book}>Book {book}</a> ")).collect();
    html("All products | Books to Scrape", &books)
}

/// One of many small sites: most answer, one is gone, one has moved to another name, one has nothing but a lost page.
fn town(host: &str, path: &str) -> Answer {
    match (host, path) {
        ("town-7.example", _) => html("Gone", "").with_status(410),
        ("town-8.example", "/") => redirect("http://moved.example/"),
        (_, "/") => html(&format!("Welcome to {host}"), "<a href=/council>Council</a> <a href=/contact>Contact</a>"),
        (_, "/council" | "/contact") => html(&format!("{} of {host}", &path[1..]), "<p>Open on Tuesdays.</p>"),
        _ => html("Not found", "").with_status(404),
    }
}
