//! What a crawl is told. Each option is declared once, in `config/options.rs`: the settings in code, the command line with
//! its help, the settings file, the stored document, the builder and the documentation follow from that.

pub(crate) mod declare;
mod document;
mod file;
pub(crate) mod kinds;
mod login;
mod options;
pub(crate) mod setters;
pub(crate) mod values;

pub use document::Difference;
pub(crate) use document::{Told, Way};
pub use file::TomlError;
pub(crate) use file::read_toml;
pub(crate) use login::{Login, basic};
pub(crate) use options::with_options;
pub use options::{Config, ConfigError, product_token};
pub use values::*;
