//! Full-text search in scripts that set no spaces between words: what is found in them, and what is shown of it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};
use harvestman::internals::parse::unspaced;
use rusqlite::Connection;
use serde_json::Value;

/// A crawl of pages, each with a path, a title and a text.
async fn crawled(pages: &'static [(&str, &str, &str)]) -> Bench {
    let front = pages.iter().map(|(path, ..)| format!("<a href='{path}'>-</a> ")).collect::<String>();
    let server = Server::start(move |path| match pages.iter().find(|page| page.0 == path) {
        Some((_, title, text)) => Reply::html(format!("<meta charset=utf-8><title>{title}</title><p>{text}")),
        None => Reply::html(front.clone()),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let output = bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    bench
}

async fn hits(bench: &Bench, words: &str) -> Vec<Value> {
    let output = bench.run(&["search", "--format", "jsonl", "--", words]).await;
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The paths of the pages found, in the order of the alphabet.
async fn found(bench: &Bench, words: &str) -> Vec<String> {
    let path = |hit: &Value| url::Url::parse(hit["url"].as_str().unwrap()).unwrap().path().to_owned();
    let mut paths: Vec<_> = hits(bench, words).await.iter().map(path).collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_within_sentences_of_every_such_script() {
    let bench = crawled(&[
        ("/zh", "新闻", "我们今天讨论全文检索的问题。新款iPhone手机，第3章，𠮷野家"),
        ("/ja", "案内", "これは日本語のページです。東京都に住んでいます。コンピューターは時々ＡＢＣ１２３、ｶﾞｲﾄﾞ"),
        ("/th", "หน้า", "ภาษาไทยเป็นภาษาที่สวยงาม น้ำใจ"),
        ("/lo", "ໜ້າ", "ພາສາລາວເປັນພາສາທີ່ງາມ"),
        ("/km", "ទំព័រ", "ភាសាខ្មែរជាភាសាដ៏ស្រស់ស្អាត"),
        ("/my", "စာမျက်နှာ", "မြန်မာဘာသာစကားသည်လှပသည်"),
        ("/ko", "학교", "우리는 도서관에서 책을 읽었다"),
        ("/en", "Phones", "an iPhone of 2024 – “chapter” 3"),
    ])
    .await;
    for (words, path) in [
        ("全文检索", "/zh"),
        ("检索", "/zh"),
        ("索", "/zh"),
        ("𠮷野", "/zh"),
        ("iPhone手机", "/zh"),
        ("手机 iphone", "/zh"),
        ("第3章", "/zh"),
        ("第3*", "/zh"),
        ("\"的问题\" + 新款", "/zh"),
        ("NEAR(今天 问题, 10)", "/zh"),
        ("title: 新闻 AND text: 讨论", "/zh"),
        ("検索 OR 东京 OR 讨论", "/zh"),
        ("iphone NOT 手机", "/en"),
        ("東京都", "/ja"),
        ("日本語\u{3000}東京", "/ja"),
        ("コンピューター", "/ja"),
        ("ｺﾝﾋﾟｭｰﾀｰ", "/ja"),
        ("コンヒ\u{309a}ューター", "/ja"),
        ("時々", "/ja"),
        ("abc123", "/ja"),
        ("ガイド", "/ja"),
        ("สวยงาม", "/th"),
        ("ที่", "/th"),
        ("น้ํา", "/th"),
        ("ลาว OR ລາວ", "/lo"),
        ("ខ្មែរ", "/km"),
        ("မြန်မာ", "/my"),
        ("도서관", "/ko"),
        ("책", "/ko"),
        ("2024 chapter", "/en"),
    ] {
        assert_eq!(found(&bench, words).await, [path], "{words}");
    }
    for words in ["检文", "文索", "東都", "title: 讨论", "NEAR(我们 问题, 3)", "ที", "นำ", "iphone手", "手机 NOT 第3章"]
    {
        let expected: &[&str] = if words == "iphone手" { &["/zh"] } else { &[] };
        assert_eq!(found(&bench, words).await, expected, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snippet_is_the_text_as_it_was_written() {
    let bench = crawled(&[
        ("/short", "&lt;b>", "…今天讨论 全文检索的问题。"),
        ("/wide", "ＡＢＣ１２３のｶﾞｲﾄﾞﾌﾞｯｸ", "二〇二四年 é"),
    ])
    .await;
    for (words, snippet) in [
        ("全文检索", "…今天讨论 [全文检索]的问题。"),
        ("讨论全文", "…今天[讨论 全文]检索的问题。"),
        ("今天 问题", "…[今天]讨论 全文检索的[问题]。"),
        ("abc123", "[ＡＢＣ１２３]のｶﾞｲﾄﾞﾌﾞｯｸ"),
        ("ガイド", "ＡＢＣ１２３の[ｶﾞｲﾄﾞ]ﾌﾞｯｸ"),
        ("ガイドブック", "ＡＢＣ１２３の[ｶﾞｲﾄﾞﾌﾞｯｸ]"),
        ("二四", "二〇[二四]年 é"),
    ] {
        let hits = hits(&bench, words).await;
        assert_eq!((hits.len(), &hits[0]["snippet"]), (1, &snippet.into()), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_without_any_spaces_has_a_snippet_of_one_line() {
    let text: &str = Box::leak(("啊".repeat(90_000) + "针" + &"吧".repeat(5_000)).into_boxed_str());
    let pages: &[_] = Box::leak(Box::new([("/long", "长", text)]));
    let bench = crawled(pages).await;
    let snippet = hits(&bench, "啊针吧").await[0]["snippet"].as_str().unwrap().to_owned();
    assert!(snippet.contains("啊[啊针吧]吧") && snippet.starts_with('…') && snippet.chars().count() < 80, "{snippet}");
    let snippet = hits(&bench, "啊 吧").await[0]["snippet"].as_str().unwrap().to_owned();
    assert!(snippet.contains("[") && snippet.chars().count() < 400, "{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn syntax_that_is_none_is_refused_in_the_words_that_were_given() {
    let bench = crawled(&[("/zh", "新闻", "讨论")]).await;
    for (words, problem) in [
        ("讨论 AND", "`讨论 AND` cannot be searched for: syntax error at the end"),
        ("\"讨论", "`\"讨论` cannot be searched for: unterminated string"),
        ("(标题 : 讨论)", "`(标题 : 讨论)` cannot be searched for: no such column: 标题"),
    ] {
        let output = bench.run(&["search", "--", words]).await;
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(stderr(&output).starts_with(&format!("error: {problem}")), "{}", stderr(&output));
    }
    assert_eq!(found(&bench, "讨论!").await, ["/zh"], "plain words never are");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sql_the_characters_of_a_word_are_a_phrase() {
    let bench = crawled(&[("/zh", "新闻", "今天讨论全文检索的问题"), ("/en", "News", "full text")]).await;
    assert_eq!(found(&bench, "全文").await, ["/zh"]);
    if bench.schema.is_some() {
        return; // It is about SQLite's shell.
    }
    // As the stock `sqlite3` shell does.
    let db = Connection::open(bench.path("crawl.db")).unwrap();
    let row = |words: &str| {
        let sql = "select title, snippet, rank < 0 from search where words match ?1";
        db.query_row(sql, [words], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let expected: (String, String, bool) = ("新闻".into(), "今天讨论[全文检索]的问题".into(), true);
    assert_eq!(row("\"全 文 检 索\""), expected);
    assert_eq!(row("full"), ("News".into(), "[full] text".into(), true));
    let sql = "select sql from sqlite_master where name = 'page_index'";
    let sql: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(sql.contains(&unspaced::tokenizer()), "the index is cut as snippets are: {sql}");
    let rows = |table| db.query_row(&format!("select count(*) from {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((rows("page_index"), rows("unspaced")), (3, 1), "nothing is kept twice of pages without such scripts");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_change_leave_no_ghosts() {
    let run = Arc::new(AtomicU32::new(1));
    let seen = run.clone();
    let server = Server::start(move |path| match (path, seen.load(Ordering::Relaxed)) {
        ("/same", run) => Reply::html(format!("<title>手机</title><p>一样<script>{run}</script>")),
        ("/changed", 1) => Reply::html("<title>旧的</title><p>第一版"),
        ("/changed", 2) => Reply::html("<title>新的</title><p>第二版"),
        ("/changed", _) => Reply::html("<title>New</title><p>third version"),
        _ => Reply::html("<a href=/same>-</a><a href=/changed>-</a>"),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let now: [&[&str]; 3] = [&["第一版", "旧的"], &["第二版", "新的"], &["third version", "new"]];
    for (index, words) in now.iter().enumerate() {
        run.store(u32::try_from(index).unwrap() + 1, Ordering::Relaxed);
        let output = bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
        assert!(output.status.success(), "{}", stderr(&output));
        let waiting = if index == 0 { "3" } else { "1" };
        assert_eq!(
            bench.rows("select count(*) from unindexed").await,
            [waiting],
            "what is as it was stays in the index"
        );
        for words in *words {
            assert_eq!(found(&bench, words).await, ["/changed"], "{words}");
        }
        for ghost in now.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, words)| *words) {
            assert_eq!(found(&bench, ghost).await, [""; 0], "{ghost}");
        }
        assert_eq!(found(&bench, "一样").await, ["/same"]);
        if bench.schema.is_some() {
            continue;
        }
        let db = Connection::open(bench.path("crawl.db")).unwrap();
        db.execute("insert into page_index (page_index, rank) values ('integrity-check', 1)", []).unwrap();
    }
    if bench.schema.is_some() {
        return;
    }
    assert_eq!(bench.rows("select count(*) from unspaced").await, ["1"], "what was cut is not kept");
}
