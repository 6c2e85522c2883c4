//! Sending again all deliveries that fit a filter: what it would do, and doing it, at a rate, until it is done or stopped.

use super::access::{Reader, Writer};
use super::anew::{self, gone};
use super::asked::AskedFilter;
use super::bare::Bare;
use super::problem::{Problem, Refusal};
use super::resend::{self, QUEUE_FULL};
use super::resend_shown::{AskedResends, Fate, How, Refused, ResendList, ResendPlan, ResendShown, ResendState};
use super::{Desk, lists};
use crate::known;
use crate::store::{Deed, DeliveryRow, Filter, Look, State};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How many a second where nobody says it, and at most.
const RATE: u16 = 10;
const MOST_RATE: u16 = 1000;
/// For how long it is looked what would be sent.
const PLAN_TIME: Duration = Duration::from_secs(5);
/// How many of those are shown.
const SAMPLE: usize = 10;
/// How many ids are read at once.
const PAGE: Look = Look { before: None, limit: 500, time: Duration::from_secs(1) };
/// How many deliveries one call sends at most: their ids are in memory.
const MOST: usize = 1_000_000;
/// How many calls are remembered that have ended.
const MOST_ENDED: usize = 50;
/// How long it waits where the queue is full.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// The calls of this process, the oldest first.
#[derive(Clone, Default)]
pub struct Resends(Arc<Mutex<Vec<Call>>>);

struct Call {
    shown: ResendShown,
    stop: Arc<Notify>,
}

impl Resends {
    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<ResendShown> {
        self.lock().iter().rev().map(|call| call.shown.clone()).collect()
    }

    fn of(&self, id: Uuid) -> Option<ResendShown> {
        self.lock().iter().find(|call| call.shown.id == id).map(|call| call.shown.clone())
    }

    fn begin(&self, shown: ResendShown) -> Arc<Notify> {
        let stop = Arc::new(Notify::new());
        let mut calls = self.lock();
        let ended = calls.iter().filter(|call| call.shown.state != ResendState::Running).count();
        if ended >= MOST_ENDED
            && let Some(oldest) = calls.iter().position(|call| call.shown.state != ResendState::Running)
        {
            calls.remove(oldest);
        }
        calls.push(Call { shown, stop: Arc::clone(&stop) });
        stop
    }

    /// Changes a call that goes on; says whether it still does.
    fn change(&self, id: Uuid, change: impl FnOnce(&mut ResendShown)) -> bool {
        let mut calls = self.lock();
        let running = calls.iter_mut().find(|call| call.shown.id == id && call.shown.state == ResendState::Running);
        running.map(|call| change(&mut call.shown)).is_some()
    }

    fn end(&self, id: Uuid, state: ResendState, error: Option<String>) -> bool {
        self.change(id, |shown| {
            (shown.state, shown.error, shown.ended_at) = (state, error, Some(Timestamp::now()));
        })
    }

    fn stop(&self, id: Uuid) -> Option<ResendShown> {
        self.end(id, ResendState::Cancelled, None);
        let calls = self.lock();
        let call = calls.iter().find(|call| call.shown.id == id)?;
        call.stop.notify_one();
        Some(call.shown.clone())
    }
}

