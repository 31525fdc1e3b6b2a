//! Signals: the first SIGINT or SIGTERM stops the crawl cleanly, the second at once; SIGHUP and SIGXFSZ end nothing.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::frontier::wait::Holdup;

use super::console::Console;
use super::failure::Failure;
use super::watcher::Watcher;
use super::words::{counted, roughly};

/// How long the last words may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// What this process was told by signals.
#[derive(Debug, Clone)]
pub struct Signals {
    /// The first signal that asked for an end, or 0 before it came.
    first: watch::Receiver<u8>,
}

impl Signals {
    /// Listens from now on, in tasks of its own, so that signals are heard whatever the crawl is busy with.
    pub fn listen(console: &Console, watcher: &Watcher, grace: Duration) -> Result<Self, Failure> {
        let (told, first) = watch::channel(0);
        let mut end = End::listen()?;
        let (to_end, watcher) = (console.clone(), watcher.clone());
        tokio::spawn(async move {
            told.send_replace(end.next().await);
            to_end.say(&stopping(watcher.holdup().as_ref(), grace));
            let number = end.next().await;
            // Whatever holds up what it says.
            let _ = std::thread::Builder::new().spawn(move || {
                std::thread::sleep(FAREWELL);
                std::process::exit(exit_code(number).into());
            });
            to_end.clear();
            to_end.say(&stopped(watcher.holdup().as_ref()));
            to_end.drain();
            std::process::exit(exit_code(number).into());
        });
        tokio::spawn(go_on_when_hung_up(signal(SignalKind::hangup())?, console.clone()));
        Ok(Self { first })
    }

    /// Completes at the first signal that asks for an end.
    pub async fn stopped(mut self) {
        if self.first.wait_for(|number| *number != 0).await.is_err() {
            std::future::pending().await
        }
    }

    /// The exit code that this signal asks for, if there was one.
    pub fn exit_code(&self) -> Option<u8> {
        let number = *self.first.borrow();
        (number != 0).then(|| exit_code(number))
    }
}

/// What happens after the first signal, and for how long.
fn stopping(holdup: Option<&Holdup>, grace: Duration) -> String {
    let Some(Holdup { in_flight, unstored, .. }) = holdup else {
        return "Stopping before the crawl has begun.".to_owned();
    };
    let what = match in_flight {
        0 if *unstored == 0 => "nothing is in flight".to_owned(),
        0 => "what was answered is stored".to_owned(),
        n => {
            let requests = counted(*n as u64, "request");
            format!("{requests} in flight may take up to {} to end, and what is answered is stored", roughly(grace))
        }
    };
    format!("Stopping: {what}; the next invocation goes on with the rest. Once more to stop at once.")
}

/// What happened at the second.
fn stopped(holdup: Option<&Holdup>) -> String {
    let lost = holdup.map_or(0, |holdup| holdup.in_flight + holdup.unstored);
    let again = match lost {
        0 => String::new(),
        n => format!(", and asks once more for what was in flight: {}", counted(n as u64, "URL")),
    };
    format!("Stopped at once: what was committed stays. The same command goes on{again}.")
}

/// Ends the process at the first SIGINT or SIGTERM, also where its parent had them ignored, as cron jobs' shells do.
pub fn end_after(cleanup: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut end = End::listen()?;
    tokio::spawn(async move {
        let number = end.next().await;
        cleanup();
        std::process::exit(exit_code(number).into());
    });
    Ok(())
}

/// Has a file that reaches its limit (`ulimit -f`) be an error of that write, which is told, and not the end of the process.
pub fn outlive_file_limits() {
    // The handler stays when its receiver is dropped. Without one, the process ends as it did.
    let _ = signal(SignalKind::from_raw(libc::SIGXFSZ));
}

/// The exit code that shells give to a process ended by this signal.
fn exit_code(signal: u8) -> u8 {
    128 + signal
}

struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! { _ = self.interrupt.recv() => 2, _ = self.terminate.recv() => 15 }
    }
}

/// On SIGHUP, the crawl goes on without its terminal, and the log file is opened again, since it may have been moved.
async fn go_on_when_hung_up(mut hangup: Signal, console: Console) {
    while hangup.recv().await.is_some() {
        match console.log_file().reopen() {
            Ok(true) => console.say("SIGHUP: the log file is opened anew, the crawl goes on."),
            Ok(false) => console.say("SIGHUP: the crawl goes on."),
            Err(e) => console.warn(&format!("SIGHUP: the log file stays as it is, it cannot be opened anew: {e}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_answered_with_what_happens_and_for_how_long() {
        let grace = Duration::from_secs(10);
        let busy = Holdup { in_flight: 3, unstored: 1, ..Holdup::default() };
        assert_eq!(
            stopping(Some(&busy), grace),
            "Stopping: 3 requests in flight may take up to 10 s to end, and what is answered is stored; the next \
             invocation goes on with the rest. Once more to stop at once."
        );
        let idle = Holdup::default();
        let words =
            "Stopping: nothing is in flight; the next invocation goes on with the rest. Once more to stop at once.";
        assert_eq!(stopping(Some(&idle), grace), words);
        assert_eq!(stopping(None, grace), "Stopping before the crawl has begun.");
        assert_eq!(
            stopped(Some(&busy)),
            "Stopped at once: what was committed stays. The same command goes on, and asks once more for what was in flight: \
             4 URLs."
        );
        assert_eq!(stopped(None), "Stopped at once: what was committed stays. The same command goes on.");
    }
}
