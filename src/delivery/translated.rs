//! Translates a batch of deliveries. What the translations ask for and nobody knows yet is asked of the store for all of them
//! at once; then those run again that missed something.

use super::outgoing::{self, Refused};
use super::sender::Sender;
use super::traced;
use crate::known::{Found, How, Missing, ROUNDS, TOO_DEEP};
use crate::rules::Rules;
use crate::store::{Claimed, Outgoing, StoreError};
use crate::traces::Begun;

/// What one translation made, and the source paths that were missing.
type Made = Result<(Outgoing, Vec<String>), Refused>;

/// What was made of a batch, in its order: nothing of deliveries that were translated before, and of those that wait for
/// what the store could not say.
pub(super) struct Batch {
    pub(super) made: Vec<Option<Made>>,
    /// Why some wait.
    pub(super) error: Option<StoreError>,
}

pub(super) async fn translated(sender: &Sender, claimed: &[Claimed], rules: &Rules) -> Batch {
    let (mut made, mut found) = (claimed.iter().map(|_| None).collect::<Vec<_>>(), Found::default());
    for _ in 0..ROUNDS {
        let missing = run(sender, claimed, rules, &found, &mut made);
        if missing.is_empty() {
            return Batch { made, error: None };
        }
        if let Err(error) = sender.delivery.known.find(missing, How::Make, &mut found).await {
            return Batch { made, error: Some(error) };
        }
    }
    for (_, made) in waiting(claimed, &mut made) {
        *made = Some(Err(Refused::Failed(TOO_DEEP.to_owned())));
    }
    Batch { made, error: None }
}

/// Translates what is not translated yet; gives what was missing.
fn run(sender: &Sender, claimed: &[Claimed], rules: &Rules, found: &Found, made: &mut [Option<Made>]) -> Missing {
    let mut all = Missing::default();
    for (claimed, made) in waiting(claimed, made) {
        let asking = sender.delivery.known.asking(found);
        let wanted = outgoing::Wanted::by(&sender.destination);
        let begun = sender.delivery.traces.are_on().then(Begun::now);
        let own = outgoing::outgoing(&claimed.hook, wanted, rules, &asking.of(&claimed.hook));
        let missing = asking.missing();
        if missing.is_empty() {
            traced::translated(sender, &claimed.hook, begun, own.as_ref());
            *made = Some(own);
        } else {
            all.add(missing);
        }
    }
    all
}

/// The deliveries that are not translated yet, each with the place for what is made of it.
fn waiting<'c, 'm>(
    claimed: &'c [Claimed],
    made: &'m mut [Option<Made>],
) -> impl Iterator<Item = (&'c Claimed, &'m mut Option<Made>)> {
    let all = claimed.iter().zip(made);
    all.filter(|(claimed, made)| claimed.outgoing.is_none() && made.is_none())
}

/// Counts the source paths that were missing.
pub(super) fn count_missing(sender: &Sender, made: &Outgoing, missing: &[String]) {
    let mapping = made.mapping.as_ref().map(|mapping| mapping.name.as_str()).unwrap_or_default();
    for field in missing {
        sender.delivery.metrics.translate_missing.with_label_values(&[mapping, field]).inc();
    }
}
