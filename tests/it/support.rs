//! A running hookglot, a scripted tool, and a client that sends any bytes.

pub mod app;
pub mod asker;
pub mod clock;
pub mod collector;
pub mod load;
pub mod process;
pub mod receiver;
pub mod script;
pub mod shapes;
pub mod signer;
pub mod terminal;
pub mod tls;
pub mod tls_client;
pub mod tool;
pub mod wire;

use hookglot::forge::{Forge, Header};
use hookglot::mapping::json::Document;
use hookglot::store::Hook;
use std::time::{Duration, Instant};

/// How long anything in these tests may take before it counts as never; conditions are waited for, not time.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until a condition gives something; panics with its name when it does not within [`DEADLINE`].
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < until, "waited {DEADLINE:?} for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A file of the project.
pub fn project_file(path: &str) -> String {
    let whole = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{whole}: {error}"))
}

/// An example hook of GitFlic: a push to a branch.
pub fn gitflic_push() -> String {
    project_file("mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json")
}

/// An example hook of GitLab: a push to a branch.
pub fn gitlab_push() -> String {
    project_file("mappings/gitlab-to-gitflic/examples/push.json")
}

/// A hook as it would be stored when it came in on the route `/`, or what of it cannot be worked out.
pub fn stored(forge: &Forge, headers: Vec<Header>, body: Vec<u8>) -> Result<Hook, String> {
    let document = Document::parse(&body).map_err(|error| error.to_string())?;
    let identity = forge.identify(document.root(), &headers).map_err(|failure| failure.to_string())?;
    Ok(Hook {
        id: uuid::Uuid::now_v7(),
        route: "/".to_owned(),
        forge: forge.name().to_owned(),
        event: identity.event,
        project: identity.project,
        instance: identity.instance,
        delivery_key: identity.delivery_key,
        hops: 0,
        received_at: jiff::Timestamp::now(),
        headers,
        body: body.into(),
        seen: None,
        known: None,
    })
}
