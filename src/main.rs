//! The harvestman binary: reads the command line, runs one command, answers with an exit code.

fn main() -> std::process::ExitCode {
    harvestman::cli::main()
}
