//! Waits until a file that the configuration is made of has changed: the configuration itself, a secret, a certificate.
//!
//! What the system tells only says when to look, and a poll looks in any case. A file may be a link into a folder that is
//! swapped as a whole, as Kubernetes lays config maps and secrets: its contents are compared, not its name.

use crate::config::{ReadFiles, Reload, Settings};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

/// The files that were read last.
pub struct Changes {
    timing: Reload,
    read: ReadFiles,
    watcher: Option<RecommendedWatcher>,
    /// The folders that are watched.
    folders: BTreeSet<PathBuf>,
    /// The files that they are watched for.
    names: Arc<Mutex<BTreeSet<PathBuf>>>,
    told: Arc<Notify>,
    poll: Interval,
}

impl Changes {
    /// Those of the files that the settings were read from. The demonstration has none that could change it.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let timing = settings.reload;
        let told = Arc::new(Notify::new());
        let names = Arc::<Mutex<BTreeSet<PathBuf>>>::default();
        let (tell, own) = (Arc::clone(&told), Arc::clone(&names));
        let watcher = timing.config.then(|| {
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let names = own.lock().unwrap_or_else(PoisonError::into_inner);
                // An error may hide a change.
                if event.map_or(true, |event| concerns(&event, &names)) {
                    tell.notify_one();
                }
            })
        });
        let mut poll = interval_at(Instant::now() + timing.poll, timing.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = watcher.and_then(Result::ok);
        let read = ReadFiles::default();
        let mut changes = Self { timing, read, watcher, folders: BTreeSet::new(), names, told, poll };
        changes.are_read(if settings.demo { ReadFiles::default() } else { settings.read_files.clone() });
        // What has changed since they were read, nobody was told of.
        changes.told.notify_one();
        changes
    }

    /// Whether there is no file that could change anything.
    #[must_use]
    pub fn are_impossible(&self) -> bool {
        self.read.is_empty()
    }

    /// Says what was read last, put in force or not.
    pub fn are_read(&mut self, files: ReadFiles) {
        self.read = files;
        self.watch();
    }

    /// Waits until some file is another than was read, and none changes any more.
    pub async fn come(&mut self) {
        if !self.timing.config || self.read.is_empty() {
            return std::future::pending().await;
        }
        loop {
            tokio::select! {
                () = self.told.notified() => {}
                _ = self.poll.tick() => {}
            }
            if self.settled().await {
                return;
            }
            // A link may lead elsewhere now.
            self.watch();
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

    /// Watches the folders in which the files stand, and those that links lead to.
    fn watch(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let names: BTreeSet<PathBuf> = self
            .read
            .names()
            .flat_map(|file| [std::path::absolute(file).ok(), file.canonicalize().ok()])
            .flatten()
            .collect();
        let folders: BTreeSet<PathBuf> = names.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
        for gone in self.folders.difference(&folders) {
            // A folder that is gone is not watched any more.
            let _ = watcher.unwatch(gone);
        }
        for folder in &folders {
            // One that was swapped has the same name: it is watched anew. Where that cannot be, the poll finds changes.
            let _ = watcher.unwatch(folder);
            let is_watched = watcher.watch(folder, RecursiveMode::NonRecursive).is_ok();
            if !is_watched && !self.folders.contains(folder) {
                tracing::warn!(folder = %folder.display(), "cannot be watched: changes are found by the poll alone");
            }
        }
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
        self.folders = folders;
    }
}

/// The files as they are now. Away from the threads that take hooks: a disk may hang.
async fn now(files: &ReadFiles) -> ReadFiles {
    let own = files.clone();
    tokio::task::spawn_blocking(move || own.now()).await.unwrap_or_else(|_| files.clone())
}

/// Whether an event may be a change of the files. Reading is an event, too; and others may write beside them all the time.
fn concerns(event: &notify::Event, names: &BTreeSet<PathBuf>) -> bool {
    // What Kubernetes swaps is called `..data`.
    let is_link = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
    !event.kind.is_access() && event.paths.iter().any(|path| names.contains(path) || is_link(path))
}
