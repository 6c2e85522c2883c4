//! What becomes of each event by the rules in force.

use super::Desk;
use super::access::Reader;
use super::bare::Bare;
use super::problem::{Problem, Refusal};
use crate::coverage::{self, Direction};
use actix_web::web::{self, Data, Json};

/// What becomes of each event of each forge: translated, ignored and why, and what is lost on the way.
#[utoipa::path(
    get, path = "/api/v1/coverage", tag = "state",
    responses(
        (status = 200, description = "The directions", body = Vec<Direction>),
        (status = 503, description = "The server is stopping", body = Problem),
    ),
)]
pub(super) async fn coverage(_: Reader, _: Bare, desk: Data<Desk>) -> Result<Json<Vec<Direction>>, Refusal> {
    let rules = desk.rules.load_full();
    // Every example is run for it, and those in force have none any more.
    let whole = web::block(move || rules.with_examples().map(|whole| coverage::coverage(&whole))).await?;
    whole.map(Json).map_err(|found| Refusal::unfit(found.to_string()))
}
