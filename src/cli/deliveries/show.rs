//! `hookglot deliveries show`: one delivery with everything that is known of it, or a hook.

mod hook;

use super::super::api::{self, Client, Failure};
use super::super::screen::{self, Colour, Screen, harmless, harmless_lines};
use super::super::{FAILED, out};
use super::asked::named;
use super::beside::{self, Explanation, pretty};
use super::{curl, rows};
use crate::admin::shown::{AttemptShown, Content, HeaderShown, HookShown, WholeDelivery};
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The delivery, or the hook
    #[arg(value_name = "ID")]
    id: String,
    /// Print a command of curl that sends the same body with the same headers; secrets are variables in it (`$TOKEN`)
    #[arg(long, conflicts_with = "json")]
    as_curl: bool,
}

pub(super) async fn run(client: &Client, args: &ShowArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let answer: Value = match client.get(&["deliveries", &args.id], &[]).await {
        Ok(answer) => answer,
        Err(failure) if failure.is_missing() && !args.as_curl => return hook::run(client, &args.id, is_json).await,
        Err(failure) => return Err(failure),
    };
    if is_json {
        screen::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let whole: WholeDelivery = api::typed(&answer)?;
    if args.as_curl {
        return Ok(as_curl(&whole));
    }
    let screen = Screen::of_out();
    let mut text = headline(&whole, screen);
    match &whole.outgoing {
        Some(sent) => {
            let explanation = explanation(client, &args.id, sent.mapping.is_some()).await;
            let _ = write!(text, "\n{}", beside::lay(&whole.hook_body, &sent.body, &explanation, screen));
            text.push_str(&headers("\nheaders as they came", &whole.hook_headers, screen));
            text.push_str(&headers("\nheaders as sent, beside those of each attempt", &sent.headers, screen));
        }
        None => {
            text.push_str(&body("the hook as it came; nothing is made of it", &whole.hook_body, screen));
            text.push_str(&headers("\nheaders as they came", &whole.hook_headers, screen));
        }
    }
    whole.attempt_list.iter().enumerate().for_each(|(number, own)| text.push_str(&attempt(number + 1, own, screen)));
    out::bytes(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn as_curl(whole: &WholeDelivery) -> ExitCode {
    let Some(curl) = curl::of(whole) else {
        out::error("there is nothing to send: the hook is not translated");
        return ExitCode::from(FAILED);
    };
    out::line(&curl.command);
    out::error(curl.advice.join("\n"));
    ExitCode::SUCCESS
}

/// Which lines made the body; where that cannot be told, the rest is shown all the same.
async fn explanation(client: &Client, id: &str, is_mapped: bool) -> Explanation {
    if !is_mapped {
        return Explanation::default();
    }
    let answer: Result<Explanation, Failure> = client.get(&["deliveries", id, "explain"], &[]).await;
    if let Ok(Explanation { same_mapping, refused, .. }) = &answer {
        match (refused, same_mapping) {
            (Some(why), _) => out::error(harmless(&format!("which lines made the body is not known: {why}"))),
            (None, Some(false)) => out::error(harmless(&format!(
                "the mappings have changed since: lines are named that would make the same today; \
                 `hookglot deliveries diff {id}` shows what they would make otherwise"
            ))),
            (None, _) => {}
        }
    }
    answer.unwrap_or_else(|failure| {
        out::error(harmless(&format!("which lines made the body is not known: {failure}")));
        Explanation::default()
    })
}

/// What it is and what became of it.
fn headline(whole: &WholeDelivery, screen: Screen) -> String {
    let delivery = &whole.delivery;
    let state = screen.paint(named(delivery.state), Some(rows::colour(delivery.state)));
    let mut text = format!("delivery {} to {}: {state}", delivery.id, harmless(&delivery.destination));
    let result = rows::result(delivery);
    if !result.is_empty() {
        let _ = write!(text, ": {}", harmless(&result));
    }
    text.push('\n');
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<12}{}", harmless(value));
        }
    };
    of_hook(&delivery.hook, &mut line);
    line("address", whole.url.as_deref().unwrap_or("none: the destination is gone"));
    line("key", &delivery.key);
    let sent = whole.outgoing.as_ref();
    line("mapping", sent.and_then(|sent| sent.mapping.as_deref()).unwrap_or_default());
    line("attempts", &attempts(delivery.attempts, delivery.probes));
    line("repeats", &delivery.resend_of.map(|id| id.to_string()).unwrap_or_default());
    line("ended", &delivery.ended_at.map(rows::time).unwrap_or_default());
    text
}

fn attempts(attempts: u32, probes: u32) -> String {
    if probes == 0 { attempts.to_string() } else { format!("{attempts}, and {probes} that only probed") }
}

/// Says what a hook is, a line each.
fn of_hook(hook: &HookShown, line: &mut impl FnMut(&str, &str)) {
    let forge = if hook.forge.is_empty() { "nobody known" } else { &hook.forge };
    line("hook", &hook.id.to_string());
    line("event", &format!("{} of {forge}", rows::event(&hook.event)));
    line("came", &format!("{} on {}", rows::time(hook.received_at), hook.route));
    line("project", hook.project.as_deref().unwrap_or_default());
    line("instance", hook.instance.as_deref().unwrap_or_default());
    line("forge's key", hook.delivery_key.as_deref().unwrap_or_default());
    line("nobody's", &rows::fate(hook));
}

fn headers(title: &str, headers: &[HeaderShown], screen: Screen) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let lines = headers.iter().map(|header| format!("  {}", harmless(&format!("{}: {}", header.name, header.value))));
    format!("{}\n{}\n", screen.paint(title, Some(Colour::Strong)), lines.collect::<Vec<_>>().join("\n"))
}

fn body(title: &str, content: &Content, screen: Screen) -> String {
    let mut text = format!("\n{}\n", screen.paint(title, Some(Colour::Strong)));
    text.extend(pretty(content).iter().flat_map(|line| [line.text.as_str(), "\n"]));
    text
}

/// A request and what came back.
fn attempt(number: usize, own: &AttemptShown, screen: Screen) -> String {
    let status = own.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let probe = if own.probe { ", a probe" } else { "" };
    let error = if own.error.is_empty() { String::new() } else { format!(": {}", harmless(&own.error)) };
    let colour = if own.error.is_empty() { Colour::Good } else { Colour::Bad };
    let title = format!("attempt {number} at {}{probe}: ", rows::time(own.at));
    let mut text = format!(
        "\n{}{}{error} ({:.0} ms)\n",
        screen.paint(&title, Some(Colour::Strong)),
        screen.paint(&status, Some(colour)),
        own.elapsed_ms
    );
    for (sign, headers) in [('>', &own.request_headers), ('<', &own.response_headers)] {
        for HeaderShown { name, value } in headers {
            let _ = writeln!(text, "  {sign} {}", harmless(&format!("{name}: {value}")));
        }
    }
    if own.response_body.size > 0 {
        let answer = own.response_body.text.as_deref().map(harmless_lines);
        let answer = answer.unwrap_or_else(|| format!("({} bytes that are no text)", own.response_body.size));
        answer.lines().for_each(|line| text.extend(["  ", line, "\n"]));
    }
    if own.response_cut {
        text.push_str("  (and more, which is not kept)\n");
    }
    text
}
