//! sd_notify(3): tells the service manager that the crawl runs, how far it is, and that its loops are alive.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Progress;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::console::Console;
use super::words::{count, counted};

/// Between two status texts.
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// The way to the service manager, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Notifier(Option<Arc<UnixDatagram>>);

impl Notifier {
    /// The manager that `NOTIFY_SOCKET` names.
    pub fn from_environment(console: &Console) -> Self {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::default();
        };
        match connect(&name) {
            Ok(socket) => Self(Some(Arc::new(socket))),
            Err(e) => {
                console.warn(&format!("NOTIFY_SOCKET {} cannot be reached: {e}", name.to_string_lossy()));
                Self::default()
            }
        }
    }

    /// Sends a state such as `READY=1`. Errors are ignored: the crawl goes on without a manager.
    pub fn tell(&self, state: &str) {
        if let Some(socket) = &self.0 {
            let _ = socket.send(state.as_bytes());
        }
    }

    /// Follows a crawl until aborted.
    pub async fn follow(self, mut progress: watch::Receiver<Progress>) {
        // Progress changes for the first time when the database is locked and the frontier filled.
        if self.0.is_none() || progress.changed().await.is_err() {
            return;
        }
        self.tell(&format!("READY=1\nSTATUS={}", status(&progress)));
        let mut ticks = every(STATUS_EVERY);
        let mut watchdog = watchdog_interval().map(every);
        loop {
            let look = async {
                match &mut watchdog {
                    Some(ticks) => ticks.tick().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = ticks.tick() => self.tell(&format!("STATUS={}", status(&progress))),
                // The writer's loop publishes progress several times a second, whether there is work or not. If it does
                // not, the loop is stuck, and the manager must hear of that by the missing sign of life.
                _ = look => match progress.has_changed() {
                    Ok(true) => {
                        progress.borrow_and_update();
                        self.tell("WATCHDOG=1");
                    }
                    Ok(false) => {}
                    Err(_) => return,
                },
            }
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// A name that starts with `@` is one of Linux's abstract ones.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    // A manager that does not read must not hold up the crawl.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Half of the time in which the manager expects a sign of life (sd_watchdog_enabled(3)).
fn watchdog_interval() -> Option<Duration> {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let is_other = number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id()));
    let half = number("WATCHDOG_USEC").filter(|_| !is_other)? / 2;
    (half > 0).then(|| Duration::from_micros(half))
}

fn status(progress: &watch::Receiver<Progress>) -> String {
    let Progress { accounting: a, tally, .. } = *progress.borrow();
    let (pending, fetched, failed) = (count(a.pending), count(a.fetched), count(a.failed));
    format!("{fetched} fetched, {failed} failed, {pending} pending, {}", counted(tally.requests, "request"))
}
