//! The harvestman binary: reads the command line, runs one command, answers with an exit code.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
