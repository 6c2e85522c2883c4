//! Whether a request is signed by somebody who has a signing key of its route.

use super::Route;
use crate::forge::signature::{Signed, Unsigned};
use crate::rules::Rules;
use jiff::Timestamp;

/// What is known of a request's signatures before its body is: one for each way in which the route's forges sign, and
/// none where no signature is asked for.
pub(super) struct Claims<'h> {
    signed: Vec<Signed<'h>>,
    is_asked: bool,
}

impl<'h> Claims<'h> {
    /// Reads what the headers say, so that a hook without a signature of now is refused before its body is read.
    pub(super) fn read(rules: &Rules, route: &Route, header: impl Fn(&str) -> Vec<&'h [u8]>) -> Result<Self, Unsigned> {
        if route.access.signing_keys.is_empty() {
            return Ok(Self { signed: Vec::new(), is_asked: false });
        }
        let now = Timestamp::now().as_second();
        let forges = rules.forges.iter().filter(|forge| route.accept.iter().any(|name| name == forge.name()));
        let (mut signed, mut first) = (Vec::new(), None);
        for signature in forges.filter_map(|forge| forge.signature()) {
            match signature.read(&header, now) {
                Ok(one) => signed.push(one),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        // A reload may have taken the scheme away: what cannot be checked opens nothing.
        if signed.is_empty() { Err(first.unwrap_or(Unsigned::NoScheme)) } else { Ok(Self { signed, is_asked: true }) }
    }

    /// Whether the route asks for a signature.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Checks the signatures against the body.
    pub(super) fn check(&self, route: &Route, body: &[u8]) -> Result<(), Unsigned> {
        let keys = &route.access.signing_keys;
        if !self.is_asked || self.signed.iter().any(|signed| signed.fits(keys, body)) {
            return Ok(());
        }
        Err(Unsigned::Wrong)
    }
}
