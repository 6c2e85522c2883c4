//! What the mappings in force make of a hook that came before.

use super::Desk;
use super::difference;
use super::resend_shown::Difference;
use crate::config::Destination;
use crate::delivery::{self, Refused, Wanted};
use crate::known::{How, TOO_DEEP};
use crate::store::{DeliveryRecord, Hook, Outgoing, StoreError};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// What a destination would be sent of a hook today. What is sent has numbers that are made; who only looks makes none.
pub(super) async fn translated(
    desk: &Desk,
    how: How,
    hook: Arc<Hook>,
    to: Arc<Destination>,
) -> Result<Result<Outgoing, Refused>, StoreError> {
    let rules = desk.rules.load_full();
    let made = desk.known.settled(how, move |asking| {
        delivery::outgoing(&hook, Wanted::by(&to), &rules, &asking.of(&hook)).map(|(outgoing, _)| outgoing)
    });
    Ok(made.await?.unwrap_or_else(|| Err(Refused::Failed(TOO_DEEP.to_owned()))))
}

/// What a delivery sends beside what would be made of its hook today.
pub(super) async fn difference(desk: &Desk, record: &DeliveryRecord) -> Result<Difference, StoreError> {
    let destination = &record.row.destination;
    let made = match desk.destination(destination) {
        _ if record.row.hook.erased_at.is_some() => Err("its content was erased".to_owned()),
        None => Err(gone(destination)),
        Some((_, to)) => {
            let made = translated(desk, How::Look, Arc::clone(&record.hook), to).await?;
            made.map_err(|refused| refused.to_string())
        }
    };
    let as_sent = record.outgoing.as_deref();
    let (anew, refused) = match made {
        Ok(outgoing) => (Some(outgoing), None),
        Err(refused) => (None, Some(refused)),
    };
    let both = as_sent.zip(anew.as_ref());
    let changes = both.map(|(before, after)| {
        let mut changes = difference::of_headers(&before.headers, &after.headers);
        changes.extend(difference::changes(&before.body, &after.body));
        changes
    });
    Ok(Difference {
        as_sent: as_sent.map(Into::into),
        anew_sha256: anew.as_ref().map(|outgoing| sha256(&outgoing.body)),
        refused,
        same: both.is_some_and(|(before, after)| is_same(before, after)),
        changes: changes.unwrap_or_default(),
        anew: anew.as_ref().map(Into::into),
    })
}

/// Why nothing goes to a destination that is not in force.
pub(super) fn gone(destination: &str) -> String {
    format!("there is no destination `{destination}` in the configuration any more")
}

/// Whether a destination gets the same: body and headers.
pub(super) fn is_same(before: &Outgoing, after: &Outgoing) -> bool {
    before.body == after.body && difference::of_headers(&before.headers, &after.headers).is_empty()
}

/// The SHA-256 of a body, in hexadecimal digits.
pub(super) fn sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
