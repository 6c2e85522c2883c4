//! What tells that a file may be another than before, without reading it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device, inode, length, and when it changed; none where it cannot be looked at.
pub(super) type Stamp = Option<[i128; 5]>;

/// The stamp of a file or folder, or of that to which a link leads.
pub(super) fn stamp(file: &Path) -> Stamp {
    let own = std::fs::metadata(file).ok()?;
    let time = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let (modified, changed) = (time(own.mtime(), own.mtime_nsec()), time(own.ctime(), own.ctime_nsec()));
    Some([own.dev().into(), own.ino().into(), own.len().into(), modified, changed])
}
