//! `hookglot init`: writes a configuration that works, from what is said on the command line or answered on a terminal.

mod asking;
mod choice;
mod next;
mod place;
mod recipes;
mod written;

use super::{FAILED, UNREADABLE, out, screen};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;
use std::process::ExitCode;

/// The file where nothing else is said.
const FILE: &str = "hookglot.toml";
/// What stands for all forges.
const BOTH: &str = "both";

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = FILE)]
    file: PathBuf,
    /// The forge that sends hooks
    #[arg(long, value_parser = PossibleValuesParser::new(recipes::forges().into_iter().chain([BOTH])))]
    forge: Option<String>,
    /// The tool that gets them
    #[arg(long, value_parser = PossibleValuesParser::new(recipes::tools()))]
    tool: Option<String>,
    /// Where the tool is: with the path on which it takes hooks, or without where hookglot knows that
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the URL needs to know beyond the tool's address: for Jenkins the job, folder/job
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// The format that the tool reads, where that is not known: gitlab, gitflic, or other (the one that the hook does not have)
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// The path on which hooks come in
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// The file that holds what the forge sends as secret; made with mode 600 where there is none [default: FILE with
    /// .secret in place of .toml; with --stdout the secret stands in what is printed]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The file that holds the secret that the tool expects; made with mode 600 where there is none [default: none]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where hooks are kept until they are delivered [default: ./hookglot-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where hooks come in [default: 127.0.0.1:8080, which lets in nobody but this machine]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Write over a file that is there; secrets in files stay
    #[arg(long)]
    force: bool,
    /// Print the configuration, and write no file
    #[arg(long, conflicts_with = "force")]
    stdout: bool,
}

impl InitArgs {
    /// What is missing to do without asking.
    fn missing(&self) -> Vec<&'static str> {
        let given = [("--forge", self.forge.is_some()), ("--tool", self.tool.is_some()), ("--url", self.url.is_some())];
        given.into_iter().filter(|(_, is_given)| !is_given).map(|(flag, _)| flag).collect()
    }
}

pub(super) fn run(mut args: InitArgs) -> ExitCode {
    let missing = args.missing();
    if !missing.is_empty() && !screen::can_ask() {
        out::error(format!("there is no terminal to ask on: say {}", missing.join(", ")));
        return ExitCode::from(UNREADABLE);
    }
    let done = place::check_free(&args).and_then(|()| {
        if !missing.is_empty() {
            asking::fill(&mut args)?;
        }
        write(&args)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

fn write(args: &InitArgs) -> Result<(), String> {
    let choice = choice::Choice::of(args)?;
    let secrets = place::Secrets::of(args);
    let text = written::text(&choice, &secrets);
    if args.stdout {
        out::bytes(text.as_bytes());
        out::findings(next::steps(&choice, &secrets, None));
        return Ok(());
    }
    for made in place::write(args, &secrets, &text)? {
        out::line(&made);
    }
    out::line(&next::steps(&choice, &secrets, Some(&args.file)));
    Ok(())
}
