// Each kind of wrong input, what it gets, and that everything else goes on. Beside these: `robustness` (fields of every
// example that are missing or of another kind), `ingest` (secrets, small limits), `budgets` (what a mapping may make of a hook).

/// Addresses, rates, wrong secrets, methods and paths.
mod access;
/// Bodies that are no hook.
mod body;
/// Fields of every event that are of another kind.
mod fields;
/// Too much of everything at once.
mod flood;
/// Requests that are none, or that could be taken for two.
mod framing;
/// Senders that take their time, or leave.
mod slow;

use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::wire::{Answer, exchange};
use crate::support::{gitflic_push, wait_for};
use tempfile::TempDir;

/// The secret of the route `/guarded`.
const SECRET: &str = "pewter-spoon-41";

/// A hookglot with an open route `/hooks` that is attacked, a guarded one `/guarded`, and one, `/quiet`, where a good hook must
/// get its 200 whatever happens at the others.
struct Door {
    app: App,
    tool: Receiver,
    _folder: TempDir,
}

impl Door {
    fn new() -> Self {
        Self::with("", "")
    }

    /// With settings of `[limits]`, and of each of the attacked routes.
    fn with(limits: &str, route: &str) -> Self {
        let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
        let mut config = format!("[limits]\n{limits}\n");
        for (name, secret, more) in [("hooks", "none", route), ("guarded", SECRET, route), ("quiet", "none", "")] {
            config.push_str(&format!(
                "[[route]]\npath = \"/{name}\"\nsecret = \"{secret}\"\n{more}\n\
                 [[route.to]]\nname = \"{name}\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
                tool.url
            ));
        }
        let app = App::with_config(folder.path(), &config);
        Self { app, tool, _folder: folder }
    }

    fn refused(&self, route: &str, cause: &str) -> u64 {
        self.app.metric(&format!("hookglot_refused_total{{reason=\"{cause}\",route=\"{route}\"}}")).unwrap_or(0)
    }

    /// Waits until so many requests were refused for a cause.
    #[track_caller]
    fn wait_for_refused(&self, route: &str, cause: &str, count: u64) {
        wait_for(&format!("{count} times {cause} at `{route}`"), || {
            (self.refused(route, cause) == count).then_some(())
        });
    }

    /// Sends bytes that are refused: answered, counted and logged once, and everything else goes on.
    #[track_caller]
    fn refuses(&self, request: &[u8], status: u16, says: &str, (route, cause): (&str, &str)) -> Answer {
        let before = self.refused(route, cause);
        let answer = exchange(&self.app.address, request);
        is_refusal(&answer, status, says);
        self.wait_for_refused(route, cause, before + 1);
        wait_for("a line in the log for each", || (self.lines_of_refusals() == self.all_refused()).then_some(()));
        self.goes_on();
        answer
    }

    fn lines_of_refusals(&self) -> u64 {
        self.app.log().lines().filter(|line| line.contains("outcome=\"refused\"")).count() as u64
    }

    /// How many requests were refused, for whatever cause.
    fn all_refused(&self) -> u64 {
        let metrics = self.app.get_admin("/metrics").body;
        let lines = metrics.lines().filter(|line| line.starts_with("hookglot_refused_total{"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// A good hook on another route gets its 200 and arrives, and the process says that it lives.
    #[track_caller]
    fn goes_on(&self) {
        let before = self.arrived("quiet");
        let answer = self.app.post("/quiet", &[], gitflic_push().as_bytes());
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{answer:?}");
        assert_eq!(self.app.get_admin("/live").status, 200);
        wait_for("the good hook", || (self.arrived("quiet") > before).then_some(()));
    }

    /// How many deliveries have ended well at a destination.
    fn arrived(&self, destination: &str) -> u64 {
        let line = format!("hookglot_deliveries_total{{destination=\"{destination}\",outcome=\"delivered\"}}");
        self.app.metric(&line).unwrap_or(0)
    }

    /// How many hooks a route has taken.
    fn taken(&self, route: &str) -> u64 {
        self.app.metric(&format!("hookglot_hooks_total{{forge=\"gitflic\",route=\"{route}\"}}")).unwrap_or(0)
    }
}

/// A POST to `/hooks` with these header lines.
fn request(lines: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("POST /hooks HTTP/1.1\r\nHost: x\r\n{lines}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A POST of a whole body to `/hooks`.
fn post(body: &[u8]) -> Vec<u8> {
    request(&format!("Content-Length: {}\r\n", body.len()), body)
}

/// Makes sure that an answer is a refusal which says why, in JSON.
#[track_caller]
fn is_refusal(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type").as_deref(), Some("application/json"), "{answer:?}");
    let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains(says), "{says}: {answer:?}");
    assert_eq!(answer.header("retry-after").is_some(), [429, 503].contains(&status), "{answer:?}");
}
