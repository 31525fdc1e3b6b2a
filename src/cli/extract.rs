//! `extract`: what is derived from stored pages.

mod trial;

use super::args::{ExtractArgs, What};
use super::console::Console;
use super::failure::Failure;

pub fn run(args: &ExtractArgs, console: &Console) -> Result<u8, Failure> {
    match args.what {
        What::Try => trial::run(&args.database, &args.target, &args.rules, args.format, console),
    }
}
