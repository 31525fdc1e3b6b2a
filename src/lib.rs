//! A web crawler that goes from a seed list to a SQLite database, politely, and loses nothing it saw.

pub mod canonical;
pub mod charset;
pub mod config;
pub mod demo;
pub mod engine;
pub mod fetch;
pub mod frontier;
pub mod parse;
pub mod politeness;
pub mod robots;
pub mod scope;
pub mod store;
pub mod visit;
