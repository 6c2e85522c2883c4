//! Erases what is stored of somebody, or of a project.

use super::Desk;
use super::access::Writer;
use super::bare::Bare;
use super::problem::{Problem, Refusal};
use crate::audit::files::sha256;
use crate::metrics::Outcome;
use crate::store::{Deed, Erased, Erasure, StoreError, Whose};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A shorter text would be found in nearly everything.
const SHORTEST: usize = 3;
const LONGEST: usize = 1_000;

/// What to erase: either of somebody or of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedErasure {
    /// A name, user name, e-mail address or id: every hook in which it occurs as whole words, in capital letters or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 1000)]
    pub user: Option<String>,
    /// What stands for a project, as hooks are shown with it, or its path (`owner/alias`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1000)]
    pub project: Option<String>,
    /// Whether deliveries that wait end as failed, `erased`; else they and their hooks are left.
    pub pending: bool,
    /// Whether it is only counted.
    pub dry_run: bool,
}

/// What was erased, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedShown {
    /// Hooks whose content was blanked.
    pub hooks: u64,
    /// Their deliveries, which keep only how they ended.
    pub deliveries: u64,
    /// Attempts of those.
    pub attempts: u64,
    /// Issues and merge requests of which it is not remembered any more what hooks told.
    pub remembered: u64,
    /// Recorded hooks that were removed.
    pub recordings: u64,
    /// Numbers that stood for a text of theirs and were removed.
    pub numbers: u64,
    /// Deliveries that waited and ended for it, as failed.
    pub pending_ended: u64,
    /// Deliveries that still wait or are under way: their hooks are left. Ask again when they have ended.
    pub pending_left: u64,
    /// Whether the bytes may still be in the files of the store, as somebody read there all the time; ask again.
    pub may_linger: bool,
}

impl From<&Erased> for ErasedShown {
    fn from(erased: &Erased) -> Self {
        let Erased { hooks, deliveries, attempts, remembered, recordings, numbers, pending_left, may_linger, .. } =
            *erased;
        let pending_ended = erased.ended.iter().map(|(_, count)| count).sum();
        Self { hooks, deliveries, attempts, remembered, recordings, numbers, pending_ended, pending_left, may_linger }
    }
}

/// Erases, or counts what would be erased.
#[utoipa::path(
    post, path = "/api/v1/erase", tag = "erase",
    request_body(content = AskedErasure, example = json!({"user": "a.belova", "pending": false, "dry_run": true})),
    responses(
        (status = 200, description = "What was erased, or would be", body = ErasedShown),
        (status = 422, description = "It names neither somebody nor a project, both, or too short a text", body = Problem),
        (status = 503, description = "The store cannot be written: erase again", body = Problem),
    ),
)]
pub(super) async fn erase(
    Writer(who): Writer,
    _: Bare,
    desk: Data<Desk>,
    asked: Json<AskedErasure>,
) -> Result<Json<ErasedShown>, Refusal> {
    let whose = whose(&asked)?;
    // Whoever asked may be gone before it is done, and half of it is worse than none.
    let erasing = tokio::spawn(run(desk, who, whose, asked.pending, asked.dry_run));
    let erased = erasing.await.map_err(|error| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, format!("the erasing was broken off: {error}"))
    })?;
    Ok(Json((&erased?).into()))
}

fn whose(asked: &AskedErasure) -> Result<Whose, Refusal> {
    let (name, text, whose) = match (&asked.user, &asked.project) {
        (Some(user), None) => ("user", user, Whose::User(user.clone())),
        (None, Some(project)) => ("project", project, Whose::Project(project.clone())),
        _ => return Err(Refusal::unfit("expected either `user` or `project`")),
    };
    let length = text.trim().chars().count();
    // A project may be a number of one digit; it is compared whole.
    let shortest = if asked.user.is_some() { SHORTEST } else { 1 };
    if length < shortest || length > LONGEST || text.trim_matches(['/', ' ']).is_empty() {
        return Err(Refusal::unfit(format!("{name}: expected a text of {shortest} to {LONGEST} characters")));
    }
    Ok(whose)
}

async fn run(
    desk: Data<Desk>,
    who: String,
    whose: Whose,
    ends_pending: bool,
    is_dry_run: bool,
) -> Result<Erased, StoreError> {
    let about = about(&whose, ends_pending);
    if !is_dry_run {
        // Nobody erases without a trace.
        desk.audit(&who, Deed::Erase, with(&about, "state", "begun".into())).await?;
    }
    let erasure = Erasure { whose, ends_pending, is_dry_run, now: desk.clock.now(), at: Timestamp::now() };
    let erased = desk.store.erase(erasure).await;
    if !is_dry_run {
        let about = match &erased {
            Ok(erased) => with(&with(&about, "state", "done".into()), "erased", json!(ErasedShown::from(erased))),
            Err(error) => with(&with(&about, "state", "broken off".into()), "error", error.to_string().into()),
        };
        // What the store said before may name somebody, or a number that is free now; it is asked again.
        let _ = desk.known.forget().await;
        // It is told already, and what is erased is erased.
        let _ = desk.audit(&who, Deed::Erase, about).await;
        if let Ok(erased) = &erased {
            tell_ended(&desk, &erased.ended);
        }
    }
    if let Err(error) = &erased {
        desk.metrics.count_store_error(error);
    }
    erased
}

/// What is noted of an order: of somebody not the text, which is to be forgotten, but its hash.
fn about(whose: &Whose, ends_pending: bool) -> Map<String, Value> {
    let (name, value) = match whose {
        Whose::User(text) => ("user_sha256", sha256(text.trim().to_lowercase().as_bytes())),
        Whose::Project(project) => ("project", project.clone()),
    };
    Map::from_iter([(name.to_owned(), value.into()), ("pending".to_owned(), ends_pending.into())])
}

fn with(about: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut about = about.clone();
    about.insert(name.to_owned(), value);
    about
}

/// Says which deliveries ended, and has those looked for that waited behind them.
fn tell_ended(desk: &Desk, ended: &[(String, u64)]) {
    for (destination, deliveries) in ended {
        desk.metrics.deliveries.with_label_values(&[destination.as_str(), Outcome::Failed.word()]).inc_by(*deliveries);
        tracing::error!(destination, deliveries, reason = "erased", "failed");
        desk.doorbells.ring(destination);
    }
}
