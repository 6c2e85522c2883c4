//! Who did what, and when.

use super::Desk;
use super::access::Reader;
use super::asked::AskedPage;
use super::problem::{Problem, Refusal};
use super::shown::PageShown;
use crate::audit::Auditor;
use crate::store::{AuditEntry, AuditFilter, Deed, StoreError};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Which entries, and which page of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedAudit {
    /// Who did it: the name of a token, `start`, `SIGHUP` or `changed file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What was done: `resend`, `resend_all`, `resend_cancelled`, `capture`, `erase`, `import_ids`, `config_loaded`,
    /// `config_refused`, `mappings_loaded` or `mappings_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Only what is older than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// How many items, from 1 to 500; 50 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditShown {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who: the name of a token, `start`, `SIGHUP` or `changed file`.
    pub who: String,
    /// What.
    pub what: String,
    /// Ids, names, counts, and the SHA-256 of files.
    #[schema(value_type = Object)]
    pub about: Map<String, Value>,
}

impl From<AuditEntry> for AuditShown {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { at, who, what, about } = entry;
        Self { at, who, what: what.to_string(), about }
    }
}

/// Who did what, the latest first: sent again, captured, erased, read changed files.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AskedAudit),
    responses(
        (status = 200, description = "A page of entries", body = PageShown<AuditShown>),
        (status = 422, description = "Nothing that is done is called so", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn audit(
    _: Reader,
    desk: Data<Desk>,
    request: HttpRequest,
) -> Result<Json<PageShown<AuditShown>>, Refusal> {
    let wrong = |error: actix_web::error::QueryPayloadError| Refusal::bad_request(format!("the query: {error}"));
    let AskedAudit { who, what, before, limit } =
        Query::<AskedAudit>::from_query(request.query_string()).map_err(wrong)?.into_inner();
    let what = what.map(|what| what.parse().map_err(|error| Refusal::unfit(format!("what: {error}"))));
    let filter = AuditFilter { who, what: what.transpose()? };
    let page = desk.store.audit(filter, AskedPage { before, limit }.look()?).await?;
    Ok(Json(PageShown { items: page.items.into_iter().map(Into::into).collect(), next: page.next }))
}

impl Desk {
    /// Notes who did what, in the log and in the store. An entry that cannot be kept is told and counted: go on, unless what
    /// is done must not happen without it.
    pub(super) async fn audit(&self, who: &str, what: Deed, about: Map<String, Value>) -> Result<(), StoreError> {
        Auditor::new(&self.store, &self.metrics).note(who, what, about).await
    }

    /// As [`Desk::audit`], of what has happened whether it is noted or not. `about` is a JSON object.
    pub(super) async fn note(&self, who: &str, what: Deed, about: Value) {
        let about = if let Value::Object(about) = about { about } else { Map::new() };
        // It is told and counted where it goes wrong.
        let _ = self.audit(who, what, about).await;
    }
}
