//! (stored page) → data: what a page says besides its links and text, derived from its body as often as the rules for it
//! change, without asking its server again. Pure: no runtime, no database.

pub mod article;
pub mod chunks;
pub mod items;
pub mod near;
pub mod page;
pub mod simhash;
pub mod structured;
mod text;
pub mod words;
mod work;

pub use article::Article;
pub use page::Page;
