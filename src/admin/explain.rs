//! Which line of which mapping makes what a destination is sent, and of what.

use super::Desk;
use super::access::Reader;
use super::bare::Bare;
use super::lists::found_delivery;
use super::problem::{Problem, Refusal};
use crate::config::Destination;
use crate::delivery::{self, Wanted};
use crate::known::{How, TOO_DEEP};
use crate::mapping::{Explained, ExplainedField, Knowledge, ReadSource};
use crate::rules::Rules;
use crate::store::{Hook, MadeBy, Outgoing};
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the fields of a translated hook come about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The mapping that makes them.
    pub mapping: String,
    /// The headers; their names stand in `path`.
    pub headers: Vec<FieldShown>,
    /// The fields of the body in their order, each down to a value without fields of its own.
    pub body: Vec<FieldShown>,
}

/// One field and how it comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldShown {
    /// `commits[0].author.name`
    pub path: String,
    /// Its JSON text.
    pub json: String,
    /// The file that makes it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What was read for it; empty for what stands in the file itself.
    pub sources: Vec<SourceShown>,
    /// What the conditions read that decided for it.
    pub decided_by: Vec<SourceShown>,
}

/// What was read of a hook, or of what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceShown {
    /// `push.commits[0].id`
    pub path: String,
    /// Whether there was a value.
    pub has_value: bool,
}

impl From<ReadSource> for SourceShown {
    fn from(ReadSource { path, has_value }: ReadSource) -> Self {
        Self { path, has_value }
    }
}

impl From<ExplainedField> for FieldShown {
    fn from(field: ExplainedField) -> Self {
        let ExplainedField { path, json, file, line, column, sources, decided_by } = field;
        let shown = |read: Vec<ReadSource>| read.into_iter().map(Into::into).collect();
        Self { path, json, file, line, column, sources: shown(sources), decided_by: shown(decided_by) }
    }
}

impl From<Explained> for Explanation {
    fn from(Explained { mapping, headers, body }: Explained) -> Self {
        let shown = |fields: Vec<ExplainedField>| fields.into_iter().map(Into::into).collect();
        Self { mapping, headers: shown(headers), body: shown(body) }
    }
}

/// How what is sent of a delivery would come about today, by the mappings in force and its destination's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ExplainedDelivery {
    /// The mapping that makes it, with its overlays; null when nothing is made, or the hook passes through as it came.
    pub mapping: Option<String>,
    /// The SHA-256 of their files.
    pub mapping_sha256: Option<String>,
    /// Whether the same files made what the delivery sends; null when that is not made yet.
    pub same_mapping: Option<bool>,
    /// Why there is nothing to explain.
    pub refused: Option<String>,
    /// The headers; their names stand in `path`.
    pub headers: Vec<FieldShown>,
    /// The fields of the body in their order.
    pub body: Vec<FieldShown>,
}

/// Which line of which mapping makes each field that a delivery sends, and of what of its hook.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}/explain", tag = "history", params(("id" = Uuid, Path, description = "The delivery")),
    responses(
        (status = 200, description = "How it comes about", body = ExplainedDelivery),
        (status = 404, description = "There is no such delivery (any more)", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn explain(
    _: Reader,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
) -> Result<Json<ExplainedDelivery>, Refusal> {
    let record = found_delivery(&desk, &id).await?;
    let refused = |why: String| ExplainedDelivery { refused: Some(why), ..ExplainedDelivery::default() };
    if record.row.hook.erased_at.is_some() {
        return Ok(Json(refused("the content of the hook is erased".to_owned())));
    }
    let Some((_, to)) = desk.destination(&record.row.destination) else {
        let why = format!("the destination `{}` is gone: nobody knows in which format", record.row.destination);
        return Ok(Json(refused(why)));
    };
    let (hook, kept, rules) = (record.hook, record.outgoing, desk.rules.load_full());
    let shown =
        desk.known.settled(How::Look, move |asking| explained(&hook, kept.as_deref(), &to, &rules, &asking.of(&hook)));
    Ok(Json(shown.await?.unwrap_or_else(|| refused(TOO_DEEP.to_owned()))))
}

fn explained(
    hook: &Hook,
    kept: Option<&Outgoing>,
    to: &Destination,
    rules: &Rules,
    knowledge: &dyn Knowledge,
) -> ExplainedDelivery {
    let wanted = Wanted::by(to);
    let (mapping, refused) = match delivery::outgoing(hook, wanted, rules, knowledge) {
        Ok((made, _)) => (made.mapping, None),
        Err(refused) => (None, Some(refused.to_string())),
    };
    let sha256 = |made: &Option<MadeBy>| made.as_ref().map(|made| made.sha256.clone());
    let same_mapping = kept.map(|kept| refused.is_none() && sha256(&kept.mapping) == sha256(&mapping));
    let (mapping, mapping_sha256) = mapping.map(|MadeBy { name, sha256 }| (name, sha256)).unzip();
    let all = ExplainedDelivery { mapping, mapping_sha256, same_mapping, refused, ..ExplainedDelivery::default() };
    match delivery::explain(hook, wanted, rules, knowledge).map(Explanation::from) {
        Ok(Explanation { headers, body, .. }) => ExplainedDelivery { headers, body, ..all },
        Err(why) => ExplainedDelivery { refused: Some(why.to_string()), ..all },
    }
}
