//! What needs the user's hand after a crawl: facts gathered from the database, and what is said of them.

mod facts;
mod named;
mod sessions;
mod words;

pub use facts::{Facts, gather, last_request};

pub use words::hints;
