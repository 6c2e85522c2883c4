//! `hookglot serve`: start-up and stop, from top to bottom.

use super::{FAILED, WRONG_CONFIGURATION, destinations, findings, open_files, out};
use crate::admin::{self, Readiness};
use crate::config::{self, Destination, Flags, HiddenUrl, Settings};
use crate::delivery::{Delivery, Workers};
use crate::forge::Forges;
use crate::ingest::{self, Gate, Ingest, Route};
use crate::mapping::{Diagnostics, Files};
use crate::metrics::Metrics;
use crate::reload::{self, Reload};
use crate::rules::{LiveRules, Rules, folders};
use crate::store::{Ending, Store, memory::MemoryStore};
use crate::{echo, telemetry};
use actix_web::dev::{Server, ServerHandle};
use jiff::Timestamp;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout_at};
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
    let settings = config::load(flags, &super::environment()).map_err(Ended::refused)?;
    telemetry::start(settings.log_format, &settings.log_level).map_err(Ended::wrong)?;
    let (rules, warnings) = Rules::load(&settings.files).map_err(|faults| Ended::mappings(faults, &settings.files))?;
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
    let runtime = tokio::runtime::Runtime::new().map_err(Ended::failed)?;
    runtime.block_on(serve(settings, rules.live()))
}

async fn serve(mut settings: Settings, rules: LiveRules) -> Result<(), Ended> {
    open_files::fit(&mut settings.limits);
    let listener = bind("listen", settings.listen)?;
    let admin_listener = bind("admin_listen", settings.admin_listen)?;
    let echo = if settings.demo { Some(start_echo(&mut settings, &rules.load().forges)?) } else { None };
    let metrics = Metrics::new().map_err(Ended::failed)?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(settings.limits.stored));
    let warnings = destinations::again(&settings.routes);
    metrics.configuration_warnings.set(warnings(&rules.load()).len().try_into().unwrap_or(i64::MAX));
    let reload = Reload::of(&settings, &rules, &metrics).map(|reload| reload.telling(warnings));
    let (routes, destinations) = routes(&mut settings);
    let delivery = Delivery { store: Arc::clone(&store), rules: Arc::clone(&rules), metrics: metrics.clone() };
    let workers = delivery.start(&destinations).map_err(Ended::wrong)?;
    let ingest = Ingest {
        routes: routes.into_iter().map(|route| (route.path.clone(), route)).collect(),
        rules,
        store: Arc::clone(&store),
        doorbells: workers.doorbells(),
        metrics: metrics.clone(),
        limits: settings.limits,
    };
    let readiness = Readiness::default();
    let (hooks_at, admin_at) = (address(&listener)?, address(&admin_listener)?);
    say_start(&settings, &ingest, hooks_at, admin_at, store.is_durable());
    let hooks = spawn(ingest::serve(Arc::new(ingest), listener, settings.grace).map_err(Ended::failed)?);
    let admin = spawn(admin::serve(metrics, readiness.clone(), admin_listener).map_err(Ended::failed)?);
    let reload = reload.map_or_else(reload::nothing_to_read, Reload::start);
    readiness.set(true);
    if settings.demo {
        say_demo(hooks_at);
    }
    stop_signal().await;
    readiness.set(false);
    reload.abort();
    stop(hooks, workers, settings.grace).await;
    say_lost(store.as_ref(), &destinations).await;
    admin.stop(false).await;
    if let Some(echo) = echo {
        echo.stop(false).await;
    }
    Ok(())
}

fn bind(setting: &str, at: SocketAddr) -> Result<TcpListener, Ended> {
    TcpListener::bind(at).map_err(|error| Ended::failed(format!("{setting} {at}: {error}")))
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
    let listener = bind("echo", ([127, 0, 0, 1], 0).into())?;
    let url = Url::parse(&format!("http://{}/", address(&listener)?)).map_err(Ended::failed)?;
    for destination in settings.routes.iter_mut().flat_map(|route| &mut route.to) {
        destination.url = HiddenUrl::new(url.clone());
    }
    Ok(spawn(echo::serve(forges, listener).map_err(Ended::failed)?))
}

fn routes(settings: &mut Settings) -> (Vec<Route>, Vec<Arc<Destination>>) {
    let mut all = Vec::new();
    let sign_in_failures = settings.limits.sign_in_failures;
    let routes = std::mem::take(&mut settings.routes).into_iter().map(|route| {
        let to: Vec<Arc<Destination>> = route.to.into_iter().map(Arc::new).collect();
        all.extend(to.iter().cloned());
        let gate = Gate::new(route.allow_from, route.rate_limit, sign_in_failures);
        Route { path: route.path, accept: route.accept, access: route.access, gate, to }
    });
    (routes.collect(), all)
}

fn say_start(settings: &Settings, ingest: &Ingest, hooks_at: SocketAddr, admin_at: SocketAddr, durable: bool) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "hookglot");
    for route in ingest.routes.values() {
        let (open, signed) = (route.access.is_open(), !route.access.signing_keys.is_empty());
        tracing::info!(path = route.path, accept = route.accept.join(","), open, signed, "route");
        if open && !settings.demo {
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
    if !durable {
        let unused = settings.data_dir.display();
        tracing::warn!(
            "hooks are kept in memory: those that wait for delivery are lost with the process ({unused} is not used)"
        );
    }
    tracing::info!("admin listens on http://{admin_at}");
    tracing::info!("hooks come in on http://{hooks_at}");
}

fn say_demo(at: SocketAddr) {
    out::line(&format!(
        "hookglot demonstration: send a hook of either forge to http://{at}/ and see it arrive in the other's format.\n\
         For example: curl -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json http://{at}/"
    ));
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without signals only SIGKILL ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Stops taking hooks, lets what is in flight come to its end, and gives up when the grace time is over.
async fn stop(hooks: ServerHandle, workers: Workers, grace: Duration) {
    tracing::info!(grace_seconds = grace.as_secs(), "stopping: what is in flight is finished first");
    let deadline = Instant::now() + grace;
    let in_time = async {
        hooks.stop(true).await;
        workers.stop().await;
    };
    if timeout_at(deadline, in_time).await.is_err() {
        tracing::warn!("the grace time is over: what is still in flight is cut off");
    }
}

/// Says what a store that does not outlive the process takes with it, hook by hook, so that it can be sent again.
async fn say_lost(store: &dyn Store, destinations: &[Arc<Destination>]) {
    if !store.is_durable() {
        for destination in destinations {
            let name = &destination.name;
            while let Ok(Some(lost)) = store.claim(name, Timestamp::MAX, Duration::ZERO).await {
                let (hook, event) = (lost.hook.id.to_string(), &lost.hook.event);
                tracing::error!(hook, destination = name, event, attempts = lost.attempts, "lost: it waited in memory");
                if store.finish(lost.delivery, Ending::Failed("lost".to_owned())).await.is_err() {
                    break;
                }
            }
        }
    }
    tracing::info!("stopped");
}
