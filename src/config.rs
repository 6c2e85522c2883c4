//! What a user can set. Plain data, checked whole: every fault is found before anything starts.

mod access;
mod address;
mod admin;
mod admin_listen;
mod alert;
mod branch_filter;
mod client_certificate;
mod destination;
mod explained;
mod fields;
mod forwarding;
mod headers;
mod known;
mod nearly_full;
mod origins;
mod pair;
mod queueing;
mod re2;
mod read;
mod read_files;
mod reference;
mod routes;
mod secrets;
mod signing;
mod sources;
mod tls;
mod traces;

use crate::forge::signature::SigningKeys;
use crate::known::configured::Configured;
use crate::mapping::Files;
use crate::secret::{Secret, Secrets};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use access::{Network, Rate};
pub use address::{HiddenUrl, Login};
pub use admin::{AdminToken, Rights};
pub use admin_listen::admin_listen;
pub use alert::{Alert, AlertFormat, Trouble};
pub use branch_filter::BranchFilter;
pub use client_certificate::ClientCertificate;
pub use explained::{ExplainedSetting, ExplainedTable, Source, explain};
pub use forwarding::{ForwardedHeader, Forwarding};
pub use nearly_full::NearlyFull;
pub use pair::{PairBytes, PairFault, PairFiles};
pub use queueing::Queueing;
pub use read_files::ReadFiles;
pub(crate) use routes::path_fault;
pub use sources::{Flags, file, load};
pub use traces::Traces;

/// Everything that `serve` needs to know.
#[derive(Debug)]
pub struct Settings {
    /// Where hooks come in. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The certificate of the public port; `None`, the default: it speaks without TLS.
    pub tls: Option<PairFiles>,
    /// Whose word is taken for where a request came from. Default nobody's.
    pub forwarding: Forwarding,
    /// Where `/live`, `/ready`, `/metrics` and the admin API are. Default `127.0.0.1:9090`.
    pub admin_listen: SocketAddr,
    /// Who may ask the admin API; without any nobody may.
    pub admin_tokens: Vec<AdminToken>,
    /// Where hooks and deliveries are kept. Default a folder; memory for the demonstration.
    pub store: StoreKind,
    /// The folder of the durable store. Default `./hookglot-data`.
    pub data_dir: PathBuf,
    /// For how long what has ended is kept. Default 7 days.
    pub retention_age: Duration,
    /// Within how many bytes it is kept, with all that waits. Default 1 GiB; in memory 16 MiB.
    pub retention_bytes: u64,
    /// For how long it is remembered what hooks told of an object, a person or a project of which none tells any more. Default
    /// 365 days.
    pub retention_states: Duration,
    /// For how long it is known who did what through the admin API and which files changed. Default 365 days.
    pub retention_audit: Duration,
    /// The built-in mapping files with those of `mappings_dir` over them.
    pub files: Files,
    /// The folder of one's own mapping files; watched while running.
    pub mappings_dir: Option<PathBuf>,
    /// When changed mapping files are read again.
    pub reload: Reload,
    /// How long a stop waits for what is in flight. Default 10 s.
    pub grace: Duration,
    /// How log lines look. Default text.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing`'s filters. Default `info`.
    pub log_level: String,
    /// Limits of what comes in.
    pub limits: Limits,
    /// Where troubles are posted; empty, the default: nowhere.
    pub alerts: Vec<Alert>,
    /// How long a destination must be out of trouble before that is posted. Default 1 min.
    pub alerts_calm: Duration,
    /// Where traces are exported; `None`, the default: there are none.
    pub traces: Option<Traces>,
    /// What is said of people, projects and numbers; it wins over what hooks tell. Default nothing.
    pub configured: Arc<Configured>,
    /// The routes; never empty.
    pub routes: Vec<Route>,
    /// The files that all this was read from.
    pub read_files: ReadFiles,
    /// The environment variables of ours that are empty, which say nothing.
    pub empty_variables: Vec<String>,
    /// Whether the routes are the demonstration that stands in where nothing is configured.
    pub demo: bool,
}

/// Where hooks and deliveries are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A database in `data_dir`: what was accepted outlives the process.
    Sqlite,
    /// Memory: it does not.
    Memory,
}

/// When a forge gets its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// As soon as the hook is stored.
    Stored,
    /// When each destination was tried once, or after 8 s.
    Delivered,
}

/// Which hooks count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// Those under one key of the forge.
    Key,
    /// Those of one event with the same body, whatever their keys.
    Body,
    /// None.
    None,
}

