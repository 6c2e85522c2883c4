//! Tells when a folder of mapping files may have changed, by the metadata of what is in it; it only says when to read. The
//! system is not asked to tell: it would tell of the folder above as well, in which a swapped link has its name and others
//! may write all the time.

use super::changes::LOOK;
use super::stamp::{Stamp, stamp};
use crate::mapping_files;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Everything in a folder that may matter, each with its stamp.
type Stamps = Vec<(PathBuf, Stamp)>;

/// A folder that is looked at now and then.
pub(super) struct Watch {
    folder: PathBuf,
    look: Interval,
    seen: Stamps,
}

impl Watch {
    /// Looks as often as changes may come to rest.
    pub(super) fn new(folder: &Path, debounce: Duration) -> Self {
        let pause = debounce.max(LOOK);
        let mut look = interval_at(Instant::now() + pause, pause);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { folder: folder.to_owned(), look, seen: Vec::new() }
    }

    /// Waits until something may have changed since the latest look.
    pub(super) async fn changed(&mut self) {
        loop {
            self.look.tick().await;
            if !self.is_at_rest().await {
                return;
            }
        }
    }

    /// Looks whether everything is as at the latest look.
    pub(super) async fn is_at_rest(&mut self) -> bool {
        let folder = self.folder.clone();
        // Away from the threads that take hooks: a disk may hang.
        let looked = tokio::task::spawn_blocking(move || stamps(&folder)).await;
        let now = looked.unwrap_or_default();
        std::mem::replace(&mut self.seen, now) == self.seen
    }
}

fn stamps(folder: &Path) -> Stamps {
    let mut all = vec![(folder.to_owned(), stamp(folder))];
    mapping_files::walk(folder, &mut |path| all.push((path.to_owned(), stamp(path))));
    all
}
