//! Whether a request went out on a connection that had served another before: the HTTP client does not say so, but it
//! connects within the task that sends the request.

use std::cell::Cell;

tokio::task_local! {
    static CONNECTION: Cell<Connection>;
}

/// What a request went out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    Fresh,
    Reused,
}

/// Sends a request; tells what it went out on.
pub(super) async fn told<T>(request: impl Future<Output = T>) -> (T, Connection) {
    let sent = async { (request.await, CONNECTION.with(Cell::get)) };
    CONNECTION.scope(Cell::new(Connection::Reused), sent).await
}

/// Tells that a connection was made, within the task that asked for it if that still waits.
pub(super) fn tell<C>(connection: C) -> C {
    _ = CONNECTION.try_with(|state| state.set(Connection::Fresh));
    connection
}