/// When changed files are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// How long nothing must have changed before the files are read. Default 1 s.
    pub debounce: Duration,
    /// How often the files are compared with those in force, whatever their metadata tell. Default 10 s.
    pub poll: Duration,
    /// Whether changed files of the configuration are read again, too. Default true.
    pub config: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Limits of what comes in.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body, in bytes. Default 25 MiB: GitLab sends nothing larger.
    pub body: usize,
    /// How many bytes of bodies may be in memory on their way to the store. Default 256 MiB.
    pub in_flight: usize,
    /// How many bytes of hooks the memory store holds. Default 512 MiB.
    pub stored: usize,
    /// How long a sender may take for a body, and leave an answer unread. Default 30 s.
    pub read_timeout: Duration,
    /// How long a sender may take for the head of a request. Default 10 s.
    pub head_timeout: Duration,
    /// How long a connection may stay open without a request. Default 75 s.
    pub keep_alive: Duration,
    /// How many bytes of what a destination answers are kept with an attempt. Default 8 KiB.
    pub kept_answer: usize,
    /// How many connections may be open at once. Default 2000.
    pub connections: usize,
    /// How many of them one client address may have (IPv6: one /64); `None`, the default: all.
    pub connections_per_address: Option<usize>,
    /// How many wrong secrets are told so, of each client address on each route; `None`: all. Default 10 in a minute.
    pub sign_in_failures: Option<Rate>,
    /// From when on the disk of the store counts as nearly full. Default less than 10 % and less than 1 GiB free.
    pub nearly_full: NearlyFull,
}

/// A path on which hooks come in.
#[derive(Debug)]
pub struct Route {
    /// The path, beginning with `/`.
    pub path: String,
    /// The forges whose hooks are taken.
    pub accept: Vec<String>,
    /// What opens the route.
    pub access: Access,
    /// How many hooks are taken in a time; `None`, the default: any number.
    pub rate_limit: Option<Rate>,
    /// The addresses that may send; empty, the default: all.
    pub allow_from: Vec<Network>,
    /// When the forge gets its answer. Default when the hook is stored.
    pub ack: Ack,
    /// Which hooks count as the same. Default those under one key.
    pub duplicates: Duplicates,
    /// For how long after its delivery a hook makes others duplicates. Default 60 s.
    pub duplicate_window: Duration,
    /// Whether the first hook of each event is kept, to make an example of. Default not.
    pub record: bool,
    /// Where its hooks go.
    pub to: Vec<Destination>,
}

/// What opens a route: everything that is asked for.
#[derive(Debug, Default)]
pub struct Access {
    /// One of these secrets; `None` asks for none.
    pub secrets: Option<Secrets>,
    /// A signature made with one of these keys; asked for when there are any.
    pub signing_keys: SigningKeys,
}

impl Access {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.secrets.is_none() && self.signing_keys.is_empty()
    }
}

/// A named URL that receives hooks in one forge's format.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Where it stands in the configuration, as messages name it.
    pub place: String,
    /// Its name: required, unique, stable.
    pub name: String,
    /// Where it is, without user and password.
    pub url: HiddenUrl,
    /// The user and the password that stood in its URL.
    pub login: Option<Login>,
    /// The format that it is sent.
    pub format: Format,
    /// What it gets as the secret of its format, in the header that the forge sends it in.
    pub token: Option<Secret>,
    /// What it gets in `Authorization`.
    pub authorization: Option<Secret>,
    /// Headers that it is always sent, beneath those of the delivery itself.
    pub headers: Vec<(String, Secret)>,
    /// The headers of a hook, in small letters, that are passed on to it. Default none.
    pub pass_headers: Vec<String>,
    /// What it gets as `User-Agent` in place of what the forge sends.
    pub user_agent: Option<String>,
    /// What each attempt is signed with, one signature a key.
    pub signing_keys: SigningKeys,
    /// The events that it wants, in the words of the forge that they come from; all but unlisted ones when absent.
    pub events: Option<Vec<String>>,
    /// The branches and tags that it wants to hear of; all when absent.
    pub branch_filter: Option<BranchFilter>,
    /// How long one attempt may take. Default 10 s, as GitLab waits.
    pub timeout: Duration,
    /// How many attempts may run at once. Default 8.
    pub concurrency: usize,
    /// A proxy in place of those of the environment; `None` for the environment's.
    pub proxy: Option<HiddenUrl>,
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that it is shown, with its key.
    pub client_certificate: Option<ClientCertificate>,
    /// How its deliveries wait and are tried again.
    pub queueing: Queueing,
    /// Whether the header with the count of hookglots that a hook has passed is sent. Default true.
    pub hop_header: bool,
    /// The overlays that are laid over what it is sent, in their order.
    pub overlays: Vec<String>,
    /// Values that mappings read under `settings`, `default_branch` for one.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// The format of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// That of the named forge.
    Forge(String),
    /// That of the forge that a hook does not come from.
    Other,
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Faults(pub Vec<String>);

/// Why there are no [`Settings`].
#[derive(Debug, thiserror::Error)]
#[error("{faults}")]
pub struct Refused {
    /// Everything that is wrong.
    pub faults: Faults,
    /// Whether the configuration file or the `mappings_dir` could not be read at all.
    pub unreadable: bool,
    /// The mapping files that would be in force, so that their faults can be told beside these; the built-in ones where
    /// the `mappings_dir` cannot be read.
    pub files: Box<Files>,
    /// The files of the configuration that were read, as far as that went.
    pub read_files: ReadFiles,
}

#[cfg(test)]
mod tests;
