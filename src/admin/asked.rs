//! What a list can be asked for.

use super::problem::Refusal;
use super::shown::StateShown;
use crate::store::recall::Part;
use crate::store::{Filter, Look};
use actix_web::web::Query;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// How many items a page has where nobody says it, and at most.
const LIMIT: usize = 50;
const MOST: usize = 500;
/// For how long one page is looked for.
const TIME: Duration = Duration::from_secs(1);

/// Which hooks or deliveries: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedFilter {
    /// The path of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The name of the destination; of hooks, of one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The forge that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// The installation that sent it, by host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The event, in the forge's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What stands for the project, as a hook is shown with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How far the delivery is; of hooks, one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateShown>,
    /// Only deliveries that were sent again, or only those that were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resent: Option<bool>,
    /// Hooks that came at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Hooks that came before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// A text that occurs in the hook, its key, what is sent of it, or why it ended; in capital letters or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl From<AskedFilter> for Filter {
    fn from(asked: AskedFilter) -> Self {
        let AskedFilter { route, destination, forge, instance, event, project, state, resent, since, until, text } =
            asked;
        Self {
            route,
            destination,
            forge,
            instance,
            event,
            project,
            state: state.map(Into::into),
            is_resent: resent,
            since,
            until,
            text: text.filter(|text| !text.is_empty()),
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AskedPage {
    /// Only what is older than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// How many items, from 1 to 500; 50 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

impl AskedPage {
    pub(super) fn look(&self) -> Result<Look, Refusal> {
        Ok(Look { before: self.before, limit: limit(self.limit)?, time: TIME })
    }
}

/// Which part of a list in the order of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AskedPart {
    /// Only what stands behind this place: `next` of the part before.
    pub(super) after: Option<String>,
    /// How many items.
    pub(super) limit: Option<u16>,
}

impl AskedPart {
    pub(super) fn part(self) -> Result<Part, Refusal> {
        Ok(Part { after: self.after, limit: limit(self.limit)? })
    }
}

fn limit(asked: Option<u16>) -> Result<usize, Refusal> {
    let limit = asked.map_or(LIMIT, usize::from);
    if limit == 0 || limit > MOST {
        return Err(Refusal::bad_request(format!("limit: expected a number from 1 to {MOST}, got {limit}")));
    }
    Ok(limit)
}

/// Takes a query apart: a filter, and which page. Whatever is in neither is refused, as a filter with a misspelt word would
/// mean everything.
pub(super) fn asked(query: &str) -> Result<(Filter, Look), Refusal> {
    let is_of_page = |name: &str| ["before", "limit"].contains(&name);
    let (page, filter): (Vec<_>, Vec<_>) =
        url::form_urlencoded::parse(query.as_bytes()).partition(|(name, _)| is_of_page(name));
    let text = |pairs: Vec<(Cow<'_, str>, Cow<'_, str>)>| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let wrong = |error: actix_web::error::QueryPayloadError| Refusal::bad_request(format!("the query: {error}"));
    let page = Query::<AskedPage>::from_query(&text(page)).map_err(wrong)?;
    let filter = Query::<AskedFilter>::from_query(&text(filter)).map_err(wrong)?;
    Ok((filter.into_inner().into(), page.look()?))
}
