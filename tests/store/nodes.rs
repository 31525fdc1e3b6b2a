//! Several nodes in one PostgreSQL database: who takes part in what, who holds what, and when it is over.

use std::time::{Duration, Instant};

use harvestman::internals::config::Config;
use harvestman::internals::store::postgres::PgDatabase;
use harvestman::internals::store::tables::{Company as _, Hosts as _, Transactions as _};
use harvestman::internals::store::{Run as _, StoreError};
use harvestman::internals::visit::{self, Standing, Word};

use sqlx::PgConnection;

use crate::place::{Hand, Place, fetched, link, page, row, target};
use crate::schema::Schema;

const SEEDS: [&str; 2] = ["http://a.test/", "http://b.test/"];

/// A place where those who come find the others as they are.
struct Beside<'a>(&'a Schema, Config);

impl Place for Beside<'_> {
    type Store = PgDatabase;

    fn new() -> Option<Self> {
        None
    }

    async fn open(&self) -> PgDatabase {
        PgDatabase::open(&self.0.url, &self.1).await.unwrap()
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        self.0.rows(sql).await
    }

    async fn age(&self, by: i64) {
        self.0.age(by).await;
    }

    async fn seize(&self, host: &str) {
        self.0.seize(host).await;
    }
}

async fn schema() -> Option<Schema> {
    let schema = Schema::new()?;
    schema.execute("select 1".to_owned()).await;
    Some(schema)
}

/// How long a test waits for what comes at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction of somebody else.
struct Other<'a> {
    schema: &'a Schema,
    db: PgConnection,
}

impl<'a> Other<'a> {
    /// One that is open and has done this.
    async fn begin(schema: &'a Schema, sql: String) -> Self {
        let mut db = schema.connect().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("begin; {sql}"))).execute(&mut db).await.unwrap();
        Self { schema, db }
    }

    /// Commits it as soon as somebody waits for its locks.
    async fn commit_once_waited_for(mut self) {
        let me: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut self.db).await.unwrap();
        let waiting = format!("select count(*) from pg_stat_activity where {me} = any(pg_blocking_pids(pid))");
        let began = Instant::now();
        while self.schema.rows(&waiting).await == ["0"] {
            assert!(began.elapsed() < PATIENCE, "nobody waited for the locks of the other transaction");
        }
        sqlx::raw_sql("commit").execute(&mut self.db).await.unwrap();
    }
}

fn beside(schema: &Schema) -> Beside<'_> {
    Beside(schema, Config::default())
}

const AT_WORK: Standing =
    Standing { hosts: 1, needs: 1, rate: 0.0, room: 0, rests: false, is_limited: false, lacks_pages: false };
const RESTS: Standing = Standing { hosts: 0, needs: 0, room: 9, rests: true, ..AT_WORK };

#[tokio::test]
async fn a_second_node_takes_part_in_the_run_of_the_first_and_gets_what_that_does_not_hold() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let [a] = one.run.take(1).await.unwrap()[..] else { panic!("one is taken, as asked") };
    let mine = one.window(a, 9).await.remove(0);
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS).await;
    assert_eq!(two.run.id(), one.run.id());
    let theirs = two.take().await;
    assert_eq!(theirs.len(), 1);
    let other = format!("{}late", theirs[0].url);
    let committed = one.commit([fetched(mine, page([link(&other)]))]).await;
    assert!(committed.targets.is_empty(), "its host is the other's, who finds it: {committed:?}");
    let hosts = two.window(theirs[0].host, 9).await;
    assert_eq!(target(&hosts, "late").url.as_str(), other);
    assert_eq!(
        schema.rows("select state, hosts, fetched from nodes order by node, fetched desc").await,
        ["alive|1|1", "alive|1|0"]
    );
}

