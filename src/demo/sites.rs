//! The four hosts of the demo: every answer they have.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use encoding_rs::{Encoding, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

use super::markup::{Link, UTF_8, document, escape, list, menu, not_found, slug};
use super::server::{Hit, Reply};

/// `http://HOST:PORT` of newspaper, shop, encyclopedia and quiet corner.
pub(super) type Origins = [String; 4];
/// Who does what: the parts of a host's sentences, eight of each, split by `|`.
type Theme = [&'static str; 3];

pub(super) const FLAKY: &str = "/flaky";
const ROBOTS: &str = "User-agent: *\nDisallow: /private/\n";
const SLOW: Duration = Duration::from_millis(800);
/// A grey pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\
    \x9bU\x00\x00\x00\x0aIDATx\xdach\x00\x00\x00\x82\x00\x81\xdaE\x08;\x00\x00\x00\x00IEND\xaeB`\x82";

const NEWS: Theme = [
    "The mayor of Lower Thatch|A retired ferryman|The orchard council|A choir of beekeepers|The night librarian|\
     An unnamed cartographer|The village band|A visiting clockmaker",
    "opens|quietly defends|measures|loses and finds|paints|questions|celebrates|inherits",
    "the longest hedge in the county|a bridge without a river|last year's fog|the municipal scarecrow|\
     a barrel of early cider|the disputed footpath|an eight-legged statue|the harvest moon",
];
const WARES: Theme = [
    "Our smallest workshop|A patient weaver|The founder's aunt|Every apprentice|The dye house|A careful hand|\
     The loom by the window|Our oldest customer",
    "spins|recommends|finishes|tests|never rushes|signs|mends free of charge|waxes",
    "each piece before it leaves the shop|thread as light as morning dew|knots that hold in any wind|\
     a lining of thistledown|the silver edge|seams that sing when stretched|the matching bag|what others throw away",
];
const LORE: Theme = [
    "This harvestman|The adult male|A moulting juvenile|The second pair of legs|The ocularium|\
     Every known population|The type specimen|A female in autumn",
    "avoids|explores|is often compared with|shelters below|outlives|signals to|tastes|rests on",
    "damp limestone walls|its nearest relatives|fallen beech leaves|true spiders, which it is not|\
     the edge of old woodland|small springtails and mites|mosses on the north side|the first hard frost",
];

/// Element `index` of words split by `|`, which begin again at their end.
fn nth(words: &'static str, index: usize) -> &'static str {
    words.split('|').cycle().nth(index).unwrap_or_default()
}

/// Sentence `number` of a theme, without its full stop; the first 512 differ.
fn phrase([who, does, what]: &Theme, number: usize) -> String {
    let turn = (3 * number + number / 8 + number / 64) % 8;
    format!("{} {} {}", nth(who, number % 8), nth(does, number / 8 % 8), nth(what, turn))
}

/// Paragraphs of a page, the same for the same seed.
fn prose(theme: &Theme, seed: usize, paragraphs: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(seed as u64);
    let mut sentences = |count| (0..count).map(|_| phrase(theme, rng.usize(..512))).collect::<Vec<_>>().join(". ");
    (0..paragraphs).map(|paragraph| format!("<p>{}.</p>\n", sentences(4 + (seed + paragraph) % 4))).collect()
}

/// One host of the demo: every answer it has, by path and query.
pub(super) struct Site {
    name: &'static str,
    nav: String,
    pub(super) pages: HashMap<String, Reply>,
}

impl Site {
    fn new(name: &'static str, nav: &str) -> Self {
        Self { name, nav: format!("<nav>\n{}</nav>\n", menu(nav)), pages: HashMap::new() }
    }

    fn put(&mut self, path: &str, reply: Reply) {
        self.pages.insert(path.to_owned(), reply);
    }

    /// A page in English and UTF-8; `head` is markup beyond the title and the description.
    fn page(&mut self, path: &str, title: &str, head: &str, main: &str) {
        self.put(path, Reply::html(self.html(UTF_8, "en", title, head, main)));
    }

    fn html(&self, charset: &str, lang: &str, title: &str, head: &str, main: &str) -> String {
        let (name, nav, heading) = (self.name, &self.nav, escape(title));
        let head = format!("<meta name=\"description\" content=\"{heading} ({name})\">\n{head}");
        let body = format!("{nav}<main>\n<h1>{heading}</h1>\n{main}</main>\n<footer>{name}</footer>\n");
        document(charset, lang, &format!("{title} | {name}"), &head, &body)
    }

    pub(super) fn into_handler(self) -> impl Fn(&Hit) -> Reply + Send + Sync + 'static {
        let tries = AtomicUsize::new(0);
        move |hit| match self.pages.get(&hit.path) {
            Some(_) if hit.path == FLAKY && tries.fetch_add(1, Ordering::Relaxed) == 0 => {
                Reply::status(503).with_header("retry-after", "1")
            }
            page => page.cloned().unwrap_or_else(not_found),
        }
    }
}

pub(super) fn demo_sites(origins: &Origins) -> [Site; 4] {
    [gazette(origins), shop(origins), wiki(origins), quiet_corner(origins)]
}

const ARTICLES: usize = 90;
const SECTIONS: [&str; 5] = ["Harvest", "Weather", "Science", "Letters", "Sport"];
const TAGS: [&str; 10] = ["apples", "bridges", "cider", "fog", "hedges", "legs", "maps", "moonlight", "rivers", "silk"];

fn article(number: usize) -> Link {
    let title = phrase(&NEWS, number);
    (format!("/article/{number}-{}", slug(&title)), title)
}

fn section(name: &str) -> Link {
    (format!("/section/{}", slug(name)), name.to_owned())
}

fn tag(name: &str) -> Link {
    (format!("/tag/{name}"), format!("Stories about {name}"))
}

fn tags_of(number: usize) -> [&'static str; 2] {
    [TAGS[number / 5 % 10], TAGS[(number / 5 + 1 + number % 5) % 10]]
}

/// Host 0, a newspaper: articles in paginated sections, tags, an archive, a part closed to robots.
fn gazette([_, shop, wiki, quiet]: &Origins) -> Site {
    let mut site = Site::new("Harvestman Gazette", "/ Front page|/archive Archive|/about About");
    let articles: Vec<_> = (0..ARTICLES).map(article).collect();
    let (sections, tags) = (SECTIONS.map(section), TAGS.map(tag));
    let around = menu(&format!(
        "{shop}/ Advertisement: the Web Spinner's Shop|{wiki}/ Look it up in the Opilio Wiki|{quiet}/ A quiet corner|\
         https://example.com/ The world outside|/private/drafts Drafts, not for robots|/article/lost A lost article"
    ));
    let front = list(&sections) + &list(&articles[..8]) + &list(&tags) + &around;
    site.page("/", "All the news that walks", "", &front);
    site.page("/about", "About the Gazette", "", &(prose(&NEWS, 1000, 3) + &around));
    site.page("/archive", "Archive", "", &(list(&articles) + &menu("/article/lost One is lost")));
    site.page("/private/drafts", "Drafts", "", &prose(&NEWS, 1001, 1));
    site.put("/robots.txt", Reply::text(ROBOTS));
    for number in 0..ARTICLES {
        gazette_article(&mut site, &articles, number, wiki);
    }
    for (index, (path, name)) in sections.iter().enumerate() {
        let stories: Vec<_> = articles.iter().skip(index).step_by(SECTIONS.len()).cloned().collect();
        paginate(&mut site, path, name, &stories);
    }
    for ((path, title), name) in tags.iter().zip(TAGS) {
        let tagged = (0..ARTICLES).filter(|number| tags_of(*number).contains(&name));
        site.page(path, title, "", &list(tagged.map(|number| &articles[number])));
    }
    site
}

fn gazette_article(site: &mut Site, articles: &[Link], number: usize, wiki: &str) {
    let (path, title) = &articles[number];
    let date = format!("2025-{:02}-{:02}", 1 + number % 12, 1 + number * 7 % 28);
    let text = prose(&NEWS, number, 5);
    let filed = list(&tags_of(number).map(tag)) + &list(&[section(SECTIONS[number % SECTIONS.len()])]);
    let related = list([17, 31, 44].map(|step| &articles[(number + step) % ARTICLES]));
    let (entry, name) = entry(number, 0);
    let main = format!(
        "<article>\n<p><time datetime=\"{date}\">{date}</time> (background: <a href=\"{wiki}{entry}\">{name}</a>)</p>\n\
         {text}</article>\n<h2>Filed under</h2>\n{filed}<h2>Related</h2>\n{related}"
    );
    site.page(path, title, &format!("<meta name=\"date\" content=\"{date}\">\n"), &main);
}

/// A section in pages of six, tied together by rel=next and rel=prev in both head and body.
fn paginate(site: &mut Site, path: &str, name: &str, stories: &[Link]) {
    let pages = stories.chunks(6).len();
    let address = |page: usize| if page == 1 { path.to_owned() } else { format!("{path}?page={page}") };
    for (page, chunk) in (1..).zip(stories.chunks(6)) {
        let (mut head, mut main) = (String::new(), list(chunk));
        for (rel, other) in [("prev", page - 1), ("next", page + 1)] {
            if (1..=pages).contains(&other) {
                let href = address(other);
                let _ = writeln!(head, "<link rel=\"{rel}\" href=\"{href}\">");
                let _ = writeln!(main, "<p><a rel=\"{rel}\" href=\"{href}\">Page {other}</a></p>");
            }
        }
        site.page(&address(page), &format!("{name}, page {page} of {pages}"), &head, &main);
    }
}

const ITEMS: usize = 60;
const KINDS: [&str; 6] = ["Hammock", "Net", "Shawl", "Ladder", "Lantern", "Satchel"];
const MAKES: &str = "Silken|Dewproof|Midnight|Feather|Sevenfold|Barnside|Amber|Folding|Festive|Humble";

/// Host 1, a shop: duplicates under a second address, a moved page, a chain of redirects, and a loop.
fn shop([gazette, ..]: &Origins) -> Site {
    let mut site = Site::new("The Web Spinner's Shop", "/ Shop|/category/net Nets|/promo Offers");
    let name = |number: usize| format!("{} {}", nth(MAKES, number / KINDS.len()), KINDS[number % KINDS.len()]);
    let items: Vec<_> = (0..ITEMS).map(|number| (format!("/item/{number}"), name(number))).collect();
    let categories = KINDS.map(|kind| (format!("/category/{}", slug(kind)), format!("{kind}s")));
    let more = "/old-shop.html Our old shop|/loop/a Gift finder|/private/cart Your basket";
    let more = menu(&format!("{more}|{gazette}/about As seen in the Gazette"));
    site.page("/", "Everything that hangs by a thread", "", &(list(&categories) + &prose(&WARES, 1000, 2) + &more));
    site.page("/private/cart", "Your basket", "", "<p>It is empty.</p>\n");
    site.page("/offers", "Offers of the season", "", &list(items.iter().step_by(7)));
    site.put("/robots.txt", Reply::text(ROBOTS));
    site.put("/old-shop.html", Reply::redirect(301, "/category/hammock"));
    site.put("/promo", Reply::redirect(302, "/promo/season"));
    site.put("/promo/season", Reply::redirect(302, "/promo/latest"));
    site.put("/promo/latest", Reply::redirect(302, "/offers"));
    site.put("/loop/a", Reply::redirect(302, "/loop/b"));
    site.put("/loop/b", Reply::redirect(302, "/loop/a"));
    for (index, (path, name)) in categories.iter().enumerate() {
        let chosen = items.iter().skip(index).step_by(KINDS.len());
        site.page(path, name, "", &(prose(&WARES, 2000 + index, 1) + &list(chosen)));
    }
    for number in 0..ITEMS {
        shop_item(&mut site, &items, number, &categories[number % KINDS.len()]);
    }
    site
}

/// A product; every fifth has a print version, the same to the byte.
fn shop_item(site: &mut Site, items: &[Link], number: usize, category: &Link) {
    let (path, name) = &items[number];
    let print = number.is_multiple_of(5).then(|| (format!("{path}/print"), "Print this page".to_owned()));
    let links = [category, &items[(number + 1) % ITEMS], &items[(number + 13) % ITEMS]].into_iter().chain(&print);
    let price = format!("<p>Price: {}.{:02} thalers</p>\n", 7 + number * 11 % 60, number * 5 % 100);
    let page = site.html(UTF_8, "en", name, "", &(price + &prose(&WARES, number, 3) + &list(links)));
    site.put(path, Reply::html(page.as_str()));
    if let Some((path, _)) = print {
        site.put(&path, Reply::html(page));
    }
}

const GENUS_COUNT: usize = 20;
const GENERA: &str = "Phalangium|Leiobunum|Opilio|Mitopus|Rilaena|Trogulus|Nemastoma|Ischyropsalis|Dicranopalpus|\
    Megabunus|Oligolophus|Lacinius|Odiellus|Platybunus|Sabacon|Siro|Gyas|Astrobunus|Homalenotus|Nelima";
const ASPECTS: [&str; 4] = ["Overview", "Anatomy", "Habitat", "Folklore"];

/// The entry on one aspect of a genus; the first aspect is the main entry.
fn entry(genus: usize, aspect: usize) -> Link {
    let name = nth(GENERA, genus);
    match aspect {
        0 => (format!("/wiki/{name}"), name.to_owned()),
        _ => (format!("/wiki/{name}/{}", ASPECTS[aspect]), format!("{} of {name}", ASPECTS[aspect])),
    }
}

/// Host 2, an encyclopedia without robots.txt: entries, and the odd pages that a real one has too.
fn wiki([gazette, ..]: &Origins) -> Site {
    let mut site = Site::new("Opilio Wiki", "/ Main page|/wiki/Opilio Opilio|/special Special pages|/logo.png Logo");
    let entries: Vec<_> = (0..GENUS_COUNT).map(|genus| entry(genus, 0)).collect();
    site.page("/", "The encyclopedia of long legs", "", &(prose(&LORE, 1000, 2) + &list(&entries)));
    for number in 0..GENUS_COUNT * ASPECTS.len() {
        let (genus, aspect) = (number / ASPECTS.len(), number % ASPECTS.len());
        let (path, title) = entry(genus, aspect);
        let mut see: Vec<_> = (0..ASPECTS.len()).map(|other| entry(genus, other)).collect();
        see.extend([1, 4, 9].map(|step| entry(genus + step, aspect)));
        let (article, headline) = article(number);
        see.push((gazette.clone() + &article, headline));
        site.page(&path, &title, "", &(prose(&LORE, number, 4) + "<h2 id=\"see\">See also</h2>\n" + &list(&see)));
    }
    wiki_specials(&mut site);
    wiki_languages(&mut site);
    site
}

fn wiki_specials(site: &mut Site) {
    let links = menu(
        "/lang/ru Russian|/lang/ja Japanese|/lang/de German|/hostile A hostile title|/slow A slow page|/flaky Flaky|\
         /nofollow A page that wants its links left alone|/search?q=legs&sort=age Search: legs by age|/logo.png Logo|\
         /readme.txt Read me|/api/stats.json Numbers|/wiki/Missing A missing entry|/wiki/Opilio#see Part of a page",
    );
    let more = "<p><a rel=\"nofollow\" href=\"/unendorsed\">Not endorsed</a> <img src=\"/logo.png\" alt=\"\"></p>\n";
    let missing = menu("/wiki/Missing A missing entry");
    site.page("/special", "Special pages", "", &(links + more));
    site.page("/hostile", "</script><script>alert(1)</script>", "", &prose(&LORE, 1001, 1));
    site.page("/unendorsed", "An unendorsed page", "", &prose(&LORE, 1002, 1));
    site.page("/behind", "Behind a nofollow page", "", &prose(&LORE, 1003, 1));
    let robots = "<meta name=\"robots\" content=\"nofollow\">\n";
    site.page("/nofollow", "Follow nothing here", robots, &menu("/behind What is behind"));
    site.page(FLAKY, "Up again", "", &(prose(&LORE, 1004, 1) + &missing));
    site.page("/search?q=legs&sort=age", "Search: legs", "", &list(&[entry(3, 1), entry(7, 1)]));
    let slow = site.html(UTF_8, "en", "A slow page", "", &missing);
    site.put("/slow", Reply::html(slow).delayed(SLOW));
    site.put("/readme.txt", Reply::text("Opilio Wiki\n\nPlain text: http://example.com/ is no link here.\n"));
    site.put("/api/stats.json", Reply::of_type("application/json", b"{\"legs\":8,\"webs\":0}\n".to_vec()));
    site.put("/logo.png", Reply::of_type("image/png", PIXEL.to_vec()));
}

/// Three old encodings: the first and the last are announced in the header alone, the second in the page alone.
fn wiki_languages(site: &mut Site) {
    let ru = "Сенокосцы — отряд паукообразных. У них восемь длинных ног и нет паутинных желёз, поэтому сетей они не \
              плетут. Ночью сенокосцы ищут пищу, а днём отдыхают на стенах и стволах деревьев.";
    let ja = "ザトウムシは、クモに似た姿をした動物ですが、クモとは別の仲間です。八本の長い脚を持ち、糸を出しません。";
    let de = "Weberknechte gehören zu den Spinnentieren, können aber keine Fäden spinnen. Ihr Körper ist klein, ihre \
              Beine sind dafür um so länger. Bei Gefahr werfen sie ein Bein ab, das noch für Minuten zuckt.";
    let mut put =
        |lang: &str, encoding: &'static Encoding, content_type: &str, charset: &str, title: &str, text: &str| {
            let html = site.html(charset, lang, title, "", &format!("<p>{text}</p>\n{}", list(&[entry(2, 0)])));
            site.put(&format!("/lang/{lang}"), Reply::of_type(content_type, encoding.encode(&html).0.into_owned()));
        };
    put("ru", WINDOWS_1251, "text/html; charset=windows-1251", "", "Сенокосцы", ru);
    put("ja", SHIFT_JIS, "text/html", "<meta charset=\"shift_jis\">\n", "ザトウムシ", ja);
    put("de", WINDOWS_1252, "text/html; charset=ISO-8859-1", "", "Weberknechte für Anfänger", de);
}

const ROOMS: usize = 10;

/// Host 3, a small host that asks for a rest of 0.2 s between requests. Its links are relative to the page.
fn quiet_corner([gazette, shop, wiki, _]: &Origins) -> Site {
    let mut site = Site::new("The Quiet Corner", "/ Door");
    let rooms: Vec<_> = (1..=ROOMS).map(|room| (format!("rooms/{room}.html"), format!("Room {room}"))).collect();
    let away = menu(&format!("{gazette}/article/lost A lost article|{shop}/item/12 The chair came from here"));
    site.page("/", "Please whisper", "", &(list(&rooms) + &away));
    for room in 1..=ROOMS {
        let (entry, name) = entry(room, 3);
        let links = menu(&format!("{}.html Next room|../ Back to the door|{wiki}{entry} {name}", room % ROOMS + 1));
        let main = prose(&LORE, 3000 + room, 2) + &links;
        site.page(&format!("/rooms/{room}.html"), &format!("Room {room}"), "", &main);
    }
    site.put("/robots.txt", Reply::text("User-agent: *\nCrawl-delay: 0.2\n"));
    site
}
