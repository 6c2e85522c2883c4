//! What hooks told of issues and merge requests.

use super::Desk;
use super::access::{Reader, Writer};
use super::asked::AskedPart;
use super::known::ForgottenShown;
use super::problem::{Problem, Refusal};
use super::shown::ListedShown;
use crate::store::Deed;
use crate::store::recall::{StateFilter, StateRow};
use actix_web::web::{Data, Json, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which objects, and which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedStates {
    /// The path of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What stands for the project, as a hook is shown with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The kind: `issue` or `merge_request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A text that occurs in what is known; in capital letters or not.
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

/// Which object to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskedState {
    /// The id, whole.
    pub id: String,
    /// The path of the route; of every one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What stands for the project; of every one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The kind: `issue` or `merge_request`; both where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// What hooks told of an issue or a merge request, as the next hook finds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ObjectShown {
    /// The path of the route.
    pub route: String,
    /// The forge.
    pub forge: String,
    /// The installation, by host.
    pub instance: String,
    /// What stands for the project there.
    pub project: String,
    /// The kind, as the forge file calls it.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// What is known.
    #[schema(value_type = Object)]
    pub state: Map<String, Value>,
    /// When a hook told of it first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_at: Option<Timestamp>,
    /// When a hook told of it last.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// The event of that hook.
    pub event: Option<String>,
    /// Its id.
    pub hook: Option<Uuid>,
}

impl From<StateRow> for ObjectShown {
    fn from(row: StateRow) -> Self {
        let StateRow { route, project, kind, id, state, first_at, seen_at, hook } = row;
        let (event, hook) = hook.unzip();
        let (forge, instance, project) = (project.forge, project.instance, project.project);
        Self { route, forge, instance, project, kind, id, state, first_at, seen_at, event, hook }
    }
}

/// Issues and merge requests of which hooks told.
#[utoipa::path(
    get, path = "/api/v1/states", tag = "knowledge", params(AskedStates),
    responses(
        (status = 200, description = "A part of them, by route, project, kind and id", body = ListedShown<ObjectShown>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn states(
    _: Reader,
    desk: Data<Desk>,
    asked: Query<AskedStates>,
) -> Result<Json<ListedShown<ObjectShown>>, Refusal> {
    let AskedStates { route, project, kind, id, text, after, limit } = asked.into_inner();
    let filter = StateFilter { route, project, kind, id, text };
    let found = desk.store.states(filter, AskedPart { after, limit }.part()?).await?;
    Ok(Json(ListedShown { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}

/// Forgets what hooks told of an issue or a merge request: the next hook about it is as the first one. What was kept with
/// hooks that came stays.
#[utoipa::path(
    delete, path = "/api/v1/states", tag = "knowledge", params(AskedState),
    responses(
        (status = 200, description = "How many were known", body = ForgottenShown),
        (status = 404, description = "Nothing of that id is known", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn forget_state(
    Writer(who): Writer,
    desk: Data<Desk>,
    asked: Query<AskedState>,
) -> Result<Json<ForgottenShown>, Refusal> {
    let AskedState { id, route, project, kind } = (*asked).clone();
    let filter = StateFilter { route, project, kind, id: Some(id), text: None };
    let forgotten = desk.store.forget_states(filter).await?;
    if forgotten == 0 {
        return Err(Refusal::not_found(format!("no hook told anything of an object `{}` there", asked.id)));
    }
    desk.note(&who, Deed::Erase, json!({"states": *asked, "forgotten": forgotten})).await;
    Ok(Json(ForgottenShown { forgotten }))
}
