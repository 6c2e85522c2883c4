//! Turns the tree of settings into [`Settings`], the short form of a sidecar and the demonstration included.

use super::fields::{Collector, Fields};
use super::origins::SIDECAR;
use super::routes::routes;
use super::{Limits, LogFormat, NearlyFull, Rate, Reload, Settings, StoreKind, admin_listen};
use crate::forge::Forges;
use crate::mapping::Files;
use crate::mapping::overlay::Overlays;
use crate::mapping_files;
use serde_json::{Map, Value};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Reads everything. They are the settings only when `all.faults` is empty; else what is wrong has its default.
pub(super) fn settings(mut members: Map<String, Value>, all: &mut Collector<'_>) -> Settings {
    refuse_sidecar_in_file(&mut members, all);
    super::known::refuse_variables(&mut members, all);
    let mut top = Fields::new("", members);
    let mappings_dir = top.text("mappings_dir", all).map(PathBuf::from);
    let files = files(mappings_dir.as_deref(), all);
    let known = KnownNames::of(&files, all);
    let listen_at = top.parsed("listen", all, admin_listen::listen);
    let admin_at = top.parsed("admin_listen", all, admin_listen::listen);
    let tls = super::tls::read(top.table("tls", all), all);
    let forwarding = super::forwarding::read(&mut top, all);
    let admin_tokens = super::admin::tokens(&mut top, all);
    let alerts = super::alert::alerts(&mut top, all);
    let alerts_calm = super::alert::calm(top.table("alerts", all), all);
    let traces = super::traces::read(top.table("traces", all), all);
    let configured = Arc::new(super::known::configured(&mut top, all));
    let data_dir = top.text("data_dir", all).map(PathBuf::from);
    let grace = top.duration("grace", all);
    let log_format = top.parsed("log_format", all, log_format);
    let log_level = top.parsed("log_level", all, log_level);
    let store = top.parsed("store", all, store);
    let mut retained = top.table("retention", all);
    let retention_audit = retained.duration("audit", all);
    let retention = retention(retained, all);
    let limits = limits(top.table("limits", all), all);
    let reload = reload(top.table("reload", all), all);
    let (routes, demo) = routes(&mut top, &known, all);
    top.end(all);
    let empty_variables = all.origins.empty.clone();
    // Who tries it out should find no folder afterwards.
    let is_tried_out = demo && data_dir.is_none();
    let store = store.unwrap_or(if is_tried_out { StoreKind::Memory } else { StoreKind::Sqlite });
    let default_bytes = if store == StoreKind::Memory { (limits.stored as u64 / 4).min(16 << 20) } else { 1 << 30 };
    let read_files = std::mem::take(&mut all.read_files);
    Settings {
        store,
        retention_age: retention.0.unwrap_or(Duration::from_hours(7 * 24)),
        retention_bytes: retention.1.unwrap_or(default_bytes),
        retention_states: retention.2.unwrap_or(Duration::from_hours(365 * 24)),
        retention_audit: retention_audit.unwrap_or(Duration::from_hours(365 * 24)),
        read_files,
        empty_variables,
        listen: listen_at.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()),
        admin_listen: admin_at.unwrap_or_else(admin_listen::default),
        tls,
        forwarding,
        admin_tokens,
        alerts,
        alerts_calm,
        traces,
        configured,
        data_dir: data_dir.unwrap_or_else(|| PathBuf::from("./hookglot-data")),
        files,
        mappings_dir,
        reload,
        grace: grace.unwrap_or(Duration::from_secs(10)),
        log_format: log_format.unwrap_or(LogFormat::Text),
        log_level: log_level.unwrap_or_else(|| "info".to_owned()),
        limits,
        routes,
        demo,
    }
}

/// Says of every setting of a sidecar that stands in the file that it does not belong there, and takes it out.
fn refuse_sidecar_in_file(members: &mut Map<String, Value>, all: &mut Collector<'_>) {
    for key in SIDECAR {
        if all.origins.file_says(key) {
            all.fault_in_file(key, "a setting of the environment: in a file write a [[route]] with a [[route.to]]");
            // A variable of the same name went over it, and stays.
            if !all.origins.variables.contains_key(key) {
                members.remove(key);
            }
        }
    }
}

fn files(folder: Option<&Path>, all: &mut Collector<'_>) -> Files {
    mapping_files::read(folder).unwrap_or_else(|error| {
        for unreadable in error.0 {
            all.fault("mappings_dir", unreadable.to_string());
        }
        all.unreadable = true;
        mapping_files::built_in()
    })
}

/// The names that the mapping files give.
pub(super) struct KnownNames<'f> {
    pub(super) forges: Vec<String>,
    pub(super) overlays: Vec<String>,
    /// Those of the forges that sign their hooks.
    signing: Vec<String>,
    /// Whether there are no others: files that cannot be read may describe more.
    are_all: bool,
    files: &'f Files,
    /// The forges as they are described, once somebody asks; nothing when a file of theirs has faults, which are told
    /// with those of the mapping files.
    described: OnceCell<Option<Forges>>,
}

impl<'f> KnownNames<'f> {
    fn of(files: &'f Files, all: &Collector<'_>) -> Self {
        let forges = Forges::names(files).map(str::to_owned).collect();
        let overlays = Overlays::names(files).map(str::to_owned).collect();
        let are_all = !all.unreadable && all.origins.are_known();
        let signing = Forges::signing(files).map(str::to_owned).collect();
        Self { forges, overlays, signing, are_all, files, described: OnceCell::new() }
    }

