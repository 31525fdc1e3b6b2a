//! The sections that say how the crawl went: accounting, pace, answers, times, sizes, depth, types, hosts.

use crate::cli::failure::Failure;
use crate::cli::words::{count, counted, size};
use crate::read::Database;

use super::figures::span;
use super::parts::{Bar, Bars, Block, BoxRow, Boxes, Cell, Column, Columns, Link, Listing, Section, Stack, Tick};
use super::plot::{class_start, lines, log_place, log_steps, percent, round, size_class, slot};
use super::query::{all, one};
use super::run::{Before, Run};

/// The states of the accounting, and the colour of each.
const STATES: [(&str, &str); 4] = [("fetched", "ok"), ("failed", "bad"), ("skipped", "idle"), ("pending", "wait")];

/// Largest numbers: rows of a table of hosts, hosts of the plot of response times, bars, columns of the plot of depths.
const HOSTS: i64 = 25;
const BOXES: i64 = 15;
pub const BARS: usize = 12;
const DEPTHS: usize = 40;

fn states(counts: [i64; 4]) -> Stack {
    let part = |((name, class), count): (&(&'static str, &'static str), i64)| (*name, *class, count);
    Stack::new(&STATES.iter().zip(counts).map(part).collect::<Vec<_>>())
}

pub fn accounting(db: &Database, before: Option<&Before>) -> Result<Section, Failure> {
    let sql = "select fetched, failed, skipped, pending, discovered from accounting";
    let (counts, discovered): ([i64; 4], i64) =
        one(db, sql, [], |row| Ok(([row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?], row.at(4)?)))?;
    let stack = match before {
        Some(before) => states(counts).compared(&counts, &before.states),
        None => states(counts),
    };
    let [fetched, failed, skipped, pending] = counts.map(count);
    let discovered = counted(discovered, "URL");
    Ok(Section {
        id: "accounting",
        title: "Accounting",
        lead: format!(
            "{discovered} discovered = {fetched} fetched + {failed} failed + {skipped} skipped + {pending} pending."
        ),
        is_wide: true,
        blocks: vec![Block::Stack(stack)],
    })
}

/// One slot of time: its number, the pages that came, the answers that were errors among them, the requests that failed.
type Slot = (i64, [i64; 3]);

pub fn pace(db: &Database, run: &Run) -> Result<Section, Failure> {
    let width = slot(run.span.last_at - run.span.first_at);
    let sql = "select (at - ?2) / ?3, count(*) filter (where failure is null),
            count(*) filter (where failure is null and status >= 400), count(*) filter (where failure is not null)
        from _fetch where run_id = ?1 and url_id is not null group by 1 order by 1";
    let slots: Vec<Slot> = all(db, sql, [run.id.into(), run.span.first_at.into(), width.into()], |row| {
        Ok((row.at(0)?, [row.at(1)?, row.at(2)?, row.at(3)?]))
    })?;
    let sum = |which: usize| slots.iter().map(|(_, counts)| counts[which]).sum::<i64>();
    let mut plots = Vec::new();
    if let Some((last, _)) = slots.last() {
        plots.push(pages_over_time(&slots, last + 1, width));
        if sum(1) + sum(2) > 0 {
            plots.push(errors_over_time(&slots, last + 1, width));
        }
    }
    Ok(Section {
        id: "pace",
        title: "Pages per second and failures",
        lead: format!(
            "Run {}: {} over {}, {} of them with an error status, and {}; robots.txt not counted.",
            run.id,
            counted(sum(0), "answer"),
            span(run.span.last_at - run.span.first_at),
            count(sum(1)),
            counted(sum(2), "failed request"),
        ),
        is_wide: true,
        blocks: plots.into_iter().map(Block::Columns).collect(),
    })
}

fn pages_over_time(slots: &[Slot], n: i64, width: i64) -> Columns {
    let per_second = |pages: i64| pages as f64 * 1000.0 / width as f64;
    let series = slots.iter().map(|(at, [pages, ..])| (*at, vec![(per_second(*pages), "ok")]));
    let mut plot = columns(n as f64, 160.0, 0.001, series.collect());
    plot.id = "pages-per-second";
    plot.caption = "Pages per second";
    let most = slots.iter().map(|(_, [pages, ..])| *pages).max().unwrap_or_default();
    plot.description = format!("Columns of {} each; at most {:.1} pages per second.", span(width), per_second(most));
    plot.ticks = times(n, width);
    plot.heads = vec!["From the start", "Pages per second"];
    let row = |(at, [pages, ..]): &Slot| vec![span(at * width), format!("{:.1}", per_second(*pages))];
    plot.rows = slots.iter().map(row).collect();
    tips(plot)
}

