//! The tables, and how a database of an older hookglot becomes one of today's.
//!
//! Times are microseconds since 1970. What changes often (`delivery`) stands apart from what is large (`hook`, `outgoing`):
//! `SQLite` writes a whole row anew when one of its values changes.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a database as one of hookglot: `hglt`.
const APPLICATION: i32 = 0x6867_6c74;

/// The steps from an empty database to today's; the version of a database is how many it has made. Steps that were released
/// never change.
const MIGRATIONS: [&str; 3] = [FIRST, HISTORY, KNOWLEDGE];

/// The version that a database has here.
pub const SCHEMA: usize = MIGRATIONS.len();

const FIRST: &str = "
CREATE TABLE hook (
    seq INTEGER PRIMARY KEY,             -- in order of arrival
    id BLOB NOT NULL UNIQUE,
    route TEXT NOT NULL,
    forge TEXT NOT NULL,
    event TEXT NOT NULL,
    project TEXT,
    instance TEXT,
    delivery_key TEXT,
    hops INTEGER NOT NULL,
    received_at INTEGER NOT NULL,        -- by the system's clock; all other times by our own, which never goes back
    same_key TEXT,                       -- by what a duplicate is found
    duplicate_of BLOB,                   -- the id of the hook that came before
    ignored TEXT,                        -- why no destination was asked
    ended_at INTEGER,                    -- for hooks without deliveries: when they came
    headers TEXT NOT NULL,
    seen TEXT,                           -- what was known of its object when it came
    body BLOB NOT NULL
);
CREATE INDEX hook_same ON hook (route, same_key, seq) WHERE same_key IS NOT NULL;
CREATE INDEX hook_ended ON hook (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    hook INTEGER NOT NULL,
    size INTEGER NOT NULL,               -- bytes of the hook's body: how many are read at once
    destination TEXT NOT NULL,
    lane TEXT,                           -- the project, where its hooks are delivered one after another
    state INTEGER NOT NULL,              -- 0 pending, 1 delivered, 2 ignored, 3 failed
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, -- those that count
    probes INTEGER NOT NULL DEFAULT 0,   -- those that do not
    accepted_at INTEGER NOT NULL,
    due INTEGER,                         -- NULL: has ended, or waits for the one before it in its lane
    head_since INTEGER,                  -- since when it is the first of its lane
    park_at INTEGER,                     -- when it has kept its lane waiting for too long
    parked INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER
);
CREATE INDEX delivery_hook ON delivery (hook);
CREATE INDEX delivery_due ON delivery (destination, due, seq) WHERE state = 0;
CREATE INDEX delivery_lane ON delivery (destination, lane, seq) WHERE state = 0 AND lane IS NOT NULL;
CREATE INDEX delivery_park ON delivery (destination, park_at) WHERE park_at IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE outgoing (
    delivery INTEGER PRIMARY KEY,
    headers TEXT NOT NULL,
    mapping TEXT,                        -- NULL: the hook passed through, and its body is the hook's
    sha256 TEXT,
    body BLOB
);

