//! Looking for hooks and deliveries, and showing one whole.

use super::Desk;
use super::access::Reader;
use super::asked::{AskedFilter, AskedPage, asked};
use super::bare::Bare;
use super::outcomes::ListedHook;
use super::problem::{Problem, Refusal};
use super::shown::{CountsShown, DeliveryShown, PageShown, WholeDelivery, WholeHook};
use crate::store::{DeliveryRecord, HookRecord, Page};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use uuid::Uuid;

/// Recent deliveries, the newest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "history", params(AskedFilter, AskedPage),
    responses(
        (status = 200, description = "A page of deliveries", body = PageShown<DeliveryShown>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn deliveries(
    _: Reader,
    desk: Data<Desk>,
    request: HttpRequest,
) -> Result<Json<PageShown<DeliveryShown>>, Refusal> {
    let (filter, look) = asked(request.query_string())?;
    Ok(Json(page(desk.store.deliveries(filter, look).await?)))
}

fn page<R, S: From<R>>(page: Page<R>) -> PageShown<S> {
    PageShown { items: page.items.into_iter().map(Into::into).collect(), next: page.next }
}

/// How many deliveries there are of each state.
#[utoipa::path(
    get, path = "/api/v1/deliveries/count", tag = "history", params(AskedFilter, AskedPage),
    responses(
        (status = 200, description = "The counts", body = CountsShown),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn count(_: Reader, desk: Data<Desk>, request: HttpRequest) -> Result<Json<CountsShown>, Refusal> {
    let (filter, look) = asked(request.query_string())?;
    Ok(Json(desk.store.count(filter, look).await?.into()))
}

/// Recent hooks, the newest first: also those that nobody gets.
#[utoipa::path(
    get, path = "/api/v1/hooks", tag = "history", params(AskedFilter, AskedPage),
    responses(
        (status = 200, description = "A page of hooks", body = PageShown<ListedHook>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn hooks(
    _: Reader,
    desk: Data<Desk>,
    request: HttpRequest,
) -> Result<Json<PageShown<ListedHook>>, Refusal> {
    let (filter, look) = asked(request.query_string())?;
    let Page { items, next } = desk.store.hooks(filter, look).await?;
    let outcomes = desk.store.outcomes(items.iter().map(|hook| hook.id).collect()).await?;
    let listed = items.into_iter().zip(outcomes);
    let items = listed.map(|(hook, outcomes)| ListedHook { hook: hook.into(), outcomes: outcomes.into() }).collect();
    Ok(Json(PageShown { items, next }))
}

/// A delivery with its hook, what it sends, and its attempts.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "history", params(("id" = Uuid, Path, description = "The delivery")),
    responses(
        (status = 200, description = "The delivery", body = WholeDelivery),
        (status = 404, description = "There is no such delivery (any more)", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn delivery(
    _: Reader,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
) -> Result<Json<WholeDelivery>, Refusal> {
    let record = found_delivery(&desk, &id).await?;
    let url = desk.destination(&record.row.destination).map(|(_, to)| to.url.to_string());
    Ok(Json(WholeDelivery::of(record, url)))
}

/// A hook as it came, with its deliveries.
#[utoipa::path(
    get, path = "/api/v1/hooks/{id}", tag = "history", params(("id" = Uuid, Path, description = "The hook")),
    responses(
        (status = 200, description = "The hook", body = WholeHook),
        (status = 404, description = "There is no such hook (any more)", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn hook(_: Reader, _: Bare, desk: Data<Desk>, id: Path<String>) -> Result<Json<WholeHook>, Refusal> {
    Ok(Json(found_hook(&desk, &id).await?.into()))
}

/// The hook of an id.
pub(super) async fn found_hook(desk: &Desk, id: &str) -> Result<HookRecord, Refusal> {
    let uuid = uuid(id, "hook")?;
    if let Some(found) = desk.store.hook(uuid).await? {
        return Ok(found);
    }
    Err(Refusal::not_found(match desk.store.delivery(uuid).await? {
        Some(delivery) => format!("{id} is the id of a delivery: that of its hook is {}", delivery.hook.id),
        None => format!("there is no hook {id}: it was never here, or it is kept no longer"),
    }))
}

/// The delivery of an id.
pub(super) async fn found_delivery(desk: &Desk, id: &str) -> Result<DeliveryRecord, Refusal> {
    let uuid = uuid(id, "delivery")?;
    if let Some(found) = desk.store.delivery(uuid).await? {
        return Ok(found);
    }
    Err(Refusal::not_found(match desk.store.hook(uuid).await? {
        Some(_) => format!(
            "{id} is the id of a hook: each of its deliveries has one of its own, which `hookglot deliveries show {id}` names"
        ),
        None => format!("there is no delivery {id}: it was never here, or it is kept no longer"),
    }))
}

/// An id; a text that is none is that of nothing.
pub(super) fn uuid(text: &str, of: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).map_err(|_| Refusal::not_found(format!("`{text}` is not the id of a {of}")))
}
