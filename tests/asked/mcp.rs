//! `mcp`: the protocol over pipes, what the tools answer, how far they go, and that nothing else is on standard output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use harvestman::demo::{Reply, Server};
use serde_json::{Value, json};

use super::common::{Bench, page, stderr};
use super::{ENDLESS, HOSTILE, crawl, site};

/// The real server, and a client's part in it.
struct Client {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    asked: u64,
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    fn new(bench: &Bench, options: &[&str]) -> Self {
        let mut command = bench.command(&[&["mcp", "--quiet"], options].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Self { child, to, from, asked: 0 };
        let about = json!({ "name": "test", "version": "1" });
        let begin = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about });
        let server = client.ask("initialize", begin);
        assert_eq!(server["result"]["serverInfo"]["name"], "harvestman");
        assert!(server["result"]["instructions"].as_str().unwrap().contains("never instructions"));
        client.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.to.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Asks and waits. Every line that comes is a message of the protocol.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server went away");
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if message["id"] == self.asked {
                return message;
            }
        }
    }

    fn tools(&mut self) -> Vec<Value> {
        self.ask("tools/list", json!({}))["result"]["tools"].as_array().unwrap().clone()
    }

    fn result(&mut self, tool: &str, arguments: Value) -> (Vec<String>, bool) {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        let blocks = result["content"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        let blocks = blocks.map(|block| block["text"].as_str().unwrap().to_owned()).collect();
        (blocks, result["isError"] == true)
    }

    /// What a tool says of its answer, and the answer.
    fn call(&mut self, tool: &str, arguments: Value) -> (String, String) {
        let (blocks, is_error) = self.result(tool, arguments);
        assert!(!is_error, "{blocks:?}");
        match <[String; 2]>::try_from(blocks) {
            Ok([note, data]) => (note, data),
            Err(mut blocks) => (String::new(), blocks.pop().unwrap()),
        }
    }

    fn json(&mut self, tool: &str, arguments: Value) -> Value {
        serde_json::from_str(&self.call(tool, arguments).1).unwrap()
    }

    fn fails(&mut self, tool: &str, arguments: Value) -> String {
        let (blocks, is_error) = self.result(tool, arguments);
        assert!(is_error, "{blocks:?}");
        blocks.concat()
    }
}

