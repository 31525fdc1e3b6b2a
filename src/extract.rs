//! (stored page) → data: what a page says besides its links and text, derived from its body as often as the rules for it
//! change, without asking its server again. Pure: no runtime, no database.

pub mod derive;
pub mod language;
pub mod metadata;
pub mod page;
pub mod page_data;
mod values;

pub use derive::{Derived, Kind, Wanted};
pub use page::Page;
