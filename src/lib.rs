//! A web crawler that goes from a seed list to a SQLite database, politely, and loses nothing it saw.

pub mod canonical;
pub mod config;
pub mod politeness;
pub mod robots;
pub mod scope;
pub mod visit;
