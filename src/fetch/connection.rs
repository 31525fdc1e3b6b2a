//! What is known of the connections that the HTTP library keeps: it does not say of a failed request whether it went out on
//! one that had lain idle, but with each response and each error it names the addresses of the connection.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use foldhash::fast::RandomState;
use http::Extensions;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use lru::LruCache;

/// Connections remembered. One that is forgotten counts as idle.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1 << 14).unwrap();

/// Here and there.
type Addresses = (SocketAddr, SocketAddr);

#[derive(Debug, Clone, Copy)]
struct Past {
    made: Instant,
    has_served: bool,
}

/// The connections that were made, and which of them have answered a request.
pub(super) struct History(
    // A std mutex: held for microseconds, and never across an await.
    Mutex<LruCache<Addresses, Past, RandomState>>,
);

impl Default for History {
    fn default() -> Self {
        Self(Mutex::new(LruCache::with_hasher(REMEMBERED, RandomState::default())))
    }
}

impl History {
    /// Takes note of a connection that was made.
    pub(super) fn note_made<C: Connection>(&self, connection: C) -> C {
        if let Some(addresses) = addresses(&connection.connected()) {
            self.past().put(addresses, Past { made: Instant::now(), has_served: false });
        }
        connection
    }

    /// Takes note that a connection brought a response.
    pub(super) fn note_answer(&self, response: &Extensions) {
        if let Some(addresses) = response.get().map(of)
            && let Some(past) = self.past().get_mut(&addresses)
        {
            past.has_served = true;
        }
    }

    /// Whether a request that was made then, and failed like this, went out on a connection that had lain idle: it was
    /// there before, or it had answered another request.
    pub(super) fn lay_idle(&self, error: &legacy::Error, request: Instant) -> bool {
        error.connect_info().and_then(addresses).is_some_and(|addresses| {
            self.past().get(&addresses).is_none_or(|past| past.has_served || past.made < request)
        })
    }

    fn past(&self) -> MutexGuard<'_, LruCache<Addresses, Past, RandomState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn addresses(connection: &Connected) -> Option<Addresses> {
    let mut extras = Extensions::new();
    connection.get_extras(&mut extras);
    extras.get().map(of)
}

fn of(info: &HttpInfo) -> Addresses {
    (info.local_addr(), info.remote_addr())
}
