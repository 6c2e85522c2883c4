//! `hookglot serve`: start-up and stop, from top to bottom.

use super::reconfigure::{self, Reconfigure};
use super::signals::Signals;
use super::sockets::{self, Sockets};
use super::stop::stop;
use super::{
    FAILED, WRONG_CONFIGURATION, allocator, check, collector, destinations, findings, foreseen, open_files, out, parts,
    reserve, store, supervisor,
};
use crate::admin::{self, Readiness};
use crate::alerts;
use crate::audit::Auditor;
use crate::config::{self, Destination, Flags, HiddenUrl, Settings};
use crate::delivery::{Reachable, Workers, upkeep};
use crate::feed::Feed;
use crate::forge::Forges;
use crate::ingest::{self, Certificate, Gate, Ingest, Route};
use crate::known::Known;
use crate::mapping::{Diagnostics, Files};
use crate::metrics::{Metrics, Outcome};
use crate::reload::{self, Changes, Configured, Reload, Standing};
use crate::rules::{LiveRules, Rules, folders};
use crate::store::{Ending, Most, Removed, Report, Retention, Store, StoreError, Then};
use crate::{echo, telemetry};
use actix_web::dev::{Server, ServerHandle};
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use url::Url;

/// Why `serve` ended, and the exit code that says so.
struct Ended {
    message: String,
    code: u8,
    /// Findings in files; they begin with `file:line:col`, as editors want them.
    findings: Diagnostics,
    /// The files that they are about.
    files: Box<Files>,
}

impl Ended {
    fn new(message: impl std::fmt::Display, code: u8) -> Self {
        Self { message: message.to_string(), code, findings: Diagnostics::default(), files: Box::default() }
    }

    fn failed(message: impl std::fmt::Display) -> Self {
        Self::new(message, FAILED)
    }

    fn wrong(message: impl std::fmt::Display) -> Self {
        Self::new(message, WRONG_CONFIGURATION)
    }

    fn mappings(findings: Diagnostics, files: &Files) -> Self {
        Self { findings, files: Box::new(files.clone()), ..Self::wrong("") }
    }

    /// The faults of the configuration, and those of the mapping files beside them.
    fn refused(refused: config::Refused) -> Self {
        let findings = Rules::load(&refused.files).err().unwrap_or_default();
        Self { findings, ..Self { files: refused.files, ..Self::wrong(refused.faults) } }
    }
}

pub(super) fn run(flags: &Flags) -> ExitCode {
    match start(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            out::error(ended.message);
            findings::print(&ended.findings, &ended.files);
            ExitCode::from(ended.code)
        }
    }
}

fn start(flags: &Flags) -> Result<(), Ended> {
    // Before anything is open.
    allocator::begin_with_delay();
    // Huge pages would double what it takes at rest, in small pieces. Where the system has none, none are refused.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    // Before there are threads.
    let sockets = Sockets::take().map_err(Ended::wrong)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Ended::failed)?;
    let signals = runtime.block_on(async { Signals::listen() });
    let settings = config::load(flags, &super::environment()).map_err(Ended::refused)?;
    telemetry::start(settings.log_format, &settings.log_level).map_err(Ended::wrong)?;
    let (rules, warnings) =
        Rules::load_for_hooks(&settings.files).map_err(|faults| Ended::mappings(faults, &settings.files))?;
    for change in folders::changes(&settings.files) {
        tracing::info!("{change}");
    }
    for warning in warnings.sorted() {
        tracing::warn!(%warning, "mapping file");
    }
    let of_destinations = destinations::check(&settings.routes, &rules);
    if !of_destinations.faults.is_empty() {
        return Err(Ended::wrong(of_destinations.faults.join("\n")));
    }
    for variable in &settings.empty_variables {
        tracing::warn!("{variable} is empty: it is as if it were not set");
    }
    for warning in of_destinations.warnings {
        tracing::warn!(warning, "configuration");
    }
    runtime.block_on(serve(settings, rules.live(), flags, signals, sockets))
}

