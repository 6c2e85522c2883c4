//! Holds what destinations say against the mapping files: names of events and of settings that nobody knows are most
//! likely misspelt. A forge may have learned new events since, and a mapping may be written after the configuration; so
//! these are warnings, save where nothing could ever come.

use crate::config::{Destination, Format, Route};
use crate::forge::Forge;
use crate::mapping::Mappings;
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::file::ANY_OTHER;
use crate::mapping::overlay::Overlay;
use crate::rules::Rules;

/// A secret below so many characters can be guessed.
const SHORT: usize = 12;

/// What is found, each with its place in the configuration.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) faults: Vec<String>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn check(routes: &[Route], rules: &Rules) -> Found {
    let mut found = Found::default();
    for (number, route) in routes.iter().enumerate() {
        if route.access.secrets.as_ref().is_some_and(|secrets| secrets.shortest() < SHORT) {
            found.warnings.push(format!(
                "route[{number}]: a secret of {} has fewer than {SHORT} characters: it can be guessed, as wrong ones do not shut \
                 anybody out",
                route.path
            ));
        }
        check_route(&route.accept, &route.to, rules, &mut found);
    }
    found
}

/// What is found again whenever the rules change. What would have been a fault at start is told like the rest: those who run
/// cannot refuse to start.
pub(super) fn again(routes: &[Route]) -> impl Fn(&Rules) -> Vec<String> + Send + Sync + use<> {
    let routes: Vec<(Vec<String>, Vec<Destination>)> =
        routes.iter().map(|route| (route.accept.clone(), route.to.clone())).collect();
    move |rules| {
        let mut found = Found::default();
        for (accept, to) in &routes {
            check_route(accept, to, rules, &mut found);
        }
        found.faults.into_iter().chain(found.warnings).collect()
    }
}

fn check_route(accept: &[String], destinations: &[Destination], rules: &Rules, found: &mut Found) {
    let forges = rules.forges.iter().map(|forge| &**forge);
    let accepted: Vec<&Forge> = forges.filter(|forge| accept.iter().any(|own| own == forge.name())).collect();
    for to in destinations {
        events(to, &accepted, rules, found);
        filter(to, &accepted, found);
        settings(to, &accepted, rules, found);
        pass_headers(to, rules, found);
    }
}

/// The configuration is refused when it names such a header; a forge file that is loaded later may forbid another.
fn pass_headers(to: &Destination, rules: &Rules, found: &mut Found) {
    for name in to.pass_headers.iter().filter(|name| rules.forges.keep_back(name)) {
        let message =
            "a forge.yaml forbids it now: it proves a caller, belongs to the delivery, or names a forge's event";
        found.warnings.push(format!("{}.pass_headers: `{name}` is not passed on: {message}", to.place));
    }
}

/// The events that a forge is known to send, by its own file or by a mapping for them.
fn known_events<'r>(from: &'r Forge, rules: &'r Rules) -> impl Iterator<Item = &'r str> {
    let sets = rules.directions.iter().filter(|((own, _), _)| own == from.name()).map(|(_, set)| set);
    let mapped = sets.flat_map(Mappings::descriptions).flat_map(|description| description.events);
    from.events().map(|(event, _)| event).chain(mapped.map(String::as_str).filter(|event| *event != ANY_OTHER))
}

fn events(to: &Destination, accepted: &[&Forge], rules: &Rules, found: &mut Found) {
    let Some(listed) = &to.events else { return };
    let mut never = 0;
    for event in listed {
        if accepted.iter().any(|forge| known_events(forge, rules).any(|known| known == event)) {
            continue;
        }
        let place = format!("{}.events", to.place);
        let sender = rules.forges.iter().find(|forge| known_events(forge, rules).any(|known| known == event));
        if let Some(sender) = sender {
            never += 1;
            let name = sender.name();
            found
                .warnings
                .push(format!("{place}: `{event}` is an event of {name}, whose hooks the route does not accept"));
        } else {
            let names: Vec<&str> = accepted.iter().map(|forge| forge.name()).collect();
            let known = accepted.iter().flat_map(|forge| known_events(forge, rules));
            let suggestion = did_you_mean(event, known);
            let names = names.join(" or ");
            found.warnings.push(format!("{place}: {names} is not known to send an event `{event}`{suggestion}"));
        }
    }
    if never == listed.len() {
        let message = "the route accepts no forge that sends one of them: the destination would never get anything";
        found.faults.push(format!("{}.events: {message}", to.place));
    }
}

/// A filter that decides on nothing was meant for something else, and one that fits nothing was written for another kind.
fn filter(to: &Destination, accepted: &[&Forge], found: &mut Found) {
    let Some(filter) = &to.branch_filter else { return };
    let place = format!("{}.branch_filter", to.place);
    if let Some(character) = filter.impossible() {
        let message = format!("no branch has a `{character}` in its name, so {filter} fits none");
        found.warnings.push(format!("{place}: {message}: several branches take a list or a regex"));
    }
    if let Some(whole) = filter.whole_ref() {
        let message = format!("names are looked at without `{whole}`, so what begins with it in {filter} fits none");
        found.warnings.push(format!("{place}: {message}: leave it out"));
    }
    let mut decided = accepted.iter().flat_map(|forge| forge.filtered_events(filter.kind()));
    let is_wanted = |event: &String| to.events.as_ref().is_none_or(|listed| listed.contains(event));
    if !decided.any(is_wanted) {
        let word = filter.kind().word();
        found.warnings.push(format!("{place}: a {word} decides on none of the destination's events"));
    }
}

fn settings(to: &Destination, accepted: &[&Forge], rules: &Rules, found: &mut Found) {
    let formats: Vec<&Forge> = match &to.format {
        Format::Forge(name) => rules.forges.named(name).map(|forge| &**forge).into_iter().collect(),
        Format::Other => {
            accepted.iter().filter_map(|from| rules.forges.other(from.name())).map(|forge| &**forge).collect()
        }
    };
    let is_format = |name: &str| formats.iter().any(|forge| forge.name() == name);
    let sets = rules.directions.iter().filter(|((_, target), _)| is_format(target)).map(|(_, set)| set);
    let overlays = to.overlays.iter().filter_map(|name| rules.overlays.named(name));
    let read: Vec<Option<&str>> =
        sets.flat_map(Mappings::settings).chain(overlays.flat_map(Overlay::settings)).collect();
    // What reads all of them may read any.
    if read.contains(&None) {
        return;
    }
    let known: Vec<&str> =
        read.into_iter().flatten().chain(formats.iter().flat_map(|forge| forge.settings())).collect();
    for (name, value) in &to.settings {
        let place = format!("{}.settings.{name}", to.place);
        if !known.contains(&name.as_str()) {
            let suggestion = did_you_mean(name, known.iter().copied());
            found.warnings.push(format!("{place}: no mapping reads this setting{suggestion}"));
        } else if let Some(wrong) = formats.iter().find_map(|forge| forge.wrong_setting(name, value)) {
            found.warnings.push(format!("{place}: {wrong}"));
        }
    }
}
