//! What several commands take.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::cli::table::Room;

#[derive(Debug, Clone, Args)]
pub struct DatabaseArg {
    /// The crawl's SQLite file, or postgres://USER@HOST/DATABASE [default: what harvestman.toml says, or crawl.db]
    #[arg(short, long, env = "HARVESTMAN_DATABASE", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub database: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, Args)]
pub struct Form {
    #[arg(long, default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub wide: Wide,
}

/// How wide tables are.
#[derive(Debug, Clone, Copy, Args)]
pub struct Wide {
    /// Cut no cells to the width of the terminal; a pipe, such as `| less -S`, gets all in any case
    #[arg(long)]
    pub wide: bool,
}

impl Wide {
    /// The room for a table at standard output.
    pub fn room(self) -> Room {
        Room::of_stdout(self.wide)
    }
}

/// The number of a run, or a moment in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub enum Since {
    Run(i64),
    Time(i64),
}

impl std::str::FromStr for Since {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(run) = text.parse() {
            return Ok(Self::Run(run));
        }
        let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
            text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC).map(|utc| utc.timestamp())
        });
        let moment = moment.map(|moment| Self::Time(moment.as_millisecond()));
        moment.map_err(|_| "write the number of a run, or a date such as 2026-01-31 or 2026-01-31T03:15Z".to_owned())
    }
}