async fn serve(
    mut settings: Settings,
    rules: LiveRules,
    flags: &Flags,
    mut signals: Signals,
    mut sockets: Sockets,
) -> Result<(), Ended> {
    open_files::fit(&mut settings.limits);
    let metrics = Metrics::new().map_err(Ended::failed)?;
    let (store, used) = store::open(&settings, &metrics).map_err(Ended::failed)?;
    let echo = if settings.demo { Some(start_echo(&mut settings, &rules.load().forges)?) } else { None };
    let configured = Configured::of(&settings.routes, destinations::again(&settings.routes));
    let warnings = configured.warnings(&rules.load()).len();
    metrics.configuration_warnings.set(warnings.try_into().unwrap_or(i64::MAX));
    let (feed, of_mappings, of_configuration) = (Feed::default(), Standing::default(), Standing::default());
    let auditor = Auditor::new(&store, &metrics);
    let reload = Reload::of(&settings, &configured, &rules, &auditor, &feed, &of_mappings, &metrics);
    let at_least = longest_window(&settings.routes);
    let (routes, destinations) = routes_of(&mut settings);
    foreseen::show(&metrics, &routes, &settings.alerts);
    let known = start_known(&store, &settings).await?;
    let delivery = parts::delivery(&store, known, rules, &metrics, &feed, &settings);
    let reachable = Reachable::new(&destinations).map_err(Ended::wrong)?;
    let ready = alerts::Ready::all(&settings.alerts).map_err(Ended::wrong)?;
    let collector = collector::of(&settings).map_err(Ended::wrong)?;
    let certificate = settings.tls.clone().map(|files| Certificate::read(files, settings.reload, &metrics, &feed));
    let certificate = certificate.transpose().map_err(Ended::wrong)?;
    let acceptor = certificate.as_ref().map(Certificate::acceptor).transpose().map_err(Ended::failed)?;
    let settled = store.settle(store::known(&destinations), delivery.clock.now()).await;
    say_settled(Ok(settled.map_err(|error| Ended::failed(store::refused(&error, &settings)))?), &metrics);
    // From here on somebody may connect: the store is sound, and signals are listened to.
    let listener = sockets.hooks(settings.listen).map_err(Ended::failed)?;
    let admin_listener = sockets.admin(settings.admin_listen).map_err(Ended::failed)?;
    let names = reconfigure::names(&destinations);
    let place = (settings.data_dir.clone(), check::command(flags, settings.mappings_dir.as_deref()));
    let alerts = alerts::start(ready, names, settings.alerts_calm, place, metrics, feed);
    delivery.traces.replace(collector);
    let mut workers = Workers::start(Arc::clone(&delivery), reachable);
    let (age, bytes, states) = (settings.retention_age, settings.retention_bytes, settings.retention_states);
    let keep = Retention { age, at_least, bytes, states, audit: settings.retention_audit };
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&delivery), keep, used, settings.limits.nearly_full));
    let ingest = parts::ingest(&delivery, routes, acceptor, &settings);
    let readiness = Readiness::default();
    let (hooks_at, admin_at) = (address(&listener)?, address(&admin_listener)?);
    say_start(&settings, &ingest, hooks_at, admin_at, store.is_durable());
    let hooks = spawn(ingest::serve(Arc::clone(&ingest), listener, settings.grace).map_err(Ended::failed)?);
    let standing = (of_mappings, of_configuration.clone());
    let desk = parts::desk(&delivery, &ingest, &configured, standing, &mut settings);
    let tokens = Arc::clone(&desk.tokens);
    let admin = spawn(admin::serve(desk, readiness.clone(), admin_listener).map_err(Ended::failed)?);
    let state = reconfigure::note_start(&auditor, &settings, flags).await;
    let reload = reload.map_or_else(reload::nothing_to_read, Reload::start);
    let certificate = certificate.map(Certificate::watch);
    let fixed = reconfigure::fixed(&settings);
    let (numbers, known) = (Arc::clone(&delivery.known), store::known(&destinations));
    let (standing, alerting, heads) = (of_configuration, alerts.alerts(), ingest.heads.clone());
    let flags = flags.clone();
    let reconfigure = Reconfigure {
        flags,
        ingest,
        numbers,
        configured,
        tokens,
        fixed,
        standing,
        known,
        changes: Changes::of(&settings),
        alerts: alerting,
        auditor,
        state,
    };
    readiness.set(true);
    supervisor::ready();
    if settings.demo {
        say_demo(&url(&settings, hooks_at));
    }
    let hangup = signals.take_hangup();
    tokio::select! {
        () = signals.stop() => {}
        () = reconfigure.run(&mut workers, hangup) => {}
    }
    readiness.set(false);
    supervisor::stopping();
    reload.abort();
    certificate.inspect(JoinHandle::abort);
    stop((hooks, heads), workers, &delivery.acks, store.is_durable(), alerts, &delivery.traces, settings.grace).await;
    upkeep.abort();
    say_lost(store.as_ref()).await;
    admin.stop(false).await;
    if let Some(echo) = echo {
        echo.stop(false).await;
    }
    Ok(())
}

