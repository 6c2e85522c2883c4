//! Reads the configuration again on SIGHUP, and when a file that it is made of has changed. What is wrong is refused whole, and what was in force stays in force; hooks that
//! wait for delivery stay where they are.

use super::serve::{routes_of, say_alerts, say_routes};
use super::signals::Hangup;
use super::{collector, destinations, foreseen, reserve, store, supervisor};
use crate::alerts::{Alerts, Ready};
use crate::audit::files::{ConfigState, of_mappings};
use crate::audit::{self, Auditor};
use crate::config::{self, AdminToken, Destination, Flags, Settings};
use crate::delivery::{Reachable, Workers};
use crate::feed::Happening;
use crate::ingest::Ingest;
use crate::known::Known;
use crate::mapping_files;
use crate::metrics::Reading;
use crate::reload::{Changes, Configured, Standing};
use crate::store::{Deed, KnownDestination};
use arc_swap::ArcSwap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When it is looked again for deliveries of destinations that are gone: what was only prepared is given back by then.
const SOON: Duration = Duration::from_secs(1);
/// When it is looked once more: requests that began under the old routes have
/// stored their hooks by then.
const LATE: Duration = Duration::from_mins(1);

/// What a reload of the configuration works on.
pub(super) struct Reconfigure {
    pub(super) flags: Flags,
    pub(super) ingest: Arc<Ingest>,
    /// What is known beyond the hooks: it gives the numbers of the configuration.
    pub(super) numbers: Arc<Known>,
    pub(super) configured: Configured,
    /// Who may ask the admin API.
    pub(super) tokens: Arc<ArcSwap<Vec<AdminToken>>>,
    /// What takes a restart to change, as it is.
    pub(super) fixed: Vec<(&'static str, String)>,
    /// Where it can be read what was refused.
    pub(super) standing: Standing,
    /// The destinations in force.
    pub(super) known: Vec<KnownDestination>,
    /// The files that it was read from.
    pub(super) changes: Changes,
    /// Who is told of other alerts.
    pub(super) alerts: Alerts,
    /// Where it is noted that it was read.
    pub(super) auditor: Auditor,
    /// The configuration in force, as far as it is noted.
    pub(super) state: ConfigState,
}

/// The names of destinations.
pub(super) fn names(destinations: &[Arc<Destination>]) -> BTreeSet<String> {
    destinations.iter().map(|to| to.name.clone()).collect()
}

/// The settings that take a restart to change, and their values.
pub(super) fn fixed(settings: &Settings) -> Vec<(&'static str, String)> {
    vec![
        ("listen", settings.listen.to_string()),
        ("tls", format!("{:?}", settings.tls)),
        ("admin_listen", settings.admin_listen.to_string()),
        ("store", format!("{:?}", settings.store)),
        ("data_dir", settings.data_dir.display().to_string()),
        ("mappings_dir", format!("{:?}", settings.mappings_dir)),
        (
            "retention",
            format!(
                "{:?} {} {:?} {:?}",
                settings.retention_age, settings.retention_bytes, settings.retention_states, settings.retention_audit
            ),
        ),
        ("limits", format!("{:?}", settings.limits)),
        ("reload", format!("{:?}", settings.reload)),
        ("grace", format!("{:?}", settings.grace)),
        ("log_format", format!("{:?}", settings.log_format)),
        ("log_level", settings.log_level.clone()),
    ]
}

/// The configuration as it is now.
fn state(flags: &Flags) -> ConfigState {
    let environment = super::environment();
    ConfigState::read(config::file(flags, &environment).as_deref(), &environment)
}

/// Notes what a start put in force, where it is not what was noted last; gives the configuration as far as it is noted.
pub(super) async fn note_start(auditor: &Auditor, settings: &Settings, flags: &Flags) -> ConfigState {
    let state = state(flags);
    auditor.note_start(Deed::ConfigLoaded, state.after(None)).await;
    let is_known = settings.files.is_altered() || auditor.last(Deed::MappingsLoaded).await.is_some();
    if is_known {
        auditor.note_start(Deed::MappingsLoaded, of_mappings(&mapping_files::built_in(), &settings.files)).await;
    }
    state
}

impl Reconfigure {
    /// Reads it again whenever SIGHUP comes or a file changes, and never ends.
    pub(super) async fn run(mut self, workers: &mut Workers, mut hangup: Hangup) {
        let (mut late, mut is_soon, mut again) = (None, false, None);
        loop {
            let at = late.unwrap_or_else(Instant::now);
            let who = tokio::select! {
                () = hangup.came() => Some(audit::HANGUP),
                () = self.changes.come() => Some(audit::CHANGED_FILE),
                () = sleep_until(again.unwrap_or(at)), if again.is_some() => None,
                () = sleep_until(at), if late.is_some() => {
                    let goes_on = self.settle().await || is_soon;
                    (late, is_soon) = (goes_on.then(|| Instant::now() + LATE), false);
                    continue;
                }
            };
            supervisor::reloading();
            let is_done = self.reload(workers, who).await;
            supervisor::ready();
            if is_done {
                (late, is_soon) = (Some(Instant::now() + SOON), true);
            }
            again = if self.standing.faults().is_empty() { None } else { self.changes.again_at() };
        }
    }