#[tokio::test]
async fn nodes_that_were_told_something_else_are_refused_with_the_option_and_both_values() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let _one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let refused = |config: Config, seeds: &'static [&'static str]| {
        let schema = &schema;
        async move {
            let seeds: Vec<_> = seeds.iter().map(|seed| crate::place::url(seed)).collect();
            let scope = harvestman::internals::scope::Scope::new(&config, &seeds).into();
            let start =
                harvestman::internals::store::Start { config: &config, scope: &scope, seeds: &seeds, given: &[] };
            let mut store = PgDatabase::open(&schema.url, &config).await.unwrap();
            store.welcomes(start).await.unwrap_err()
        }
    };
    let slower = refused(Config { rate: 1.5, ..Config::default() }, &SEEDS).await;
    assert!(matches!(slower, StoreError::Differs(_)));
    assert!(slower.to_string().ends_with("--rate is `1.5` here and `2` there"), "{slower}");
    let fewer = refused(Config::default(), &SEEDS[..1]).await.to_string();
    assert!(fewer.ends_with("a seed is none of these here and http://b.test/ there"), "{fewer}");
    let secret = Config { header: vec!["Authorization: s3cret".parse().unwrap()], ..Config::default() };
    let secret = refused(secret, &SEEDS).await.to_string();
    assert!(
        secret.contains("`--header authorization` here and not set there") && !secret.contains("s3cret"),
        "{secret}"
    );
    assert_eq!(row(&place, "select count(*) from nodes").await, "1");
}

#[tokio::test]
async fn a_run_is_over_once_no_node_has_anything_to_do_and_for_all() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    let front = one.take().await.remove(0);
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    assert!(two.take().await.is_empty());
    let word = two.run.report(&RESTS).await.unwrap();
    assert!(!word.is_over, "the other is at work");
    one.commit([fetched(front, page([]))]).await;
    let word = one.run.report(&Standing { hosts: 0, ..AT_WORK }).await.unwrap();
    assert!(!word.is_over, "it does not rest");
    assert!(one.run.report(&RESTS).await.unwrap().is_over);
    assert!(two.run.report(&RESTS).await.unwrap().is_over);
    assert_eq!((one.run.outcome(), two.run.outcome()), (Some("finished"), Some("finished")));
    assert_eq!(two.run.accounting(), one.run.accounting());
    // Whoever comes now begins the next run, and what those before do in leaving changes nothing of it.
    let three = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    assert_eq!(three.run.id(), one.run.id() + 1);
    one.run.end("finished", true).await.unwrap();
    two.run.end("interrupted", false).await.unwrap();
    assert_eq!(
        schema.rows("select outcome, finished_at is not null from runs order by id").await,
        ["finished|1", "|0"]
    );
}

#[tokio::test]
async fn a_node_that_leaves_while_others_go_on_leaves_the_outcome_alone_and_the_last_writes_it() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS).await;
    assert_eq!(one.take().await.len(), 2);
    assert!(two.take().await.is_empty());
    one.run.end("interrupted", false).await.unwrap();
    assert_eq!(row(&place, "select outcome from runs").await, "");
    assert_eq!(two.take().await.len(), 2, "what it held is free");
    two.run.end("limit", false).await.unwrap();
    assert_eq!(row(&place, "select outcome from runs").await, "limit");
    assert_eq!(schema.rows("select state, hosts from nodes").await, ["ended|0", "ended|0"]);
}

#[tokio::test]
async fn what_a_dead_node_held_goes_on_and_counts_as_asked_when_its_lease_ended() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    let front = one.take().await.remove(0);
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    assert!(two.take().await.is_empty());
    schema
        .execute("update node set leased_until = clock_timestamp() - interval '1 second' where id = 1".to_owned())
        .await;
    let before = visit::now() - 1_000;
    let again = two.take().await.remove(0);
    let asked = two.holds[&again.host].asked_at;
    assert!((before - 60_000..=visit::now() - 900).contains(&asked) && asked > 0, "{asked}, {before}");
    // It comes back: nothing of what it did is stored, and it is another node from then on.
    let committed = one.commit([fetched(front.clone(), page([link("http://a.test/late")]))]).await;
    assert_eq!((&committed.lost[..], committed.targets.len()), (&[front.host][..], 0));
    assert_eq!(one.run.report(&AT_WORK).await.unwrap(), Word { is_lost: true, ..Word::default() });
    assert_eq!(
        schema.rows("select state, hosts from nodes order by started_at").await,
        ["lost|0", "alive|1", "alive|0"]
    );
    assert!(two.commit([fetched(again, page([]))]).await.lost.is_empty());
    assert_eq!(row(&place, "select count(*) from pages").await, "1");
}

