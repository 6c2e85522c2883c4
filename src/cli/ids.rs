//! `hookglot ids`: which number stands for which text, through the admin API of a running hookglot.

use super::api::{self, ApiArgs, Client, Failure};
use super::counted::{are, counted};
use super::screen::{self, Cell, Screen, Table, harmless};
use super::{FAILED, out};
use crate::admin::ids::{AskedIds, AskedImport, IdShown, ImportShown};
use crate::admin::shown::PageShown;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest page that the API gives, and how many it takes in at once.
const PAGE: u16 = 500;
const NAMES: [&str; 6] = ["KIND", "NUMBER", "TEXT", "INSTANCE", "GIVEN", ""];

#[derive(Debug, Args)]
pub(super) struct IdsArgs {
    #[command(subcommand)]
    command: IdsCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum IdsCommand {
    /// List texts and their numbers, the latest first.
    List(ListArgs),
    /// Write all of them as JSON, a line each, as `import` reads them.
    Export {
        /// A file that is not there yet; `-` or nothing for standard output
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Take in what was exported; what is there already stays as it is. Takes a token with rights = "write".
    ///
    /// Exit codes: 0 all are taken; 1 some cannot be, each of which is said with what has its number, or it could not be done.
    Import {
        /// The file; `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only of a kind: project, user, group, issue, `merge_request`, note, pipeline, job or label
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of this text
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only this number
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,
    /// How many at most; all where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

pub(super) fn run(args: &IdsArgs) -> ExitCode {
    let is_json = args.api.json;
    api::ask(&args.api, FAILED, |client| async move {
        match &args.command {
            IdsCommand::List(list) => show(&client, list, is_json).await,
            IdsCommand::Export { file } => export(&client, file).await,
            IdsCommand::Import { file } => import(&client, file, is_json).await,
        }
    })
}

/// Reads page by page until a page is not wanted, or there is no more; says how many there were.
async fn pages(
    client: &Client,
    asked: &AskedIds,
    most: usize,
    mut take: impl FnMut(Vec<Value>) -> Result<bool, Failure>,
) -> Result<usize, Failure> {
    let (mut count, mut before) = (0, None);
    while count < most {
        let limit = u16::try_from(most - count).unwrap_or(PAGE).min(PAGE);
        let asked = AskedIds { before, limit: Some(limit), ..asked.clone() };
        let page: PageShown<Value> = client.get(&["ids"], &api::query(&asked)).await?;
        count += page.items.len();
        before = page.next;
        if !take(page.items)? || before.is_none() {
            break;
        }
    }
    Ok(count)
}

async fn show(client: &Client, args: &ListArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let ListArgs { kind, text, number, limit } = args;
    let asked = AskedIds { kind: kind.clone(), text: text.clone(), number: *number, ..AskedIds::default() };
    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut table = Table::new(Screen::of_out(), &NAMES);
    let count = pages(client, &asked, most, |items| {
        if is_json {
            return Ok(items.iter().all(screen::json));
        }
        let rows = items.iter().map(|item| Ok(row(&api::typed(item)?))).collect::<Result<_, Failure>>()?;
        Ok(table.print(rows))
    });
    if count.await? == 0 && !is_json {
        out::error("no number fits");
    }
    Ok(ExitCode::SUCCESS)
}

fn row(id: &IdShown) -> Vec<Cell> {
    let IdShown { kind, text, number, instance, former, made_at } = id;
    let (instance, given) = (instance.as_deref().unwrap_or_default(), made_at.map(screen::time).unwrap_or_default());
    let former = if *former { "the text has another by now" } else { "" };
    [kind, &number.to_string(), text, instance, &given, former].map(Cell::new).to_vec()
}

async fn export(client: &Client, file: &Path) -> Result<ExitCode, Failure> {
    let wrong = |error: std::io::Error| Failure::from(format!("{}: {error}", file.display()));
    let mut to: Option<File> = None;
    if !is_stdio(file) {
        // An export that is there may be the only one.
        to = Some(OpenOptions::new().write(true).create_new(true).open(file).map_err(wrong)?);
    }
    let asked = AskedIds::default();
    let count = pages(client, &asked, usize::MAX, |items| {
        let lines: String = items.iter().map(|item| screen::harmless_json(&item.to_string()) + "\n").collect();
        match &mut to {
            Some(to) => to.write_all(lines.as_bytes()).map(|()| true).map_err(wrong),
            None => Ok(out::bytes(lines.as_bytes())),
        }
    });
    let count = count.await.inspect_err(|_| {
        // Half an export looks like a whole one, and stands in the way of the next.
        if !is_stdio(file) {
            let _ = std::fs::remove_file(file);
        }
    })?;
    if let Some(to) = to {
        to.sync_all().map_err(wrong)?;
        out::line(&format!("{} {} in {}", counted(count, "number"), are(count), file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(client: &Client, file: &Path, is_json: bool) -> Result<ExitCode, Failure> {
    // All of it is read first: half of a file that is no export must not be taken in.
    let items = read(file)?;
    let mut all = ImportShown::default();
    for some in items.chunks(usize::from(PAGE)) {
        let asked = AskedImport { items: some.to_vec() };
        let imported: ImportShown = client.post(&["ids"], &asked).await.map_err(|failure| {
            let (taken, all) = (all.taken, counted(items.len(), "number"));
            let message = format!("{failure}\n{taken} of {all} {} taken before that: import again", are(taken));
            Failure { message, ..failure }
        })?;
        all.taken += imported.taken;
        all.refused.extend(imported.refused);
    }
    if is_json {
        let _ = serde_json::to_value(&all).is_ok_and(|all| screen::json(&all));
    } else {
        for refused in &all.refused {
            out::error(harmless(&refused.reason));
        }
        let refused = all.refused.len();
        let (taken, are_taken) = (counted(all.taken, "number"), are(all.taken));
        out::line(&format!("{taken} {are_taken} taken, {refused} {} not", are(refused)));
    }
    Ok(ExitCode::from(if all.refused.is_empty() { 0 } else { FAILED }))
}

fn read(file: &Path) -> Result<Vec<IdShown>, Failure> {
    let wrong = |error: std::io::Error| Failure::from(format!("{}: {error}", file.display()));
    let lines: Box<dyn BufRead> = if is_stdio(file) {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(wrong)?))
    };
    let mut items = Vec::new();
    for (at, line) in lines.lines().enumerate() {
        let line = line.map_err(wrong)?;
        if line.trim().is_empty() {
            continue;
        }
        let item = serde_json::from_str(&line).map_err(|error| {
            Failure::from(format!("{}:{}: no line of an export: {error}; nothing is taken", file.display(), at + 1))
        })?;
        items.push(item);
    }
    Ok(items)
}

fn is_stdio(file: &Path) -> bool {
    file.as_os_str() == "-"
}
