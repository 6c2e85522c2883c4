//! Where troubles are posted.

use super::address::{Address, proxy};
use super::fields::{Collector, Fields};
use super::pair::certificates;
use super::secrets::secret;
use super::{HiddenUrl, Login};
use crate::mapping::diagnostic::did_you_mean;
use crate::secret::Secret;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::Duration;

/// A URL to which it is posted when a trouble begins and when it is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name: required, unique.
    pub name: String,
    /// Where it is, without user and password. Those of chats hold keys.
    pub url: HiddenUrl,
    /// The user and the password that stood in its URL.
    pub login: Option<Login>,
    /// What is posted. Default JSON.
    pub format: AlertFormat,
    /// The troubles that it wants to hear of. Default all.
    pub on: BTreeSet<Trouble>,
    /// What it gets in `Authorization`.
    pub authorization: Option<Secret>,
    /// How long one post may take. Default 10 s.
    pub timeout: Duration,
    /// A proxy in place of those of the environment; `None` for the environment's.
    pub proxy: Option<HiddenUrl>,
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Alert {
    /// Where it is, as far as that can be shown: the whole path of a chat's hook is a key, whatever it looks like.
    #[must_use]
    pub fn shown(&self) -> String {
        self.url.reveal().origin().ascii_serialization()
    }
}

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertFormat {
    /// An object with a field for everything.
    Json,
    /// `{"text": …}`, as incoming webhooks of Slack and Mattermost want it.
    Slack,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// A delivery failed for good.
    Failed,
    /// The breaker of a destination is open.
    Breaker,
    /// Changed files are refused.
    Reload,
    /// The disk of the store is nearly full.
    Disk,
    /// The store is full or broken.
    Store,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Failed, Self::Breaker, Self::Reload, Self::Disk, Self::Store];

    /// How it is called in the configuration and in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Breaker => "breaker",
            Self::Reload => "reload",
            Self::Disk => "disk",
            Self::Store => "store",
        }
    }
}

/// Those of `[[alert]]`.
pub(super) fn alerts(top: &mut Fields, all: &mut Collector<'_>) -> Vec<Alert> {
    let mut names = HashSet::new();
    let tables = top.tables("alert", all);
    tables.into_iter().filter_map(|table| alert(table, &mut names, all)).collect()
}

/// How long a destination must be out of trouble before that is posted: of `[alerts]`, for all of them.
pub(super) fn calm(mut table: Fields, all: &mut Collector<'_>) -> Duration {
    let calm = table.duration("calm", all).unwrap_or(Duration::from_mins(1));
    table.end(all);
    calm
}

fn alert(mut table: Fields, names: &mut HashSet<String>, all: &mut Collector<'_>) -> Option<Alert> {
    let name_path = table.path_of("name");
    let name = table.required("name", "what the log and the metrics call it, `chat` for one", all);
    if let Some(name) = &name {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            all.fault(&name_path, "a name is made of letters, digits, `-`, `_` and `.`");
        } else if !names.insert(name.clone()) {
            all.fault(&name_path, format!("`{name}` is the name of another alert"));
        }
    }
    let address = address(&mut table, all);
    let format = table.parsed("format", all, format).unwrap_or(AlertFormat::Json);
    let on = on(&mut table, all);
    let authorization = secret(&mut table, "authorization", "authorization_file", all);
    if authorization.is_some() && address.as_ref().is_some_and(|address| address.login.is_some()) {
        let message = "the url has a user and a password, which Authorization carries as well: use one";
        all.fault(&table.path_of("authorization"), message);
    }
    let timeout_path = table.path_of("timeout");
    let timeout = table.duration("timeout", all).unwrap_or(Duration::from_secs(10));
    if timeout.is_zero() {
        all.fault(&timeout_path, "0: every post would fail at once");
    }
    let proxy = proxy(&mut table, all);
    let ca_path = table.path_of("ca_file");
    let ca_file = table.text("ca_file", all).map(PathBuf::from);
    if let Some(file) = &ca_file {
        all.read_files.note(file);
    }
    if let Some(Err(message)) = ca_file.as_deref().map(certificates) {
        all.fault(&ca_path, message);
    }
    table.end(all);
    let Address { url, login } = address?;
    Some(Alert { name: name?, url, login, format, on, authorization, timeout, proxy, ca_file })
}

/// The URL: whoever has that of a chat's hook can write there, and its path is a key, whatever it looks like.
fn address(table: &mut Fields, all: &mut Collector<'_>) -> Option<Address> {
    let address = Address::read(table, ("url", "url_file"), "where it is posted, here or in a `url_file`", all)?;
    all.show_as(&table.path_of("url"), address.url.reveal().origin().ascii_serialization());
    Some(address)
}

fn format(text: &str) -> Result<AlertFormat, String> {
    match text {
        "json" => Ok(AlertFormat::Json),
        "slack" => Ok(AlertFormat::Slack),
        other => Err(format!("expected `json` or `slack` (Mattermost's, too), got `{other}`")),
    }
}

fn on(table: &mut Fields, all: &mut Collector<'_>) -> BTreeSet<Trouble> {
    let path = table.path_of("on");
    let Some(listed) = table.texts("on", all) else { return Trouble::ALL.into() };
    if listed.is_empty() {
        all.fault(&path, "an empty list: nothing would be posted");
    }
    let known = Trouble::ALL.map(Trouble::word);
    let named = |word: &String| Trouble::ALL.into_iter().find(|trouble| trouble.word() == word);
    for word in listed.iter().filter(|word| named(word).is_none()) {
        let suggestion = did_you_mean(word, known.iter().copied());
        all.fault(&path, format!("unknown trouble `{word}`: expected {}{suggestion}", known.join(", ")));
    }
    listed.iter().filter_map(named).collect()
}