#[tokio::test]
async fn a_lease_that_is_renewed_in_the_midst_of_something_keeps_the_hosts_unless_others_have_noted_its_end() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let lease = one.run.lease().unwrap();
    assert_eq!(one.run.take(1).await.unwrap().len(), 1);
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let end = "update node set leased_until = clock_timestamp() - interval '1 second' where id = 1";
    schema.execute(end.to_owned()).await;
    let before = lease.age();
    one.run.renew().await.unwrap();
    assert!(lease.age() < before);
    assert_eq!(two.take().await.len(), 1, "what the other one did not take");
    schema.execute(end.to_owned()).await;
    assert_eq!(two.take().await.len(), 1);
    let before = lease.age();
    one.run.renew().await.unwrap();
    assert!(lease.age() >= before, "it is not renewed");
    assert!(one.run.report(&AT_WORK).await.unwrap().is_lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_a_newcomer_takes_at_that_moment_is_not_taken_from_it() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let _one = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    let newcomer =
        "insert into node (name, leased_until, invocation_id) values ('late', now() + interval '1 minute', 1);
         update host set holder = 2, epoch = epoch + 1";
    let other = Other::begin(&schema, newcomer.to_owned()).await;
    let mut database = PgDatabase::open(&schema.url, &Config::default()).await.unwrap();
    let reach = async {
        database.open_transaction().await.unwrap();
        let held = database.take_reached(1, &[1].into()).await.unwrap();
        database.commit_transaction().await.unwrap();
        held
    };
    let (held, ()) = tokio::join!(reach, other.commit_once_waited_for());
    assert!(held.is_empty());
    assert_eq!(schema.rows("select n.name, h.epoch from host h join node n on n.id = h.holder").await, ["late|1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_is_found_though_the_commit_is_still_under_way_whose_answer_was_lost() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let _one = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    let take = "update host set holder = 1, epoch = epoch + 1; update node set rests = false where id = 1";
    let lost = Other::begin(&schema, take.to_owned()).await;
    let mut database = PgDatabase::open(&schema.url, &Config::default()).await.unwrap();
    let (held, ()) = tokio::join!(database.held(1), lost.commit_once_waited_for());
    assert_eq!(held.unwrap(), [1]);
}

#[tokio::test]
async fn a_lease_that_ended_unnoticed_is_renewed_and_nothing_is_lost() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS[..1]).await;
    let front = one.take().await.remove(0);
    schema.lapse().await;
    assert!(!one.run.report(&AT_WORK).await.unwrap().is_lost);
    assert!(one.commit([fetched(front, page([]))]).await.lost.is_empty());
}

#[tokio::test]
async fn pages_are_dealt_out_to_the_last_one_and_those_not_used_come_back() {
    let Some(schema) = schema().await else { return };
    let config = Config { max_pages: Some(7), ..Config::default() };
    let place = Beside(&schema, config.clone());
    let mut one = Hand::begin(&place, &config, &SEEDS).await;
    let mut two = Hand::begin(&place, &config, &SEEDS).await;
    let lacks = Standing { lacks_pages: true, ..AT_WORK };
    let mut shares = [0, 0];
    for _ in 0..9 {
        shares = [
            one.run.report(&lacks).await.unwrap().pages.unwrap(),
            two.run.report(&lacks).await.unwrap().pages.unwrap(),
        ];
        assert!(shares.iter().sum::<u64>() <= 7, "{shares:?}");
    }
    assert_eq!(shares.iter().sum::<u64>(), 7, "all of them: {shares:?}");
    assert!(shares[0] > 0 && shares[1] > 0);
    // One has nothing to do, and what it has is the other's.
    assert_eq!(one.run.report(&RESTS).await.unwrap().pages, Some(0));
    for _ in 0..9 {
        shares[1] = two.run.report(&lacks).await.unwrap().pages.unwrap();
    }
    assert_eq!(shares[1], 7);
    // What a dead one had is there again.
    schema
        .execute("update node set leased_until = clock_timestamp() - interval '1 second' where id = 2".to_owned())
        .await;
    for _ in 0..9 {
        shares[0] = one.run.report(&lacks).await.unwrap().pages.unwrap();
    }
    assert_eq!(shares[0], 7);
}