CREATE TABLE attempt (
    delivery INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,                 -- by the system's clock
    took INTEGER NOT NULL,
    status INTEGER,
    error TEXT NOT NULL,
    is_probe INTEGER NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE remembered (                -- what hooks told of an object
    route TEXT NOT NULL,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (route, project, kind, id)
) WITHOUT ROWID;
CREATE INDEX remembered_seen ON remembered (seen_at);

CREATE TABLE clock (at INTEGER NOT NULL); -- one row: the latest time that is known to have been
INSERT INTO clock VALUES (0);
";

/// What people ask for afterwards: which request was sent and what was answered, what was sent again, who did what.
const HISTORY: &str = "
ALTER TABLE outgoing ADD COLUMN forge TEXT;           -- in whose format it is
ALTER TABLE hook ADD COLUMN erased_at INTEGER;        -- when its content was blanked
ALTER TABLE delivery ADD COLUMN tried_at INTEGER;     -- when it was tried last, as long as it waits
ALTER TABLE delivery ADD COLUMN key TEXT;             -- under which it is sent, where that is not the hook's or its own id
ALTER TABLE delivery ADD COLUMN resend_of BLOB;       -- the id of the delivery that it repeats
ALTER TABLE delivery ADD COLUMN resent_as BLOB;       -- the id of the latest that repeats it
ALTER TABLE attempt ADD COLUMN request_headers TEXT;  -- as they were sent, secrets masked
ALTER TABLE attempt ADD COLUMN response_headers TEXT;
ALTER TABLE attempt ADD COLUMN response_body BLOB;    -- its beginning
ALTER TABLE attempt ADD COLUMN response_is_cut INTEGER;
CREATE INDEX delivery_id ON delivery (id);

CREATE TABLE audit (                                  -- what people and files changed
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,                              -- by the system's clock
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    about TEXT NOT NULL                               -- a JSON object
);

CREATE TABLE recording (                              -- the first hook of each event of a route that records
    route TEXT NOT NULL,
    forge TEXT NOT NULL,
    event TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,                     -- by the system's clock
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (route, forge, event)
);
";

/// What is known beyond what one hook says: what others told, and numbers for texts.
const KNOWLEDGE: &str = "
ALTER TABLE hook ADD COLUMN known TEXT;               -- what was known of the people and projects that it names
ALTER TABLE remembered ADD COLUMN version INTEGER;    -- what orders hooks about one object, where the forge says it
ALTER TABLE remembered ADD COLUMN first_at INTEGER;   -- when it was seen first
ALTER TABLE remembered ADD COLUMN event TEXT;         -- of the hook that told last
ALTER TABLE remembered ADD COLUMN hook BLOB;          -- its id

CREATE TABLE known (                                  -- what hooks told of people and projects
    kind TEXT NOT NULL,                               -- the look-up table
    instance TEXT NOT NULL,
    id TEXT NOT NULL,
    columns TEXT NOT NULL,                            -- a JSON object of texts
    origins TEXT NOT NULL,                            -- which hook told each
    seen_at INTEGER NOT NULL,                         -- when it was named last, to the day
    PRIMARY KEY (kind, instance, id)
) WITHOUT ROWID;
CREATE INDEX known_seen ON known (seen_at);
CREATE INDEX known_id ON known (kind, id);

CREATE TABLE number (                                 -- which number stands for which text
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    instance TEXT,                                    -- to whose hooks the number tells the text again
    is_former INTEGER NOT NULL,                       -- 1: the text has another number by now
    is_reserved INTEGER NOT NULL,                     -- 1: of the configuration, and no tool has seen it yet
    made_at INTEGER NOT NULL                          -- by the system's clock
);
CREATE UNIQUE INDEX number_number ON number (kind, number);
CREATE UNIQUE INDEX number_text ON number (kind, text) WHERE is_former = 0;
";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is something else.
    #[error("it is a database, but not one of hookglot")]
    Foreign,
    /// It was made by a newer hookglot.
    #[error(
        "it was made by a newer hookglot (its schema is {found}, this one knows {known}): run that one, or restore a backup"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Says whose a database is and whether it can be used, without changing it; gives the version, 0 for an empty one.
///
/// # Errors
/// When it is of somebody else, newer, or cannot be read.
pub(super) fn version(database: &Connection) -> Result<usize, Unusable> {
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = database.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || found != 0 || tables != 0) {
        return Err(Unusable::Foreign);
    }
    let known = i64::try_from(SCHEMA).unwrap_or(i64::MAX);
    usize::try_from(found).ok().filter(|_| found <= known).ok_or(Unusable::Newer { found, known })
}

/// Makes the steps that are missing, all or none; gives the version that there was before, 0 for an empty database.
///
/// # Errors
/// When it is of somebody else, newer, or cannot be written.
pub(super) fn migrate(database: &mut Connection) -> Result<usize, Unusable> {
    let before = version(database)?;
    let steps = MIGRATIONS.get(before..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(before);
    }
    let change = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in steps {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "application_id", APPLICATION)?;
    change.pragma_update(None, "user_version", i64::try_from(SCHEMA).unwrap_or(i64::MAX))?;
    change.commit()?;
    Ok(before)
}
