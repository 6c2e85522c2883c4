//! What can be said on the command line.

mod allocator;
mod api;
mod bench;
mod capture;
mod check;
mod collector;
mod completions;
mod counted;
mod coverage;
mod deliveries;
mod destinations;
mod echo;
mod effective;
mod findings;
mod foreseen;
mod forget;
mod healthcheck;
mod ids;
mod init;
mod known;
mod man;
mod mappings;
mod open_files;
mod out;
mod parts;
mod reconfigure;
mod reserve;
mod routes;
mod screen;
mod serve;
mod signals;
mod sockets;
mod states;
mod stop;
mod store;
mod supervisor;
mod table;
mod toml;
mod translate;

use crate::config::Flags;
use crate::store::sqlite::SCHEMA;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

/// It could not be done.
pub const FAILED: u8 = 1;
/// A file or folder that the command is about cannot be read. (A wrong command line, too.)
pub const UNREADABLE: u8 = 2;
/// The event is ignored: there is nothing to print.
pub const IGNORED: u8 = 3;
/// The configuration or a mapping file is wrong (`EX_CONFIG` of sysexits.h).
pub const WRONG_CONFIGURATION: u8 = 78;

/// The version with that of the store, which says whether another hookglot can open it.
static LONG_VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (store schema {SCHEMA})", env!("CARGO_PKG_VERSION")));

