//! Reads changed mapping files while hooks come in: scan, compare, load, put in force. What cannot be loaded is refused
//! whole, and the rules in force stay in force.
//!
//! The folder is read anew each time, not watched file by file: editors rename, `git pull` replaces, and Kubernetes swaps
//! a symbolic link. Metadata that have changed only say when to look; a poll looks in any case.

mod changes;
mod scan;
mod stamp;
mod watch;

pub use changes::Changes;

use crate::audit::files::of_mappings;
use crate::audit::{self, Auditor};
use crate::config::{self, Settings};
use crate::feed::{Feed, Happening};
use crate::mapping::Files;
use crate::metrics::{Metrics, Reading};
use crate::rules::{LiveRules, Rules};
use crate::store::Deed;
use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use watch::Watch;

/// What a reload works on.
pub struct Reload {
    folder: PathBuf,
    timing: config::Reload,
    rules: LiveRules,
    metrics: Metrics,
    configured: Configured,
    feed: Feed,
    /// Where it can be read what was refused.
    standing: Standing,
    /// The files that made the rules in force.
    in_force: Files,
    /// What was refused last, so that it is said once.
    refused: Option<Refused>,
    auditor: Auditor,
    /// What came of the latest look, until it is noted.
    unnoted: Option<(Deed, Map<String, Value>)>,
}

/// What is wrong with the files that were refused last, a line each; nothing when those on the disk are in force.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<ArcSwap<Vec<String>>>);

impl Standing {
    /// What is wrong with them now.
    #[must_use]
    pub fn faults(&self) -> Arc<Vec<String>> {
        self.0.load_full()
    }

    /// Says what is wrong with them from now on.
    pub fn set(&self, faults: Vec<String>) {
        self.0.store(Arc::new(faults));
    }
}

/// What is odd about a configuration beside some rules, a line each.
type Warnings = Box<dyn Fn(&Rules) -> Vec<String> + Send + Sync>;

/// Files that were refused, or why there were none.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Files(Files),
    /// Sound ones, without what the configuration in force needs: another configuration may take them.
    Unfit(Files),
    Unreadable(String),
}

/// What the configuration in force asks of the mapping files. A reload of the configuration changes it.
#[derive(Clone)]
pub struct Configured(Arc<ArcSwap<(Needed, Warnings)>>);

/// The names that it uses and that files give.
#[derive(Debug, Default)]
struct Needed {
    forges: BTreeSet<String>,
    overlays: BTreeSet<String>,
}

impl Reload {
    /// A reload of the folder of the settings; none when they name none. The routes may be taken out by then.
    #[must_use]
    pub fn of(
        settings: &Settings,
        configured: &Configured,
        rules: &LiveRules,
        auditor: &Auditor,
        feed: &Feed,
        standing: &Standing,
        metrics: &Metrics,
    ) -> Option<Self> {
        Some(Self {
            folder: settings.mappings_dir.clone()?,
            timing: settings.reload,
            rules: Arc::clone(rules),
            metrics: metrics.clone(),
            configured: configured.clone(),
            feed: feed.clone(),
            standing: standing.clone(),
            in_force: settings.files.clone(),
            refused: None,
            auditor: auditor.clone(),
            unnoted: None,
        })
    }

    /// Starts to look for changes; ends when the task is aborted.
    #[must_use]
    pub fn start(self) -> JoinHandle<()> {
        // Answered from here on: a signal that nobody waits for would end the process.
        let hangup = signal(SignalKind::hangup());
        tokio::spawn(async {
            if let Ok(hangup) = hangup {
                self.run(hangup).await;
            }
        })
    }

