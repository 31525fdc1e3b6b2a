//! The options of what answers others: `open` and `mcp`.

use std::time::Duration;

use clap::Args;

use crate::cli::mcp::reach::Reach;

#[derive(Debug, Clone, Args)]
pub struct OpenArgs {
    /// The port on 127.0.0.1 [default: one that is free]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// The longest that a question may take
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: Patience,
    /// Open the browser, also if standard output is no terminal
    #[arg(long, conflicts_with = "no_browser")]
    pub browser: bool,
    /// Print the address and open nothing
    #[arg(long)]
    pub no_browser: bool,
}

/// A time that is not zero.
#[derive(Debug, Clone, Copy)]
pub struct Patience(pub Duration);

impl std::str::FromStr for Patience {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text).map_err(|_| "write a time such as 10s or 2m".to_owned())?;
        if time.is_zero() || time > Duration::from_secs(86_400) {
            Err("a time of up to a day is meant".to_owned())
        } else {
            Ok(Self(time))
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct McpArgs {
    /// Let it crawl too, there alone: example.com, *.example.com, or how URLs begin (https://example.com/docs/); repeatable
    #[arg(long, value_name = "SCOPE")]
    pub allow_crawl: Vec<Reach>,
    /// The longest that a question may take
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: Patience,
}
