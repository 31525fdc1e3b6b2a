//! The harvestman binary: reads the command line, runs one command, answers with an exit code.

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    harvestman::cli::main()
}
