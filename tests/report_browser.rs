//! The report, and the pages of `open`, in a real browser: run where there is a Chromium, in CI always.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/browser.rs"]
mod browser;
mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use browser::Browser;
use common::{Bench, stderr};
use harvestman::demo::{Reply, Server};

const HOSTILE: &str = "</script><script>alert(1)</script><img src=http://evil.test/x onerror=alert(2)>";

/// A site whose titles, links and types are markup.
async fn hostile_site() -> Server {
    let escaped = HOSTILE.replace('&', "&amp;").replace('<', "&lt;");
    let server = Server::start(move |path| match path {
        "/" => Reply::html(format!(
            "<title>{escaped}</title><a href='/gone?\"><script>alert(3)</script>'>{escaped}</a>
             <a href='/moved'>m</a><a href='/typed'>t</a><a href=\"/'onmouseover=alert(4)//\">q</a>"
        )),
        "/moved" => Reply::redirect(302, "/typed?<svg onload=alert(5)>"),
        "/typed" => Reply::status(200).with_header("content-type", "text/\"><script>alert(6)</script>"),
        path if path.starts_with("/gone") => Reply::status(404),
        _ => Reply::html(format!("<title>{escaped}</title>")),
    });
    server.await.unwrap()
}

async fn report(bench: &Bench) -> String {
    let output = bench.run(&["report", "-d", "crawl.db"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    format!("file://{}", bench.path("report.html").display())
}

/// Nothing was asked but the file itself, nothing went to the console, nothing popped up.
fn is_quiet(browser: &Browser, url: &str) {
    let asked: Vec<_> =
        browser.told("Network.requestWillBeSent").iter().map(|event| &event["request"]["url"]).collect();
    assert!(!asked.is_empty() && asked.iter().all(|asked| *asked == url), "{asked:?}");
    for method in
        ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"]
    {
        assert!(browser.told(method).is_empty(), "{method}: {:?}", browser.told(method));
    }
}

fn column(browser: &mut Browser, table: &str, column: usize) -> Vec<String> {
    let rows = format!(
        "[...document.querySelectorAll('{table} tbody tr')].filter(r => r.offsetParent).map(r => r.cells[{column}].textContent.trim())"
    );
    serde_json::from_value(browser.value(&rows)).unwrap()
}

/// What stands out of the screen or of its card though it is in no box that scrolls, and labels of plots that overlap.
const CUT: &str = "(() => {
    const found = [], name = e => e.tagName + ' ' + e.textContent.trim().slice(0, 40);
    const box = e => e.getBoundingClientRect();
    for (const e of document.querySelectorAll('body *')) {
        if (e.closest('.scroll, .hidden, .skip-link, nav, title, desc') || !box(e).width) continue;
        const card = e.closest('section, .figures div'), edge = card ? box(card).right : innerWidth;
        if (box(e).right > Math.min(edge, innerWidth) + 1 || box(e).left < -1) found.push('cut: ' + name(e));
    }
    for (const svg of document.querySelectorAll('svg')) {
        const texts = [...svg.querySelectorAll(':scope > text')].map(e => [e, box(e)]);
        texts.forEach(([a, r], at) => texts.slice(at + 1).forEach(([b, s]) => {
            if (r.left < s.right && s.left < r.right && r.top + 2 < s.bottom && s.top + 2 < r.bottom) found.push('over: ' + name(a) + ' / ' + name(b));
        }));
    }
    return found;
})()";

