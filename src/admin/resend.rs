//! Sending one delivery again, or a hook that was never delivered.

use super::Desk;
use super::access::{Reader, Writer};
use super::anew::{self, gone};
use super::bare::Bare;
use super::lists::{found_delivery, found_hook};
use super::problem::{Problem, Refusal};
use super::resend_shown::{AskedDelivery, AskedResend, Difference, Fate, How, ResentItems, ResentShown};
use crate::config::Destination;
use crate::known;
use crate::store::{self, Again, Content, Deed, DeliveryRecord, Outgoing, Plan, Resent};
use actix_web::web::{Data, Json, Path};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Why a delivery is not sent whose queue is full.
pub(super) const QUEUE_FULL: &str = "its queue is full: what waits must go first";

/// What a delivery sends, beside what today's mappings would make of its hook.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}/diff", tag = "resend", params(("id" = Uuid, Path, description = "The delivery")),
    responses(
        (status = 200, description = "Both, and what differs", body = Difference),
        (status = 404, description = "There is no such delivery (any more)", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn diff(_: Reader, _: Bare, desk: Data<Desk>, id: Path<String>) -> Result<Json<Difference>, Refusal> {
    let record = found_delivery(&desk, &id).await?;
    Ok(Json(anew::difference(&desk, &record).await?))
}

/// Sends a delivery again: one that has ended as a new one, one that waits at once.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/resend", tag = "resend", request_body = AskedResend,
    params(("id" = Uuid, Path, description = "The delivery")),
    responses(
        (status = 200, description = "What became of it", body = ResentShown),
        (status = 404, description = "There is no such delivery (any more)", body = Problem),
        (status = 409, description = "The mappings make another body than the one that is expected", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn resend(
    who: Writer,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
    asked: Json<AskedResend>,
) -> Result<Json<ResentShown>, Refusal> {
    let record = found_delivery(&desk, &id).await?;
    let shown = again(&desk, &record, asked.how, false, asked.expect.as_deref()).await?;
    let about = json!({"delivery": record.row.id, "how": asked.how, "status": shown.status, "sent": shown.delivery});
    desk.note(&who.0, Deed::Resend, about).await;
    Ok(Json(shown))
}

/// Delivers a hook that nobody got: a duplicate, or one that was ignored.
#[utoipa::path(
    post, path = "/api/v1/hooks/{id}/resend", tag = "resend", request_body = AskedDelivery,
    params(("id" = Uuid, Path, description = "The hook")),
    responses(
        (status = 200, description = "What became of it at each destination", body = ResentItems),
        (status = 404, description = "There is no such hook (any more), route or destination", body = Problem),
        (status = 422, description = "It is a hook of no forge that is known", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn resend_hook(
    who: Writer,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
    asked: Json<AskedDelivery>,
) -> Result<Json<ResentItems>, Refusal> {
    let hook = found_hook(&desk, &id).await?.hook;
    if hook.forge.is_empty() {
        return Err(Refusal::unfit("no forge is recognised in this hook: nothing can be made of it for a destination"));
    }
    let destinations = wanted(&desk, &hook.route, asked.destinations.as_deref())?;
    let plans = destinations.iter().map(|to| plan(to)).collect();
    let resent = desk.store.deliver(hook.id, plans, desk.clock.now()).await?;
    let items = destinations.iter().zip(resent).map(|(to, resent)| {
        desk.doorbells.ring(&to.name);
        shown(&to.name, resent)
    });
    let items: Vec<ResentShown> = items.collect();
    let about = json!({"hook": hook.id, "sent": items.iter().map(|item| item.delivery).collect::<Vec<_>>()});
    desk.note(&who.0, Deed::Resend, about).await;
    Ok(Json(ResentItems { items }))
}

fn plan(to: &Destination) -> Plan {
    let fate = store::Fate::Deliver { most_pending: to.queueing.most_pending, in_order: to.queueing.in_order };
    Plan { destination: to.name.clone(), fate }
}

/// The destinations of a route that are asked for; all of them where nothing is said.
fn wanted(desk: &Desk, route: &str, names: Option<&[String]>) -> Result<Vec<Arc<Destination>>, Refusal> {
    let routes = desk.routes.load();
    let found = routes.get(route);
    let route = found.ok_or_else(|| Refusal::not_found(format!("there is no route {route} any more")))?;
    let Some(names) = names else { return Ok(route.to.clone()) };
    let found = names.iter().map(|name| {
        let own = route.to.iter().find(|to| to.name == *name);
        own.cloned().ok_or_else(|| {
            let known: Vec<&str> = route.to.iter().map(|to| to.name.as_str()).collect();
            let known = known.join(", ");
            Refusal::not_found(format!("the route {} has no destination `{name}`: it has {known}", route.path))
        })
    });
    found.collect()
}

/// Sends a delivery again.
pub(super) async fn again(
    desk: &Desk,
    record: &DeliveryRecord,
    how: How,
    unless_resent: bool,
    expect: Option<&str>,
) -> Result<ResentShown, Refusal> {
    let name = &record.row.destination;
    let Some((_, to)) = desk.destination(name) else {
        return Ok(refused(name, gone(name)));
    };
    if record.row.hook.erased_at.is_some() {
        return Ok(refused(name, "its content was erased".to_owned()));
    }
    let content = match how {
        How::AsSent => Content::AsSent,
        How::Anew => match anew::translated(desk, known::How::Make, Arc::clone(&record.hook), Arc::clone(&to)).await? {
            Ok(outgoing) => anew(record, outgoing, expect)?,
            Err(why) => return Ok(refused(name, why.to_string())),
        },
    };
    let again = Again { unless_resent, ..repeated(record.row.id, content, &to, desk) };
    let resent = desk.store.resend(again).await?;
    desk.doorbells.ring(name);
    Ok(shown(name, resent))
}

fn repeated(of: Uuid, content: Content, to: &Destination, desk: &Desk) -> Again {
    let (most_pending, in_order) = (to.queueing.most_pending, to.queueing.in_order);
    Again { of, content, unless_resent: false, most_pending, in_order, now: desk.clock.now() }
}

/// What was made anew, if it is what was shown.
fn anew(record: &DeliveryRecord, outgoing: Outgoing, expect: Option<&str>) -> Result<Content, Refusal> {
    let sha256 = anew::sha256(&outgoing.body);
    if expect.is_some_and(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
        let error = "the mappings have changed since the difference was shown, and make another body now: look again";
        return Err(Refusal::conflict(error));
    }
    let has_new_key = record.outgoing.as_ref().is_some_and(|before| before.body != outgoing.body);
    Ok(Content::Anew { outgoing: Arc::new(outgoing), has_new_key })
}

fn refused(destination: &str, reason: String) -> ResentShown {
    ResentShown { destination: destination.to_owned(), status: Fate::Refused, delivery: None, reason: Some(reason) }
}

fn shown(destination: &str, resent: Resent) -> ResentShown {
    let sent =
        |status, id| ResentShown { destination: destination.to_owned(), status, delivery: Some(id), reason: None };
    match resent {
        Resent::Queued(id) => sent(Fate::Queued, id),
        Resent::Hurried(id) => sent(Fate::Hurried, id),
        Resent::QueueFull => refused(destination, QUEUE_FULL.to_owned()),
        Resent::Refused(reason) => refused(destination, reason),
    }
}
