//! The suite on PostgreSQL, and what is not like on SQLite.

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::store::postgres::PgDatabase;
use sqlx::PgConnection;

use crate::place::{Hand, Place, fetched, link, page, row, target};
use crate::schema::Schema;

impl Place for Schema {
    type Store = PgDatabase;

    fn new() -> Option<Self> {
        Self::new()
    }

    async fn open(&self) -> PgDatabase {
        self.lapse().await;
        PgDatabase::open(&self.url, &Config::default()).await.unwrap()
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await
    }

    async fn age(&self, by: i64) {
        self.execute(format!("update page set fetched_at = fetched_at - {by}")).await;
    }

    async fn seize(&self, host: &str) {
        self.execute(format!(
            "insert into node (id, name, leased_until) overriding system value
                 values (1000000000, 'another', now() + interval '1 hour') on conflict do nothing;
             update host set epoch = epoch + 1, holder = 1000000000 where host = '{host}'"
        ))
        .await;
    }
}

crate::cases::every_case!(crate::postgres::Schema);

/// Whoever has the schema.
async fn place() -> Option<(Schema, PgConnection)> {
    let place = Schema::new()?;
    let db = place.connect().await;
    Some((place, db))
}

#[tokio::test]
async fn views_have_the_same_columns_on_both_stores() {
    let Some((place, _)) = place().await else { return };
    drop(place.open().await);
    let folder = crate::sqlite::Folder::new().unwrap();
    drop(folder.open().await);
    let columns = "select table_name, column_name from information_schema.columns
                   where table_schema = current_schema() and table_name in
                       (select viewname from pg_views where schemaname = current_schema() and viewname not like '\\_%' and viewname <> 'search')
                   order by table_name, ordinal_position";
    // Each database has a full-text index of its own.
    let others = "select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c
                  where m.type = 'view' and m.name not in ('search', 'searchable') order by m.name, c.cid";
    assert_eq!(place.rows(columns).await, folder.rows(others).await);
}

#[tokio::test]
async fn a_schema_that_holds_something_else_is_refused_and_left_as_it_is() {
    for theirs in [
        "create table page (a int)",
        "create table _sqlx_migrations (version bigint, success boolean, checksum bytea);
                    insert into _sqlx_migrations values (1, true, '\\x00')",
    ] {
        let Some((place, mut db)) = place().await else { return };
        sqlx::raw_sql(theirs).execute(&mut db).await.unwrap();
        let refused = PgDatabase::open(&place.url, &Config::default()).await.unwrap_err().to_string();
        assert!(refused.ends_with("its schema holds no crawl but something else"), "{refused}");
        let tables = "select count(*) from pg_tables where schemaname = current_schema()";
        assert_eq!(row(&place, tables).await, "1");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_without_the_password() {
    for rest in ["@127.0.0.1:1/x", "@[x", "@h:1/x?sslmode=s3cret", "/s3cret@h/x", "?s3cret@h/x", "#s3cret@h"] {
        let url = &format!("postgres://me:{}{rest}", if rest.starts_with('@') { "s3cret" } else { "1" });
        let told = PgDatabase::open(url, &Config::default()).await.unwrap_err().to_string();
        assert!(told.contains("postgres://") && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn whoever_was_away_past_its_lease_stores_nothing_for_what_another_has_taken() {
    let Some((place, _)) = place().await else { return };
    let mut slow = Hand::begin(&place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&slow.take().await, "/");
    // Opening lets its lease lapse.
    let mut quick = Hand::begin(&place, &Config::default(), &["http://a.test/"]).await;
    assert_eq!(quick.take().await.len(), 1);
    let committed = slow.commit([fetched(front.clone(), page([link("http://a.test/late")]))]).await;
    assert_eq!((&committed.lost[..], committed.targets.len()), (&[front.host][..], 0));
    assert_eq!(row(&place, "select count(*) from pages").await, "0");
    assert!(quick.commit([fetched(front, page([]))]).await.lost.is_empty());
}

#[tokio::test]
async fn text_with_a_zero_is_stored_with_a_sign_in_its_place() {
    let Some((place, _)) = place().await else { return };
    let mut hand = Hand::begin(&place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let zero = "a\0b".to_owned();
    let mut hostile = page([link("http://a.test/x")]);
    (hostile.title, hostile.text, hostile.etag) = (Some(zero.clone()), Some(zero.clone()), Some(zero.clone()));
    hostile.headers = vec![("x".to_owned(), zero.clone()), ("y".to_owned(), "\\u0000".to_owned())];
    hostile.links[0].text = zero.clone();
    hostile.links[0].rel = zero;
    hand.commit([fetched(front, hostile)]).await;
    assert_eq!(row(&place, "select title, text, etag from pages").await, "a\u{fffd}b|a\u{fffd}b|a\u{fffd}b");
    assert_eq!(row(&place, "select text, rel from links").await, "a\u{fffd}b|a\u{fffd}b");
    assert_eq!(place.rows("select value from headers order by name").await, ["a\u{fffd}b", "\\u0000"]);
}

#[tokio::test]
async fn a_url_longer_than_a_row_of_an_index_is_stored_once() {
    let Some((place, _)) = place().await else { return };
    let mut hand = Hand::begin(&place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    // So mixed that compression does not make it fit.
    let long: String =
        (0..9_000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8 % 26)).collect();
    let long = format!("http://a.test/{long}");
    let committed = hand.commit([fetched(front, page([link(&long), link(&format!("{long}x")), link(&long)]))]).await;
    assert_eq!(committed.targets.len(), 2);
    assert_eq!(row(&place, "select count(*), max(length(url)) from urls").await, format!("3|{}", long.len() + 1));
}

#[tokio::test]
async fn a_host_is_taken_for_what_is_met_before_while_and_after_it_is_given_back_and_for_nothing_else() {
    let Some((place, mut db)) = place().await else { return };
    let mut hand = Hand::begin(&place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    hand.commit([fetched(front.clone(), page([]))]).await;
    let meet = |url: &str| {
        format!(
            "insert into url (hash, url, host_id, state, depth, first_seen_at)
             select sha256('{url}'), 'http://a.test/{url}', id, 0, 1, 0 from host"
        )
    };
    let hold = async |hand: &mut Hand<'_, Schema>, pending: usize| {
        assert_eq!(hand.run.take(10).await.unwrap(), [front.host]);
        assert_eq!(hand.window(front.host, 10).await.len(), pending);
        hand.holds[&front.host]
    };
    let mut run = async |sql: &str| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    };
    run(&format!("begin; {}", meet("while"))).await;
    hand.run.give_back(&[hand.holds[&front.host]]).await.unwrap();
    run("commit").await;
    let held = hold(&mut hand, 1).await;
    run(&meet("before")).await;
    hand.run.give_back(&[held]).await.unwrap();
    let held = hold(&mut hand, 2).await;
    run("update url set state = 3").await;
    hand.run.give_back(&[held]).await.unwrap();
    assert!(hand.run.take(10).await.unwrap().is_empty());
    assert_eq!(row(&place, "select queued_at from host").await, "", "nobody looks at it any more");
    run(&meet("after")).await;
    let held = hold(&mut hand, 1).await;
    run("update url set state = 3").await;
    hand.run.give_back(&[held]).await.unwrap();
    run("update url set state = 0 where url like '%/after'").await;
    hold(&mut hand, 1).await;
}