#[tokio::test]
async fn the_pace_of_all_is_divided_by_what_each_needs_and_a_newcomer_begins_with_nothing() {
    let Some(schema) = schema().await else { return };
    let config = Config { global_rate: 12.0, ..Config::default() };
    let place = Beside(&schema, config.clone());
    let mut one = Hand::begin(&place, &config, &SEEDS).await;
    let needs = |needs: usize, rate: f64| Standing { needs, rate, ..AT_WORK };
    assert_eq!(one.run.report(&needs(3, 0.0)).await.unwrap().rate, Some(12.0));
    let mut two = Hand::begin(&place, &config, &SEEDS).await;
    assert_eq!(two.run.report(&needs(1, 0.0)).await.unwrap().rate, Some(0.0), "the first has all of it");
    assert_eq!(one.run.report(&needs(3, 12.0)).await.unwrap().rate, Some(9.0));
    assert_eq!(two.run.report(&needs(1, 0.0)).await.unwrap().rate, Some(0.0), "and makes no less until it heard that");
    assert_eq!(one.run.report(&needs(3, 9.0)).await.unwrap().rate, Some(9.0));
    assert_eq!(two.run.report(&needs(1, 0.0)).await.unwrap().rate, Some(3.0));
    assert_eq!(one.run.report(&needs(0, 9.0)).await.unwrap().rate, Some(0.0), "it has nothing to ask for");
    assert_eq!(two.run.report(&needs(1, 3.0)).await.unwrap().rate, Some(3.0));
    assert_eq!(one.run.report(&needs(0, 0.0)).await.unwrap().rate, Some(0.0));
    assert_eq!(two.run.report(&needs(1, 3.0)).await.unwrap().rate, Some(12.0));
    two.run.end("interrupted", false).await.unwrap();
    assert_eq!(one.run.report(&needs(1, 0.0)).await.unwrap().rate, Some(12.0));
}

#[tokio::test]
async fn a_node_with_more_than_its_part_gives_to_those_that_have_room() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let many = Standing { needs: 9, ..AT_WORK };
    assert_eq!(one.run.report(&many).await.unwrap().spare, 0);
    let mut two = Hand::begin(&place, &Config::default(), &SEEDS).await;
    two.run.report(&RESTS).await.unwrap();
    assert_eq!(one.run.report(&many).await.unwrap().spare, 4);
    two.run.report(&Standing { room: 0, ..RESTS }).await.unwrap();
    assert_eq!(one.run.report(&many).await.unwrap().spare, 0, "the other has no room");
}

