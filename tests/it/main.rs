//! hookglot from outside: the real binary, real sockets, real files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::large_stack_arrays,
    reason = "a test that cannot go on says so by panicking"
)]
#![allow(unreachable_pub, reason = "the modules of a test binary have no outside")]

mod support;

/// Forges that hear what the tools say.
mod acks;
/// Sockets that are handed over, and what systemd is told.
mod activation;
/// Routes, destinations, mappings and deliveries as the admin API shows them.
mod admin_state;
/// Troubles that are posted, each when it begins and when it is over.
mod alerts;
/// What tools answer, and what becomes of a delivery then.
mod answers;
/// Who did what, and when.
mod audit;
/// Backups and restores that are cut off, have no room, or are none.
mod backups;
/// `bench`: what it sends, where, and what it says of what came of it.
mod bench;
/// What a mapping may make of a hook, in size.
mod budgets;
/// Secrets that are looked for everywhere.
mod canary;
/// Hooks that become examples, and show nobody.
mod capture;
/// `capture`, and what is recorded, before a running hookglot.
mod captured;
/// Destinations that come, go and change, and copies of the store.
mod changes;
/// `check`: what it finds, and how it ends.
mod check;
/// How `check` prints what it finds.
mod check_formats;
/// Tools that ask for a certificate of ours.
mod client_certificates;
/// Help, version, and outputs that nobody reads.
mod command_line;
/// Faults of a configuration, all at once.
mod config;
/// A configuration and the files that it names, when they change.
mod config_changes;
/// Who is who by the configuration: faults, and that nobody shows.
mod configured;
/// Who is who by the configuration, in the hooks that tools get.
mod configured_hooks;
/// What becomes of each event, and the pages that are made of it.
mod coverage;
/// Kills at any moment: what was accepted arrives.
mod crash;
/// Headers of one's own: those that a destination is always sent, and those of a hook that are passed on.
mod custom_headers;
/// A day in a project, told by each forge to a tool of the other.
mod day;
/// A tool that is gone for ten thousand hooks.
mod dead_destination;
/// `deliveries` without `resend`, and `routes`, before a server that answers as they want, and on a terminal.
mod deliveries_calls;
/// `deliveries list` and `show` before a running hookglot.
mod deliveries_cli;
/// `deliveries` and `routes` before a running hookglot, and what they have it do.
mod deliveries_live;
/// `deliveries resend` before a server that answers as it wants, and on a terminal.
mod deliveries_resend;
/// What reaches a tool: bytes on the wire, retries, pass-through, certificates, proxies.
mod delivery;
/// The demonstration that runs without any configuration.
mod demo;
/// What an update did, from what the hooks before it told.
mod differences;
/// Disks that are full, closed or broken, and damaged databases.
mod disk;
/// Starts on a disk or a database that cannot be used: what each is told to do.
mod disk_at_start;
/// Hooks that come twice.
mod duplicates;
/// `echo`: what it prints, and what it does not.
mod echo;
/// `config`: what is in force and who says so; secrets in files.
mod effective;
/// Settings from variables and flags: which goes over which, and which are none of ours.
mod environment;
/// What is stored of somebody or of a project, until it is erased.
mod erasing;
/// Which line made a field, and of what.
mod explain;
/// What a fuzzer tries, in short.
mod fuzzed;
/// `healthcheck`
mod healthcheck;
/// Wrong and hostile input at the front door, line by line: what each gets, and that everything else goes on.
mod hostile;
/// Proof of the caller, wrong input, and the answers to it.
mod ingest;
/// `init`: configurations that are written, and hooks that come through them.
mod init;
/// Every GitLab hook that the mappings make, before those who read such hooks.
mod judges;
/// The page of the mapping language: every block of it is run.
mod language;
/// Which room may use which.
mod layers;
/// What hooks teach, and what later ones find.
mod learning;
/// Hooks of GitFlic that leave out this and that.
mod lenient;
/// Users, passwords and queries of URLs: where they go, and that they show nowhere.
mod logins;
/// Completions and manual pages, made from the command line.
mod manual;
/// Mapping and forge files that are refused, each with what is wrong and where.
mod mapping_faults;
/// Golden outputs, schemas, and any JSON at all.
mod mappings;
/// Mapping files of one's own over the built-in ones.
mod mappings_dir;
/// The page of metrics, and what is shown before anything happens.
mod metrics_page;
/// The dashboard and the alerts, held against the metrics.
mod monitoring;
/// The bytes of a request beside those that GitLab's own HTTP client sends.
mod net_http;
/// Numbers for texts that collide, are lost, exported and imported.
mod numbers;
/// Files of a `mappings_dir` that cannot be read, or that nobody reads.
mod odd_files;
/// The description of the admin API, and whether it is true.
mod openapi;
/// The runbook: every block of it is run.
mod operations;
/// One owner of a folder at a time, and owners one after another.
mod owners;
/// How many failures a forge still takes before it disables its hook.
mod patience;
/// What would become of a hook: `translate` of the admin API.
mod playground;
/// Proxies whose word is taken for where a request came from, and others.
mod proxies;
/// How deliveries wait for each other, for room and for a rate.
mod queueing;
/// README.md and README.ru.md: the same but for the language.
mod readmes;
/// Whose hook it is and what it is called: by kind, by header, by shape.
mod recognition;
/// Routes that keep the first hook of each event.
mod recording;
/// Mapping files that change while hooks come in.
mod reload;
/// Many deliveries sent again at once.
mod resends;
/// Hooks with fields that are missing or of another kind.
mod robustness;
/// From one forge to the other and back.
mod round_trip;
/// Real payloads, where a folder of them is at hand.
mod samples;
/// No fault and no log line shows a secret.
mod secrets;
/// Which destination gets which events of which branches.
mod selection;
/// A sidecar that is set by its environment alone.
mod sidecar;
/// Hooks that come in signed: which open a route, and what the others are told.
mod signed_in;
/// Hooks that go out signed, at each attempt anew.
mod signed_out;
/// Settings of signing keys, and what is wrong with them.
mod signing_keys;
/// A disk that is small for what has ended.
mod small_disk;
/// A database that is damaged, moved away or without its log.
mod soundness;
/// What a stop finishes, and what it says of the rest.
mod stop;
/// A tool is down, and somebody is on call: everything from the alert to the last hook that arrives.
mod story;
/// The public port with TLS: certificates that change, and those who speak something else.
mod tls_port;
/// What happens, for those who listen; and what every answer of the admin port has.
mod told;
/// Traces of hooks: to which each belongs, what its spans say, what tools are told.
mod traces;
/// Collectors that are away, and traces that nobody asked for.
mod traces_lost;
/// `translate`, from any bytes to a body or a sentence.
mod translate;
/// Settings that could never do what they are for.
mod unfit;