    /// Whether a header, in small letters, is one that some forge lets nobody pass on.
    pub(super) fn forges_keep_back(&self, header: &str) -> bool {
        self.described().is_some_and(|forges| forges.keep_back(header))
    }

    /// Whether a header, in small letters, is one in which some forge sends a signature or what it signs.
    pub(super) fn forges_sign_with(&self, header: &str) -> bool {
        let mut signatures = self.described().into_iter().flat_map(Forges::iter).filter_map(|forge| forge.signature());
        signatures.any(|signature| signature.headers().contains(&header))
    }

    fn described(&self) -> Option<&Forges> {
        self.described.get_or_init(|| Forges::read(self.files).0).as_ref()
    }

    /// Whether a name is that of a forge, or may be.
    pub(super) fn may_have_forge(&self, name: &str) -> bool {
        !self.are_all || self.forges.iter().any(|own| own == name)
    }

    /// The forges that sign their hooks.
    pub(super) fn signing(&self) -> &[String] {
        &self.signing
    }

    /// Whether a forge signs its hooks, or may. A forge that is not known is another fault.
    pub(super) fn may_sign(&self, name: &str) -> bool {
        !self.are_all || !self.forges.iter().any(|own| own == name) || self.signing.iter().any(|own| own == name)
    }

    /// Whether a name is that of an overlay, or may be.
    pub(super) fn may_have_overlay(&self, name: &str) -> bool {
        !self.are_all || self.overlays.iter().any(|own| own == name)
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("expected `text` or `json`, got `{other}`")),
    }
}

/// A level, or a list of levels and `target=level`. A wrong word would be taken for a target, and nothing be logged.
fn log_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let known =
        |part: &str| LEVELS.contains(&part.rsplit('=').next().unwrap_or_default().trim().to_ascii_lowercase().as_str());
    if text.split(',').all(known) && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("expected {}, or a list such as info,hyper=debug, got `{text}`", LEVELS.join(", ")))
}

fn store(text: &str) -> Result<StoreKind, String> {
    match text {
        "sqlite" => Ok(StoreKind::Sqlite),
        "memory" => Ok(StoreKind::Memory),
        other => Err(format!("expected `sqlite` or `memory`, got `{other}`")),
    }
}

/// For how long, and within how many bytes, what has ended is kept; for how long states are remembered.
fn retention(mut table: Fields, all: &mut Collector<'_>) -> (Option<Duration>, Option<u64>, Option<Duration>) {
    let age = table.duration("age", all);
    let bytes = table.size("size", all).map(|bytes| bytes as u64);
    let states = table.duration("states", all);
    table.end(all);
    (age, bytes, states)
}

fn limits(mut table: Fields, all: &mut Collector<'_>) -> Limits {
    let limits = Limits {
        body: table.size("body", all).unwrap_or(25 << 20),
        in_flight: table.size("in_flight", all).unwrap_or(256 << 20),
        stored: table.size("stored", all).unwrap_or(512 << 20),
        kept_answer: table.size("kept_answer", all).unwrap_or(8 << 10),
        read_timeout: some_time(&mut table, "read_timeout", all).unwrap_or(Duration::from_secs(30)),
        head_timeout: some_time(&mut table, "head_timeout", all).unwrap_or(Duration::from_secs(10)),
        keep_alive: some_time(&mut table, "keep_alive", all).unwrap_or(Duration::from_secs(75)),
        connections: table.parsed("connections", all, connections).unwrap_or(2000),
        connections_per_address: table.parsed("connections_per_address", all, per_address).flatten(),
        sign_in_failures: table
            .parsed("sign_in_failures", all, sign_in_failures)
            .unwrap_or_else(|| Rate::parse("10/m").ok()),
        nearly_full: table.parsed("nearly_full", all, NearlyFull::parse).unwrap_or_default(),
    };
    if limits.body == 0 {
        all.fault("limits.body", "0: no body could come in");
    }
    // What is wrong has its default here, and what a file says that cannot be read is not known.
    let are_known = all.origins.are_known() && !all.is_wrong("limits.body") && !all.is_wrong("limits.in_flight");
    if are_known && limits.in_flight < limits.body {
        all.fault("limits.in_flight", "smaller than limits.body: no body of that size could come in");
    }
    table.end(all);
    limits
}

/// A time in which something can happen.
fn some_time(table: &mut Fields, key: &'static str, all: &mut Collector<'_>) -> Option<Duration> {
    let time = table.duration(key, all);
    if time.is_some_and(|time| time.is_zero()) {
        all.fault(&table.path_of(key), "0: no request could come in");
    }
    time
}

fn connections(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1".to_owned())
}

fn per_address(text: &str) -> Result<Option<usize>, String> {
    if text == "none" { Ok(None) } else { connections(text).map(Some).map_err(|message| format!("{message}, or none")) }
}

fn sign_in_failures(text: &str) -> Result<Option<Rate>, String> {
    if text == "none" { Ok(None) } else { Rate::parse(text).map(Some).map_err(|message| format!("{message}; or none")) }
}

fn reload(mut table: Fields, all: &mut Collector<'_>) -> Reload {
    let debounce = table.duration("debounce", all).unwrap_or(Duration::from_secs(1));
    let poll = table.duration("poll", all).unwrap_or(Duration::from_secs(10));
    if poll.is_zero() {
        all.fault(&table.path_of("poll"), "0: the files would be read without a pause");
    }
    let config = table.truth("config", all).unwrap_or(true);
    table.end(all);
    Reload { debounce, poll, config }
}