/// Sends again all deliveries that fit a filter, the oldest first; with `dry_run` only says what that would do.
#[utoipa::path(
    post, path = "/api/v1/resends", tag = "resend",
    request_body(content = AskedResends, example = json!({"filter": {"state": "failed"}, "how": "as_sent"})),
    responses(
        (status = 200, description = "What it would do", body = ResendPlan),
        (status = 202, description = "It has begun", body = ResendShown, links(
            ("progress" = (operation_id = "resend_progress", parameters(("id" = "$response.body#/id")))),
            ("stop" = (operation_id = "stop_resend", parameters(("id" = "$response.body#/id")))),
        )),
        (status = 422, description = "The filter names nothing, or more than can be sent at once", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn resend_all(
    who: Writer,
    _: Bare,
    desk: Data<Desk>,
    asked: Json<AskedResends>,
) -> Result<HttpResponse, Refusal> {
    let asked = asked.into_inner();
    let rate = asked.rate.unwrap_or(RATE);
    if rate == 0 || rate > MOST_RATE {
        return Err(Refusal::bad_request(format!("rate: expected a number from 1 to {MOST_RATE}, got {rate}")));
    }
    if asked.filter == AskedFilter::default() {
        let error = "filter: it names nothing, and would send everything again: name a state, a destination, a time …";
        return Err(Refusal::unfit(error));
    }
    if asked.dry_run {
        return Ok(HttpResponse::Ok().json(plan(&desk, &asked).await?));
    }
    let shown = ResendShown {
        id: Uuid::now_v7(),
        who: who.0,
        asked,
        state: ResendState::Running,
        started_at: Timestamp::now(),
        ended_at: None,
        found: 0,
        sent: 0,
        waiting: 0,
        refused: Vec::new(),
        error: None,
    };
    let stop = desk.resends.begin(shown.clone());
    // A text that is looked for may be somebody's name, and the audit log is not erased.
    let text = shown.asked.filter.text.as_ref().map(|_| "[hidden]".to_owned());
    let filter = AskedFilter { text, ..shown.asked.filter.clone() };
    let about = json!({"resend": shown.id, "filter": filter, "how": shown.asked.how});
    desk.note(&shown.who, Deed::ResendAll, about).await;
    let (id, asked) = (shown.id, shown.asked.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = run(&desk, id, &asked, rate) => {}
            () = stop.notified() => {}
        }
        if let Some(ended) = desk.resends.of(id) {
            tracing::info!(resend = %id, state = ?ended.state, sent = ended.sent, "resend all has ended");
        }
    });
    Ok(HttpResponse::Accepted().json(shown))
}

/// All calls of this process that are remembered, the newest first.
#[utoipa::path(
    get, path = "/api/v1/resends", tag = "resend",
    responses(
        (status = 200, description = "The calls", body = ResendList),
    ),
)]
pub(super) async fn resends(_: Reader, _: Bare, desk: Data<Desk>) -> Json<ResendList> {
    Json(ResendList { items: desk.resends.all() })
}

/// How far a call is.
#[utoipa::path(
    get, path = "/api/v1/resends/{id}", tag = "resend", params(("id" = Uuid, Path, description = "The call")),
    responses(
        (status = 200, description = "The call", body = ResendShown),
        (status = 404, description = "There is no such call (any more)", body = Problem),
    ),
)]
pub(super) async fn resend_progress(
    _: Reader,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
) -> Result<Json<ResendShown>, Refusal> {
    desk.resends.of(lists::uuid(&id, "resend")?).map(Json).ok_or_else(|| unknown(&id))
}

/// Stops a call; what was sent stays sent.
#[utoipa::path(
    delete, path = "/api/v1/resends/{id}", tag = "resend", params(("id" = Uuid, Path, description = "The call")),
    responses(
        (status = 200, description = "The call as it ended", body = ResendShown),
        (status = 404, description = "There is no such call (any more)", body = Problem),
    ),
)]
pub(super) async fn stop_resend(
    who: Writer,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
) -> Result<Json<ResendShown>, Refusal> {
    let stopped = desk.resends.stop(lists::uuid(&id, "resend")?).ok_or_else(|| unknown(&id))?;
    desk.note(&who.0, Deed::ResendCancelled, json!({"resend": stopped.id, "sent": stopped.sent})).await;
    Ok(Json(stopped))
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no resend {id}: a restart forgets them, and what was sent is marked"))
}

/// Why a delivery is not sent, as far as its row tells.
fn refusal(desk: &Desk, row: &DeliveryRow, asked: &AskedResends) -> Option<String> {
    let waits = row.state == State::Pending && Filter::from(asked.filter.clone()).state != Some(State::Pending);
    if waits {
        return Some("it is pending, and goes by itself".to_owned());
    }
    if row.resent_as.is_some() && !asked.again {
        return Some("it was sent again already".to_owned());
    }
    if row.hook.erased_at.is_some() {
        return Some("its content was erased".to_owned());
    }
    desk.destination(&row.destination).is_none().then(|| gone(&row.destination))
}

/// What sending all that fit would do.
async fn plan(desk: &Desk, asked: &AskedResends) -> Result<ResendPlan, Refusal> {
    let (mut plan, mut refused, begun) = (ResendPlan::default(), BTreeMap::new(), Instant::now());
    let (filter, mut before) = (Filter::from(asked.filter.clone()), None);
    loop {
        let page = desk.store.deliveries(filter.clone(), Look { before, ..PAGE }).await?;
        for row in page.items {
            if let Some(reason) = refusal(desk, &row, asked) {
                *refused.entry(reason).or_default() += 1;
                continue;
            }
            if asked.how == How::Anew {
                match would_differ(desk, &row).await? {
                    Ok(differs) => plan.would_differ += u64::from(differs),
                    Err(reason) => {
                        *refused.entry(reason).or_default() += 1;
                        continue;
                    }
                }
            }
            plan.would_send += 1;
            if plan.sample.len() < SAMPLE {
                plan.sample.push(row.into());
            }
        }
        before = page.next;
        if before.is_none() || begun.elapsed() >= PLAN_TIME {
            plan.complete = before.is_none();
            plan.would_refuse = counted(refused);
            return Ok(plan);
        }
    }
}

