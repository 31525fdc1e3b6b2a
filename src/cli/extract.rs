//! `extract`: what is derived from stored pages, brought up to date and printed; also what `crawl --extract` does at the end.

mod trial;

use std::sync::Arc;

use serde_json::Value;

use crate::engine::extract::{Extracted, MAX_NEAR, extract};
use crate::extract::items::Rules;
use crate::extract::{Kind, Wanted};
use crate::read::Database;
use crate::store::derived::{DerivedError, Derives, ItemView, StoredRules};
use crate::store::postgres::derived::DerivedDatabase;
use crate::store::postgres::is_postgres;
use crate::store::sqlite::derived::DerivedFile;
use crate::store::sqlite::file_path;

use super::args::{ExtractArgs, Form, Format, Since, What};
use super::changes;
use super::console::Console;
use super::failure::Failure;
use super::headway::Headway;
use super::job::Job;
use super::output::{Rows, cells, printable};
use super::words::{count, counted};
use super::{signals, upgrade};

/// What is to be derived.
#[derive(Debug)]
pub struct Task {
    pub kinds: Vec<Kind>,
    /// Those that were given, instead of those that were given last.
    pub rules: Option<GivenRules>,
}

impl Task {
    /// What a crawl derives at its end.
    pub fn of(job: &Job) -> Result<Option<Self>, Failure> {
        let Some(extraction) = job.extract else {
            let refuse = || Failure::new("--rules: without --extract nothing is derived").code(2);
            return if job.rules.is_some() { Err(refuse()) } else { Ok(None) };
        };
        let kinds = extraction.kinds();
        let rules = job.rules.as_deref().map(|name| GivenRules::of(name, &kinds)).transpose()?;
        Ok(Some(Self { kinds, rules }))
    }
}

/// Rules that can be.
#[derive(Debug, Clone)]
pub struct GivenRules {
    stored: StoredRules,
    rules: Arc<Rules>,
}

impl GivenRules {
    /// Reads a file of rules, or those that come with the program, if items are to be derived.
    fn of(name: &str, kinds: &[Kind]) -> Result<Self, Failure> {
        if !kinds.contains(&Kind::Items) {
            return Err(Failure::new("--rules: only items are found by rules").code(2));
        }
        let text = match Rules::builtin(name) {
            Some(text) => text.to_owned(),
            None => std::fs::read_to_string(name).map_err(|e| {
                let failure = Failure::new(format!("cannot read the rules `{}`", printable(name))).cause(&e);
                failure.hint("name a file, or rules that come with harvestman: product, article, event, job, recipe")
            })?,
        };
        Self::parse(StoredRules { name: name.to_owned(), text })
    }

    fn parse(stored: StoredRules) -> Result<Self, Failure> {
        let rules = Rules::parse(&stored.text).map_err(|e| Failure::new(printable(&format!("{}:{e}", stored.name))))?;
        Ok(Self { stored, rules: Arc::new(rules) })
    }
}

/// The command: derives, and prints what there is then.
pub async fn run(args: ExtractArgs, console: &Console) -> Result<u8, Failure> {
    if let (Some(What::Try), Some(target), Some(rules)) = (args.what, &args.target, &args.rules) {
        let given = GivenRules::of(rules, &Kind::ALL)?;
        return trial::run(&args.database, target, &given.rules, args.format.unwrap_or(Format::Table), console);
    }
    if args.target.is_some() {
        return Err(Failure::new("a URL or a file is for `extract try` alone").code(2));
    }
    signals::end_after(|| ())?;
    let kinds = match args.what {
        Some(What::Metadata) => vec![Kind::Metadata],
        Some(What::Articles) => vec![Kind::Articles],
        Some(What::Items) => vec![Kind::Items],
        None | Some(What::Try) => Kind::ALL.to_vec(),
    };
    let rules = args.rules.as_deref().map(|name| GivenRules::of(name, &kinds)).transpose()?;
    let database = args.database.path()?;
    let reader = Database::open(&database)?;
    reader.must_be_understood()?;
    // The connection that writes must be the last to close: then SQLite removes the write-ahead log.
    let is_old = reader.is_of_an_earlier_version();
    drop(reader);
    if is_old {
        console.say("The database is of an earlier version: it is brought up to date first.");
        upgrade::run(&database).await?;
    }
    let printed = (args.format.is_some() || args.since.is_some() || args.wide.wide).then(|| kinds.clone());
    bring_up_to_date(&database, &Task { kinds, rules }, console).await?;
    if let Some(kinds) = printed {
        let form = Form { format: args.format.unwrap_or(Format::Table), wide: args.wide };
        print(&database, &kinds, form, args.since)?;
    }
    Ok(0)
}

/// Derives what is new or changed. If it is ended before, what is kept stays, and the next time goes on from there.
pub async fn bring_up_to_date(database: &str, task: &Task, console: &Console) -> Result<(), Failure> {
    let told = if is_postgres(database) {
        let mut store = DerivedDatabase::open(database).await?;
        derive(&mut store, task, true, console).await
    } else {
        let path = file_path(database)?;
        let mut store = DerivedFile::open(&path)?;
        derive(&mut store, task, false, console).await
    };
    console.clear();
    told
}

