//! The options of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

use crate::config::kinds::{Kind as _, Size};

use super::common::{DatabaseArg, Since};

#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub database: DatabaseArg,
    /// [default: what --output ends in, if that is one of these alone]
    #[arg(long)]
    pub format: Option<ExportFormat>,
    /// A file, which is replaced once the new one is whole; - for standard output; of markdown a folder, if it ends in /
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// The view that is exported instead of `pages`, e.g. articles; of jsonl and csv
    #[arg(long, value_name = "VIEW")]
    pub from: Option<String>,
    /// Columns of the view, of `pages` also `body`; of jsonl and csv [default: all of the view]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// Only the pages for which this SQL expression holds, e.g. "status = 200 and depth < 3"
    #[arg(long = "where", value_name = "SQL", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Only pages that are new or changed from this run on, or from this day or moment (UTC) on
    #[arg(long, value_name = "RUN|DATE")]
    pub since: Option<Since>,
    /// Cut articles before headings into chunks of so many words at most; of markdown
    #[arg(long, value_name = "WORDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub chunk: Option<u32>,
    /// Cut a WARC into files of so many bytes at most, e.g. 1GB: NAME-00001.warc.gz, NAME-00002.warc.gz …; of warc and wacz
    #[arg(long, value_name = "SIZE", value_parser = Size::parse)]
    pub split: Option<u64>,
    /// Also write an index of the captures beside it, NAME.cdxj; of warc
    #[arg(long)]
    pub cdxj: bool,
    /// Where the parts of a split sitemap will lie [default: the root of the pages' host]
    #[arg(long, value_name = "URL")]
    pub sitemap_base: Option<Url>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
    /// WARC/1.1, a gzip member a record; by custom its name ends in .warc.gz
    Warc,
    /// WACZ 1.1.1 for ReplayWeb.page: WARC files, their index and a list of pages in one zip
    Wacz,
    /// sitemaps.org: the HTML pages of one host; above 50,000 an index, and parts beside it
    Sitemap,
    /// The articles that extract found, with front matter: a file each if --output ends in /, else a JSON line each
    Markdown,
}
