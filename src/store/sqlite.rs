//! The store on SQLite: what [`super::tables`] asks of a database, each trait in a file of its own.

pub mod audit;
mod begin;
mod checks;
mod company;
mod copy;
mod database;
pub mod derived;
pub mod described;
mod hosts;
pub mod index;
mod packing;
mod pages;
pub mod peek;
mod places;
mod rows;
pub mod schema;
mod times;
mod traps;
mod urls;
pub mod views;

pub use database::{SIZE, SqliteDatabase, disk_size, file_path};
pub use rows::{robots_answer, timestamp};

use crate::store::part::{Part, begin::begin as begin_part};
use crate::store::{Start, Store, StoreError};

impl Store for SqliteDatabase {
    type Run = Part<Self>;

    async fn close(self) -> Result<(), StoreError> {
        Self::close(self).await
    }

    async fn begin(self, start: Start<'_>) -> Result<Part<Self>, StoreError> {
        begin_part(self, start).await
    }
}
