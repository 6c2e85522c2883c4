//! What a process has used, as Linux tells it in /proc.

use std::time::Duration;

/// What /proc counts CPU time in, on every Linux: a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cpu {
    /// The process's own, in its code.
    pub(super) user: Duration,
    /// The system's for it: sockets and files.
    pub(super) system: Duration,
}

impl Cpu {
    pub(super) fn both(self) -> Duration {
        self.user + self.system
    }
}

/// A process, before and after.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: String,
    before: Used,
    /// Nothing when it has ended meanwhile.
    after: Option<Used>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    cpu: Cpu,
    rss_kib: u64,
    peak_kib: u64,
}

impl Process {
    /// Looks at a process for the first time.
    ///
    /// # Errors
    /// When there is none, or /proc does not tell.
    pub(super) fn new(pid: u32) -> Result<Self, String> {
        let missing = || format!("--pid {pid}: there is no such process (in /proc)");
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).map_err(|_| missing())?;
        let before = look(pid).ok_or_else(missing)?;
        Ok(Self { pid, name: name.trim_end().to_owned(), before, after: None })
    }

    /// Looks at it for the last time.
    pub(super) fn end(&mut self) {
        self.after = look(self.pid);
    }

    /// The CPU time that it took meanwhile.
    pub(super) fn cpu(&self) -> Option<Cpu> {
        let (before, after) = (self.before.cpu, self.after?.cpu);
        let (user, system) = (after.user.saturating_sub(before.user), after.system.saturating_sub(before.system));
        Some(Cpu { user, system })
    }

    /// What it holds: before, and after.
    pub(super) fn rss_kib(&self) -> (u64, Option<u64>) {
        (self.before.rss_kib, self.after.map(|after| after.rss_kib))
    }

    /// The most that it has ever held.
    pub(super) fn peak_kib(&self) -> Option<u64> {
        self.after.map(|after| after.peak_kib)
    }
}

fn look(pid: u32) -> Option<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Used { cpu: cpu(&stat)?, rss_kib: kib(&status, "VmRSS:")?, peak_kib: kib(&status, "VmHWM:")? })
}

/// Fields 14 and 15. The second, the name, may hold anything: what follows its last bracket is counted.
fn cpu(stat: &str) -> Option<Cpu> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_ascii_whitespace().skip(11).map(|ticks| Some(TICK * ticks.parse::<u32>().ok()?));
    Some(Cpu { user: times.next()??, system: times.next()?? })
}

fn kib(status: &str, line: &str) -> Option<u64> {
    let value = status.lines().find_map(|own| own.strip_prefix(line))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_mislead() {
        let stat = "7 (a) b (c d) S 1 7 7 0 -1 4194560 170 0 0 0 12 30 5 5 20 0 1 0 100 3 4 5";
        let expected = Cpu { user: Duration::from_millis(120), system: Duration::from_millis(300) };
        assert_eq!(cpu(stat), Some(expected));
        assert_eq!(expected.both(), Duration::from_millis(420));
        assert_eq!(cpu("7 (a) S 1"), None);
        assert_eq!(kib("VmHWM:\t    9000 kB\nVmRSS:\t    8204 kB\n", "VmRSS:"), Some(8204));
    }
}
