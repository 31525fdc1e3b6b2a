//! Memory that runs out: an allocation that fails ends the process at once and in the words of the runtime. Where a limit is
//! set, the crawl ends a little before with words of its own. What is committed is safe at any instant.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::console::Console;
use super::failure::{Failure, LESS};
use super::words::size;

/// Between two looks: a tree grows by megabytes in this time, not by more.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The part of a group's memory that is left when the crawl ends.
const RESERVE: u64 = 16;
/// The address space that is left then: what grows asks for twice its size at once.
const ROOM: u64 = 64 << 20;

/// A limit of this process, and where the system tells how much of it is used.
#[derive(Debug, Clone, Copy)]
struct Limit {
    bytes: u64,
    /// What is left of it when the crawl ends.
    reserve: u64,
    /// The line of `/proc/self/status`.
    used: &'static str,
}

/// Watches on a thread of its own, if there is a limit at all. Never ends otherwise.
pub fn watch(console: &Console) {
    let limits = limits();
    if limits.is_empty() {
        return;
    }
    let console = console.clone();
    // Nothing is watched where no thread can be had.
    let _ = std::thread::Builder::new().name("memory".into()).stack_size(128 << 10).spawn(move || {
        loop {
            std::thread::sleep(LOOK_EVERY);
            let Ok(status) = fs::read_to_string("/proc/self/status") else { return };
            if let Some(limit) = limits.iter().find(|limit| limit.is_near(&status)) {
                end(limit.bytes, &console);
            }
        }
    });
}

/// The address space (`ulimit -v`) and the memory of the control group (cgroup v2, as containers and systemd set it).
fn limits() -> Vec<Limit> {
    let address_space = rlimit::getrlimit(rlimit::Resource::AS).ok().map(|(soft, _)| soft);
    let address_space = address_space.filter(|soft| *soft != rlimit::INFINITY);
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::/"));
    let of_group = |name| fs::read_to_string(Path::new("/sys/fs/cgroup").join(name).join("memory.max")).ok();
    let group = group.and_then(of_group).and_then(|text| text.trim().parse::<u64>().ok());
    let address_space = address_space.map(|bytes| Limit { bytes, reserve: ROOM, used: "VmSize:" });
    let group = group.map(|bytes| Limit { bytes, reserve: bytes / RESERVE, used: "VmRSS:" });
    address_space.into_iter().chain(group).collect()
}

impl Limit {
    fn is_near(&self, status: &str) -> bool {
        let line = status.lines().find_map(|line| line.strip_prefix(self.used));
        let used = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        used.is_some_and(|kib| kib.saturating_mul(1024) > self.bytes.saturating_sub(self.reserve))
    }
}

fn end(bytes: u64, console: &Console) {
    let limit = size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let failure = Failure::new(format!("memory runs out: this process may take {limit}; what was committed is kept"));
    console.clear();
    console.error(&failure.message, &[], Some(LESS));
    std::process::exit(failure.code.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_near_when_no_more_than_its_reserve_is_left() {
        let limit = Limit { bytes: 16 << 20, reserve: 1 << 20, used: "VmSize:" };
        let status = |kib: u64| format!("Name:\tx\nVmPeak:\t99999999 kB\nVmSize:\t{kib:>8} kB\nVmRSS:\t1 kB\n");
        assert!(!limit.is_near(&status(15 << 10)));
        assert!(limit.is_near(&status((15 << 10) + 1)));
        assert!(!limit.is_near("") && !limit.is_near("VmSize:"));
    }
}
