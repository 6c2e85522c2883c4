//! The files that a configuration is made of, and whether they are still as they were when they were read.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The configuration file and those that it names: secrets, certificates.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReadFiles(BTreeMap<PathBuf, Option<[u8; 32]>>);

impl ReadFiles {
    /// Notes a file that is about to be read: what changes after that is seen later, if only as a change too many.
    pub(super) fn note(&mut self, file: &Path) {
        self.0.entry(file.to_owned()).or_insert_with(|| digest(file));
    }

    /// The same files as they are now.
    #[must_use]
    pub fn now(&self) -> Self {
        Self(self.0.keys().map(|file| (file.clone(), digest(file))).collect())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is in a file, as a hash; nothing where it cannot be read. What is no file (a pipe) can be read only once.
fn digest(file: &Path) -> Option<[u8; 32]> {
    let is_file = std::fs::metadata(file).is_ok_and(|about| about.is_file());
    let bytes = is_file.then(|| std::fs::read(file).ok()).flatten()?;
    Some(Sha256::digest(bytes).into())
}

impl fmt::Debug for ReadFiles {
    /// A hash of a secret can be tried against guesses: the names alone are shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