    /// Reads it again, as somebody says, or because it was refused before: then nothing is said of what is refused for the same
    /// reasons. Says whether anything came of it.
    async fn reload(&mut self, workers: &mut Workers, who: Option<&'static str>) -> bool {
        if self.changes.are_impossible() {
            tracing::info!("SIGHUP: there is no configuration file to read again");
            return false;
        }
        if let Some(who) = who {
            tracing::info!("{who}: the configuration is read");
        }
        let state = state(&self.flags);
        let read = self.read(workers).await;
        if who.is_none() && read.as_ref().is_err_and(|faults| *faults == *self.standing.faults()) {
            return false;
        }
        let who = who.unwrap_or(audit::CHANGED_FILE);
        let (result, failed) = if read.is_ok() { (Reading::Loaded, 0) } else { (Reading::Refused, 1) };
        // Before it is said: whoever has read that looks at the metrics.
        self.ingest.metrics.config_reloads.with_label_values(&[result.word()]).inc();
        self.ingest.metrics.config_reload_failed.set(failed);
        let faults = read.err().unwrap_or_default();
        self.standing.set(faults.clone());
        if failed == 0 {
            tracing::info!("the configuration is loaded and in force");
        } else {
            for fault in &faults {
                tracing::error!("{fault}");
            }
            tracing::error!("the configuration is refused: the one before stays in force");
        }
        self.note(state, &faults, who).await;
        self.ingest.feed.tell(|| Happening::Reload { what: "configuration".to_owned(), faults });
        true
    }

    async fn note(&mut self, state: ConfigState, faults: &[String], who: &'static str) {
        let mut about = state.after(Some(&self.state));
        let what = if faults.is_empty() { Deed::ConfigLoaded } else { Deed::ConfigRefused };
        if faults.is_empty() {
            self.state = state;
        } else {
            about.insert(audit::FAULTS.to_owned(), audit::faults(faults));
        }
        // What was read is in force all the same, and that it is not noted is told.
        let _ = self.auditor.note(who, what, about).await;
    }

    async fn read(&mut self, workers: &mut Workers) -> Result<(), Vec<String>> {
        let mut loaded = config::load(&self.flags, &super::environment()).map_err(|refused| {
            self.changes.are_read(refused.read_files);
            refused.faults.0
        })?;
        self.changes.are_read(std::mem::take(&mut loaded.read_files));
        let rules = self.ingest.rules.load_full();
        let of_destinations = destinations::check(&loaded.routes, &rules);
        let configured = Configured::of(&loaded.routes, destinations::again(&loaded.routes));
        let faults = [of_destinations.faults, configured.missing(&rules)].concat();
        if !faults.is_empty() {
            return Err(faults);
        }
        let now = fixed(&loaded);
        let (routes, all) = routes_of(&mut loaded);
        let reachable = Reachable::new(&all).map_err(|faults| faults.0)?;
        let ready = Ready::all(&loaded.alerts).map_err(|faults| faults.0)?;
        let collector = collector::of(&loaded).map_err(|fault| vec![fault])?;
        // The last that can be refused, as what is reserved stays so.
        let faults = reserve::reserve(&self.numbers, &loaded).await.map_err(|error| vec![error.to_string()])?;
        if !faults.is_empty() {
            return Err(faults);
        }
        let odd = configured.warnings(&rules).len().try_into().unwrap_or(i64::MAX);
        self.ingest.metrics.configuration_warnings.set(odd);
        for warning in of_destinations.warnings {
            tracing::warn!(warning, "configuration");
        }
        for ((name, before), (_, now)) in self.fixed.iter().zip(&now) {
            if before != now {
                tracing::warn!("{name} has changed: that takes a restart");
            }
        }
        foreseen::show(&self.ingest.metrics, &routes, &loaded.alerts);
        say_routes(routes.values().map(|route| &**route), false);
        say_alerts(&loaded.alerts);
        collector::say(&loaded);
        self.ingest.traces.replace(collector);
        self.alerts.replace(ready, names(&all), loaded.alerts_calm);
        self.ingest.forwarding.store(Arc::new(std::mem::take(&mut loaded.forwarding)));
        self.ingest.routes.store(Arc::new(routes));
        self.configured.change(&configured);
        self.tokens.store(Arc::new(std::mem::take(&mut loaded.admin_tokens)));
        self.known = store::known(&all);
        self.settle().await;
        workers.replace(reachable);
        Ok(())
    }

    /// Ends what waits for destinations that are gone.
    /// Says whether something of them is still under way.
    async fn settle(&self) -> bool {
        let settled = self.ingest.store.settle(self.known.clone(), self.ingest.clock.now()).await;
        super::serve::say_settled(settled, &self.ingest.metrics)
    }
}
