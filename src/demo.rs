//! The generated web on loopback: what `harvestman demo`, the tests and the benches crawl instead of the real one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use encoding_rs::{Encoding, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Connections the kernel holds for a server that has not accepted them yet.
const BACKLOG: u32 = 4096;

/// The rest after a failed accept, which is mostly a want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// One answer a host gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status; one that HTTP has no room for is sent as 500.
    pub status: u16,
    /// Names and values, in the order sent; those HTTP does not allow are left out. Date and Content-Length are added.
    pub headers: Vec<(String, String)>,
    /// The body, as sent.
    pub body: Vec<u8>,
    /// How long the host waits before the status line. `Duration::MAX` is for ever: the request hangs.
    pub delay: Duration,
}

impl Reply {
    /// 200 with an HTML page in UTF-8.
    pub fn html(body: impl Into<String>) -> Self {
        Self::of_type("text/html; charset=utf-8", body.into().into_bytes())
    }

    /// 200 with plain text in UTF-8.
    pub fn text(body: impl Into<String>) -> Self {
        Self::of_type("text/plain; charset=utf-8", body.into().into_bytes())
    }

    /// A bare status: no Content-Type, an empty body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
    }

    /// A redirect: `to` goes into Location as it is; the body is empty.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).with_header("location", to)
    }

    /// The same answer with one more header. A Content-Type replaces the one there; any other name may repeat.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer after `delay`, which replaces an earlier delay. `Duration::MAX` never answers.
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn of_type(content_type: &str, body: Vec<u8>) -> Self {
        Self { body, ..Self::status(200) }.with_header("content-type", content_type)
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A served request, for the server's own log.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Path and query, as sent.
    pub path: String,
    /// When the head of the request had been read.
    pub at: Instant,
    /// The headers of the request: names in lower case, values with U+FFFD for what is not UTF-8.
    pub headers: Vec<(String, String)>,
}

impl Hit {
    fn of(request: &Request<Incoming>) -> Self {
        let at = Instant::now();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Self { path, at, headers: headers.collect() }
    }

    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the tasks of one server share.
struct Host {
    handler: Box<dyn Fn(&Hit) -> Reply + Send + Sync>,
    log: Option<Mutex<Vec<Hit>>>,
    served: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Host {
    fn new(handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static, logged: bool) -> Arc<Self> {
        Arc::new(Self {
            handler: Box::new(handler),
            log: logged.then(Mutex::default),
            served: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let _busy = Busy::begin(self);
        let hit = Hit::of(&request);
        let reply = (self.handler)(&hit);
        if let Some(log) = &self.log {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
        }
        self.served.fetch_add(1, Ordering::Relaxed);
        match reply.delay {
            Duration::ZERO => {}
            Duration::MAX => pending().await,
            delay => tokio::time::sleep(delay).await,
        }
        Ok(reply.into_response())
    }
}

/// A request being answered; dropped with it, also when the client goes away.
struct Busy<'a>(&'a Host);

impl<'a> Busy<'a> {
    fn begin(host: &'a Host) -> Self {
        let now = host.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        host.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(host)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One host of a web: an HTTP/1.1 server with keep-alive. It and its connections stop when it is dropped.
pub struct Server {
    address: SocketAddr,
    host: Arc<Host>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1. The handler gets path and query.
    pub async fn start(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::bind(any_port(), handler).await
    }

    /// As `start`, on an address of the caller's choice; port 0 is any free one.
    pub async fn bind(
        address: SocketAddr,
        handler: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(listen(address)?, Host::new(move |hit| handler(&hit.path), true))
    }

    /// As `start`, with a handler that also sees the time and the headers of the request.
    pub async fn start_with_request(handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listen(any_port())?, Host::new(handler, true))
    }

    /// As `start`, but keeps no log: `hits` stays empty, the counts go on. For a web too large to remember.
    pub async fn without_log(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listen(any_port())?, Host::new(move |hit| handler(&hit.path), false))
    }

    fn serve(listener: TcpListener, host: Arc<Host>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, Arc::clone(&host)));
        Ok(Self { address, host, accepting })
    }

