//! A hook as it came, and its deliveries.

use super::super::super::api::{self, Client, Failure};
use super::super::super::out;
use super::super::super::screen::{self, Screen, Table, harmless};
use super::super::rows;
use super::{body, headers, of_hook};
use crate::admin::shown::WholeHook;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Shows the hook of an id that is not a delivery's.
pub(super) async fn run(client: &Client, id: &str, is_json: bool) -> Result<ExitCode, Failure> {
    let answer: Value = client.get(&["hooks", id], &[]).await.map_err(|failure| neither(failure, id))?;
    if is_json {
        screen::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let whole: WholeHook = api::typed(&answer)?;
    let screen = Screen::of_out();
    let mut text = format!("hook {}\n", whole.hook.id);
    of_hook(&whole.hook, &mut |name, value| {
        if name != "hook" && !value.is_empty() {
            let _ = writeln!(text, "  {name:<12}{}", harmless(value));
        }
    });
    text.push_str(&body("the hook as it came", &whole.body, screen));
    text.push_str(&headers("\nheaders as they came", &whole.headers, screen));
    out::bytes(text.as_bytes());
    if !whole.deliveries.is_empty() {
        out::line("\nits deliveries");
        Table::new(screen, &rows::OF_DELIVERY).print(whole.deliveries.iter().map(rows::of_delivery).collect());
    }
    Ok(ExitCode::SUCCESS)
}

fn neither(failure: Failure, id: &str) -> Failure {
    if !failure.is_missing() {
        return failure;
    }
    let message = format!("there is neither a delivery nor a hook {id}: it was never here, or it is kept no longer");
    Failure { message, ..failure }
}