/// What is known beyond the hooks, with what the configuration says of it.
async fn start_known(store: &Arc<dyn Store>, settings: &Settings) -> Result<Arc<Known>, Ended> {
    let failed = |error| Ended::failed(store::refused(&error, settings));
    let known = Known::of(store).await.map_err(failed)?;
    let faults = reserve::reserve(&known, settings).await.map_err(failed)?;
    if faults.is_empty() { Ok(known) } else { Err(Ended::wrong(faults.join("\n"))) }
}

/// For how long what was delivered must be kept at least, so that what comes again is known. A longer window of a
/// configuration that is read again counts from the next start on.
fn longest_window(routes: &[config::Route]) -> Duration {
    let finding = routes.iter().filter(|route| route.duplicates != config::Duplicates::None);
    finding.map(|route| route.duplicate_window).max().unwrap_or_default()
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Ended> {
    listener.local_addr().map_err(Ended::failed)
}

fn spawn(server: Server) -> ServerHandle {
    let handle = server.handle();
    tokio::spawn(server);
    handle
}

/// Starts the receiver of the demonstration on a free port, and leads the demonstration's destination to it.
fn start_echo(settings: &mut Settings, forges: &Forges) -> Result<ServerHandle, Ended> {
    let listener = sockets::bind("echo", ([127, 0, 0, 1], 0).into()).map_err(Ended::failed)?;
    let url = Url::parse(&format!("http://{}/", address(&listener)?)).map_err(Ended::failed)?;
    for destination in settings.routes.iter_mut().flat_map(|route| &mut route.to) {
        destination.url = HiddenUrl::new(url.clone());
    }
    Ok(spawn(echo::serve(forges, listener).map_err(Ended::failed)?))
}

/// The routes as they take hooks in, by path, and all their destinations.
pub(super) fn routes_of(settings: &mut Settings) -> (HashMap<String, Arc<Route>>, Vec<Arc<Destination>>) {
    let mut all = Vec::new();
    let sign_in_failures = settings.limits.sign_in_failures;
    let routes = std::mem::take(&mut settings.routes).into_iter().map(|route| {
        let to: Vec<Arc<Destination>> = route.to.into_iter().map(Arc::new).collect();
        all.extend(to.iter().cloned());
        let gate = Gate::new(route.allow_from, route.rate_limit, sign_in_failures);
        let config::Route { path, accept, access, ack, duplicates, duplicate_window, record: records, .. } =
            config::Route { to: Vec::new(), allow_from: Vec::new(), ..route };
        (path.clone(), Arc::new(Route { path, accept, access, gate, ack, duplicates, duplicate_window, records, to }))
    });
    (routes.collect(), all)
}

/// Says what is accepted where, and where it goes.
pub(super) fn say_routes<'r>(routes: impl Iterator<Item = &'r Route>, demo: bool) {
    for route in routes {
        let (open, signed) = (route.access.is_open(), !route.access.signing_keys.is_empty());
        tracing::info!(path = route.path, accept = route.accept.join(","), open, signed, "route");
        if open && !demo {
            tracing::warn!(path = route.path, "anybody who reaches this route can send hooks: its secret is none");
        }
        for to in &route.to {
            let format = match &to.format {
                config::Format::Forge(name) => name,
                config::Format::Other => "other",
            };
            tracing::info!(destination = to.name, route = route.path, url = %to.url, format, "destination");
        }
    }
}

