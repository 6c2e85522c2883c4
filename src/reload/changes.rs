//! Waits until a file that the configuration is made of has changed: the configuration itself, a secret, a certificate.
//!
//! They are few, and looked at each time that changes may be at rest: what their metadata are, and now and then what stands in
//! them. The system is not asked to tell: it tells of whole folders, and in that of the configuration others may write all the
//! time, a log for one. A file may be a link into a folder that is swapped as a whole, as Kubernetes lays config maps and
//! secrets: its contents are compared, not its name.

use super::stamp::{Stamp, stamp};
use crate::config::{ReadFiles, Reload, Settings};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

/// How often the metadata are looked at, at most.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// The files that were read last.
pub struct Changes {
    timing: Reload,
    read: ReadFiles,
    stamps: Vec<Stamp>,
    /// Whether something may have changed between the reading and the stamps.
    is_unsure: bool,
    look: Interval,
    poll: Interval,
}

impl Changes {
    /// Those of the files that the settings were read from. The demonstration has none that could change it.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let timing = settings.reload;
        let every = |pause: Duration| {
            let mut interval = interval_at(Instant::now() + pause, pause);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        let (look, poll) = (every(timing.debounce.max(LOOK)), every(timing.poll));
        let (read, stamps) = (ReadFiles::default(), Vec::new());
        let mut changes = Self { timing, read, stamps, is_unsure: true, look, poll };
        changes.are_read(if settings.demo { ReadFiles::default() } else { settings.read_files.clone() });
        changes
    }

    /// Whether there is no file that could change anything.
    #[must_use]
    pub fn are_impossible(&self) -> bool {
        self.read.is_empty()
    }

    /// When what was refused is to be read again though its files are the same: what it needs of others, a mapping file or a
    /// certificate, may be there by then. Never where nobody looks at files.
    #[must_use]
    pub fn again_at(&self) -> Option<Instant> {
        (self.timing.config && !self.read.is_empty()).then(|| Instant::now() + self.timing.poll)
    }

    /// Says what was read last, put in force or not.
    pub fn are_read(&mut self, files: ReadFiles) {
        (self.read, self.is_unsure) = (files, true);
    }

    /// Waits until some file is another than was read, and none changes any more.
    pub async fn come(&mut self) {
        if !self.timing.config || self.read.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let is_poll = tokio::select! {
                _ = self.look.tick() => false,
                _ = self.poll.tick() => true,
            };
            let stamps = stamps(&self.read).await;
            if stamps == self.stamps && !self.is_unsure && !is_poll {
                continue;
            }
            if self.settled().await {
                return;
            }
            // Only now: whoever waits may be called away meanwhile, and looks again.
            (self.stamps, self.is_unsure) = (stamps, false);
        }
    }

    /// Whether they are others than were read, once they have been at rest for a while; not for ever.
    async fn settled(&self) -> bool {
        let latest = Instant::now() + self.timing.debounce * 10;
        let mut before = now(&self.read).await;
        while before != self.read {
            sleep(self.timing.debounce.max(Duration::from_millis(1))).await;
            let now = now(&self.read).await;
            if now == before || Instant::now() >= latest {
                return now != self.read;
            }
            before = now;
        }
        false
    }
}

/// The files as they are now. Away from the threads that take hooks: a disk may hang.
async fn now(files: &ReadFiles) -> ReadFiles {
    let own = files.clone();
    tokio::task::spawn_blocking(move || own.now()).await.unwrap_or_else(|_| files.clone())
}

/// What tells of each file that it may be another.
async fn stamps(files: &ReadFiles) -> Vec<Stamp> {
    let names: Vec<PathBuf> = files.names().map(Path::to_owned).collect();
    let looked = tokio::task::spawn_blocking(move || names.iter().map(|file| stamp(file)).collect());
    looked.await.unwrap_or_default()
}
