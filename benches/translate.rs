//! What a translation through a mapping file costs, beside the same translation written by hand.
//!
//! The job: the bytes of a GitFlic `BRANCH_UPDATE` push with 1 and with 20 commits become the body and
//! the headers of a GitLab push.
//!
//! - `engine`: the mapping engine: reads the body and the facts of the hook, runs `gitflic-to-gitlab/push.yaml`.
//! - `structs`: the baseline: the same rules in Rust by hand, with serde structs that borrow (`translate/by_hand.rs`).
//! - `parse_document`: the engine's reader of JSON alone.
//! - `parse`: `serde_json::from_slice::<Value>` of the same body, the least that a translator on `Value`s would do.
//!
//! Run it with `cargo bench --bench translate`. Before measuring it checks that `engine` and `structs` make the same.
//! Times differ from machine to machine and from minute to minute: only ratios within one run mean anything. So the
//! lines to look at are the last ones, which `cargo bench --bench translate -- ratio` prints alone: the two sides take
//! turns, a fifth of a millisecond each, and the line holds the median of the ratios of all turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark has nobody to report an error to")]
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "translate/by_hand.rs"]
mod by_hand;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookglot::mapping::json::Document;
use hookglot::mapping::{HookFacts, Mappings, NoKnowledge, Surroundings, Translated};
use hookglot::mapping_files;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The allocator of the hookglot binary, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENT: &str = "BRANCH_UPDATE";
const ID: &str = "019b7e1c-0000-7000-8000-5a6f0d2c4b71";
const RECEIVED_AT: &str = "2026-02-03T09:31:02Z";
const INSTANCE: &str = "git.example.org";

const AUTHORS: [(&str, &str); 4] = [
    ("Olga Vetrova", "o.vetrova@harbour.example.com"),
    ("Олег Седов", "o.sedov@harbour.example.com"),
    ("Marta Lindqvist", "m.lindqvist@harbour.example.com"),
    ("Тимур Заречный", "t.zarechny@harbour.example.com"),
];

const MESSAGES: [&str; 10] = [
    "Close the day's ledger in one transaction\n\nA crash between the two writes left a day open, and the next run refused it.",
    "Исправить округление копеек в выписке\n\nСуммы делились до округления, и «Итого» расходилось со строками.",
    "Import statements with a byte order mark: the first column of such a file was read as an unknown name",
    "Add a report \"open invoices by month\", with a filter by counterparty and an export to CSV\n",
    "Ускорить поиск проводок по номеру договора: индекс по (contract_id, booked_at)",
    "Refuse a posting dated after the end of its period\n\nThe check stood in the form only; the API let such postings through.\n\nCloses LEDGER-418",
    "Bump the exchange-rate client and drop our own retry loop, which it now has built in",
    "Rename Account::locked to Account::frozen, as the bank's contract and the help pages call it",
    "Keep the path C:\\harbour\\exports out of the defaults; take it from the settings and say so when it is not there",
    "Split the nightly job: rates first, then balances\n\n- rates are retried for an hour\n- balances wait for \"rates ready\"\n",
];

/// A push to north-harbour/ledger with so many commits, as it comes over the wire.
fn payload(count: usize) -> Vec<u8> {
    let authors = AUTHORS.iter().cycle();
    let messages = MESSAGES.iter().cycle();
    let commits: Vec<Value> = (1..=count)
        .zip(authors.zip(messages))
        .map(|(number, ((name, email), message))| {
            json!({
                "id": sha(number),
                "message": message,
                "author_name": name,
                "author_email": email,
                "timestamp": format!("2026-02-03T09:{number:02}:{:02}", number * 7 % 60),
            })
        })
        .collect();
    let body = json!({
        "action": EVENT,
        "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92",
        "project": {
            "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92",
            "title": "Ledger",
            "alias": "ledger",
            "owner_alias": "north-harbour",
            "owner_type": "COMPANY",
            "http_transport_url": "https://git.example.org/project/north-harbour/ledger.git",
            "ssh_transport_url": "git@git.example.org:north-harbour/ledger.git",
            "language": "Rust",
            "private": true,
        },
        "push": {
            "before": sha(0),
            "after": sha(count.max(1)),
            "ref": "refs/heads/main",
            "commits": commits,
            "total_commits_count": count,
            "author_id": "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71",
        },
    });
    serde_json::to_vec(&body).unwrap()
}