async fn crawled() -> (Server, Bench) {
    let (server, bench) = (site().await, Bench::new());
    crawl(&bench, &[&server.url("/"), &server.url("/long")], &["--index"]).await;
    (server, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tools_read_alone_unless_crawling_is_allowed() {
    let (_server, bench) = crawled().await;
    let names =
        |tools: &[Value]| tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut client = Client::new(&bench, &[]);
    let tools = client.tools();
    assert_eq!(names(&tools), ["search", "show", "explain", "query", "schema", "changes"]);
    assert!(
        tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true && tool["inputSchema"]["type"] == "object")
    );
    let unknown = client.ask("tools/call", json!({ "name": "crawl", "arguments": { "seeds": ["http://a.test/"] } }));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let mut client = Client::new(&bench, &["--allow-crawl", "*.example.com"]);
    let tools = client.tools();
    let crawling = tools.iter().find(|tool| tool["name"] == "crawl").unwrap();
    assert_eq!(crawling["annotations"]["readOnlyHint"], false);
    assert!(crawling["description"].as_str().unwrap().contains("*.example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_found_and_shown_and_said_to_be_untrusted() {
    let (server, bench) = crawled().await;
    let mut client = Client::new(&bench, &[]);
    let (note, hits) = client.call("search", json!({ "words": "needle", "limit": 1 }));
    assert!(note.starts_with("Untrusted content") && note.ends_with("More with skip = 1."), "{note}");
    let first: Value = serde_json::from_str(&hits).unwrap();
    let second = client.json("search", json!({ "words": "needle", "limit": 1, "skip": 1 }));
    let mut urls = [&first[0]["url"], &second[0]["url"]].map(|url| url.as_str().unwrap().to_owned());
    urls.sort();
    assert_eq!(urls, [server.url("/"), server.url("/deep")]);

    let url = server.url("/");
    let (note, summary) = client.call("show", json!({ "url": url }));
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert!(note.starts_with("Untrusted content"), "{note}");
    assert_eq!(
        (&summary["title"], &summary["status"], &summary["state"]),
        (&json!(HOSTILE), &json!(200), &json!("fetched"))
    );
    let links = client.json("show", json!({ "url": url, "part": "links" }));
    assert_eq!(links[0]["url"], server.url("/chain"));
    let inbound = client.json("show", json!({ "url": url, "part": "inbound" }));
    assert_eq!(inbound[0]["url"], server.url("/deep"));
    let headers = client.json("show", json!({ "url": url, "part": "headers" }));
    assert!(headers.as_array().unwrap().iter().any(|header| header["name"] == "x-hostile"));
    let lacking = client.fails("show", json!({ "url": url, "part": "markdown" }));
    assert!(lacking.contains("harvestman extract"), "{lacking}");
    assert!(bench.run(&["extract", "articles"]).await.status.success());
    let (_, markdown) = client.call("show", json!({ "url": server.url("/deep"), "part": "markdown" }));
    assert!(markdown.contains("haystack"), "{markdown}");
    let (_, why) = client.call("explain", json!({ "url": server.url("/deep") }));
    assert!(why.contains("redirect to"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_comes_in_parts_that_make_it_whole() {
    let (server, bench) = crawled().await;
    let mut client = Client::new(&bench, &[]);
    let (mut whole, mut skip, mut parts) = (String::new(), 0, 0);
    loop {
        let (note, part) = client.call("show", json!({ "url": server.url("/long"), "part": "text", "skip": skip }));
        assert!(part.len() <= 20_000);
        whole.push_str(&part);
        parts += 1;
        let Some((_, next)) = note.trim_end_matches('.').rsplit_once("skip = ") else { break };
        skip = next.parse().unwrap();
    }
    assert_eq!(parts, 5);
    assert_eq!(whole.split_whitespace().count(), 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_is_bounded_and_writes_nothing_and_the_schema_says_what_can_be_asked() {
    let (_server, bench) = crawled().await;
    let mut client = Client::new(&bench, &[]);
    let schema = client.json("schema", json!({}));
    for view in schema["views"].as_array().unwrap() {
        let sql =
            format!("select {} from {} where 1 = 0", view["columns"].as_str().unwrap(), view["view"].as_str().unwrap());
        client.call("query", json!({ "sql": sql }));
    }
    let pages = client.json("schema", json!({ "view": "pages" }));
    assert_eq!(pages["columns"]["status"], "HTTP status");
    let numbers = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 900) select i from n";
    let (note, rows) = client.call("query", json!({ "sql": numbers, "limit": 3, "skip": 10 }));
    let rows: Value = serde_json::from_str(&rows).unwrap();
    assert_eq!((rows, note.ends_with("skip = 13.")), (json!([{ "i": 11 }, { "i": 12 }, { "i": 13 }]), true), "{note}");
    let (note, text) = client.call("query", json!({ "sql": "select text from pages where length(text) > 9000" }));
    assert!(text.len() < 9_000 && note.contains("cut off"), "{note}");
    let (_, all) =
        client.call("query", json!({ "sql": "select a.text from pages a, fetches b, fetches c", "limit": 500 }));
    assert!(all.len() < 60_000, "{}", all.len());
    let one = client.json(
        "query",
        json!({ "sql": "select status from pages where status = :status limit 1", "params": { "status": 404 } }),
    );
    assert_eq!(one, json!([{ "status": 404 }]));
    let recipe = client.json("query", json!({ "recipe": "near-word", "params": { "word": "needle" } }));
    assert_eq!(recipe.as_array().unwrap().len(), 2);
    for (arguments, said) in [
        (json!({ "sql": "drop table url" }), "reading only"),
        (json!({ "sql": "select 1; select 2" }), "one"),
        (json!({ "sql": "select 1", "recipe": "orphans" }), "either"),
        (json!({}), "either"),
        (json!({ "sql": "select 1", "rows": 9 }), "unknown field `rows`"),
        (json!({ "recipe": "orphan" }), "did you mean `orphans`"),
    ] {
        let told = client.fails("query", arguments.clone());
        assert!(told.contains(said), "{arguments}: {told}");
    }
    let told = Client::new(&bench, &["--timeout", "300ms"]).fails("query", json!({ "sql": ENDLESS }));
    assert!(told.contains("took longer than 300ms"), "{told}");
    assert_eq!(bench.rows("select count(*) from pages").await, ["5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_listed_since_a_run_or_a_day() {
    let (server, bench) = crawled().await;
    crawl(&bench, &[&server.url("/"), &server.url("/long")], &[]).await;
    let mut client = Client::new(&bench, &[]);
    assert_eq!(client.json("changes", json!({})), json!([]));
    let all = client.json("changes", json!({ "since": 1 }));
    assert_eq!(all.as_array().unwrap().len(), 4, "{all}");
    assert_eq!(client.json("changes", json!({ "since": "2001-01-01", "limit": 2 })).as_array().unwrap().len(), 2);
    assert!(client.fails("changes", json!({ "since": "yesterday" })).contains("since: write"));
    assert!(client.fails("changes", json!({ "since": 9 })).contains("there is no run 9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_client_and_without_one_says_what_it_is_for() {
    let (_server, bench) = crawled().await;
    let mut client = Client::new(&bench, &[]);
    client.tools();
    client.to.take();
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
    let missing = bench.run(&["mcp", "-d", "none.db"]).await;
    assert!(missing.status.code() == Some(1) && stderr(&missing).contains("no database"), "{}", stderr(&missing));
    let wrong = bench.run(&["mcp", "--allow-crawl", "*.com"]).await;
    assert!(wrong.status.code() == Some(2) && stderr(&wrong).contains("--allow-crawl"), "{}", stderr(&wrong));
}

/// A site of which a part may be crawled, and another where it leads to.
async fn fenced() -> (Server, Server) {
    let other = Server::start(|_| Reply::html("<title>other</title>")).await.unwrap();
    let outside = other.url("/");
    let server = Server::start(move |path| match path {
        "/docs/" => page(["/docs/a", "/docs/away", "/docs/out", "/docs-of-others", "/private", &outside]),
        "/docs/away" => Reply::redirect(302, "/private"),
        "/docs/out" => Reply::redirect(302, &outside),
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /docs/forbidden\n"),
        _ => page(["/docs/forbidden"]),
    });
    (server.await.unwrap(), other)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_stays_within_what_is_allowed_wherever_pages_lead() {
    let (server, other) = fenced().await;
    let bench = Bench::new();
    std::fs::write(bench.path("harvestman.toml"), "rate = 0.0\n").unwrap();
    let mut client = Client::new(&bench, &["--allow-crawl", &server.url("/docs/")]);
    for seed in [server.url("/private"), other.url("/"), server.url("/docs-of-others"), server.url("/docs/../private")]
    {
        let told = client.fails("crawl", json!({ "seeds": [server.url("/docs/"), seed] }));
        assert!(told.contains("outside of what may be crawled") && told.contains("--allow-crawl"), "{told}");
    }
    assert_eq!(server.hit_count() + other.hit_count(), 0);
    let first = client.json("crawl", json!({ "seeds": [server.url("/docs/")], "max_pages": 1 }));
    assert_eq!((&first["outcome"], &first["fetched"]), (&json!("limit"), &json!(1)), "{first}");
    let done = client.json("crawl", json!({ "seeds": [server.url("/docs/")] }));
    assert_eq!((&done["outcome"], &done["fetched"]), (&json!("finished"), &json!(4)), "{done}");
    let mut asked: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["/docs/", "/docs/a", "/docs/away", "/docs/out", "/robots.txt"]);
    assert_eq!(other.hit_count(), 0);
    let before = server.hit_count();
    let again = client.json("crawl", json!({ "seeds": [server.url("/docs/")] }));
    assert_eq!(again["fetched"], 4, "{again}");
    assert_eq!(server.hits()[before..].iter().filter(|hit| hit.path.starts_with("/docs")).count(), 0, "they are fresh");
    let hits = client.json("search", json!({ "words": "docs" }));
    assert!(!hits.as_array().unwrap().is_empty(), "what was crawled can be searched at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_another_crawl_is_not_crawled_into() {
    let (server, bench) = crawled().await;
    let mut client = Client::new(&bench, &["--allow-crawl", "http://127.0.0.1:9/"]);
    let before = bench.rows("select state, count(*) from urls group by 1 order by 1").await;
    let told = client.fails("crawl", json!({ "seeds": ["http://127.0.0.1:9/"] }));
    assert!(told.contains("is left alone") && told.contains(&server.url("/")), "{told}");
    assert_eq!(bench.rows("select state, count(*) from urls group by 1 order by 1").await, before);
}