fn errors_over_time(slots: &[Slot], n: i64, width: i64) -> Columns {
    let series =
        slots.iter().map(|(at, [_, errors, failed])| (*at, vec![(*failed as f64, "bad"), (*errors as f64, "wait")]));
    let mut plot = columns(n as f64, 90.0, 1.0, series.collect());
    plot.id = "failures-over-time";
    plot.caption = "Failed requests (below) and answers of status 400 and above (on top)";
    let failed: i64 = slots.iter().map(|(_, [_, _, failed])| failed).sum();
    plot.description = format!("Columns of {} each; {} in all.", span(width), counted(failed, "failed request"));
    plot.ticks = times(n, width);
    plot.heads = vec!["From the start", "Failed requests", "Status 400 and above"];
    let row = |(at, [_, errors, failed]): &Slot| vec![span(at * width), count(*failed), count(*errors)];
    plot.rows = slots.iter().map(row).collect();
    tips(plot)
}

fn times(n: i64, width: i64) -> Vec<Tick> {
    [0, 50, 100].map(|place| Tick::new(place as f64, span(n * width * place / 100))).into()
}

/// Columns of stacked values at their places of `n`, on a scale from 0 whose lines are no closer than `finest`.
fn columns(n: f64, height: f64, finest: f64, series: Vec<(i64, Vec<(f64, &'static str)>)>) -> Columns {
    let sum = |values: &[(f64, &str)]| values.iter().map(|(value, _)| value).sum::<f64>();
    let scale = lines(series.iter().map(|(_, values)| sum(values)).fold(0.0, f64::max), finest);
    let top = scale.last().copied().unwrap_or(1.0);
    let pixels = |value: f64| value / top * height;
    let mut plot = Columns {
        id: "",
        caption: "",
        description: String::new(),
        height,
        columns: Vec::new(),
        lines: scale.iter().map(|value| (round(height - pixels(*value)), plain(*value))).collect(),
        ticks: Vec::new(),
        heads: Vec::new(),
        rows: Vec::new(),
    };
    for (row, (place, values)) in series.into_iter().enumerate() {
        let mut y = height;
        for (value, class) in values.into_iter().filter(|(value, _)| *value > 0.0) {
            let tall = pixels(value).max(1.0);
            y -= tall;
            let (x, width) = (round(place as f64 * 100.0 / n), round(100.0 / n * 0.9));
            plot.columns.push(Column { row, x, width, y: round(y), height: round(tall), class, tip: String::new() });
        }
    }
    plot
}

/// Names each column by its row of the table.
fn tips(mut plot: Columns) -> Columns {
    for column in &mut plot.columns {
        let values = plot.rows[column.row].iter().zip(&plot.heads).map(|(value, head)| format!("{head}: {value}"));
        column.tip = values.collect::<Vec<_>>().join(", ");
    }
    plot
}

/// A number of a scale: whole ones in groups, others with as many digits as they need.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 { count(value as i64) } else { round(value).to_string() }
}

pub fn statuses(db: &Database) -> Result<Section, Failure> {
    let mut top = top(db, "select cast(status as text) as label, count(*) as n from _page group by status")?;
    top.rows.sort();
    let class = |label: &str| match label.as_bytes().first() {
        Some(b'2') => "ok",
        Some(b'3') => "turn",
        Some(b'4') => "wait",
        _ => "bad",
    };
    let errors: i64 = one(db, "select count(*) from _page where status >= 400", [], |row| row.at(0))?;
    Ok(Section {
        id: "status",
        title: "Status codes",
        lead: format!("{} of {} answered with 400 or above.", count(errors), counted(top.total, "URL")),
        is_wide: false,
        blocks: top.bars("What the last response of each URL said", "Status", "URLs", class),
    })
}

pub fn content_types(db: &Database) -> Result<Section, Failure> {
    let sql = "select coalesce(nullif(lower(trim(substr(content_type, 1, instr(content_type || ';', ';') - 1))), ''),
        '(none said)') as label, count(*) as n from _page group by 1";
    let top = top(db, sql)?;
    Ok(Section {
        id: "types",
        title: "Content types",
        lead: format!("{} in {}.", counted(top.kinds, "media type"), counted(top.total, "response")),
        is_wide: false,
        blocks: top.bars("Media types of the last responses", "Type", "URLs", |_| "ok"),
    })
}

/// The largest groups of something.
pub struct Top {
    pub rows: Vec<(String, i64)>,
    pub kinds: i64,
    pub total: i64,
}

