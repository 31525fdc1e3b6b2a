//! `open`: who is let in, what is shown, and that nothing else can be had by it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use harvestman::demo::{Reply, Server, graph_page};
use reqwest::header::{COOKIE, HOST, HeaderMap, LOCATION, SET_COOKIE};
use scraper::{Html, Selector};

use super::common::{Bench, ended, page, send, stderr, until};
use super::{ENDLESS, HOSTILE, crawl, site};

/// The real server, and a browser's part in it.
struct Opened {
    child: Child,
    port: u16,
    token: String,
    client: reqwest::Client,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as a browser reads it.
struct Shown {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Opened {
    async fn new(bench: &Bench, options: &[&str]) -> Self {
        let mut command = bench.command(&[&["open", "--quiet", "--no-browser"], options].concat());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let read = tokio::task::spawn_blocking(move || BufReader::new(out).lines().next().unwrap().unwrap());
        let address = url::Url::parse(&read.await.unwrap()).unwrap();
        let token = address.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned();
        assert_eq!(address.host_str(), Some("127.0.0.1"));
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { child, port: address.port().unwrap(), token, client }
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Shown {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Shown { status, headers, html: answer.text().await.unwrap() }
    }

    /// As whoever was let in.
    async fn get(&self, path: &str) -> Shown {
        let cookie = format!("other=1; harvestman-{}={}", self.port, self.token);
        self.send(self.client.get(self.at(path)).header(COOKIE, cookie)).await
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Shown {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.get(&format!("{path}?{query}")).await
    }

    /// What stands in the elements, white space made one space.
    async fn texts(&self, path: &str, selector: &str) -> Vec<String> {
        self.get(path).await.texts(selector)
    }
}

impl Shown {
    fn texts(&self, selector: &str) -> Vec<String> {
        let html = Html::parse_document(&self.html);
        let text = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        html.select(&Selector::parse(selector).unwrap()).map(|element| text(element.text().collect())).collect()
    }

    fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector).filter_map(|element| element.attr(name).map(str::to_owned)).collect()
    }

    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }
}

async fn crawled() -> (Server, Bench) {
    let (server, bench) = (site().await, Bench::new());
    crawl(&bench, &[&server.url("/")], &["--index"]).await;
    (server, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_knows_the_token_is_let_in_and_it_leaves_the_address() {
    let (_server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    for path in ["/", "/pages", "/sql?sql=select+1", "/style.css", "/nowhere", "/?token=", "/?token=wrong"] {
        let refused = opened.send(opened.client.get(opened.at(path))).await;
        assert_eq!((refused.status, refused.html.contains("harvestman open")), (403, true), "{path}");
    }
    let let_in = opened.send(opened.client.get(opened.at(&format!("/?token={}", opened.token)))).await;
    assert_eq!((let_in.status, &let_in.headers[LOCATION]), (303, &"/".parse().unwrap()));
    let cookie = let_in.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let (pair, _) = cookie.split_once(';').unwrap();
    let with = |cookie: String| opened.send(opened.client.get(opened.at("/")).header(COOKIE, cookie));
    with(pair.to_owned()).await.is(200);
    with(format!("harvestman-1={}", opened.token)).await.is(403);
    with(format!("{pair}x")).await.is(403);
    let wrong = format!("/?token={}x", opened.token);
    opened.get(&wrong).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_here_by_foreign_dns_is_refused_and_so_is_what_does_more_than_read() {
    let (_server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    let entry = opened.at(&format!("/?token={}", opened.token));
    let port = opened.port;
    for (host, status) in [
        ("evil.test".to_owned(), 421),
        (format!("evil.test:{port}"), 421),
        ("127.0.0.1".to_owned(), 421),
        (format!("127.0.0.1.evil.test:{port}"), 421),
        (format!("LOCALHOST:{port}"), 303),
    ] {
        let answer = opened.send(opened.client.get(&entry).header(HOST, &host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
    let mut raw = TcpStream::connect(("127.0.0.1", port)).unwrap();
    raw.write_all(format!("GET /?token={} HTTP/1.0\r\n\r\n", opened.token).as_bytes()).unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 421"), "{answer}");
    opened.send(opened.client.post(&entry).body("x")).await.is(405);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_what_a_page_has_no_need_of() {
    let (_server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    let refused = opened.send(opened.client.get(opened.at("/"))).await;
    for answer in [refused, opened.get("/").await, opened.get("/nowhere").await, opened.get("/style.css").await] {
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        let needs = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'"];
        assert!(needs.iter().all(|part| policy.contains(part)) && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
    opened.get("/nowhere").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_the_accounting_and_renews_itself_unless_told_not_to() {
    let (server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    let overview = opened.get("/").await;
    let lead = overview.is(200).texts("#accounting .lead").join("");
    assert_eq!(lead, "5 URLs discovered = 4 fetched + 0 failed + 1 skipped + 0 pending.");
    let requests = overview.texts("#last td.address");
    assert!(requests.contains(&server.url("/deep")) && requests.contains(&server.url("/robots.txt")), "{requests:?}");
    assert!(overview.html.contains("<noscript><meta http-equiv=\"refresh\""), "without scripts too");
    assert_eq!(overview.attributes("script", "src"), ["/live.js"]);
    let still = opened.get("/?live=off").await;
    assert!(!still.html.contains("refresh") && still.attributes("script", "src").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_runs_is_seen_as_it_is_now() {
    let server = Server::start(|path| match path {
        "/" => page(["/hangs"]),
        "/hangs" => page([""; 0]).delayed(Duration::MAX),
        _ => Reply::status(404),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let mut child = bench.start(&["crawl", &server.url("/"), "--rate", "0"]);
    until("the page that hangs", || server.hits().iter().any(|hit| hit.path == "/hangs")).await;
    let opened = Opened::new(&bench, &[]).await;
    let state = opened.texts("/", "#state > p").await;
    assert!(state[0].contains("still running"), "{state:?}");
    assert_eq!(opened.texts("/queue", "#list td.address").await, [server.url("/hangs"), server.url("/")]);
    assert_eq!(opened.texts("/pages", "#list td.address").await, [server.url("/")]);
    bench.kill(&mut child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_filtered_and_gone_through_a_part_at_a_time() {
    let other = site().await;
    let server = Server::start(|path| graph_page(230, 300, path)).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/p/0"), &other.url("/")], &[]).await;
    let opened = Opened::new(&bench, &[]).await;
    let (mut urls, mut next) = (Vec::new(), vec![format!("/pages?host={}", server.address())]);
    let mut parts = 0;
    while let Some(path) = next.pop() {
        let shown = opened.get(&path).await;
        let part = shown.texts("#list td.address");
        assert!(part.len() <= 100);
        urls.extend(part);
        next = shown.attributes("a[rel=next]", "href");
        parts += 1;
    }
    urls.sort();
    urls.dedup();
    assert_eq!((urls.len(), parts), (230, 3));
    let filtered = |query: &'static str| opened.texts(query, "#list td.address");
    assert_eq!(filtered("/pages?status=4xx").await, [other.url("/gone")]);
    assert_eq!(filtered("/pages?status=302").await, [other.url("/chain")]);
    assert_eq!(filtered("/pages?text=deEP").await, [other.url("/deep")]);
    assert_eq!(filtered("/pages?text=%25&host=nowhere.test").await, [""; 0]);
    assert_eq!(filtered("/pages?text=/p/22%25").await, [""; 0], "signs of SQL stand for themselves");
    assert_eq!(filtered("/pages?word=application/").await, [""; 0]);
    assert_eq!(opened.texts("/skipped?word=scope", "#list td.words").await, ["scope"]);
    let wrong = opened.get("/pages?status=often").await;
    assert!(wrong.is(422).texts("[role=alert]")[0].contains("`often` is no status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_the_index_and_in_pages_that_are_not_in_it_yet() {
    let server = site().await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")], &[]).await;
    let opened = Opened::new(&bench, &[]).await;
    let unindexed = opened.ask("/search", &[("words", "NEEDLE haystack")]).await;
    assert_eq!(unindexed.is(200).texts(".hits h3"), ["Deep"]);
    assert_eq!(unindexed.texts("mark"), ["needle"]);
    assert!(unindexed.texts(".rest")[0].contains("not in the full-text index yet"), "{:?}", unindexed.texts(".rest"));
    let server_host = server.address().to_string();
    let elsewhere = opened.ask("/search", &[("words", "needle"), ("host", "nowhere.test")]).await;
    assert_eq!(elsewhere.texts(".hits h3"), [""; 0]);
    assert!(bench.run(&["search", "needle"]).await.status.success(), "this brings the index up to date");
    let indexed = opened.ask("/search", &[("words", "needle AND haystack"), ("host", &server_host)]).await;
    assert_eq!(indexed.is(200).texts(".hits h3"), ["Deep"]);
    assert_eq!(indexed.texts("mark"), ["needle", "haystack"]);
    assert_eq!(indexed.texts(".rest"), [""; 0]);
    let wrong = opened.ask("/search", &[("words", "\"open phrase")]).await;
    assert!(wrong.is(422).html.contains("close the quotation mark"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shown_with_where_it_came_from_and_all_that_is_stored_of_it() {
    let (server, bench) = crawled().await;
    assert!(bench.run(&["extract", "articles"]).await.status.success());
    let opened = Opened::new(&bench, &[]).await;
    let deep = opened.ask("/page", &[("url", &server.url("/deep"))]).await;
    let way = deep.is(200).texts(".way li");
    assert_eq!(way.len(), 3, "{way:?}");
    assert!(way[0].starts_with("seed") && way[2].starts_with("by a redirect to"), "{way:?}");
    assert!(deep.texts("#text-title + .scroll pre")[0].contains("The second needle"));
    assert_eq!(deep.texts("#out td.address"), [server.url("/")]);
    assert!(deep.texts("#headers td.words").contains(&"content-type".to_owned()));
    assert_eq!(deep.texts("#requests tbody tr").len(), 1);
    let front = opened.ask("/page", &[("url", &server.url("/"))]).await;
    assert_eq!(front.texts("#in td.address"), [server.url("/deep")]);
    let out = front.attributes("header a[rel]", "rel");
    assert_eq!(out, ["noopener noreferrer nofollow"]);
    let body = opened.ask("/body", &[("url", &server.url("/deep"))]).await;
    assert!(body.is(200).texts("pre.body")[0].starts_with("<title>Deep</title>"));
    let unknown = opened.ask("/page", &[("url", "http://never.seen/")]).await;
    assert!(unknown.is(200).texts("#facts-title + .lead")[0].starts_with("unknown"));
    opened.ask("/page", &[("url", "nonsense")]).await.is(422);
    opened.ask("/body", &[("url", "http://never.seen/")]).await.is(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hostile_page_says_is_text_on_every_view() {
    let (server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    let front = server.url("/");
    let sql = format!("select title, text, '{}' as x from pages where title like '</%'", HOSTILE.replace('\'', "''"));
    let views = [
        opened.get("/").await,
        opened.get("/pages").await,
        opened.ask("/pages", &[("text", HOSTILE), ("host", HOSTILE.get(..9).unwrap())]).await,
        opened.get("/skipped").await,
        opened.ask("/search", &[("words", "needle")]).await,
        opened.ask("/page", &[("url", &front)]).await,
        opened.ask("/body", &[("url", &front)]).await,
        opened.ask("/sql", &[("sql", &sql)]).await,
        opened.ask("/sql", &[("recipe", HOSTILE)]).await,
        opened.ask("/sql", &[("recipe", "near-word"), (":word", HOSTILE)]).await,
        opened.get("/%3Cscript%3E").await,
    ];
    for shown in &views {
        let what = &shown.html;
        assert!(shown.attributes("script", "src").iter().all(|src| src == "/live.js"), "{what}");
        assert_eq!(shown.texts("script").concat(), "", "{what}");
        assert_eq!(shown.texts("img, iframe, object, embed, [onerror], [onload], style").len(), 0, "{what}");
        assert!(!what.contains(['\u{202e}', '\u{7}']), "{what}");
        let hrefs = shown.attributes("a[href]", "href");
        assert!(
            hrefs.iter().all(|href| ["/", "#", "http://"].iter().any(|start| href.starts_with(start))),
            "{hrefs:?}"
        );
    }
    assert!(views[1].texts("#list td.words").contains(&HOSTILE.to_owned()));
    assert!(views[5].texts("#headers td.words").contains(&"<script>alert(3)</script>".to_owned()));
    assert!(views[7].texts("#answer td.words").contains(&HOSTILE.to_owned()), "{}", views[7].html);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_one_statement_within_bounds_and_writes_nothing() {
    let (server, bench) = crawled().await;
    let opened = Opened::new(&bench, &[]).await;
    let ask = |sql: &'static str| async { opened.ask("/sql", &[("sql", sql)]).await };
    let answer = ask("select status, count(*) as pages from pages group by status order by 1").await;
    assert_eq!(answer.texts("#answer td"), ["200", "2", "302", "1", "404", "1"]);
    let urls = ask("select url from pages where status = 404").await;
    assert_eq!(urls.attributes("#answer a", "href").len(), 1, "URLs lead to their pages");
    let many =
        ask("with recursive n (i) as (select 1 union all select i + 1 from n where i < 9000) select i from n").await;
    assert_eq!(many.texts("#answer tbody tr").len(), 500);
    assert!(many.texts(".rest").iter().any(|text| text.contains("there are more")));
    for (sql, said) in [
        ("drop table url", "reading only"),
        ("select 1; select 2", "one statement"),
        ("select * from nowhere", "nowhere"),
    ] {
        let answer = ask(sql).await;
        let told = answer.texts("[role=alert]").join(" ");
        // Of several statements PostgreSQL says so itself.
        assert!(told.contains(said) || (sql.contains(';') && told.contains("one")), "{sql}: {told}");
    }
    let impatient = Opened::new(&bench, &["--timeout", "300ms"]).await;
    let told = impatient.ask("/sql", &[("sql", ENDLESS)]).await.texts("[role=alert]").concat();
    assert!(told.contains("took longer than 300ms"), "{told}");
    let recipe = opened.ask("/sql", &[("recipe", "anchor-texts"), (":url", &server.url("/deep"))]).await;
    assert!(recipe.is(200).texts("label").contains(&"url".to_owned()), "{:?}", recipe.texts("label"));
    assert_eq!(bench.rows("select count(*) from pages").await, ["4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_told_at_once_and_a_signal_ends_it() {
    let bench = Bench::new();
    let missing = bench.run(&["open", "-d", "none.db"]).await;
    assert!(missing.status.code() == Some(1) && stderr(&missing).contains("no database"), "{}", stderr(&missing));
    let (_server, bench) = crawled().await;
    let mut opened = Opened::new(&bench, &[]).await;
    let port = opened.port.to_string();
    let taken = bench.run(&["open", "--no-browser", "--port", &port]).await;
    assert!(taken.status.code() == Some(1) && stderr(&taken).contains(&format!("127.0.0.1:{port}")));
    let never = bench.run(&["open", "--timeout", "0s"]).await;
    assert!(never.status.code() == Some(2) && stderr(&never).contains("--timeout"));
    send("INT", &opened.child);
    assert_eq!(ended(&mut opened.child).await.code(), Some(130));
}