/// Translates GitLab and GitFlic hooks into each other and delivers them.
#[derive(Debug, Parser)]
#[command(name = "hookglot", version, long_version = LONG_VERSION.as_str(), about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration that works, for a forge and a tool, and say what is left to do.
    ///
    /// What --forge, --tool and --url leave open is asked on the terminal. Exit codes: 0 written, 1 it could not be done, 2 the
    /// command line does not say enough.
    Init(init::InitArgs),
    /// Take hooks in, translate and deliver them.
    ///
    /// Without a configuration it runs a demonstration on 127.0.0.1:8080: send a hook of either forge to it and see it
    /// arrive in the other's format. `HOOKGLOT_TO`, `HOOKGLOT_FORMAT` and `HOOKGLOT_SECRET` make it a sidecar;
    /// `--config` gives it routes.
    Serve(ServeArgs),
    /// Translate one hook and print what a tool would receive.
    ///
    /// Exit codes: 0 translated, 3 the event is ignored (the reason is on standard error), 1 error.
    Translate(TranslateArgs),
    /// Check a configuration and all mapping files: load them, run their examples, hold what comes out against the
    /// schemas.
    ///
    /// Exit codes: 0 sound, 1 something is wrong, 2 a file or folder cannot be read.
    Check(CheckArgs),
    /// Print the configuration in force: file, environment, flags and defaults, each setting with where it comes from.
    ///
    /// Secrets are hidden, also those in URLs. Exit codes: 0 printed, 1 something is wrong, 2 a file or folder cannot be read.
    Config(ConfigArgs),
    /// Show what becomes of each event of each forge: mapped, ignored and why, and what is lost on the way.
    Coverage(CoverageArgs),
    /// Show what mapping files can be written with, and which there are.
    #[command(subcommand)]
    Mappings(MappingsCommand),
    /// Print every request that arrives: a stand-in for a tool.
    Echo(EchoArgs),
    /// Write everything that the store holds into a new file, while it is in use.
    Backup(StoreArgs),
    /// Put a backup in the place of the store of a hookglot that is not running; what was there is kept beside it.
    ///
    /// What was delivered after the backup was made is delivered again, under the same keys.
    Restore(StoreArgs),
    /// Have a running hookglot erase what it stores of somebody, or of a project: bodies, headers, answers, states.
    ///
    /// Takes a token with rights = "write" in `HOOKGLOT_ADMIN_TOKEN` or `HOOKGLOT_ADMIN_TOKEN_FILE`. Exit codes: 0 done, or
    /// counted; 1 something is left, or it could not be done.
    Forget(forget::ForgetArgs),
    /// Ask a running hookglot on its admin port whether it is ready: for images without shell and curl.
    Healthcheck(SettingsArgs),
    /// Send a bounded load to a running proxy on this machine, and say what came of it.
    ///
    /// Exit codes: 0 every hook got its 200 and, with --sink, arrived; 1 not so, or it could not be done.
    Bench(bench::BenchArgs),
    /// Ask a running hookglot what became of hooks, and have deliveries sent again.
    Deliveries(deliveries::DeliveriesArgs),
    /// Make an example for a mapping of a hook that came: names, addresses, texts and secrets in it are invented.
    ///
    /// It is printed as the text of a file for `examples/`; where that belongs, and what the mapping says of it, is on
    /// standard error.
    ///
    /// Exit codes: 0 done, 1 it could not be done.
    Capture(capture::CaptureArgs),
    /// Ask a running hookglot which number stands for which text; export and import these.
    Ids(ids::IdsArgs),
    /// Ask a running hookglot for its routes and destinations, and how these are.
    ///
    /// Exit codes: 0 done, 1 it could not be done.
    Routes(api::ApiArgs),
    /// Ask a running hookglot which people its hooks told of: ids, user names, names, and which hook said so.
    ///
    /// Exit codes: 0 done, 1 it could not be done; of `show` and `forget` also: nothing is known.
    Users(known::KnownArgs),
    /// Ask a running hookglot which projects its hooks told of.
    ///
    /// Exit codes: 0 done, 1 it could not be done; of `show` and `forget` also: nothing is known.
    Projects(known::KnownArgs),
    /// Ask a running hookglot what it remembers of issues and merge requests, from which it finds out what a hook changed.
    ///
    /// Exit codes: 0 done, 1 it could not be done; of `show` and `forget` also: nothing is known.
    States(states::StatesArgs),
    /// Print what a shell needs to complete commands and flags: `source <(hookglot completions bash)`.
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual: `hookglot man | man -l -`.
    Man {
        /// Write a page for each command into a folder instead, to be copied to share/man/man1
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct SettingsArgs {
    /// The configuration file [env: `HOOKGLOT_CONFIG`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where /live, /ready and /metrics are [env: `HOOKGLOT_ADMIN_LISTEN`] [default: 127.0.0.1:9090]
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Where hooks come in [env: `HOOKGLOT_LISTEN`] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The folder of the durable store [env: `HOOKGLOT_DATA_DIR`] [default: ./hookglot-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
    #[arg(long, value_name = "DIR")]
    mappings_dir: Option<String>,
    /// text or json [env: `HOOKGLOT_LOG_FORMAT`] [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// error, warn, info, debug or a filter [env: `HOOKGLOT_LOG_LEVEL`] [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Print a list of all settings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct StoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The configuration file [env: `HOOKGLOT_CONFIG`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the durable store [env: `HOOKGLOT_DATA_DIR`] [default: ./hookglot-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

impl StoreArgs {
    fn flags(&self) -> Flags {
        flags(self.config.clone(), [("data_dir", self.data_dir.clone())])
    }
}

#[derive(Debug, Args)]
struct TranslateArgs {
    /// A file with the body of a hook; `-` or nothing for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The forge whose format to translate into
    #[arg(long, value_name = "FORGE")]
    to: String,
    /// The forge that sent the hook, where its body does not tell
    #[arg(long, value_name = "FORGE")]
    from: Option<String>,
    /// What the header says that names the event ('Push Hook'), where the body does not tell
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Print the headers that say what it is, an empty line, then the body
    #[arg(long)]
    headers: bool,
    /// Print in place of the body, for each field, which line of which file made it and what it read
    #[arg(long, conflicts_with = "headers")]
    explain: bool,
    /// An overlay to lay over the body, as a destination names it; several in their order
    #[arg(long, value_name = "NAME")]
    overlay: Vec<String>,
    /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
    #[arg(long, value_name = "DIR")]
    mappings_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Mapping files to look at alone; the folder two above them stands in the place of --mappings-dir
    #[arg(value_name = "FILE", conflicts_with_all = ["config", "mappings_dir"])]
    files: Vec<PathBuf>,
    /// How findings are printed: text to standard error; JSON or GitHub's annotations to standard output
    #[arg(long, value_enum, default_value_t = FindingsFormat::Text)]
    format: FindingsFormat,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// The configuration file [env: `HOOKGLOT_CONFIG`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
    #[arg(long, value_name = "DIR")]
    mappings_dir: Option<String>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FindingsFormat {
    Text,
    Json,
    Github,
}

impl CheckArgs {
    fn flags(&self) -> Flags {
        flags(self.config.clone(), [("mappings_dir", self.mappings_dir.clone())])
    }
}

#[derive(Debug, Args)]
struct CoverageArgs {
    /// How the table is printed
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
    /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
    #[arg(long, value_name = "DIR")]
    mappings_dir: Option<PathBuf>,
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TableFormat {
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Subcommand)]
enum MappingsCommand {
    /// Every filter: its arguments, what it gives, an example.
    Filters {
        /// How the table is printed
        #[arg(long, value_enum, default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// The text of a file in force, also of one in the binary: to be changed in a `mappings_dir`.
    Show {
        /// The file, as `list` names it or without what stands before its folder: gitflic-to-gitlab/push.yaml
        file: String,
        /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
        #[arg(long, value_name = "DIR")]
        mappings_dir: Option<PathBuf>,
    },
    /// Every mapping and overlay: its file, the beginning of the SHA-256 of its files, its events.
    List {
        /// Mapping files over the built-in ones [env: `HOOKGLOT_MAPPINGS_DIR`]
        #[arg(long, value_name = "DIR")]
        mappings_dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct EchoArgs {
    /// Where requests come in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

/// Runs what the command line says; gives the exit code that `main` documents.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Init(args) => init::run(args),
        Command::Serve(args) => serve::run(&args.into()),
        Command::Translate(args) => translate::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Config(args) => effective::run(args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Mappings(command) => mappings::run(&command),
        Command::Echo(args) => echo::run(args.listen),
        Command::Backup(args) => store::back_up(&args.flags(), &args.file),
        Command::Restore(args) => store::restore(&args.flags(), &args.file),
        Command::Forget(args) => forget::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args.into()),
        Command::Bench(args) => bench::run(&args),
        Command::Deliveries(args) => deliveries::run(args),
        Command::Capture(args) => capture::run(&args),
        Command::Ids(args) => ids::run(&args),
        Command::Routes(args) => routes::run(&args),
        Command::Users(args) => known::run("users", &args),
        Command::Projects(args) => known::run("projects", &args),
        Command::States(args) => states::run(&args),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { dir } => man::run(dir.as_deref()),
    }
}

fn flags(config: Option<PathBuf>, settings: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Flags {
    let given = settings.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    Flags { config, settings: given.collect() }
}

impl From<SettingsArgs> for Flags {
    fn from(args: SettingsArgs) -> Self {
        flags(args.config, [("admin_listen", args.admin_listen)])
    }
}

impl From<ServeArgs> for Flags {
    fn from(args: ServeArgs) -> Self {
        let settings = [
            ("admin_listen", args.settings.admin_listen),
            ("listen", args.listen),
            ("data_dir", args.data_dir),
            ("mappings_dir", args.mappings_dir),
            ("log_format", args.log_format),
            ("log_level", args.log_level),
        ];
        flags(args.settings.config, settings)
    }
}

/// The folder of one's own mapping files: that of the flag, else that of the variable.
fn mappings_dir(flag: Option<&PathBuf>) -> Option<PathBuf> {
    let from_environment = || environment().remove("HOOKGLOT_MAPPINGS_DIR").filter(|folder| !folder.is_empty());
    flag.cloned().or_else(|| from_environment().map(PathBuf::from))
}

/// The environment; variables that are no text are none of ours.
fn environment() -> std::collections::HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
