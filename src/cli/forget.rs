//! `hookglot forget`: has a running hookglot erase what it stores of somebody, or of a project. It is counted first, and
//! asked about on a terminal.

use super::{FAILED, out};
use crate::admin::erase::{AskedErasure, ErasedShown};
use crate::admin::problem::Problem;
use crate::secret::Secret;
use clap::Args;
use std::collections::HashMap;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;
use url::Url;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take to look through everything that is stored.
const PATIENCE: Duration = Duration::from_hours(1);

/// What to erase.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// A name, user name, e-mail address or id: every hook in which it occurs as whole words
    #[arg(long, value_name = "TEXT")]
    user: Option<String>,
    /// A project's path (owner/alias), UUID or number
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// End deliveries that wait as failed, and erase them, too; else they and their hooks are left
    #[arg(long)]
    pending: bool,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// The admin port of the running hookglot [env: `HOOKGLOT_ADMIN_URL`] [default: <http://127.0.0.1:9090>, or the port of
    /// `HOOKGLOT_ADMIN_LISTEN`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(super) fn run(args: &ForgetArgs) -> ExitCode {
    match forget(args) {
        Ok(is_whole) => {
            if is_whole {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FAILED)
            }
        }
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

/// Says whether nothing of it is left.
fn forget(args: &ForgetArgs) -> Result<bool, String> {
    let api = Api::of(args.url.as_deref(), &super::environment())?;
    let asked = AskedErasure {
        user: args.whose.user.clone(),
        project: args.whose.project.clone(),
        pending: args.pending,
        dry_run: args.dry_run || !args.yes,
    };
    let counted = api.erase(&asked)?;
    if args.yes {
        return Ok(say(&counted, "erased"));
    }
    say(&counted, "would be erased");
    if args.dry_run {
        return Ok(true);
    }
    if !agrees()? {
        return Err("nothing was erased".to_owned());
    }
    Ok(say(&api.erase(&AskedErasure { dry_run: false, ..asked })?, "erased"))
}

fn say(erased: &ErasedShown, done: &str) -> bool {
    let ErasedShown { hooks, deliveries, attempts, remembered, recordings, .. } = erased;
    out::line(&format!(
        "{hooks} hooks with {deliveries} deliveries and {attempts} attempts, {remembered} remembered objects and \
         {recordings} recorded hooks {done}"
    ));
    if erased.pending_ended > 0 {
        out::line(&format!("{} of the deliveries were waiting: they end as failed", erased.pending_ended));
    }
    if erased.pending_left > 0 {
        out::line(&format!(
            "{} deliveries wait or are under way, and are left with their hooks: forget again when they have ended, or \
             with --pending",
            erased.pending_left
        ));
    }
    if erased.may_linger {
        out::line("somebody reads the store all the time (a backup?): bytes may linger in its files, forget again");
    }
    erased.pending_left == 0 && !erased.may_linger
}

/// Asks on the terminal.
fn agrees() -> Result<bool, String> {
    if !std::io::stdin().is_terminal() {
        return Err("nothing was erased: there is no terminal to ask on; --yes erases without asking".to_owned());
    }
    out::bytes(b"Erase it? It cannot be brought back. [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| error.to_string())?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The admin API of a running hookglot.
struct Api {
    url: Url,
    token: Secret,
}

impl Api {
    fn of(url: Option<&str>, environment: &HashMap<String, String>) -> Result<Self, String> {
        let given = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let listens = given("HOOKGLOT_ADMIN_LISTEN").map_or("127.0.0.1:9090", String::as_str);
        // One that listens everywhere is asked on the loopback.
        let listens = listens.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
        let url = url.map(str::to_owned).or_else(|| given("HOOKGLOT_ADMIN_URL").cloned());
        let url = url.unwrap_or_else(|| format!("http://{listens}"));
        let token = match (given("HOOKGLOT_ADMIN_TOKEN"), given("HOOKGLOT_ADMIN_TOKEN_FILE")) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).map_err(|error| format!("HOOKGLOT_ADMIN_TOKEN_FILE {file}: {error}"))?
            }
            (None, None) => String::new(),
        };
        let missing = "set HOOKGLOT_ADMIN_TOKEN, or HOOKGLOT_ADMIN_TOKEN_FILE, to a token with rights = \"write\"";
        Ok(Self {
            url: Url::parse(&url)
                .map_err(|error| format!("--url: not a URL such as http://127.0.0.1:9090: {error}"))?,
            token: Secret::new(&token).ok_or(missing)?,
        })
    }

    fn erase(&self, asked: &AskedErasure) -> Result<ErasedShown, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (status, body) = runtime.map_err(|error| error.to_string())?.block_on(self.post(asked))?;
        if status == 200 {
            return serde_json::from_slice(&body).map_err(|error| format!("not the answer of a hookglot: {error}"));
        }
        let problem = serde_json::from_slice::<Problem>(&body).map(|problem| problem.error);
        Err(problem.unwrap_or_else(|_| format!("answered {status}: is this the admin port of a hookglot?")))
    }

    async fn post(&self, asked: &AskedErasure) -> Result<(u16, Vec<u8>), String> {
        let wrong = |error: &reqwest::Error| {
            let (mut text, mut source) = (String::new(), std::error::Error::source(error));
            while let Some(cause) = source {
                text = format!(": {cause}");
                source = cause.source();
            }
            let place = format!("{}{}", self.url.host_str().unwrap_or_default(), self.port());
            format!("{place} does not answer{text}: --url, or HOOKGLOT_ADMIN_URL, says where the admin port is")
        };
        let tls = crate::delivery::trusted()?;
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| wrong(&error))?;
        let url = self.url.join("/api/v1/erase").map_err(|error| error.to_string())?;
        let order = serde_json::to_vec(asked).map_err(|error| error.to_string())?;
        let request = client.post(url).bearer_auth(self.token.reveal()).body(order);
        let answer = request.send().await.map_err(|error| wrong(&error))?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await.map_err(|error| wrong(&error))?.to_vec()))
    }

    fn port(&self) -> String {
        self.url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default()
    }
}