    async fn run(mut self, mut hangup: Signal) {
        let mut watch = Watch::new(&self.folder, self.timing.debounce);
        let mut poll = interval_at(Instant::now() + self.timing.poll, self.timing.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // They may have changed since the start read them, and who changes them may not be done yet.
        watch.is_at_rest().await;
        let who = self.settle(&mut watch, &mut hangup).await;
        self = self.look(who).await;
        loop {
            let who = tokio::select! {
                () = watch.changed() => self.settle(&mut watch, &mut hangup).await,
                _ = hangup.recv() => said_to(),
                _ = poll.tick() => audit::CHANGED_FILE,
            };
            self = self.look(who).await;
        }
    }

    /// Waits until nothing has changed for a while, but not for ever, and not when it is said to look at once. Says who it was.
    async fn settle(&self, watch: &mut Watch, hangup: &mut Signal) -> &'static str {
        let latest = Instant::now() + self.timing.debounce * 10;
        loop {
            tokio::select! {
                _ = hangup.recv() => return said_to(),
                () = sleep(self.timing.debounce) => {}
            }
            if watch.is_at_rest().await || Instant::now() >= latest {
                return audit::CHANGED_FILE;
            }
        }
    }

    /// Compares the files with those in force, and loads them when they differ. Away from the threads that take hooks.
    async fn look(self, who: &str) -> Self {
        let looked = tokio::task::spawn_blocking(move || {
            let mut own = self;
            own.scan();
            own
        });
        match looked.await {
            Ok(own) => own.noted(who).await,
            // Loading does not panic on any file; if it did, nothing could be reloaded any more, and that must be seen.
            // Else the process is about to end.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Notes what came of a look; that it could not be kept is told already.
    async fn noted(mut self, who: &str) -> Self {
        if let Some((what, about)) = self.unnoted.take() {
            let _ = self.auditor.note(who, what, about).await;
        }
        self
    }

    fn scan(&mut self) {
        match scan::stable(&self.folder) {
            Ok(files) if files == self.in_force => self.back_in_force(),
            Ok(files) => self.load(files),
            Err(message) => self.refuse(Refused::Unreadable(message.clone()), &[message]),
        }
    }

    /// The files on disk are those in force again.
    fn back_in_force(&mut self) {
        if self.refused.take().is_some() {
            self.metrics.mappings_reload_failed.set(0);
            tracing::info!("the mapping files are again those in force");
            self.tell(&[]);
            self.unnoted = Some((Deed::MappingsLoaded, of_mappings(&self.in_force, &self.in_force)));
        }
    }

    fn load(&mut self, files: Files) {
        if self.refused.as_ref().is_some_and(|refused| matches!(refused, Refused::Files(known) if *known == files)) {
            return;
        }
        let (rules, warnings) = match Rules::load_for_hooks(&files) {
            Ok(loaded) => loaded,
            Err(faults) => {
                let messages: Vec<String> = faults.sorted().into_iter().map(ToString::to_string).collect();
                return self.refuse(Refused::Files(files), &messages);
            }
        };
        let missing = self.configured.missing(&rules);
        if !missing.is_empty() {
            return self.refuse(Refused::Unfit(files), &missing);
        }
        for warning in warnings.sorted() {
            tracing::warn!(%warning, "mapping file");
        }
        let of_configuration = self.configured.warnings(&rules);
        self.metrics.configuration_warnings.set(of_configuration.len().try_into().unwrap_or(i64::MAX));
        for warning in of_configuration {
            tracing::warn!(warning, "configuration");
        }
        self.rules.store(Arc::new(rules));
        for difference in differences(&self.in_force, &files) {
            tracing::info!("{difference}");
        }
        self.metrics.mappings_reloads.with_label_values(&[Reading::Loaded.word()]).inc();
        self.metrics.mappings_reload_failed.set(0);
        tracing::info!("the mapping files are loaded and in force");
        self.tell(&[]);
        self.unnoted = Some((Deed::MappingsLoaded, of_mappings(&self.in_force, &files)));
        (self.in_force, self.refused) = (files, None);
    }

    fn refuse(&mut self, refused: Refused, messages: &[String]) {
        if self.refused.as_ref() == Some(&refused) {
            return;
        }
        for message in messages {
            tracing::error!("{message}");
        }
        // Before it is said: whoever has read that looks at the metrics.
        self.metrics.mappings_reloads.with_label_values(&[Reading::Refused.word()]).inc();
        self.metrics.mappings_reload_failed.set(1);
        tracing::error!("the mapping files are refused: those loaded before stay in force");
        self.tell(messages);
        self.unnoted = Some((Deed::MappingsRefused, self.about_refused(&refused, messages)));
        self.refused = Some(refused);
    }

    fn about_refused(&self, refused: &Refused, messages: &[String]) -> Map<String, Value> {
        let mut about = match refused {
            Refused::Files(files) | Refused::Unfit(files) => of_mappings(&self.in_force, files),
            Refused::Unreadable(_) => Map::new(),
        };
        about.insert(audit::FAULTS.to_owned(), audit::faults(messages));
        about
    }

    /// Tells what became of changed files.
    fn tell(&self, faults: &[String]) {
        self.standing.set(faults.to_vec());
        self.feed.tell(|| Happening::Reload { what: "mappings".to_owned(), faults: faults.to_vec() });
    }
}

/// What is different in the files of the folder, one line each.
fn differences(before: &Files, now: &Files) -> Vec<String> {
    let own = |files: &'_ Files, shown: &str| !files.is_built_in(shown);
    let new = now.all().filter(|(_, shown)| own(now, shown)).filter_map(|(path, shown)| match before.get(path) {
        Some((old, text)) if old == shown => {
            (now.get(path).map(|(_, text)| text) != Some(text)).then(|| format!("{shown} has changed"))
        }
        _ => Some(format!("{shown} is new")),
    });
    let gone =
        before.all().filter(|(path, shown)| own(before, shown) && now.get(path).is_none_or(|(now, _)| now != *shown));
    let gone = gone.map(|(path, shown)| match now.get(path) {
        Some((other, _)) => format!("{shown} is gone: {other} is in force in its place"),
        None => format!("{shown} is gone"),
    });
    new.chain(gone).collect()
}

/// Answers SIGHUP where there is no folder to read; without an answer it would end the process.
#[must_use]
pub fn nothing_to_read() -> JoinHandle<()> {
    let hangup = signal(SignalKind::hangup());
    tokio::spawn(async {
        let Ok(mut hangup) = hangup else { return };
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: there is no mappings_dir to read again");
        }
    })
}

/// Says who it is who has them read.
fn said_to() -> &'static str {
    tracing::info!("SIGHUP: the mapping files are read");
    audit::HANGUP
}

