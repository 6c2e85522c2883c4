//! Reads a folder of mapping files as it is at one moment.

use crate::mapping::Files;
use crate::mapping_files;
use std::path::Path;
use std::time::Duration;

/// How often a folder is read before it counts as one that never comes to rest.
const TRIES: usize = 20;
/// How long somebody who writes gets between two readings.
const PAUSE: Duration = Duration::from_millis(20);

/// The files, once two readings one after the other are the same: a single one could hold files of two moments.
pub(super) fn stable(folder: &Path) -> Result<Files, String> {
    let mut before = mapping_files::with_folder(folder);
    for _ in 0..TRIES {
        std::thread::sleep(PAUSE);
        let now = mapping_files::with_folder(folder);
        if let (Ok(before), Ok(now)) = (&before, &now)
            && before == now
        {
            return Ok(now.clone());
        }
        before = now;
    }
    match before {
        Ok(_) => Err(format!("{}: changes while it is read, again and again", folder.display())),
        Err(error) => Err(error.to_string()),
    }
}
