//! Decisions as plain functions over plain data: whether, when and how often something is asked for, and what an answer or
//! a link makes of what is known.

pub mod begin;
pub mod check;
pub mod due;
pub mod fate;
pub mod kept;
pub mod life;
pub mod nearer;
pub mod offer;
pub mod politeness;
pub mod redirect;
pub mod retry;
pub mod robots;
pub mod session;
pub mod sweep;
pub mod traps;
pub mod turn;