#[tokio::test]
async fn what_lets_hosts_in_is_known_to_all_nodes() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &["http://a.test/", "http://b.test/"]).await;
    let fronts = one.take().await;
    let mut two = Hand::begin(&place, &Config::default(), &["http://a.test/", "http://b.test/"]).await;
    assert!(two.take().await.is_empty());
    // A link to what is not in scope yet, and the redirect that lets it in.
    let out = crate::place::skipped_link("http://www.a.test/x", harvestman::internals::visit::SkipReason::Scope);
    one.commit([fetched(target(&fronts, "b.test/"), page([out]))]).await;
    assert_eq!(row(&place, "select state from urls where url = 'http://www.a.test/x'").await, "skipped");
    one.commit([fetched(target(&fronts, "a.test/"), crate::place::redirect("http://www.a.test/"))]).await;
    let pending = "select url from urls where state = 'pending' order by url";
    assert_eq!(schema.rows(pending).await, ["http://www.a.test/", "http://www.a.test/x"]);
    // The other one had left out another.
    schema
        .execute(
            "update url set state = 3, reason = 'scope' where url = 'http://www.a.test/x';
         update run set skipped = skipped + 1, pending = pending - 1"
                .to_owned(),
        )
        .await;
    two.run.report(&RESTS).await.unwrap();
    assert_eq!(schema.rows(pending).await, ["http://www.a.test/", "http://www.a.test/x"]);
    assert_eq!(two.run.accounting().0.pending, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_store_the_same_new_urls_at_once_store_each_once_and_wait_for_no_ring_of_locks() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let seeds = ["http://a.test/", "http://b.test/"];
    let mut one = Hand::begin(&place, &Config::default(), &seeds).await;
    let taken = one.run.take(1).await.unwrap();
    let mine = one.window(taken[0], 1).await.remove(0);
    let mut other = Hand::begin(&place, &Config::default(), &seeds).await;
    let theirs = other.take().await.remove(0);
    assert_ne!(mine.host, theirs.host);
    let links = |n: usize| (0..300).map(move |i| link(&format!("http://h{}.test/{}", i % 20, (i * n) % 300)));
    let (holds, others) = (one.holds.clone(), other.holds.clone());
    let (first, second) = tokio::join!(
        one.run.commit(vec![fetched(mine, page(links(1)))], |host| holds.get(&host).copied()),
        other.run.commit(vec![fetched(theirs, page(links(7)))], |host| others.get(&host).copied()),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    let stored = row(&place, "select count(*), count(distinct url) from urls").await;
    let all: std::collections::HashSet<_> = (0..300).flat_map(|i| [(i % 20, i), (i % 20, i * 7 % 300)]).collect();
    assert_eq!(stored, format!("{0}|{0}", all.len() + 2));
    assert_eq!(row(&place, "select count(*) from links").await, "600");
    let columns = "discovered, fetched, failed, skipped, pending";
    let told = place.rows(&format!("select {columns} from accounting union select {columns} from runs")).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let handed: Vec<_> = first.targets.iter().chain(&second.targets).map(|target| target.id).collect();
    let once: std::collections::HashSet<_> = handed.iter().collect();
    assert_eq!(once.len(), handed.len(), "each is one's to fetch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shorter_path_to_a_url_does_not_undo_what_another_node_stores_of_it_at_that_moment() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let mut one = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let taken = one.run.take(1).await.unwrap();
    let mine = one.window(taken[0], 1).await.remove(0);
    let theirs = SEEDS.iter().find(|seed| **seed != mine.url.as_str()).unwrap();
    schema.execute(format!("update url set depth = 5 where url = '{theirs}'")).await;
    let other = Other::begin(&schema, format!("update url set state = 1 where url = '{theirs}'")).await;
    let holds = one.holds.clone();
    let commit = one.run.commit(vec![fetched(mine, page([link(theirs)]))], |host| holds.get(&host).copied());
    let (committed, ()) = tokio::join!(commit, other.commit_once_waited_for());
    assert!(committed.unwrap().targets.is_empty());
    assert_eq!(schema.rows(&format!("select state, depth from url where url = '{theirs}'")).await, ["1|1"]);
}

#[tokio::test]
async fn a_version_that_changes_the_schema_waits_until_the_nodes_of_the_one_before_have_ended() {
    let Some(schema) = schema().await else { return };
    let place = beside(&schema);
    let before = Hand::begin(&place, &Config::default(), &SEEDS).await;
    let undo = "alter table node drop column needs, drop column rate; delete from _sqlx_migrations where version = 5";
    let migrations = "select count(*) from _sqlx_migrations";
    let all = schema.rows(migrations).await;
    schema.execute(undo.to_owned()).await;
    let refused = PgDatabase::open(&schema.url, &Config::default()).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    // Nor does it touch their tables, and wait for them.
    let reads = Other::begin(&schema, "lock table node, host, url in access share mode".to_owned()).await;
    let refused = tokio::time::timeout(PATIENCE, PgDatabase::open(&schema.url, &Config::default())).await;
    assert!(matches!(refused.expect("nobody is waited for"), Err(StoreError::InUse { .. })));
    drop((reads, before));
    schema.lapse().await;
    PgDatabase::open(&schema.url, &Config::default()).await.unwrap();
    assert_eq!(schema.rows(migrations).await, all);
}
