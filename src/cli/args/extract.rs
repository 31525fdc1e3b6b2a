//! The arguments of `extract`.

use clap::{Args, ValueEnum, ValueHint};

use super::{DatabaseArg, Format, Since};

#[derive(Debug, Clone, Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    pub database: DatabaseArg,
    /// What to bring up to date [default: all three]; or what rules give of one page
    pub what: Option<What>,
    /// With `try`: a URL of the database, or an HTML file
    #[arg(value_name = "URL|FILE", required_if_eq("what", "try"))]
    pub target: Option<String>,
    /// Find items by this file of rules, or by one that comes with harvestman: product, article, event, job, recipe [default: those given last]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_if_eq("what", "try"))]
    pub rules: Option<String>,
    /// Print what there is then
    #[arg(long)]
    pub format: Option<Format>,
    /// Print only pages that are new or changed from this run on, or from this day or moment (UTC) on
    #[arg(long, value_name = "RUN|DATE")]
    pub since: Option<Since>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// What pages say of themselves: JSON-LD, Open Graph, headings, images …
    Metadata,
    /// Main content without navigation, as text and as Markdown
    Articles,
    /// What rules find: --rules
    Items,
    /// What rules give of one page, with the elements that they take
    Try,
}
