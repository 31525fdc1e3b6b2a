//! What the terminal can show.

/// Columns and rows of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// The size of the terminal at standard error.
pub fn size() -> Size {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.filter(|(width, height)| width.0 > 0 && height.0 > 0).map_or(
        Size { columns: 80, rows: 24 },
        |(width, height)| Size { columns: width.0.into(), rows: height.0.into() },
    )
}

/// The columns of the terminal at standard output, if it is one.
pub fn columns_of_stdout() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0.into()).filter(|columns| *columns > 0)
}

/// Whether to write colours, to a terminal or not.
pub fn wants_colours(is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    is_terminal && !is_set("NO_COLOR") && !is_dumb
}
