//! All that fit a filter: counted first, agreed to, then sent by the server, which is watched and can be stopped.

use super::super::super::api::{self, Client, Failure};
use super::super::super::screen::{self, Screen, Table, harmless};
use super::super::super::signals::Signals;
use super::super::super::{FAILED, out};
use super::super::rows;
use super::{ResendArgs, no_consent};
use crate::admin::asked::AskedFilter;
use crate::admin::resend_shown::{AskedResends, How, Refused, ResendPlan, ResendShown, ResendState};
use jiff::Timestamp;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked how far it is.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(client: &Client, args: &ResendArgs, is_json: bool) -> Result<ExitCode, Failure> {
    if !args.dry_run && !args.yes && !screen::can_ask() {
        return Err(no_consent());
    }
    let mut asked = asked(args);
    let answer: Value = client.post(&["resends"], &asked).await?;
    let plan: ResendPlan = api::typed(&answer)?;
    if args.dry_run && is_json {
        screen::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    if !is_json {
        show(&plan);
    }
    if args.dry_run || plan.would_send == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let question = format!("send {} again, {} a second at most?", number(&plan), args.rate);
    if !args.yes && !screen::agrees(&question) {
        out::error("nothing is sent");
        return Ok(ExitCode::from(FAILED));
    }
    asked.dry_run = false;
    // From here on a Ctrl-C is for the server.
    let mut signals = Signals::listen();
    let answer: Value = client.post(&["resends"], &asked).await?;
    let begun: ResendShown = api::typed(&answer)?;
    let ended = watch(client, answer, begun.id, &mut signals).await?;
    finish(&ended, is_json)
}

fn asked(args: &ResendArgs) -> AskedResends {
    let filter = args.filter.asked();
    // What comes after the count is not sent: nobody would have agreed to it.
    let until = filter.until.or_else(|| Some(Timestamp::now()));
    AskedResends {
        filter: AskedFilter { until, ..filter },
        how: if args.anew { How::Anew } else { How::AsSent },
        dry_run: true,
        rate: Some(args.rate),
        again: args.again,
    }
}

fn number(plan: &ResendPlan) -> String {
    format!("{}{}", if plan.complete { "" } else { "at least " }, plan.would_send)
}

/// Says what would be sent, on standard output.
fn show(plan: &ResendPlan) {
    let differ =
        if plan.would_differ > 0 { format!(", {} with another body", plan.would_differ) } else { String::new() };
    out::line(&format!("would send {}{differ}", number(plan)));
    refusals("would not send", &plan.would_refuse);
    if !plan.sample.is_empty() {
        out::line("the newest of them:");
        let mut table = Table::new(Screen::of_out(), &rows::OF_DELIVERY);
        table.print(plan.sample.iter().map(rows::of_delivery).collect());
    }
}

fn refusals(words: &str, refused: &[Refused]) {
    for Refused { reason, count } in refused {
        out::line(&format!("{words} {count}: {}", harmless(reason)));
    }
}

/// Looks how far it is until it has ended; the first signal stops it on the server.
async fn watch(client: &Client, mut answer: Value, id: Uuid, signals: &mut Signals) -> Result<Value, Failure> {
    let id = id.to_string();
    let path = ["resends", id.as_str()];
    let lost = |failure: Failure| {
        let advice = "the server goes on with it; when it has ended its process, what was not sent yet can be asked for once more";
        screen::progress("");
        Failure { message: format!("{}\nresend {id}: {advice}", failure.message), ..failure }
    };
    loop {
        let now: ResendShown = api::typed(&answer)?;
        if now.state != ResendState::Running {
            screen::progress("");
            return Ok(answer);
        }
        screen::progress(&format!("{} of {} sent; Ctrl-C stops it", now.sent, now.found));
        answer = tokio::select! {
            () = signals.stop() => client.delete(&path, &[]).await.map_err(lost)?,
            () = tokio::time::sleep(LOOK) => client.get(&path, &[]).await.map_err(lost)?,
        };
    }
}

fn finish(answer: &Value, is_json: bool) -> Result<ExitCode, Failure> {
    let ended: ResendShown = api::typed(answer)?;
    if is_json {
        screen::json(answer);
    } else {
        let word = match ended.state {
            ResendState::Cancelled => "stopped: ",
            ResendState::Failed => "could not go on: ",
            ResendState::Running | ResendState::Done => "",
        };
        out::line(&format!("{word}{} of {} sent again", ended.sent, ended.found));
        refusals("not sent", &ended.refused);
    }
    if let Some(error) = &ended.error {
        out::error(harmless(error));
    }
    Ok(if ended.state == ResendState::Done { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
