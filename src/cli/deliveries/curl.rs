//! A delivery as a command of curl that sends the same bytes. Secrets are variables: hookglot does not tell them.

use super::super::screen::is_harmful;
use crate::admin::shown::{Content, HeaderShown, WholeDelivery};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// What the API says in place of a secret.
const HIDDEN: &str = "[hidden]";
/// Headers of the connection, which curl makes itself.
const OF_CURL: [&str; 6] = ["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect"];

/// A command, and what somebody who runs it must know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Curl {
    pub(super) command: String,
    pub(super) advice: Vec<String>,
}

/// The command of a delivery; none while there is nothing to send.
pub(super) fn of(whole: &WholeDelivery) -> Option<Curl> {
    let outgoing = whole.outgoing.as_ref()?;
    let mut secrets = Secrets::default();
    let mut lines = vec![format!("{} | curl --include --globoff --data-binary @-", body(&outgoing.body))];
    // As the latest attempt sent them; before the first one, those that are known.
    let latest = whole.attempt_list.iter().rev().map(|attempt| &attempt.request_headers).find(|sent| !sent.is_empty());
    let headers = latest.unwrap_or(&outgoing.headers);
    if latest.is_none() {
        let missing =
            "no attempt is kept: the headers that each attempt adds, such as its key and the secret, are missing";
        secrets.advice.push(missing.to_owned());
    }
    let is_typed = headers.iter().any(|header| header.name.eq_ignore_ascii_case("content-type"));
    if !is_typed {
        lines.push("-H 'Content-Type: application/json'".to_owned());
    }
    let own = |header: &&HeaderShown| !OF_CURL.contains(&header.name.to_ascii_lowercase().as_str());
    lines.extend(headers.iter().filter(own).map(|header| format!("-H {}", secrets.header(header))));
    // curl would wait for leave to send a large body.
    lines.push("-H 'Expect:'".to_owned());
    lines.push(secrets.url(whole.url.as_deref()));
    Some(Curl { command: lines.join(" \\\n  "), advice: secrets.advice })
}

/// Variables for what is not told.
#[derive(Default)]
struct Secrets {
    count: usize,
    advice: Vec<String>,
}

impl Secrets {
    fn header(&mut self, header: &HeaderShown) -> String {
        let HeaderShown { name, value } = header;
        if value.is_empty() {
            // Behind a colon curl takes nothing for a header that is to be left out.
            return quoted(&format!("{name};"));
        }
        let Some((before, after)) = value.split_once(HIDDEN) else { return quoted(&format!("{name}: {value}")) };
        self.count += 1;
        let variable = if self.count == 1 { "TOKEN".to_owned() } else { format!("TOKEN{}", self.count) };
        self.advice.push(format!("set {variable} to the secret in `{}`", super::super::screen::harmless(name)));
        let tail = if after.is_empty() { String::new() } else { quoted(after) };
        format!("{}\"${variable}\"{tail}", quoted(&format!("{name}: {before}")))
    }

    fn url(&mut self, url: Option<&str>) -> String {
        let Some(url) = url else {
            self.advice.push("set URL to where it goes: the destination is gone".to_owned());
            return "\"$URL\"".to_owned();
        };
        if url.contains("hidden") {
            self.advice.push("put back what is `hidden` in the address".to_owned());
        }
        quoted(url)
    }
}

/// What prints a body, byte for byte.
fn body(content: &Content) -> String {
    match (&content.text, &content.base64) {
        (Some(text), _) if !text.contains(is_kept_from_terminals) => format!("printf %s {}", quoted(text)),
        (Some(text), _) => encoded(text.as_bytes()),
        (None, Some(base64)) => format!("printf %s {} | base64 -d", quoted(base64)),
        (None, None) => "printf ''".to_owned(),
    }
}

fn encoded(bytes: &[u8]) -> String {
    format!("printf %s '{}' | base64 -d", STANDARD.encode(bytes))
}

/// A body may have several lines.
fn is_kept_from_terminals(character: char) -> bool {
    is_harmful(character) && character != '\n'
}

/// A text that a shell takes as it is. What a terminal would obey is written in octal, which takes `$'…'`.
fn quoted(text: &str) -> String {
    if !text.contains(is_kept_from_terminals) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for character in text.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            _ if is_harmful(character) => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    // Writing into a String cannot fail.
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn run(command: &str) -> Vec<u8> {
        Command::new("bash").args(["-c", command]).output().unwrap().stdout
    }

    #[test]
    fn a_shell_takes_everything_as_it_is() {
        for text in
            ["plain", "it's $HOME `id` \"\\\" !!", "two\nlines\n", "a\u{1b}[2J'\\\u{9b}\u{202e}7é", "$(id)", "@file"]
        {
            let (kept, sent) = (quoted(text), Content::from(text.as_bytes()));
            assert!(!kept.contains(is_kept_from_terminals), "{kept}");
            assert_eq!(run(&format!("printf %s {kept}")), text.as_bytes(), "{kept}");
            assert_eq!(run(&body(&sent)), text.as_bytes(), "{}", body(&sent));
        }
        assert_eq!(run(&body(&Content::from(&b"\xff\x00x"[..]))), b"\xff\x00x");
    }

    #[test]
    fn a_secret_is_a_variable_inside_a_header() {
        let mut secrets = Secrets::default();
        let header = |name: &str, value: &str| HeaderShown { name: name.to_owned(), value: value.to_owned() };
        assert_eq!(secrets.header(&header("X-Token", "[hidden]")), "'X-Token: '\"$TOKEN\"");
        assert_eq!(secrets.header(&header("X-Key", "a [hidden]'s")), "'X-Key: a '\"$TOKEN2\"''\\''s'");
        assert_eq!(secrets.header(&header("X-None", "")), "'X-None;'");
        assert_eq!(secrets.advice, ["set TOKEN to the secret in `X-Token`", "set TOKEN2 to the secret in `X-Key`"]);
    }
}
