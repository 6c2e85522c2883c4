//! Which number stands for which text: shown, and taken in from an export.

use super::Desk;
use super::access::{Reader, Writer};
use super::asked::AskedPage;
use super::bare::Bare;
use super::problem::{Problem, Refusal};
use super::shown::PageShown;
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::identity::KINDS;
use crate::store::Deed;
use crate::store::numbers::{Conflict, Named, NumberFilter, NumberRow, Numbering, Pair};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Query};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// How many pairs are taken in at once, and how many characters a text may have.
const MOST: usize = 1_000;
const LONGEST: usize = 1_000;

/// Which numbers, and which page of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedIds {
    /// The kind: `project`, `user`, `group`, `issue`, `merge_request`, `note`, `pipeline`, `job` or `label`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The text, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 4_294_967_295_i64)]
    pub number: Option<u32>,
    /// Only what is older than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// How many items, from 1 to 500; 50 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A text and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdShown {
    /// The kind of the text.
    pub kind: String,
    /// The text, as a forge names something: a UUID, a user name, the title of a label.
    #[schema(min_length = 1, max_length = 1000)]
    pub text: String,
    /// The number that stands for it.
    #[schema(minimum = 1, maximum = 2_147_483_647_i64)]
    #[serde(deserialize_with = "whole_number")]
    pub number: u32,
    /// The installation whose hooks are told the text again where they name the number; null: none.
    #[serde(default)]
    pub instance: Option<String>,
    /// Whether the text has another number by now, which the configuration gave it.
    #[serde(default)]
    pub former: bool,
    /// When the number was given; an import takes no notice of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub made_at: Option<Timestamp>,
}

/// Texts and their numbers, to be taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedImport {
    /// At most 1000.
    #[schema(max_items = 1000)]
    pub items: Vec<IdShown>,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportShown {
    /// How many are in the store now, those among them that were there before.
    pub taken: usize,
    /// Those that cannot be.
    pub refused: Vec<RefusedId>,
}

/// A text and a number that cannot belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedId {
    /// The kind of the text.
    pub kind: String,
    /// The text.
    pub text: String,
    /// The number that it was to have.
    pub number: u32,
    /// Why not: which text has the number, or which number the text has.
    pub reason: String,
}

/// A number without a fraction is a whole one in JSON, however it is written: `7.0` is 7.
fn whole_number<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let whole = number.as_u64().or_else(|| {
        let text = number.as_f64().filter(|value| value.fract() == 0.0)?.to_string();
        text.parse().ok()
    });
    let fits = whole.and_then(|whole| u32::try_from(whole).ok());
    fits.ok_or_else(|| serde::de::Error::custom(format!("expected a whole number, got {number}")))
}

impl From<NumberRow> for IdShown {
    fn from(row: NumberRow) -> Self {
        let Pair { named: Named { kind, text }, number, instance, is_former } = row.pair;
        Self { kind, text, number, instance, former: is_former, made_at: Some(row.made_at) }
    }
}

impl From<IdShown> for Pair {
    fn from(shown: IdShown) -> Self {
        let IdShown { kind, text, number, instance, former, .. } = shown;
        Self { named: Named { kind, text }, number, instance, is_former: former }
    }
}

impl From<Conflict> for RefusedId {
    fn from(conflict: Conflict) -> Self {
        let reason = conflict.to_string();
        let Named { kind, text } = conflict.named;
        Self { kind, text, number: conflict.number, reason }
    }
}

/// Texts and the numbers that stand for them, the latest first.
#[utoipa::path(
    get, path = "/api/v1/ids", tag = "knowledge", params(AskedIds),
    responses(
        (status = 200, description = "A page of numbers", body = PageShown<IdShown>),
        (status = 422, description = "There is no such kind", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn ids(
    _: Reader,
    desk: Data<Desk>,
    request: HttpRequest,
) -> Result<Json<PageShown<IdShown>>, Refusal> {
    let wrong = |error: actix_web::error::QueryPayloadError| Refusal::bad_request(format!("the query: {error}"));
    let AskedIds { kind, text, number, before, limit } =
        Query::<AskedIds>::from_query(request.query_string()).map_err(wrong)?.into_inner();
    if let Some(kind) = &kind {
        known_kind("kind", kind)?;
    }
    let look = AskedPage { before, limit }.look()?;
    let page = desk.store.all_numbers(NumberFilter { kind, text, number }, look).await?;
    Ok(Json(PageShown { items: page.items.into_iter().map(Into::into).collect(), next: page.next }))
}

/// Takes texts in with their numbers, as an export has them. What is there already stays as it is.
#[utoipa::path(
    post, path = "/api/v1/ids", tag = "knowledge",
    request_body(content = AskedImport, example = json!({"items": [{"kind": "user", "text": "o.vetrova", "number": 412}]})),
    responses(
        (status = 200, description = "What was taken, and what cannot be", body = ImportShown),
        (status = 422, description = "There is no such kind, a text is empty or too long, a number is none, or there are too many", body = Problem),
        (status = 503, description = "The store cannot be written: import again", body = Problem),
    ),
)]
pub(super) async fn import_ids(
    Writer(who): Writer,
    _: Bare,
    desk: Data<Desk>,
    asked: Json<AskedImport>,
) -> Result<Json<ImportShown>, Refusal> {
    let items = asked.into_inner().items;
    if items.len() > MOST {
        return Err(Refusal::unfit(format!("items: expected at most {MOST}, got {}", items.len())));
    }
    for (at, item) in items.iter().enumerate() {
        known_kind(&format!("items[{at}].kind"), &item.kind)?;
        if item.text.is_empty() || item.text.chars().count() > LONGEST {
            return Err(Refusal::unfit(format!("items[{at}].text: expected a text of 1 to {LONGEST} characters")));
        }
        if !Numbering::ALL.has(item.number) {
            let last = Numbering::ALL.last();
            return Err(Refusal::unfit(format!("items[{at}].number: expected a number from 1 to {last}")));
        }
    }
    let count = items.len();
    let conflicts = desk.known.import(items.into_iter().map(Into::into).collect()).await?;
    let refused: Vec<RefusedId> = conflicts.into_iter().map(Into::into).collect();
    let taken = count.saturating_sub(refused.len());
    desk.note(&who, Deed::ImportIds, json!({"taken": taken, "refused": refused.len()})).await;
    Ok(Json(ImportShown { taken, refused }))
}

fn known_kind(name: &str, kind: &str) -> Result<(), Refusal> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    let suggestion = did_you_mean(kind, KINDS);
    Err(Refusal::unfit(format!("{name}: unknown kind `{kind}`: expected one of {}{suggestion}", KINDS.join(", "))))
}
