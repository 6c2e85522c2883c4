//! What the system tells of changes in a folder. It only says when to look.

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// A watched folder. Where the system cannot watch (too many watches, a network drive), nothing is ever told, and the
/// poll alone finds changes.
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    told: Arc<Notify>,
}

impl Watch {
    pub(super) fn new(folder: &Path) -> Self {
        let told = Arc::new(Notify::new());
        let (tell, own) = (Arc::clone(&told), folder.to_owned());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may hide a change.
            if event.map_or(true, |event| concerns(&event, &own)) {
                tell.notify_one();
            }
        });
        let mut watch = Self { watcher: watcher.ok(), told };
        if !watch.watch(folder) {
            tracing::warn!(folder = %folder.display(), "cannot be watched: changes are found by the poll alone");
        }
        watch
    }

    /// Watches the folder that its path leads to now: a symbolic link may lead elsewhere than before.
    pub(super) fn renew(&mut self, folder: &Path) {
        if let Some(watcher) = &mut self.watcher {
            // A folder that is gone is not watched any more.
            let _ = watcher.unwatch(folder);
        }
        self.watch(folder);
    }

    fn watch(&mut self, folder: &Path) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        // The folder may be a link that is swapped: its name stands in the folder above.
        if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
            // Where that cannot be watched, the poll finds the swap.
            let _ = watcher.watch(above, RecursiveMode::NonRecursive);
        }
        watcher.watch(folder, RecursiveMode::Recursive).is_ok()
    }

    /// Waits until something may have changed.
    pub(super) async fn changed(&self) {
        self.told.notified().await;
    }
}

/// Whether an event may be a change in a folder. Reading is an event, too: our own scans must not lead to others.
fn concerns(event: &notify::Event, folder: &Path) -> bool {
    !event.kind.is_access() && event.paths.iter().any(|path| path.starts_with(folder))
}