/// A made-up commit hash.
fn sha(number: usize) -> String {
    Sha256::digest(number.to_be_bytes()).iter().take(20).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Nobody is known, as where no look-up tables are given.
static USERS: LazyLock<HashMap<String, by_hand::User>> = LazyLock::new(HashMap::new);
static PROJECTS: LazyLock<HashMap<String, by_hand::Project>> = LazyLock::new(HashMap::new);
/// Nor is anything set: pages stand where GitFlic has them.
static SETTINGS: LazyLock<by_hand::Settings> = LazyLock::new(by_hand::Settings::default);

fn engine(set: &Mappings, input: &[u8]) -> Translated {
    let body = Document::parse(input).unwrap();
    let hook = HookFacts { id: ID, received_at: RECEIVED_AT, event: EVENT, instance: Some(INSTANCE) };
    let beside = Surroundings { hook: Some(hook), instance: INSTANCE, ..Surroundings::new(&NoKnowledge) };
    set.translate(EVENT, body.root(), &beside).unwrap()
}

fn structs(input: &[u8]) -> by_hand::Translated {
    let hook = by_hand::Hook {
        received_at: RECEIVED_AT,
        instance: Some(INSTANCE),
        settings: &SETTINGS,
        users: &USERS,
        projects: &PROJECTS,
    };
    by_hand::translate(input, &hook).unwrap()
}

/// Both sides must do the same job, or their times cannot be compared.
fn check_equal(set: &Mappings, input: &[u8]) {
    let (made, by_hand) = (engine(set, input), structs(input));
    let value = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    assert_eq!(value(&made.body), value(&by_hand.body), "the engine's body (left) and the baseline's (right)");
    let headers = by_hand.headers.map(|(name, value)| (name.into(), value.into_owned()));
    assert_eq!(made.headers, headers, "the engine's headers (left) and the baseline's (right)");
}

fn translate(criterion: &mut Criterion) {
    let files = mapping_files::built_in();
    let (set, _) = Mappings::load(&files, "gitflic-to-gitlab", false).unwrap();
    for example in ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE", "PUSH"] {
        let (_, input) = files.get(&format!("gitflic-to-gitlab/examples/{example}.json")).unwrap();
        check_equal(&set, input.as_bytes());
    }
    // Without commits, one is made of the head; what is empty counts as absent.
    check_equal(&set, &payload(0));
    let emptied =
        String::from_utf8(payload(4)).unwrap().replace("o.sedov@harbour.example.com", "").replace("Ledger", "");
    check_equal(&set, emptied.as_bytes());

    let mut group = criterion.benchmark_group("translate");
    for count in [1, 20] {
        let input = payload(count);
        check_equal(&set, &input);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_with_input(BenchmarkId::new("engine", count), &input, |bencher, input| {
            bencher.iter(|| engine(&set, black_box(input)));
        });
        group.bench_with_input(BenchmarkId::new("structs", count), &input, |bencher, input| {
            bencher.iter(|| structs(black_box(input)));
        });
        group.bench_with_input(BenchmarkId::new("parse_document", count), &input, |bencher, input| {
            bencher.iter(|| Document::parse(black_box(input)).unwrap());
        });
        group.bench_with_input(BenchmarkId::new("parse", count), &input, |bencher, input| {
            bencher.iter(|| serde_json::from_slice::<Value>(black_box(input)).unwrap());
        });
    }
    group.finish();
}

/// How often the two sides take turns.
const TURNS: usize = 5_001;
/// How long one turn of one side is to take, about: short, so that most turns pass without the system's interference.
const TURN: Duration = Duration::from_micros(200);

/// Prints how many times as long as the baseline the engine takes.
fn ratio(_: &mut Criterion) {
    let files = mapping_files::built_in();
    let (set, _) = Mappings::load(&files, "gitflic-to-gitlab", false).unwrap();
    for count in [1, 20] {
        let input = payload(count);
        let engine_once = || drop(black_box(engine(&set, black_box(&input))));
        let structs_once = || drop(black_box(structs(black_box(&input))));
        let once = time(1000, structs_once) / 1000;
        let runs = u32::try_from(TURN.as_nanos() / once.as_nanos().max(1)).unwrap();
        let mut ratios: Vec<f64> = (0..TURNS)
            .map(|_| time(runs, engine_once).as_secs_f64() / time(runs, structs_once).as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let [low, median, high] = [TURNS / 10, TURNS / 2, TURNS - 1 - TURNS / 10].map(|place| ratios[place]);
        println!(
            "translate/ratio/{count:<2} engine takes {median:.2} x structs (8 of 10 turns: {low:.2} to {high:.2})"
        );
    }
}

fn time(runs: u32, once: impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..runs {
        once();
    }
    start.elapsed()
}

criterion_group!(benches, translate, ratio);
criterion_main!(benches);
