//! Decisions as plain functions over plain data: whether, when and how often something is asked for.

pub mod politeness;
pub mod recrawl;
pub mod retry;
pub mod robots;
