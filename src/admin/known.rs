//! What hooks told of people and of projects, and what the configuration says of them.

use super::Desk;
use super::access::{Reader, Writer};
use super::asked::AskedPart;
use super::problem::{Problem, Refusal};
use super::shown::ListedShown;
use crate::audit::files::sha256;
use crate::known::configured::Entry;
use crate::store::Deed;
use crate::store::recall::{KnownFilter, KnownRow, Origin};
use actix_web::web::{Data, Json, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The look-up tables that hooks teach.
const USERS: &str = "users";
const PROJECTS: &str = "projects";

/// Which people or projects, and which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedKnown {
    /// The installation that named them, by host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The id, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A text that occurs in the id or in what is known; in capital letters or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only what stands behind this place: `next` of the part before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many items, from 1 to 500; 50 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// Whom or which project to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskedForgetting {
    /// The id, whole.
    pub id: String,
    /// The installation that named it, by host; of every one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// How much was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForgottenShown {
    /// How many were known.
    pub forgotten: u64,
}

/// Something that is known of somebody or of a project, and who told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ColumnShown {
    /// What it is: a column of the look-up table.
    pub name: String,
    /// The text.
    pub text: String,
    /// The event that told it; null where the configuration says it.
    pub event: Option<String>,
    /// The id of its hook.
    pub hook: Option<Uuid>,
    /// When that came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// What is known of somebody or of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownShown {
    /// Whether the configuration says it: that wins over what hooks tell.
    pub configured: bool,
    /// The installation that named it, by host; empty where its hooks, or the configuration, do not tell.
    pub instance: String,
    /// Its id there.
    pub id: String,
    /// What is known.
    pub columns: Vec<ColumnShown>,
    /// When a hook named it last, to the day.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
}

impl From<&Entry> for KnownShown {
    fn from(entry: &Entry) -> Self {
        let column = |(name, text): (&&str, &String)| ColumnShown {
            name: (*name).to_owned(),
            text: text.clone(),
            event: None,
            hook: None,
            at: None,
        };
        let instance = entry.instance.clone().unwrap_or_default();
        let columns = entry.columns.iter().map(column).collect();
        Self { configured: true, instance, id: entry.id.clone(), columns, seen_at: None }
    }
}

impl From<KnownRow> for KnownShown {
    fn from(row: KnownRow) -> Self {
        let column = |(name, text, origin): (String, String, Option<Origin>)| {
            let (event, hook, at) =
                origin.map_or((None, None, None), |Origin { event, hook, at }| (Some(event), Some(hook), Some(at)));
            ColumnShown { name, text, event, hook, at }
        };
        let KnownRow { instance, id, columns, seen_at } = row;
        let columns = columns.into_iter().map(column).collect();
        Self { configured: false, instance, id, columns, seen_at: Some(seen_at) }
    }
}

/// People: first those of the configuration, then those of whom hooks told.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "knowledge", params(AskedKnown),
    responses(
        (status = 200, description = "A part of them; those of hooks by instance and id", body = ListedShown<KnownShown>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn users(
    _: Reader,
    desk: Data<Desk>,
    asked: Query<AskedKnown>,
) -> Result<Json<ListedShown<KnownShown>>, Refusal> {
    list(&desk, USERS, asked.into_inner()).await
}

/// Projects: first those of the configuration, then those of which hooks told.
#[utoipa::path(
    get, path = "/api/v1/projects", tag = "knowledge", params(AskedKnown),
    responses(
        (status = 200, description = "A part of them; those of hooks by instance and id", body = ListedShown<KnownShown>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn projects(
    _: Reader,
    desk: Data<Desk>,
    asked: Query<AskedKnown>,
) -> Result<Json<ListedShown<KnownShown>>, Refusal> {
    list(&desk, PROJECTS, asked.into_inner()).await
}

/// Forgets what hooks told of somebody; the next hook that tells teaches it anew. What was kept with hooks that came stays:
/// `/api/v1/erase` erases that, too.
#[utoipa::path(
    delete, path = "/api/v1/users", tag = "knowledge", params(AskedForgetting),
    responses(
        (status = 200, description = "How many were known", body = ForgottenShown),
        (status = 404, description = "Nobody of that id is known", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn forget_user(
    Writer(who): Writer,
    desk: Data<Desk>,
    asked: Query<AskedForgetting>,
) -> Result<Json<ForgottenShown>, Refusal> {
    forget(&desk, &who, USERS, asked.into_inner()).await
}

/// Forgets what hooks told of a project, in the same way.
#[utoipa::path(
    delete, path = "/api/v1/projects", tag = "knowledge", params(AskedForgetting),
    responses(
        (status = 200, description = "How many were known", body = ForgottenShown),
        (status = 404, description = "No project of that id is known", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn forget_project(
    Writer(who): Writer,
    desk: Data<Desk>,
    asked: Query<AskedForgetting>,
) -> Result<Json<ForgottenShown>, Refusal> {
    forget(&desk, &who, PROJECTS, asked.into_inner()).await
}

async fn list(desk: &Desk, table: &str, asked: AskedKnown) -> Result<Json<ListedShown<KnownShown>>, Refusal> {
    let AskedKnown { instance, id, text, after, limit } = asked;
    let part = AskedPart { after, limit }.part()?;
    let filter = KnownFilter { table: table.to_owned(), instance: host(instance), id, text };
    // The configuration is short: it stands whole before the first part.
    let configured = desk.known.configured();
    let said = configured.rows(table).filter(|_| part.after.is_none()).map(KnownShown::from);
    let mut items: Vec<KnownShown> = said.filter(|row| fits(row, &filter)).collect();
    let found = desk.store.known(filter, part).await?;
    items.extend(found.items.into_iter().map(KnownShown::from));
    Ok(Json(ListedShown { items, next: found.next }))
}

/// A host as it is remembered.
fn host(instance: Option<String>) -> Option<String> {
    instance.map(|host| host.to_ascii_lowercase())
}

/// Whether what the configuration says of somebody is asked for.
fn fits(row: &KnownShown, filter: &KnownFilter) -> bool {
    let KnownFilter { instance, id, text, .. } = filter;
    let occurs = |text: &String| {
        let (text, texts) = (text.to_lowercase(), row.columns.iter().map(|column| &column.text));
        texts.chain([&row.id]).any(|own| own.to_lowercase().contains(&text))
    };
    instance.as_ref().is_none_or(|own| row.instance.is_empty() || row.instance.eq_ignore_ascii_case(own))
        && id.as_ref().is_none_or(|id| row.id == *id)
        && text.as_ref().is_none_or(occurs)
}

async fn forget(desk: &Desk, who: &str, table: &str, asked: AskedForgetting) -> Result<Json<ForgottenShown>, Refusal> {
    let AskedForgetting { id, instance } = asked;
    let filter = KnownFilter { table: table.to_owned(), instance: host(instance), id: Some(id.clone()), text: None };
    let forgotten = desk.store.forget_known(filter).await?;
    if forgotten == 0 {
        return Err(Refusal::not_found(format!(
            "no hook told anything of `{id}` among {table}; what the configuration says stands there"
        )));
    }
    // The id of somebody who is to be forgotten would be known by the note.
    desk.note(who, Deed::Erase, json!({table: {"id_sha256": sha256(id.as_bytes()), "forgotten": forgotten}})).await;
    Ok(Json(ForgottenShown { forgotten }))
}