    /// The absolute URL of a path, which begins with a slash: `http://127.0.0.1:PORT/path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far, in the order in which their handler ran; empty without a log.
    pub fn hits(&self) -> Vec<Hit> {
        let log = self.host.log.as_ref();
        log.map_or_else(Vec::new, |log| log.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// How many requests have come in, also without a log.
    pub fn hit_count(&self) -> usize {
        self.host.served.load(Ordering::Relaxed)
    }

    /// The highest number of requests that were being answered at once, delays included.
    pub fn most_in_flight(&self) -> usize {
        self.host.most_in_flight.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("hits", &self.hit_count())
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes connections until it is aborted; its connections live in the set and end with it.
async fn accept(listener: TcpListener, host: Arc<Host>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(talk(stream, Arc::clone(&host)))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection to its end. A client that breaks it off, or a socket without NODELAY, is no matter here.
async fn talk(stream: TcpStream, host: Arc<Host>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| host.answer(request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Sentences for the pages of the graph.
const SENTENCES: [&str; 12] = [
    "The harvestman walks on seven legs as well as on eight, and tells nobody which one it left behind. ",
    "Every thread of the old barn was counted twice, once in the morning and once by lamplight. ",
    "A good map shows the paths; a better one shows who has walked them and when they meant to return. ",
    "Nothing in the ledger was missing, though three pages had been bound in upside down. ",
    "When the wind turned, the orchard gave up its apples all at once and without ceremony. ",
    "The second lantern is for the visitor, and the third one is for the road behind the visitor. ",
    "Whoever arrives early is asked to wait, and whoever arrives late is asked to explain the weather. ",
    "It took a summer to draw the boundary and a single evening to forget where it ran. ",
    "Careful readers will notice that the bridge is older than the river it crosses. ",
    "The archive keeps its doors open at night, since most of its readers have no use for the sun. ",
    "Of all the tools on the wall, only the smallest shows any sign of having been used. ",
    "They agreed to meet where the two roads part, which is of course where they had met before. ",
];

/// Page `/p/I` of a graph of `pages` interlinked pages, about `bytes` long each (but never shorter than its links).
/// It depends on its arguments alone. `/` is `/p/0`; any other path, and a number out of range, answers 404.
pub fn graph_page(pages: usize, bytes: usize, path: &str) -> Reply {
    match graph_index(path) {
        Some(index) if index < pages => Reply::html(graph_html(index, pages, bytes)),
        _ => not_found(),
    }
}

fn graph_index(path: &str) -> Option<usize> {
    let digits = if path == "/" { "0" } else { path.strip_prefix("/p/")? };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten()
}

fn graph_html(index: usize, pages: usize, bytes: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(index as u64);
    let (prev, next, last) = (index.saturating_sub(1), (index + 1).min(pages - 1), pages - 1);
    let mut html = String::with_capacity(bytes.max(2048) + 256);
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Page {index}</title>\n\
         <meta name=\"description\" content=\"Page {index} of a generated web of {pages} pages.\">\n</head>\n<body>\n\
         <nav><a href=\"/p/0\">Home</a> <a href=\"/p/{prev}\" rel=\"prev\">Previous</a> \
         <a href=\"/p/{next}\" rel=\"next\">Next</a> <a href=\"/p/{last}\">Last</a></nav>\n\
         <h1>Page {index}</h1>\n<ul>\n"
    );
    let children = [2 * index + 1, 2 * index + 2].into_iter().filter(|child| *child < pages);
    let others: [usize; 20] = std::array::from_fn(|_| rng.usize(..pages));
    for target in children.chain(others) {
        let _ = writeln!(html, "<li><a href=\"/p/{target}\">Page {target}</a></li>");
    }
    html.push_str("</ul>\n");
    while html.len() < bytes {
        html.push_str("<p>");
        for _ in 0..5 {
            html.push_str(SENTENCES[rng.usize(..SENTENCES.len())]);
        }
        html.push_str("</p>\n");
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn not_found() -> Reply {
    let head = "<meta name=\"description\" content=\"There is no such page.\">\n";
    let main = "<h1>Not found</h1>\n<p>No page lives here. Try the <a href=\"/\">front page</a>.</p>\n";
    Reply { status: 404, ..Reply::html(document(UTF_8, "en", "Not found", head, main)) }
}

/// The demo: a newspaper, a shop, an encyclopedia and a quiet corner, some three hundred pages in all. They hold what
/// a crawler meets: duplicates, redirects, a loop, broken links, old encodings, a slow page, one that fails at first.
#[derive(Debug)]
pub struct DemoWeb {
    /// The hosts, in the order of `seeds`.
    pub servers: Vec<Server>,
    /// The absolute URL of every host's front page.
    pub seeds: Vec<String>,
}

impl DemoWeb {
    /// Starts the four hosts on free ports of 127.0.0.1. All ports are taken before any page is written, since the
    /// pages link from host to host.
    pub async fn start() -> io::Result<Self> {
        let listeners = (0..4).map(|_| listen(any_port())).collect::<io::Result<Vec<_>>>()?;
        let mut origins = Origins::default();
        for (origin, listener) in origins.iter_mut().zip(&listeners) {
            *origin = format!("http://{}", listener.local_addr()?);
        }
        let mut servers = Vec::new();
        for (listener, site) in listeners.into_iter().zip(demo_sites(&origins)) {
            servers.push(Server::serve(listener, Host::new(site.into_handler(), true))?);
        }
        let seeds = servers.iter().map(|server| server.url("/")).collect();
        Ok(Self { servers, seeds })
    }
}

/// `http://HOST:PORT` of newspaper, shop, encyclopedia and quiet corner.
type Origins = [String; 4];
/// Where a link leads, and its text.
type Link = (String, String);
/// Who does what: the parts of a host's sentences, eight of each, split by `|`.
type Theme = [&'static str; 3];

const UTF_8: &str = "<meta charset=\"utf-8\">\n";
const FLAKY: &str = "/flaky";
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn slug(text: &str) -> String {
    text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn list<'a>(links: impl IntoIterator<Item = &'a Link>) -> String {
    let item = |(href, text): &Link| format!("<li><a href=\"{}\">{}</a></li>\n", escape(href), escape(text));
    format!("<ul>\n{}</ul>\n", links.into_iter().map(item).collect::<String>())
}

/// The list of links written as `href text|href text`.
fn menu(links: &str) -> String {
    let links = links.split('|').filter_map(|link| link.split_once(' '));
    list(&links.map(|(href, text)| (href.to_owned(), text.to_owned())).collect::<Vec<_>>())
}

/// A whole page; `charset` is the markup that announces the encoding, or nothing.
fn document(charset: &str, lang: &str, title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n{charset}<title>{}</title>\n{head}</head>\n\
         <body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// One host of the demo: every answer it has, by path and query.
struct Site {
    name: &'static str,
    nav: String,
    pages: HashMap<String, Reply>,
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

    fn into_handler(self) -> impl Fn(&Hit) -> Reply + Send + Sync + 'static {
        let tries = AtomicUsize::new(0);
        move |hit| match self.pages.get(&hit.path) {
            Some(_) if hit.path == FLAKY && tries.fetch_add(1, Ordering::Relaxed) == 0 => {
                Reply::status(503).with_header("retry-after", "1")
            }
            page => page.cloned().unwrap_or_else(not_found),
        }
    }
}

fn demo_sites(origins: &Origins) -> [Site; 4] {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use url::{Position, Url};

    use super::*;

    fn hrefs(html: &[u8]) -> Vec<String> {
        let html = String::from_utf8_lossy(html);
        let hrefs = html.split("<a ").skip(1).filter_map(|rest| rest.split("href=\"").nth(1)?.split('"').next());
        hrefs.map(|href| href.replace("&amp;", "&")).collect()
    }

    async fn get(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn a_walk_along_the_links_finds_every_answer_of_the_demo() {
        let origins: Origins = std::array::from_fn(|host| format!("http://127.0.0.1:{}", 9001 + host));
        let sites = demo_sites(&origins);
        let mut queue: Vec<_> = origins.iter().map(|origin| Url::parse(origin).unwrap()).collect();
        let (mut seen, mut missed, mut found) = (HashSet::new(), Vec::new(), 0);
        while let Some(mut page) = queue.pop() {
            page.set_fragment(None);
            let path = page[Position::BeforePath..].to_owned();
            let site = page.port().map(|port| &sites[usize::from(port) - 9001]);
            let Some(reply) = site.and_then(|site| site.pages.get(&path)) else {
                missed.push(path);
                continue;
            };
            if seen.insert(page.clone()) {
                found += 1;
                let location = reply.headers.iter().find(|(name, _)| name == "location").map(|(_, to)| to.clone());
                queue.extend(hrefs(&reply.body).iter().chain(&location).map(|href| page.join(href).unwrap()));
            }
        }
        missed.sort();
        let lost = ["/article/lost"; 4];
        assert_eq!(missed, [&["/", "/"], &lost[..], &["/wiki/Missing"; 3]].concat(), "outside and broken links");
        let robots = 3;
        assert_eq!(found + robots, sites.iter().map(|site| site.pages.len()).sum::<usize>());
        assert_eq!(sites[1].pages["/item/15"], sites[1].pages["/item/15/print"]);
    }

    #[test]
    fn every_page_of_a_graph_is_reached_and_as_long_as_asked() {
        let (mut queue, mut seen) = (vec!["/".to_owned()], HashSet::new());
        while let Some(path) = queue.pop() {
            let page = graph_page(500, 10_000, &path);
            assert_eq!((page.status, page.body.len() / 1000), (200, 10), "{path}");
            queue.extend(hrefs(&page.body).into_iter().filter(|href| seen.insert(href.clone())));
        }
        assert_eq!(seen.len(), 500);
        for path in ["/p/500", "/p/", "/p/+1", "/p/01", "/p/1?x", "/robots.txt", "/p/99999999999999999999999"] {
            assert_eq!(graph_page(500, 10_000, path).status, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn a_server_logs_counts_hangs_and_stops() {
        let mut web = DemoWeb::start().await.unwrap();
        let wiki = web.servers.remove(2);
        assert!(get(&wiki, FLAKY).await.contains("retry-after: 1\r\n"));
        let (again, lost, _) = tokio::join!(get(&wiki, FLAKY), get(&wiki, "/wiki/Missing"), get(&wiki, "/slow"));
        assert!(again.starts_with("HTTP/1.1 200") && lost.starts_with("HTTP/1.1 404"));
        assert_eq!((wiki.hit_count(), wiki.hits().len(), wiki.hits()[0].header("Host")), (4, 4, Some("x")));
        let hang = Server::without_log(|_| Reply::text("never").delayed(Duration::MAX)).await.unwrap();
        let both = async { tokio::join!(get(&hang, "/"), get(&hang, "/")) };
        assert!(tokio::time::timeout(Duration::from_millis(100), both).await.is_err());
        assert_eq!((hang.hit_count(), hang.hits().len(), hang.most_in_flight()), (2, 0, 2));
        let address = hang.address();
        drop(hang);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(TcpStream::connect(address).await.is_err());
    }
}
