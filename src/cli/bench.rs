//! `hookglot bench`: a bounded load on a running proxy of this machine, and what came of it. It sends from one thread with
//! requests that are ready, and reads no more of answers than it must, so that it costs little beside what it measures.

mod load;
mod place;
mod process;
mod report;
mod request;
mod sink;
mod tally;
mod wire;

use super::{FAILED, out};
use crate::secret::Secret;
use clap::Args;
use load::Load;
use place::Place;
use process::Process;
use report::Report;
use request::Request;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tally::Tally;

/// A push of GitFlic with ten commits.
const PUSH: &[u8] = include_bytes!("bench/push.json");
/// How often it is looked whether everything has arrived.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Where the hooks go: a route of a proxy on this machine, `http://127.0.0.1:8080/` for one
    #[arg(long, value_name = "URL")]
    url: Private,
    /// How many hooks are sent
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    hooks: u32,
    /// Over how many connections, each of which sends one hook after another
    #[arg(long, value_name = "C", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// The body of each hook; the commits in it get hashes of each hook's own [default: a push of GitFlic, 4 KB]
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// A header that each hook is sent with; several in their order
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<Private>,
    /// A file whose first line is the secret of the route; it is sent as the body's forge sends it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Listen here as the destination: answer 200 at once, and tell what arrives, how late, and what does not
    #[arg(long, value_name = "ADDRESS")]
    sink: Option<SocketAddr>,
    /// A process to measure, its CPU time and its memory; several in their order
    #[arg(long, value_name = "PID")]
    pid: Vec<u32>,
    /// How many seconds an answer may take, and how long nothing may arrive, before it counts as never
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What somebody may have put a secret in: it does not show, not in messages of a wrong command line either.
#[derive(Clone)]
struct Private(String);

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[not shown]")
    }
}

pub(super) fn run(args: &BenchArgs) -> ExitCode {
    match bench(args) {
        Ok(report) => {
            if args.json {
                out::line(&report.json());
            } else {
                out::line(&report.text());
            }
            out::error(report.faults().join("\n"));
            if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
        }
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

fn bench(args: &BenchArgs) -> Result<Report, String> {
    let place = Place::new(&args.url.0)?;
    let body = match &args.body {
        Some(file) => std::fs::read(file).map_err(|error| format!("--body {}: {error}", file.display()))?,
        None => PUSH.to_vec(),
    };
    let headers: Vec<&str> = args.headers.iter().map(|header| header.0.as_str()).collect();
    let request = Request::new(&place, &headers, secret(args)?.as_ref(), body)?;
    // One file for each connection; where that is not allowed, connecting says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string());
    runtime?.block_on(measure(args, &place, Arc::new(request)))
}

fn secret(args: &BenchArgs) -> Result<Option<Secret>, String> {
    let Some(file) = &args.secret_file else { return Ok(None) };
    let wrong = |message: &dyn fmt::Display| format!("--secret-file {}: {message}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let secret = text.lines().find_map(Secret::new).ok_or_else(|| wrong(&"there is no secret in it"))?;
    Ok(Some(secret))
}

async fn measure(args: &BenchArgs, place: &Place, request: Arc<Request>) -> Result<Report, String> {
    let patience = Duration::from_secs(args.patience);
    let tally = Arc::new(Mutex::new(Tally::new(args.hooks, request.has_mark())));
    if let Some(address) = args.sink {
        sink::listen(address, &request, &tally).await?;
    }
    load::knock(place.address, patience).await?;
    let mut processes = args.pid.iter().map(|pid| Process::new(*pid)).collect::<Result<Vec<_>, _>>()?;
    let mut own = Process::new(std::process::id())?;
    let begun = Instant::now();
    let load = Load { address: place.address, request: Arc::clone(&request), tally: Arc::clone(&tally), patience };
    load.send(args.hooks, args.connections).await;
    if args.sink.is_some() {
        wait_for_the_rest(&tally, patience).await;
    }
    processes.iter_mut().chain([&mut own]).for_each(Process::end);
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Report::new(&tally, begun, request.body_len(), args.connections, args.sink.is_some()).of(&processes, &own))
}

/// Waits until every accepted hook has arrived, or nothing has for so long that nothing will.
async fn wait_for_the_rest(tally: &Mutex<Tally>, patience: Duration) {
    let sent = Instant::now();
    loop {
        let (missing, last) = {
            let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            (tally.missing(), tally.last_request())
        };
        if missing == 0 || last.map_or(sent, |last| last.max(sent)).elapsed() >= patience {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