/// Whether a delivery would have another body, or why it would have none.
async fn would_differ(desk: &Desk, row: &DeliveryRow) -> Result<Result<bool, String>, Refusal> {
    let Some(record) = desk.store.delivery(row.id).await? else {
        return Ok(Err("it is kept no longer".to_owned()));
    };
    let Some((_, to)) = desk.destination(&row.destination) else { return Ok(Err(gone(&row.destination))) };
    let made = anew::translated(desk, known::How::Look, Arc::clone(&record.hook), to).await?;
    let differs = |made| record.outgoing.as_ref().is_none_or(|before| !anew::is_same(before, &made));
    Ok(made.map(differs).map_err(|refused| refused.to_string()))
}

fn counted(refused: BTreeMap<String, u64>) -> Vec<Refused> {
    refused.into_iter().map(|(reason, count)| Refused { reason, count }).collect()
}

/// Sends all that fit, the oldest first.
async fn run(desk: &Desk, id: Uuid, asked: &AskedResends, rate: u16) {
    let (state, error) = match send_all(desk, id, asked, rate).await {
        Ok(()) => (ResendState::Done, None),
        Err(refusal) => {
            tracing::error!(resend = %id, error = %refusal, "resend all cannot go on");
            (ResendState::Failed, Some(refusal.to_string()))
        }
    };
    desk.resends.end(id, state, error);
}

async fn send_all(desk: &Desk, id: Uuid, asked: &AskedResends, rate: u16) -> Result<(), Refusal> {
    // All of them first: what is sent makes deliveries that fit as well.
    let mut found = find(desk, id, asked).await?;
    let mut pace = interval(Duration::from_secs(1) / u32::from(rate));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refused = BTreeMap::<String, u64>::new();
    let mut waiting = Vec::new();
    loop {
        let Some(next) = found.pop() else {
            if waiting.is_empty() {
                return Ok(());
            }
            // What is in their queues goes first; those of other destinations did not wait for that.
            tokio::time::sleep(FULL_PAUSE).await;
            found.extend(waiting.drain(..).rev());
            continue;
        };
        pace.tick().await;
        let reason = send(desk, next, asked).await?;
        if reason.as_deref() == Some(QUEUE_FULL) {
            waiting.push(next);
            desk.resends.change(id, |shown| shown.waiting = waiting.len() as u64);
            continue;
        }
        let sent = u64::from(reason.is_none());
        if let Some(reason) = reason {
            *refused.entry(reason).or_default() += 1;
        }
        let goes_on = desk.resends.change(id, |shown| {
            shown.sent += sent;
            shown.waiting = waiting.len() as u64;
            shown.refused = counted(refused.clone());
        });
        if !goes_on {
            return Ok(());
        }
    }
}

/// Sends one again; says why not, where it is not.
async fn send(desk: &Desk, delivery: Uuid, asked: &AskedResends) -> Result<Option<String>, Refusal> {
    let Some(record) = desk.store.delivery(delivery).await? else { return Ok(Some("it is kept no longer".to_owned())) };
    if let Some(reason) = refusal(desk, &record.row, asked) {
        return Ok(Some(reason));
    }
    let shown = resend::again(desk, &record, asked.how, !asked.again, None).await?;
    Ok(shown.reason.filter(|_| shown.status == Fate::Refused))
}

/// The ids of all that fit, the newest first.
async fn find(desk: &Desk, id: Uuid, asked: &AskedResends) -> Result<Vec<Uuid>, Refusal> {
    let (filter, mut found, mut before) = (Filter::from(asked.filter.clone()), Vec::new(), None);
    loop {
        let page = desk.store.deliveries(filter.clone(), Look { before, ..PAGE }).await?;
        found.extend(page.items.iter().map(|row| row.id));
        before = page.next;
        desk.resends.change(id, |shown| shown.found = found.len() as u64);
        if found.len() > MOST {
            let error = format!("more than {MOST} deliveries fit: name a shorter time");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
        }
        if before.is_none() {
            return Ok(found);
        }
    }
}
