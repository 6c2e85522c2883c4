//! Who did what, and when: what people changed through the admin API, and what changed files did.

use super::{Answer, Look, Page};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// What can be done that stands in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A delivery was sent again.
    Resend,
    /// All deliveries that fit a filter were sent again.
    ResendAll,
    /// Sending many again was broken off.
    ResendCancelled,
    /// A hook was made into an example.
    Capture,
    /// What is stored of somebody or of a project was erased.
    Erase,
    /// Numbers of texts were taken in.
    ImportIds,
    /// A configuration is in force.
    ConfigLoaded,
    /// A configuration was refused.
    ConfigRefused,
    /// Mapping files are in force.
    MappingsLoaded,
    /// Mapping files were refused.
    MappingsRefused,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Resend,
        Self::ResendAll,
        Self::ResendCancelled,
        Self::Capture,
        Self::Erase,
        Self::ImportIds,
        Self::ConfigLoaded,
        Self::ConfigRefused,
        Self::MappingsLoaded,
        Self::MappingsRefused,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::ResendAll => "resend_all",
            Self::ResendCancelled => "resend_cancelled",
            Self::Capture => "capture",
            Self::Erase => "erase",
            Self::ImportIds => "import_ids",
            Self::ConfigLoaded => "config_loaded",
            Self::ConfigRefused => "config_refused",
            Self::MappingsLoaded => "mappings_loaded",
            Self::MappingsRefused => "mappings_refused",
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for Deed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|deed| deed.word() == text);
        found.ok_or_else(|| format!("expected one of {}, got `{text}`", Self::ALL.map(Self::word).join(", ")))
    }
}

/// One deed. It holds no secret, and nothing of what hooks tell.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When, by the system's clock.
    pub at: Timestamp,
    /// Who: the name of a token, or what made hookglot do it.
    pub who: String,
    /// What.
    pub what: Deed,
    /// Ids, names, counts, and hashes of files.
    pub about: Map<String, Value>,
}

/// Which entries are meant: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who did it.
    pub who: Option<String>,
    /// What was done.
    pub what: Option<Deed>,
}

/// What is asked of an audit log.
pub trait Audit {
    /// Keeps an entry.
    fn note(&self, entry: AuditEntry) -> Answer<'_, ()>;

    /// The entries that fit a filter, the newest first.
    fn audit(&self, filter: AuditFilter, look: Look) -> Answer<'_, Page<AuditEntry>>;
}