async fn derive(
    store: &mut (impl Derives + Send),
    task: &Task,
    shares: bool,
    console: &Console,
) -> Result<(), Failure> {
    let mut kinds = task.kinds.clone();
    let rules = if kinds.contains(&Kind::Items) { rules_of(store, task.rules.as_ref(), console).await? } else { None };
    if rules.is_none() && kinds == [Kind::Items] {
        return Err(Failure::new("there are no rules to find items by")
            .hint("give a file of rules with --rules FILE, or those that come with harvestman: --rules product"));
    }
    if rules.is_none() {
        kinds.retain(|kind| *kind != Kind::Items);
    }
    let wanted = Wanted::new(&kinds, rules.as_ref().map(|given| given.stored.text.as_str()));
    let waiting = store.waiting(&wanted).await.map_err(failure)?;
    let mut headway = Headway::new(console, "Extracting");
    let tell = |done: u64| {
        let done = done.cast_signed();
        headway.tell(done, (waiting - done).max(0));
    };
    let rules = rules.map(|given| given.rules);
    let extracted = extract(store, &wanted, rules.clone(), shares, tell).await.map_err(failure)?;
    console.clear();
    if extracted.pages == 0 && !store.has_any().await.map_err(failure)? {
        console.say("There is nothing to extract from: no body of a response of status 200 is stored.");
        return Ok(());
    }
    say(console, &extracted, rules.as_deref());
    Ok(())
}

fn failure(error: DerivedError) -> Failure {
    Failure::new("the database cannot take what is derived").cause(&error)
}

/// The rules that were given, which are kept, or else those that were given last.
async fn rules_of(
    store: &mut impl Derives,
    given: Option<&GivenRules>,
    console: &Console,
) -> Result<Option<GivenRules>, Failure> {
    let stored = store.rules().await.map_err(failure)?;
    let Some(given) = given else { return stored.map(GivenRules::parse).transpose() };
    if stored.as_ref() != Some(&given.stored) {
        // Those that an earlier version took may be none today.
        if let Some(before) = stored.and_then(|stored| GivenRules::parse(stored).ok()) {
            let gone: Vec<_> =
                before.rules.names().filter(|name| !given.rules.names().any(|kept| kept == *name)).collect();
            if !gone.is_empty() {
                console.warn(&format!(
                    "the rules of {} take the place of those of {}, and the items go that only these find: {}; one file can have the tables of several",
                    printable(&given.stored.name),
                    printable(&before.stored.name),
                    gone.join(", ")
                ));
            }
        }
        store.keep_rules(&given.stored, &views(&given.rules)).await.map_err(failure)?;
    }
    Ok(Some(given.clone()))
}

/// A view for each item, with a column for each of its fields.
fn views(rules: &Rules) -> Vec<ItemView> {
    let columns = |item: &str| rules.columns(item).map(|(field, column)| (field.to_owned(), column)).collect();
    rules.names().map(|item| ItemView { item: item.to_owned(), columns: columns(item) }).collect()
}

fn say(console: &Console, extracted: &Extracted, rules: Option<&Rules>) {
    console.say(&match extracted.pages {
        0 => "Nothing is new: all that was asked for is extracted.".to_owned(),
        pages => format!("Extracted from {}.", counted(pages.cast_signed(), "page")),
    });
    if let Some(rules) = rules {
        rules.told(&extracted.tally).iter().for_each(|line| console.say(&printable(line)));
    }
    let warn = |urls: &[String], what: &str| {
        if let Some(first) = urls.first() {
            let pages = counted(urls.len() as i64, "page");
            console.warn(&format!("{pages} {what}, such as {}", printable(first)));
        }
    };
    warn(&extracted.cut_short, "said more than is kept of one, or took too long");
    warn(&extracted.failed, "could not be read, and nothing was extracted");
    if extracted.too_many_near {
        console.warn(&format!("more than {} pairs of near duplicates: the rest is left out", count(MAX_NEAR as i64)));
    }
}

/// Prints what there is of a kind, or the usual questions about each page.
fn print(database: &str, kinds: &[Kind], form: Form, since: Option<Since>) -> Result<(), Failure> {
    let db = Database::open(database)?;
    let (view, order) = match kinds {
        [Kind::Metadata] => ("metadata", "url, source, position"),
        [Kind::Articles] => ("articles", "url"),
        [Kind::Items] => ("items", "url, item, position"),
        _ => ("page_data", "url"),
    };
    let (filter, values) = match since {
        None => ("", vec![]),
        Some(_) => {
            let (run, at) = changes::start(&db, since)?;
            (" where url in (select url from changes where run >= ?1 and at >= ?2)", vec![run.into(), at.into()])
        }
    };
    let rows = db.query(&format!("select * from {view}{filter} order by {order}"), values)?;
    let mut out = Rows::new(form, rows.columns().to_vec())?;
    let is_nested = view == "items" && matches!(form.format, Format::Json | Format::Jsonl);
    for row in rows {
        let mut cells = cells(row?);
        if let (true, Some(data)) = (is_nested, cells.last_mut()) {
            *data = data.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        }
        out.row(cells)?;
    }
    out.finish()?;
    Ok(())
}