/// The largest groups of a statement that answers with `label` and `n`.
pub fn top(db: &Database, groups: &str) -> Result<Top, Failure> {
    let sql = format!(
        "select label, n, count(*) over (), sum(n) over () from ({groups}) counted order by n desc, label limit {BARS}"
    );
    let mut top = Top { rows: Vec::new(), kinds: 0, total: 0 };
    for (label, n, kinds, total) in all(db, &sql, [], |row| Ok((row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?)))? {
        top.rows.push((label, n));
        (top.kinds, top.total) = (kinds, total);
    }
    Ok(top)
}

impl Top {
    pub fn bars(
        self,
        caption: &'static str,
        label: &'static str,
        unit: &'static str,
        class: impl Fn(&str) -> &'static str,
    ) -> Vec<Block> {
        let most = self.rows.iter().map(|(_, n)| *n).max().unwrap_or(1);
        let shown: i64 = self.rows.iter().map(|(_, n)| n).sum();
        let others = self.kinds - self.rows.len() as i64;
        let bar = |(label, n): (String, i64)| Bar {
            class: class(&label),
            // A small part must still be visible.
            width: round((n as f64 * 100.0 / most as f64).max(0.7)),
            value: count(n),
            share: percent(n, self.total),
            label: Cell::words(&label),
        };
        let rows: Vec<_> = self.rows.into_iter().map(bar).collect();
        let rest = (others > 0)
            .then(|| format!("And {} more kinds with {} {unit}.", count(others), count(self.total - shown)));
        if rows.is_empty() { vec![] } else { vec![Block::Bars(Bars { caption, label, unit, rows, rest })] }
    }
}

const QUANTILES: &str = "
    with top as materialized (
        select u.host_id as id, count(*) as pages from _page p join _url u on u.id = p.url_id group by 1
        order by 2 desc, 1 limit ?1),
    timed as (
        select t.id, t.pages, p.elapsed_ms as ms, row_number() over (partition by t.id order by p.elapsed_ms) as place
        from top t join _url u on u.host_id = t.id join _page p on p.url_id = u.id)
    select h.host, t.pages, min(ms) filter (where place = (pages * 5 + 99) / 100),
        min(ms) filter (where place = (pages * 25 + 99) / 100), min(ms) filter (where place = (pages * 50 + 99) / 100),
        min(ms) filter (where place = (pages * 75 + 99) / 100), min(ms) filter (where place = (pages * 95 + 99) / 100)
    from timed t join _host h on h.id = t.id group by t.id, t.pages, h.host order by t.pages desc, h.host";

/// A host, its pages, and its quantiles in milliseconds.
type Quantiles = (String, i64, [i64; 5]);

pub fn response_times(db: &Database) -> Result<Section, Failure> {
    let hosts: Vec<Quantiles> = all(db, QUANTILES, [BOXES.into()], |row| {
        Ok((row.at(0)?, row.at(1)?, [row.at(2)?, row.at(3)?, row.at(4)?, row.at(5)?, row.at(6)?]))
    })?;
    let sql = "select count(distinct u.host_id) from _page p join _url u on u.id = p.url_id";
    let answered: i64 = one(db, sql, [], |row| row.at(0))?;
    let shown = hosts.len() as i64;
    let lead = match counted(answered, "host") {
        all if answered > shown => format!("{all} answered; the {shown} with most pages are shown."),
        all => format!("{all} answered."),
    };
    Ok(Section {
        id: "times",
        title: "Response times by host",
        lead,
        is_wide: true,
        blocks: if hosts.is_empty() { vec![] } else { vec![Block::Boxes(boxes(hosts))] },
    })
}

fn boxes(hosts: Vec<Quantiles>) -> Boxes {
    let ends = |which: usize| hosts.iter().map(move |(_, _, times)| times[which] as f64);
    let steps = log_steps(ends(0).fold(f64::MAX, f64::min), ends(4).fold(0.0, f64::max));
    let (least, most) = (steps[0], steps[steps.len() - 1]);
    // The screen of a phone has room for three labels, if one is right in the middle.
    let is_named = |place: f64| place <= 0.0 || place >= 100.0 || (place - 50.0).abs() <= 6.0;
    let tick = |step: &f64| {
        let place = log_place(*step, least, most);
        Tick::new(place, if is_named(place) { ms(*step as i64) } else { String::new() })
    };
    Boxes {
        caption: "Line from the 5th to the 95th percentile, box from the 25th to the 75th, mark at the median; \
                  logarithmic axis",
        description: format!("Response times between {} and {}.", ms(least as i64), ms(most as i64)),
        ticks: steps.iter().map(tick).collect(),
        rows: hosts
            .into_iter()
            .map(|(host, pages, times)| BoxRow {
                host: Link::new(&host),
                pages: count(pages),
                places: times.map(|time| log_place(time as f64, least, most)),
                texts: times.map(ms),
            })
            .collect(),
    }
}

