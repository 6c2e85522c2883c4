//! Deliveries and hooks as rows of a table.

pub(super) use super::super::screen::time;
use super::super::screen::{Cell, Colour};
use super::asked::named;
use crate::admin::outcomes::{ListedHook, OutcomesShown};
use crate::admin::shown::{DeliveryShown, HookShown, StateShown};

pub(super) const OF_DELIVERY: [&str; 7] = ["TIME", "ID", "EVENT", "DESTINATION", "STATE", "ATTEMPTS", "RESULT"];
pub(super) const OF_HOOK: [&str; 6] = ["TIME", "ID", "EVENT", "ROUTE", "PROJECT", "RESULT"];

pub(super) fn of_delivery(delivery: &DeliveryShown) -> Vec<Cell> {
    let state = delivery.state;
    vec![
        Cell::new(&time(delivery.hook.received_at)),
        Cell::new(&delivery.id.to_string()),
        Cell::new(event(&delivery.hook.event)),
        Cell::new(&delivery.destination),
        Cell::in_colour(named(state), Some(colour(state))),
        Cell::new(&delivery.attempts.to_string()),
        Cell::new(&result(delivery)),
    ]
}

pub(super) fn of_hook(listed: &ListedHook) -> Vec<Cell> {
    let hook = &listed.hook;
    let (fate, outcome) = (fate(hook), outcome(&listed.outcomes));
    let result = [fate, outcome].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let mood = if listed.outcomes.failed > 0 { Colour::Bad } else { Colour::Faint };
    vec![
        Cell::new(&time(hook.received_at)),
        Cell::new(&hook.id.to_string()),
        Cell::new(event(&hook.event)),
        Cell::new(&hook.route),
        Cell::new(hook.project.as_deref().unwrap_or_default()),
        Cell::in_colour(&result, Some(mood)),
    ]
}

/// What became of the deliveries of a hook; nothing where it has none.
fn outcome(of: &OutcomesShown) -> String {
    let counts = [("delivered", of.delivered), ("failed", of.failed), ("pending", of.pending), ("ignored", of.ignored)];
    let mut counts = counts.into_iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} {count}"));
    match of.ignored_because.as_slice() {
        [reason, others @ ..] if of.delivered + of.failed + of.pending == 0 => match others.len() {
            0 => format!("ignored by all: {reason}"),
            more => format!("ignored by all: {reason}; and for {more} other reasons"),
        },
        _ => counts.by_ref().collect::<Vec<_>>().join(", "),
    }
}

/// Why nobody gets a hook, where nobody does.
pub(super) fn fate(hook: &HookShown) -> String {
    let duplicate = hook.duplicate_of.map(|first| format!("duplicate of {first}"));
    let ignored = hook.ignored.as_ref().map(|reason| format!("ignored: {reason}"));
    let erased = hook.erased_at.map(|at| format!("erased at {}", time(at)));
    [duplicate, ignored, erased].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What came of a delivery: why it ended, or what its latest attempt met.
pub(super) fn result(delivery: &DeliveryShown) -> String {
    let latest = latest(delivery);
    let more = match delivery.state {
        StateShown::Failed | StateShown::Ignored => delivery.reason.clone(),
        StateShown::Pending => delivery.due.map(|due| format!("next at {}", time(due))),
        StateShown::Delivered => None,
    };
    let resent = delivery.resent_as.map(|id| format!("sent again as {id}"));
    let mut parts: Vec<String> = [latest, more, resent].into_iter().flatten().collect();
    // What gave a delivery up may say what its latest attempt met.
    if let [first, second, ..] = parts.as_slice()
        && second.contains(first.as_str())
    {
        parts.remove(0);
    }
    parts.join("; ")
}

fn latest(delivery: &DeliveryShown) -> Option<String> {
    let error = delivery.last_error.as_deref().unwrap_or_default();
    let status =
        delivery.last_status.map(|status| status.to_string()).filter(|status| !error.contains(status.as_str()));
    let parts: Vec<&str> =
        [status.as_deref().unwrap_or_default(), error].into_iter().filter(|own| !own.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// An event's name, or a mark that none is known.
pub(super) fn event(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}

pub(super) fn colour(state: StateShown) -> Colour {
    match state {
        StateShown::Pending => Colour::Waiting,
        StateShown::Delivered => Colour::Good,
        StateShown::Ignored => Colour::Faint,
        StateShown::Failed => Colour::Bad,
    }
}
