//! What is posted: an object with a field for everything, or a text for a chat.

use super::incidents::{Incident, Key};
use crate::config::AlertFormat;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use uuid::Uuid;

/// What a post says of this process.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The name of the machine or the container.
    pub(super) host: String,
    /// Where the store is.
    pub(super) data_dir: PathBuf,
    /// The command that says what is wrong with the files.
    pub(super) check: String,
}

/// The JSON of a post. Tools read it: fields may come, and none may go or change.
#[derive(Serialize)]
struct Shown<'m> {
    /// The same for the beginning and the end.
    incident: Uuid,
    kind: &'m str,
    state: &'m str,
    summary: String,
    destination: Option<&'m str>,
    /// Which files are refused.
    files: Option<&'m str>,
    reason: &'m str,
    recovery: Option<&'m str>,
    since: Timestamp,
    until: Option<Timestamp>,
    seconds: Option<f64>,
    count: u64,
    hook: Option<Uuid>,
    event: Option<&'m str>,
    look: String,
    host: &'m str,
    version: &'m str,
}

/// The body of a post.
pub(super) fn body(incident: &Incident, format: AlertFormat, place: &Place) -> String {
    match format {
        AlertFormat::Json => json(incident, place),
        AlertFormat::Slack => json!({ "text": text(incident, place) }).to_string(),
    }
}

fn json(incident: &Incident, place: &Place) -> String {
    let is_over = incident.until.is_some();
    let seconds = incident.until.map(|until| until.duration_since(incident.since).as_secs_f64().max(0.0));
    let shown = Shown {
        incident: incident.id,
        kind: incident.key.trouble().word(),
        state: if is_over { "resolved" } else { "firing" },
        summary: summary(incident),
        destination: incident.key.destination(),
        files: if let Key::Reload(files) = &incident.key { Some(files) } else { None },
        reason: &incident.reason,
        recovery: Some(incident.recovery.as_str()).filter(|how| is_over && !how.is_empty()),
        since: incident.since,
        until: incident.until,
        seconds,
        count: incident.count,
        hook: incident.first.as_ref().map(|(hook, _)| *hook),
        event: incident.first.as_ref().map(|(_, event)| event.as_str()),
        look: look(&incident.key, place),
        host: &place.host,
        version: env!("CARGO_PKG_VERSION"),
    };
    // None of its fields can fail to be written.
    serde_json::to_string(&shown).unwrap_or_default()
}

/// What is so, in a sentence.
fn summary(incident: &Incident) -> String {
    let is_over = incident.until.is_some();
    match &incident.key {
        Key::Failed(to) | Key::Breaker(to) if is_over && !incident.recovery.is_empty() => {
            format!("{to}: {}", incident.recovery)
        }
        Key::Failed(to) if is_over => format!("{to}: deliveries succeed again"),
        Key::Failed(to) => format!("{to}: a delivery failed for good"),
        Key::Breaker(to) if is_over => format!("{to}: it answers again, and its hooks go on"),
        Key::Breaker(to) => {
            format!("{to}: it does not answer; its hooks wait, and it is probed until it is back (the breaker is open)")
        }
        Key::Reload(what) if is_over => format!("the {} in force again", files(what)),
        Key::Reload(what) => format!("the changed {} refused: what was in force before stays", files(what)),
        Key::Disk if is_over => "the disk of data_dir has room again".to_owned(),
        Key::Disk => "the disk of data_dir is nearly full: make room, before hooks are refused".to_owned(),
        Key::Store if is_over => "the store takes hooks again".to_owned(),
        Key::Store if incident.reason == "full" => "the store is full: hooks get a 503".to_owned(),
        Key::Store => "the store is broken: hooks get a 503, or cannot be delivered".to_owned(),
    }
}

fn files(what: &str) -> String {
    if what == "mappings" { "mapping files are".to_owned() } else { format!("{what} is") }
}

/// Where to look, and with what.
fn look(key: &Key, place: &Place) -> String {
    match key {
        Key::Failed(to) => format!("hookglot deliveries list --state failed --destination {to}"),
        Key::Breaker(to) => format!("hookglot deliveries list --state pending --destination {to}"),
        Key::Reload(_) => place.check.clone(),
        Key::Disk | Key::Store => format!("df -h {}", place.data_dir.display()),
    }
}

