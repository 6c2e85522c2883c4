//! A hook that no forge has sent: made by hand of a body, to see what becomes of it.

use crate::forge::{Forge, Forges, Header, Identity};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::json::Document;
use crate::store::Hook;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// What is said of a hook that is made by hand.
#[derive(Debug)]
pub(crate) struct HandMade<'a> {
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// Its headers beside that which names the event; names in small letters.
    pub(crate) headers: Vec<Header>,
    /// The forge that sent it, where the body does not tell.
    pub(crate) from: Option<&'a str>,
    /// What the header says that names the event, where the body does not tell.
    pub(crate) event: Option<&'a str>,
    /// What messages call the body: a file for one.
    pub(crate) body_is: &'a str,
    /// What messages call that which says the forge.
    pub(crate) from_is: &'a str,
}

impl HandMade<'_> {
    /// The hook as `serve` would store it.
    ///
    /// # Errors
    /// What is wrong with the body, or why nobody knows whose it is.
    pub(crate) fn hook(self, forges: &Forges) -> Result<Hook, String> {
        let Self { body_is, from_is, .. } = self;
        let document = Document::parse(&self.body).map_err(|error| format!("{body_is}: {error}"))?;
        if !document.root().is_object() {
            return Err(format!("{body_is}: not a JSON object"));
        }
        let headers = self.all_headers(forges);
        let forge = match self.from {
            Some(name) => named(forges, from_is, name)?,
            None => {
                let all: Vec<String> = forges.iter().map(|forge| forge.name().to_owned()).collect();
                let found = forges.recognise(&all, document.root(), &headers);
                found.ok_or_else(|| {
                    format!("{body_is}: not a hook of {}; {from_is} says whose it is", all.join(" or "))
                })?
            }
        };
        let identity = forge.identify(document.root(), &headers).map_err(|failure| failure.to_string())?;
        let Identity { event, project, instance, delivery_key } = identity;
        let event = self.told_event(forge, event);
        let (id, route, received_at) = (Uuid::now_v7(), String::new(), Timestamp::now());
        Ok(Hook {
            id,
            route,
            forge: forge.name().to_owned(),
            event,
            project,
            instance,
            delivery_key,
            hops: 0,
            received_at,
            headers,
            body: self.body.into(),
            seen: None,
            known: None,
        })
    }

    /// The headers, and over them the event in the header in which each forge would say it.
    fn all_headers(&self, forges: &Forges) -> Vec<Header> {
        let wanted = forges.iter().filter(|forge| self.from.is_none_or(|from| from == forge.name()));
        let naming = wanted.filter_map(|forge| Some((forge.event_header()?.to_owned(), self.event?.to_owned())));
        let mut all: Vec<Header> = naming.collect();
        let others = self.headers.iter().filter(|(name, _)| all.iter().all(|(own, _)| own != name));
        let others: Vec<Header> = others.cloned().collect();
        all.extend(others);
        all
    }

    /// A forge without a header for it takes the event as it is said.
    fn told_event(&self, forge: &Forge, identified: String) -> String {
        let said = self.event.filter(|_| forge.event_header().is_none() && identified.is_empty());
        said.map_or(identified, str::to_owned)
    }
}

/// The forge of a name; `said_by` is what the message calls that which says it.
///
/// # Errors
/// When there is none.
pub(crate) fn named<'f>(forges: &'f Forges, said_by: &str, name: &str) -> Result<&'f Arc<Forge>, String> {
    forges.named(name).ok_or_else(|| {
        let known: Vec<&str> = forges.iter().map(|forge| forge.name()).collect();
        let suggestion = did_you_mean(name, known.iter().copied());
        format!("{said_by}: unknown forge `{name}`: expected {}{suggestion}", known.join(" or "))
    })
}