/// Writes pictures of all screens for people to look at, and sees that no screen scrolls sideways and that nothing is cut.
fn on_every_screen(browser: &mut Browser, name: &str, widths: &[u32]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        for &width in widths {
            browser.screen(width, 900, scheme);
            let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(browser.value(fits), true, "{name} at {width} in {scheme}");
            assert_eq!(browser.value(CUT), serde_json::json!([]), "{name} at {width} in {scheme}");
            std::fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), browser.picture()).unwrap();
        }
        grounds.push(browser.value("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(grounds[0], grounds[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_report_loads_nothing_says_nothing_sorts_and_filters() {
    let Some(mut browser) = Browser::start() else { return };
    let bench = Bench::new();
    assert!(bench.run(&["demo", "-d", "crawl.db"]).await.status.success());
    assert!(bench.run(&["audit", "-d", "crawl.db"]).await.status.success());
    let url = report(&bench).await;
    browser.screen(1400, 900, "light");
    browser.open(&url);

    let table = "#slowest table.listing";
    let status = format!("document.querySelectorAll('{table} th button')[2]");
    let size = format!("document.querySelectorAll('{table} th button')[3]");
    let bytes = |browser: &mut Browser| -> Vec<i64> {
        let sizes = format!(
            "[...document.querySelectorAll('{table} tbody td[data-sort]:nth-child(4)')].map(c => +c.dataset.sort)"
        );
        serde_json::from_value(browser.value(&sizes)).unwrap()
    };
    let before = bytes(&mut browser);
    assert!(!before.is_sorted() && before.len() > 10, "{before:?}");
    browser.click(&size);
    assert!(bytes(&mut browser).is_sorted_by(|a, b| a >= b));
    browser.press("Enter", 13);
    assert!(bytes(&mut browser).is_sorted(), "a key sorts the other way");
    assert_eq!(browser.value(&format!("{size}.parentElement.ariaSort")), "ascending");
    browser.click(&status);
    assert_eq!(browser.value(&format!("document.querySelectorAll('{table} [aria-sort]').length")), 1);

    let found = column(&mut browser, "#audit table.listing", 1);
    assert!(found.contains(&"broken-link".to_owned()), "{found:?}");

    let all = column(&mut browser, table, 0);
    browser.click("document.querySelector('#slowest .filter input')");
    browser.type_text("SLOW");
    let left = column(&mut browser, table, 0);
    assert!(!left.is_empty() && left.len() < all.len(), "{left:?}");
    let told = browser.value("document.querySelector('#slowest .filter [role=status]').textContent");
    assert_eq!(told, format!("{} of {} rows", left.len(), all.len()));

    browser.open(&url);
    on_every_screen(&mut browser, "demo", &[1440, 768, 390]);
    for scheme in ["light", "dark"] {
        browser.screen(768, 900, scheme);
        accessible(&mut browser, &format!("the report in {scheme}"));
    }
    is_quiet(&browser, &url);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_paper_the_report_is_whole_and_on_white() {
    let Some(mut browser) = Browser::start() else { return };
    let bench = Bench::new();
    for _ in 0..2 {
        let output =
            bench.run(&["crawl", "-d", "crawl.db", "--rate", "0", "--retries", "0", "http://127.0.0.1:9/"]).await;
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    }
    let url = report(&bench).await;
    browser.ask("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.open(&url);
    // A4 without its margins, asked for in the dark.
    browser.screen(700, 1000, "dark");
    let features = serde_json::json!([{"name": "prefers-color-scheme", "value": "dark"}]);
    browser.ask("Emulation.setEmulatedMedia", serde_json::json!({"media": "print", "features": features}));
    let grounds = "[...document.querySelectorAll('body, section, .scroll, .figures div, th')]
        .map(e => getComputedStyle(e).backgroundColor).filter(c => !['rgb(255, 255, 255)', 'rgba(0, 0, 0, 0)'].includes(c))";
    assert_eq!(browser.value(grounds), serde_json::json!([]));
    let cut = "[...document.querySelectorAll('.scroll')]
        .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 60))";
    assert_eq!(browser.value(cut), serde_json::json!([]));
    let heads = "[...document.querySelectorAll('.listing thead')].map(e => getComputedStyle(e).display)";
    let heads: Vec<String> = serde_json::from_value(browser.value(heads)).unwrap();
    assert!(!heads.is_empty() && heads.iter().all(|display| display == "table-header-group"), "{heads:?}");
    let pdf = browser.ask("Page.printToPDF", serde_json::json!({"preferCSSPageSize": true}));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    let pdf = base64::engine::general_purpose::STANDARD.decode(pdf["data"].as_str().unwrap()).unwrap();
    std::fs::write(folder.join("paper.pdf"), pdf).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_from_the_web_is_shown_as_text_and_runs_nowhere() {
    let Some(mut browser) = Browser::start() else { return };
    let site = hostile_site().await;
    let bench = Bench::new();
    let output = bench.run(&["crawl", &site.url("/"), "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let url = report(&bench).await;
    browser.open(&url);
    assert!(column(&mut browser, "#slowest table.listing", 1).contains(&HOSTILE.to_owned()));
    assert_eq!(browser.value("document.scripts.length"), 1);
    assert_eq!(browser.value("document.querySelectorAll('img, svg [onload], [onmouseover], [onerror]').length"), 0);
    is_quiet(&browser, &url);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slipped_into_the_page_could_still_ask_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let site = Server::start(|_| Reply::html("<title>t</title>")).await.unwrap();
    let bench = Bench::new();
    assert!(bench.run(&["crawl", &site.url("/"), "--rate", "0"]).await.status.success());
    let url = report(&bench).await;
    let before = site.hit_count();
    browser.open(&url);
    let slip = format!(
        "new Promise(done => {{ let refused = 0; \
         document.addEventListener('securitypolicyviolation', () => {{ if (++refused === 3) done(); }}); \
         document.body.insertAdjacentHTML('beforeend', \
         '<img src={0}><iframe src={0}></iframe><link rel=stylesheet href={0}>'); }})",
        site.url("/slipped")
    );
    browser.ask("Runtime.evaluate", serde_json::json!({"expression": slip, "awaitPromise": true}));
    assert_eq!(site.hit_count(), before);
}

/// `harvestman open`, until it is dropped.
struct Opened(Child);

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has the browser let in, and answers with where the pages are.
fn open(bench: &Bench, browser: &mut Browser) -> (Opened, String) {
    let mut command = bench.command(&["open", "--quiet", "--no-browser", "-d", "crawl.db"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let address = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    browser.open(&address);
    let origin = address.split("/?").next().unwrap().to_owned();
    assert_eq!(browser.value("location.href"), format!("{origin}/"), "the token left the address");
    (Opened(child), origin)
}

/// What the checker of axe-core has against the page, as far as it is there: `.ci/report` fetches it.
fn accessible(browser: &mut Browser, name: &str) {
    let Some(checker) = std::env::var_os("HARVESTMAN_AXE") else {
        let _ = writeln!(std::io::stderr(), "skipped: needs axe-core, see .ci/report");
        return;
    };
    browser.ask("Runtime.evaluate", serde_json::json!({ "expression": std::fs::read_to_string(checker).unwrap() }));
    let run = "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))";
    let parameters = serde_json::json!({ "expression": run, "awaitPromise": true, "returnByValue": true });
    let found = browser.ask("Runtime.evaluate", parameters);
    assert_eq!(found["result"]["value"], serde_json::json!([]), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_open_fit_every_screen_are_accessible_and_ask_nobody_else() {
    let Some(mut browser) = Browser::start() else { return };
    let bench = Bench::new();
    assert!(bench.run(&["demo", "-d", "crawl.db"]).await.status.success());
    assert!(bench.run(&["extract", "articles", "-d", "crawl.db"]).await.status.success());
    assert!(bench.run(&["search", "harvestman", "-d", "crawl.db"]).await.status.success());
    browser.screen(1400, 900, "light");
    let (_opened, origin) = open(&bench, &mut browser);
    browser.open(&format!("{origin}/search?words=harvestman"));
    let page = browser.value("document.querySelector('.hits a').href");
    let views = [
        ("overview", format!("{origin}/?live=off")),
        ("pages", format!("{origin}/pages?status=200")),
        ("search", format!("{origin}/search?words=harvestman")),
        ("page", page.as_str().unwrap().to_owned()),
        ("body", page.as_str().unwrap().replace("/page?", "/body?")),
        ("skipped", format!("{origin}/skipped")),
        ("sql", format!("{origin}/sql?recipe=near-word")),
        ("wrong", format!("{origin}/sql?sql=select")),
        ("problem", format!("{origin}/pages?status=often")),
    ];
    for (name, url) in views {
        browser.open(&url);
        on_every_screen(&mut browser, &format!("open-{name}"), &[1440, 768, 390]);
        for scheme in ["light", "dark"] {
            browser.screen(800, 900, scheme);
            accessible(&mut browser, &format!("{name} in {scheme}"));
        }
        asks_only(&browser, &origin);
    }
}

/// The page asked for nothing elsewhere, ran into no rule of its policy, and popped nothing up.
fn asks_only(browser: &Browser, origin: &str) {
    let asked = browser.told("Network.requestWillBeSent");
    let asked: Vec<_> = asked.iter().map(|event| event["request"]["url"].as_str().unwrap().to_owned()).collect();
    assert!(!asked.is_empty() && asked.iter().all(|url| url.starts_with(origin)), "{asked:?}");
    for method in ["Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Runtime.consoleAPICalled"] {
        assert!(browser.told(method).is_empty(), "{method}: {:?}", browser.told(method));
    }
    let refused = browser.told("Log.entryAdded").into_iter().filter(|event| event["entry"]["source"] == "security");
    assert_eq!(refused.count(), 0, "{:?}", browser.told("Log.entryAdded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_open_follows_a_crawl_and_forms_work_without_scripts() {
    let Some(mut browser) = Browser::start() else { return };
    let site = hostile_site().await;
    let bench = Bench::new();
    assert!(bench.run(&["crawl", &site.url("/typed"), "--rate", "0"]).await.status.success());
    let (_opened, origin) = open(&bench, &mut browser);
    browser.value("window.marker = 'the same page'");
    let discovered = "document.querySelector('#state dd').textContent";
    assert_eq!(browser.value(discovered), "1");
    assert!(bench.run(&["crawl", &site.url("/"), "--rate", "0"]).await.status.success());
    let end = Instant::now() + Duration::from_secs(60);
    while browser.value(discovered) == "1" {
        assert!(Instant::now() < end, "the numbers stand still");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(browser.value("window.marker"), "the same page");

    browser.ask("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.open(&format!("{origin}/pages"));
    browser.click("document.querySelector('#text')");
    browser.type_text("<script>");
    browser.press("Enter", 13);
    let end = Instant::now() + Duration::from_secs(60);
    let is_there = "location.search.includes('text=') && document.readyState == 'complete'";
    while browser.value(is_there) != true {
        assert!(Instant::now() < end, "the form was not sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let titles = column(&mut browser, "#list table", 3);
    assert!(titles.contains(&HOSTILE.to_owned()), "{titles:?}");
    assert!(browser.told("Page.javascriptDialogOpening").is_empty());
}