/// Milliseconds, from ten seconds on as seconds.
pub fn ms(number: i64) -> String {
    if number < 10_000 { format!("{} ms", count(number)) } else { span(number) }
}

pub fn sizes(db: &Database) -> Result<Section, Failure> {
    let mut classes: Vec<i64> = Vec::new();
    let (mut pages, mut bytes) = (0, 0_i64);
    for row in db.query("select size from _page", [])? {
        let size = row?.at(0)?;
        let class = size_class(size);
        classes.resize(classes.len().max(class + 1), 0);
        classes[class] += 1;
        (pages, bytes) = (pages + 1, bytes.saturating_add(size));
    }
    let named = classes.into_iter().enumerate().map(|(class, n)| (class_start(class), n)).collect();
    Ok(Section {
        id: "sizes",
        title: "Page sizes",
        lead: format!("{} in {}.", size(bytes), counted(pages, "body").replace("bodys", "bodies")),
        is_wide: false,
        blocks: histogram(
            "page-sizes",
            "Pages by size of the body, from the size under the column",
            "Size from",
            named,
        ),
    })
}

pub fn depths(db: &Database) -> Result<Section, Failure> {
    let rows: Vec<(i64, i64)> =
        all(db, "select depth, count(*) from pages group by depth order by depth", [], |row| {
            Ok((row.at(0)?, row.at(1)?))
        })?;
    let deepest = rows.last().map_or(0, |(depth, _)| *depth);
    let mut named: Vec<(String, i64)> = (0..=deepest.min(DEPTHS as i64)).map(|depth| (depth.to_string(), 0)).collect();
    for (depth, n) in &rows {
        named[(*depth).min(DEPTHS as i64) as usize].1 += n;
    }
    if deepest > DEPTHS as i64 {
        named[DEPTHS].0.push_str(" and more");
    }
    let blocks = histogram("page-depths", "Pages by links away from a seed", "Depth", named);
    Ok(Section {
        id: "depth",
        title: "Depth",
        lead: format!("The deepest page is {} away from a seed.", counted(deepest, "link")),
        is_wide: false,
        blocks: if rows.is_empty() { vec![] } else { blocks },
    })
}

fn histogram(id: &'static str, caption: &'static str, head: &'static str, named: Vec<(String, i64)>) -> Vec<Block> {
    if named.is_empty() {
        return vec![];
    }
    let n = named.len();
    let values = named.iter().enumerate().map(|(place, (_, n))| (place as i64, vec![(*n as f64, "ok")]));
    let mut plot = columns(n as f64, 160.0, 1.0, values.collect());
    plot.id = id;
    plot.caption = caption;
    let most =
        named.iter().max_by_key(|(_, n)| *n).map(|(name, n)| format!("Most at {name}: {}.", counted(*n, "page")));
    plot.description = most.unwrap_or_default();
    let tick = |(place, (name, _)): (usize, &(String, i64))| Tick {
        x: round((place as f64 + 0.45) * 100.0 / n as f64),
        anchor: "middle",
        label: name.clone(),
    };
    plot.ticks = named.iter().enumerate().step_by(n.div_ceil(6)).map(tick).collect();
    plot.heads = vec![head, "Pages"];
    plot.rows = named.into_iter().map(|(name, n)| vec![name, count(n)]).collect();
    vec![Block::Columns(tips(plot))]
}

pub fn hosts(db: &Database) -> Result<Section, Failure> {
    let sql = "select host, fetched, failed, skipped, pending, mean_elapsed_ms, discovered, count(*) over () from hosts
        order by fetched desc, discovered desc, host limit ?1";
    let mut known = 0;
    let rows = all(db, sql, [HOSTS.into()], |row| {
        known = row.at(7)?;
        let counts: [i64; 4] = [row.at(1)?, row.at(2)?, row.at(3)?, row.at(4)?];
        let mean: Option<f64> = row.at(5)?;
        let mut cells = vec![Cell::Link(Link::new(&row.at::<String>(0)?)), Cell::Stack(states(counts))];
        cells.push(Cell::count(row.at(6)?));
        cells.extend(counts.map(Cell::count));
        cells.push(Cell::Number {
            sort: mean.unwrap_or(-1.0),
            text: mean.map(|mean| ms(mean.round() as i64)).unwrap_or_default(),
        });
        Ok(cells)
    })?;
    let names = ["Host", "States", "#Discovered", "#Fetched", "#Failed", "#Skipped", "#Pending", "#Mean time"];
    Ok(Section {
        id: "hosts",
        title: "Largest hosts",
        lead: format!("{} known.", counted(known, "host")),
        is_wide: true,
        blocks: Listing::first("Hosts with most pages", &names, rows, known, "hosts"),
    })
}