/// Says what is posted where.
pub(super) fn say_alerts(alerts: &[config::Alert]) {
    for alert in alerts {
        let on: Vec<&str> = alert.on.iter().map(|trouble| trouble.word()).collect();
        tracing::info!(alert = alert.name, url = alert.shown(), on = on.join(","), "alert");
    }
}

/// Says which deliveries ended because their destination is gone.
/// Whether something of them is still under way, so that it must be looked again.
pub(super) fn say_settled(settled: Result<Vec<Removed>, StoreError>, metrics: &Metrics) -> bool {
    let removed = settled.unwrap_or_else(|error| {
        metrics.count_store_error(&error);
        tracing::error!(%error, "deliveries of destinations that are gone cannot be ended");
        Vec::new()
    });
    for Removed { destination, ended, hooks, .. } in removed.iter().filter(|removed| removed.ended > 0) {
        metrics.deliveries.with_label_values(&[destination.as_str(), Outcome::Failed.word()]).inc_by(*ended);
        for hook in hooks {
            let hook = hook.to_string();
            tracing::error!(hook, destination, reason = "destination removed", "failed");
        }
        let deliveries = ended;
        tracing::error!(
            destination,
            deliveries,
            reason = "destination removed",
            "failed: all that waited for it; hookglot deliveries list --destination {destination} --state failed names them"
        );
    }
    removed.iter().any(|removed| removed.under_way > 0)
}

fn say_start(settings: &Settings, ingest: &Ingest, hooks_at: SocketAddr, admin_at: SocketAddr, durable: bool) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "hookglot");
    say_routes(ingest.routes.load().values().map(|route| &**route), settings.demo);
    say_alerts(&settings.alerts);
    collector::say(settings);
    if durable {
        // Where it is started decides where a relative one is.
        let folder = std::path::absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
        tracing::info!("hooks are kept in {}", folder.display());
    } else {
        tracing::warn!(
            "hooks are kept in memory: those that wait for delivery are lost with the process (store = \"sqlite\" keeps them)"
        );
    }
    tracing::info!("admin listens on http://{admin_at}");
    tracing::info!("hooks come in on {}", url(settings, hooks_at));
}

/// Where hooks come in, as a forge is told it.
fn url(settings: &Settings, hooks_at: SocketAddr) -> String {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{hooks_at}")
}

fn say_demo(at: &str) {
    out::line(&format!(
        "hookglot demonstration: send a hook of either forge to {at}/ and see it arrive in the other's format.\n\
         For example: curl -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json {at}/"
    ));
}

/// Says what a store that does not outlive the process takes with it, hook by hook, so that it can be sent again; closes it.
async fn say_lost(store: &dyn Store) {
    let queues = if store.is_durable() { Vec::new() } else { store.queues().await.unwrap_or_default() };
    for queue in queues.into_iter().filter(|queue| queue.pending > 0) {
        let destination = &queue.destination;
        let lose = || store.claim(destination, Timestamp::MAX, Duration::ZERO, Most::ONE);
        while let Some(lost) = lose().await.ok().and_then(|mut lost| lost.pop()) {
            let (hook, event) = (lost.hook.id.to_string(), &lost.hook.event);
            tracing::error!(hook, destination, event, attempts = lost.attempts, "lost: it waited in memory");
            let then = Then::Ended(Ending::Failed("lost".to_owned()));
            let report = Report { delivery: lost.delivery, attempt: None, then, now: Timestamp::MAX };
            if store.record(vec![report]).await.is_err() {
                break;
            }
        }
    }
    match store.close().await {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => tracing::error!(%error, "stopped, but the store was not closed: the next start puts it in order"),
    }
}