/// A few lines for people.
fn text(incident: &Incident, place: &Place) -> String {
    let word = if incident.until.is_some() { "over" } else { "trouble" };
    let mut lines = vec![format!("hookglot on {}: {word}: {}", place.host, summary(incident))];
    match incident.until {
        Some(until) => {
            let seconds = until.duration_since(incident.since).as_secs();
            lines.push(format!("it began {} and took {}{}", second(incident.since), time(seconds), further(incident)));
        }
        None => {
            lines.extend((!incident.reason.is_empty()).then(|| incident.reason.clone()));
            if let Some((hook, event)) = &incident.first {
                lines.push(format!("hook {hook}, event {event}"));
            }
            lines.push(format!("since {}; look: {}", second(incident.since), look(&incident.key, place)));
        }
    }
    escaped(&lines.join("\n"))
}

/// How often it happened beside the first time.
fn further(incident: &Incident) -> String {
    let more = incident.count.saturating_sub(1);
    match incident.key {
        Key::Failed(_) if more > 0 => format!("; further deliveries that failed: {more}"),
        Key::Reload(_) if more > 0 => format!("; further reloads that were refused: {more}"),
        _ => String::new(),
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn time(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// As Slack wants it. Behind an `@` stands a character that does not show: whoever can send a hook must not call a whole
/// channel of Mattermost.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "@\u{200b}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn incident(key: Key) -> Incident {
        Incident {
            id: Uuid::nil(),
            key,
            since: Timestamp::UNIX_EPOCH,
            until: None,
            reason: "given up after 3 attempts: <a> & @all".to_owned(),
            recovery: String::new(),
            count: 3,
            first: Some((Uuid::nil(), "Push Hook".to_owned())),
        }
    }

    fn over(incident: Incident) -> Incident {
        Incident { until: Timestamp::from_second(125).ok(), ..incident }
    }

    fn place() -> Place {
        Place { host: "ci-1".to_owned(), data_dir: "/data".into(), check: "hookglot check --config a.toml".to_owned() }
    }

    #[test]
    fn a_chat_is_told_what_where_since_when_and_what_to_do() {
        let begun = incident(Key::Failed("jenkins".to_owned()));
        let shown = |incident: &Incident| {
            let body = body(incident, AlertFormat::Slack, &place());
            let body: Value = serde_json::from_str(&body).expect("JSON");
            body["text"].as_str().expect("a text").to_owned()
        };
        assert_eq!(
            shown(&begun),
            "hookglot on ci-1: trouble: jenkins: a delivery failed for good\n\
             given up after 3 attempts: &lt;a&gt; &amp; @\u{200b}all\n\
             hook 00000000-0000-0000-0000-000000000000, event Push Hook\n\
             since 1970-01-01 00:00:00 UTC; look: hookglot deliveries list --state failed --destination jenkins"
        );
        assert_eq!(
            shown(&over(begun)),
            "hookglot on ci-1: over: jenkins: deliveries succeed again\n\
             it began 1970-01-01 00:00:00 UTC and took 2 min 5 s; further deliveries that failed: 2"
        );
    }

    #[test]
    fn a_tool_is_told_the_same_in_fields_that_stay() {
        let begun = incident(Key::Failed("jenkins".to_owned()));
        let shown = |incident: &Incident| -> Value {
            serde_json::from_str(&body(incident, AlertFormat::Json, &place())).expect("JSON")
        };
        let first = shown(&begun);
        let names = [
            "incident",
            "kind",
            "state",
            "summary",
            "destination",
            "files",
            "reason",
            "recovery",
            "since",
            "until",
            "seconds",
            "count",
            "hook",
            "event",
            "look",
            "host",
            "version",
        ];
        assert!(first.as_object().expect("an object").keys().eq(names), "{first}");
        assert_eq!(
            (&first["kind"], &first["state"], &first["until"]),
            (&"failed".into(), &"firing".into(), &Value::Null)
        );
        let last = shown(&over(begun));
        assert_eq!((&last["state"], &last["seconds"], &last["count"]), (&"resolved".into(), &125.0.into(), &3.into()));
        let reload = shown(&incident(Key::Reload("mappings".to_owned())));
        assert_eq!((&reload["files"], &reload["destination"]), (&"mappings".into(), &Value::Null));
        assert_eq!(reload["look"], "hookglot check --config a.toml");
    }
}