impl Configured {
    /// What routes ask; `warnings` tells what is odd about them beside the rules that it is given.
    #[must_use]
    pub fn of(routes: &[config::Route], warnings: impl Fn(&Rules) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ArcSwap::from_pointee((Needed::by(routes), Box::new(warnings)))))
    }

    /// Others are in force.
    pub fn change(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    /// What they use and the rules do not have, one line each.
    #[must_use]
    pub fn missing(&self, rules: &Rules) -> Vec<String> {
        self.0.load().0.missing(rules)
    }

    /// What is odd about them beside the rules, one line each.
    #[must_use]
    pub fn warnings(&self, rules: &Rules) -> Vec<String> {
        (self.0.load().1)(rules)
    }
}

impl Needed {
    fn by(routes: &[config::Route]) -> Self {
        let mut needed = Self::default();
        for route in routes {
            needed.forges.extend(route.accept.iter().cloned());
            for to in &route.to {
                if let config::Format::Forge(name) = &to.format {
                    needed.forges.insert(name.clone());
                }
                needed.overlays.extend(to.overlays.iter().cloned());
            }
        }
        needed
    }

    /// What the configuration uses and the rules do not have.
    fn missing(&self, rules: &Rules) -> Vec<String> {
        let forges = self.forges.iter().filter(|name| rules.forges.named(name).is_none());
        let forges = forges.map(|name| format!("the forge {name} is gone, and a route or destination uses it"));
        let overlays = self.overlays.iter().filter(|name| rules.overlays.named(name).is_none());
        let overlays = overlays.map(|name| format!("the overlay {name} is gone, and a destination uses it"));
        forges.chain(overlays).collect()
    }
}
