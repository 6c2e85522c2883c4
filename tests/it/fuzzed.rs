//! What the fuzzer runs, over its seeds and over everything that it has found; `scripts/fuzz.sh` looks for more.

#[path = "../../fuzz/targets.rs"]
mod targets;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, TestRunner};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

type Target = fn(&[u8]);
const TARGETS: [(&str, Target, &[&str]); 10] = [
    ("expression", targets::expression, &[]),
    ("mapping_file", targets::mapping_file, &["mappings/gitflic-to-gitlab", "tests/diagnostics"]),
    ("forge_file", targets::forge_file, &["mappings/gitlab", "mappings/gitflic"]),
    ("recognition", targets::recognition, &["mappings/gitlab-to-gitflic/examples"]),
    ("translation", targets::translation, &["mappings/gitflic-to-gitlab/examples"]),
    ("signature", targets::signature, &["fuzz/seeds/signature"]),
    ("configuration", targets::configuration, &["fuzz/seeds/configuration"]),
    ("branch_filter", targets::branch_filter, &["fuzz/seeds/branch_filter"]),
    ("frames", targets::frames, &["fuzz/seeds/frames"]),
    ("caller", targets::caller, &["fuzz/seeds/caller"]),
];

/// The files of a folder of the project; none where there is no such folder.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

/// How long one input may take: in a debug build on a busy machine, and without end only where there is none.
const TIME: Duration = Duration::from_secs(20);

/// Tries an input on a thread of its own, which is left behind where it does not come to its end.
#[track_caller]
fn try_one(name: &str, target: Target, bytes: &[u8]) {
    let (says, hears) = channel();
    let own = bytes.to_vec();
    let runs = std::thread::spawn(move || {
        target(&own);
        // Who waited for it may have given up.
        let _ = says.send(());
    });
    let shown = bytes.escape_ascii();
    match hears.recv_timeout(TIME) {
        Ok(()) => assert!(runs.join().is_ok(), "{name}: {shown}"),
        // It panicked, and dropped what it would have said it with.
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => panic!("{name} panics with {shown}"),
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("{name} takes more than {TIME:?} with {shown}"),
    }
}

/// The seeds themselves are good, so that what is changed in them is what is tried.
#[test]
fn every_seed_comes_to_its_end() {
    for (name, target, folders) in TARGETS {
        let seeds: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
        assert!(folders.is_empty() || !seeds.is_empty(), "{name} has no seeds");
        for (file, bytes) in seeds {
            try_one(&file, target, &bytes);
        }
    }
}

#[test]
#[should_panic(expected = "panics with")]
fn a_target_that_panics_is_found() {
    try_one("a target", |_| panic!("on purpose"), b"");
}

#[test]
fn what_the_fuzzer_has_found_is_mended() {
    let mut tried = 0;
    for (name, target, _) in TARGETS {
        for (file, bytes) in files(&format!("fuzz/regressions/{name}")) {
            try_one(&file, target, &bytes);
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// A file of ours with one piece of it taken out, doubled or overwritten.
#[test]
fn seeds_with_a_piece_changed_are_taken_or_refused() {
    for (name, target, folders) in TARGETS {
        let seeds: Vec<Vec<u8>> = folders.iter().flat_map(|folder| files(folder)).map(|(_, bytes)| bytes).collect();
        let seeds = if seeds.is_empty() { expressions() } else { seeds };
        let changed =
            (0..seeds.len(), 0.0..1.0, 0_usize..12, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6))
                .prop_map(|(seed, at, length, put)| {
                    let mut bytes = seeds[seed].clone();
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        clippy::cast_precision_loss,
                        reason = "a place in a small file"
                    )]
                    let from = (bytes.len() as f64 * at) as usize;
                    let to = (from + length).min(bytes.len());
                    bytes.splice(from..to, put);
                    bytes
                });
        let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&changed, |bytes| {
                try_one(name, target, &bytes);
                Ok(())
            })
            .unwrap();
    }
}

fn expressions() -> Vec<Vec<u8>> {
    [
        "x.t",
        "x.l[1] | string",
        "x.t | replace('T', x.n) ?? 'none'",
        "x.l[*].k",
        "at | rfc3339('UTC')",
        "x.n | id('user')",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
