//! Which errors of the server pass by themselves, and what is needed then.

/// What a statement that failed needs to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// To be tried again.
    Again,
    /// Another connection.
    Connection,
}

/// Whether what failed may succeed later.
pub fn passes(error: &sqlx::Error) -> bool {
    need(error).is_some()
}

/// Whether a server that cannot be connected to is there, and may soon be asked.
pub(super) fn is_starting(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind as E;
    match error {
        sqlx::Error::Io(e) => {
            matches!(e.kind(), E::ConnectionReset | E::ConnectionAborted | E::BrokenPipe | E::UnexpectedEof)
        }
        error => passes(error),
    }
}

/// What SQLSTATE codes say (PostgreSQL's documentation, appendix A); none of those that do not pass.
pub(super) fn need(error: &sqlx::Error) -> Option<Need> {
    let sqlx::Error::Database(database) = error else {
        let is_lost = matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed);
        return is_lost.then_some(Need::Connection);
    };
    match database.code().as_deref()? {
        // Serialisation, deadlock, a lock that could not be had in time.
        "40001" | "40P01" | "55P03" => Some(Need::Again),
        // A transaction or session that was idle for too long, too many connections, a server that shuts down, crashes or
        // starts.
        "25P03" | "57P05" | "53300" | "57P01" | "57P02" | "57P03" => Some(Need::Connection),
        code if code.starts_with("08") => Some(Need::Connection),
        _ => None,
    }
}
