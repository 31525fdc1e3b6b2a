//! The pure schedule, driven by a fake clock: no runtime, no waiting.

mod cases;
mod company;
mod memory;
mod property;
mod setting;
mod world;
