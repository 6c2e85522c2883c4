//! The store that the settings ask for, and `hookglot backup` and `hookglot restore`.

use super::counted::counted;
use super::{FAILED, out};
use crate::config::{self, Destination, Flags, Settings, StoreKind};
use crate::metrics::Metrics;
use crate::store::sqlite::{self, Folder, Observer, SqliteStore};
use crate::store::{KnownDestination, Store, StoreError};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Opens it, and says how many bytes of it are in use as it is written to.
///
/// # Errors
/// What is wrong with the folder or the database, and what to do.
pub(super) fn open(settings: &Settings, metrics: &Metrics) -> Result<(Arc<dyn Store>, Arc<AtomicU64>), String> {
    let used = Arc::<AtomicU64>::default();
    let (shown, commits, own) = (metrics.store_bytes.clone(), metrics.store_commit_seconds.clone(), Arc::clone(&used));
    let observer: Observer = Box::new(move |took, bytes| {
        commits.observe(took.as_secs_f64());
        shown.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        own.store(bytes, Ordering::Relaxed);
    });
    let opened = match settings.store {
        StoreKind::Memory => {
            SqliteStore::in_memory(settings.limits.stored, observer).map_err(|error| error.to_string())
        }
        StoreKind::Sqlite => {
            let folder = Folder::own(&settings.data_dir)?;
            let database = folder.database();
            SqliteStore::open(folder, observer)
                .map_err(|error| format!("{}: {}", database.display(), sqlite::refused(&error, &settings.data_dir)))
        }
    };
    Ok((Arc::new(opened?), used))
}

/// Why a store that was opened cannot be used, as a start says it.
pub(super) fn refused(error: &StoreError, settings: &Settings) -> String {
    match (error, settings.store) {
        (StoreError::Full(_), StoreKind::Sqlite) => {
            format!("{}: {}", sqlite::database(&settings.data_dir).display(), sqlite::DISK_IS_FULL)
        }
        _ => error.to_string(),
    }
}

/// The destinations as the store knows them.
pub(super) fn known(destinations: &[Arc<Destination>]) -> Vec<KnownDestination> {
    let known = |to: &Arc<Destination>| KnownDestination { name: to.name.clone(), in_order: to.queueing.in_order };
    destinations.iter().map(known).collect()
}

pub(super) fn back_up(flags: &Flags, to: &Path) -> ExitCode {
    finished(data_dir(flags).and_then(|folder| {
        sqlite::backup(&folder, to)?;
        Ok(format!("{} holds everything that {} held", to.display(), folder.display()))
    }))
}

pub(super) fn restore(flags: &Flags, from: &Path) -> ExitCode {
    finished(data_dir(flags).and_then(|folder| {
        let kept = sqlite::restore(from, &folder)?;
        let kept = kept.map(|kept| set_aside(&kept)).unwrap_or_default();
        Ok(format!("{} is in force in {}{kept}", from.display(), folder.display()))
    }))
}

/// What became of the database that was there.
fn set_aside(kept: &Path) -> String {
    let waiting = sqlite::waiting_in(kept).filter(|waiting| *waiting > 0);
    let waiting = waiting
        .map(|waiting| format!(", with {} waiting in it, not to be delivered now", counted(waiting, "delivery")));
    format!("; what was there is {}{}", kept.display(), waiting.unwrap_or_default())
}

fn data_dir(flags: &Flags) -> Result<std::path::PathBuf, String> {
    config::load(flags, &super::environment()).map(|settings| settings.data_dir).map_err(|refused| refused.to_string())
}

fn finished(done: Result<String, String>) -> ExitCode {
    match done {
        Ok(said) => {
            out::line(&said);
            ExitCode::SUCCESS
        }
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}
