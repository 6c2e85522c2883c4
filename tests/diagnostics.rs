//! Broken files and what is said of them: each file in `tests/diagnostics` has the expected messages in its first
//! comments, `line:column: message`. `cargo test --test diagnostics -- --bless` writes them anew.
//!
//! A mapping stands alone beside `_shared.yaml` and `examples/`; one whose name begins with `rules-` stands among the
//! built-in files and is held against the forges and their schemas, too. Overlays, look-up tables and forge files are
//! told by their first key.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test says what is wrong by panicking")]

use hookglot::mapping::overlay::Overlays;
use hookglot::mapping::{Diagnostics, Files, Mappings};
use hookglot::rules::Rules;
use hookglot::{mapping_files, schemas};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const FEWEST: usize = 60;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|own| own.starts_with("--"));
    if flags.iter().any(|flag| *flag == "--list") {
        return ExitCode::SUCCESS;
    }
    let bless = flags.iter().any(|flag| *flag == "--bless");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let all = files(&folder);
    assert!(all.len() >= FEWEST, "only {} broken files", all.len());
    let (mut passed, mut failed) = (0, 0);
    for file in all {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if !names.is_empty() && !names.iter().any(|wanted| format!("diagnostics::{name}").contains(wanted.as_str())) {
            continue;
        }
        match look(&folder, &file, &name, bless) {
            Ok(()) => passed += 1,
            Err(difference) => {
                println!("diagnostics::{name} ... FAILED\n{difference}");
                failed += 1;
            }
        }
    }
    println!("\ndiagnostics: {passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('_'))
        .collect();
    files.sort();
    files
}

fn look(folder: &Path, file: &Path, name: &str, bless: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(file).unwrap();
    let found = found(folder, name, &text);
    if found.is_empty() {
        return Err("nothing is wrong with it".to_owned());
    }
    let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
    if found == expected {
        return Ok(());
    }
    if bless {
        std::fs::write(file, blessed(folder, name, &text)).unwrap();
        return Ok(());
    }
    Err(format!("expected:\n  {}\nfound:\n  {}", expected.join("\n  "), found.join("\n  ")))
}

/// The file with the messages in front of it; their number moves the lines that they name.
fn blessed(folder: &Path, name: &str, text: &str) -> String {
    let body: String = text.lines().skip_while(|line| line.starts_with("# ")).fold(String::new(), |mut body, line| {
        let _ = writeln!(body, "{line}");
        body
    });
    let with = |lines: &[String]| lines.iter().fold(String::new(), |text, line| text + "# " + line + "\n") + &body;
    let placeholders = vec!["1:1: x".to_owned(); found(folder, name, &body).len()];
    with(&found(folder, name, &with(&placeholders)))
}

/// Everything that is said of a file, without its name in front.
fn found(folder: &Path, name: &str, text: &str) -> Vec<String> {
    let first = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let path = match first.split(':').next() {
        Some("overlay") => format!("overlays/{name}.yaml"),
        Some("lookup") => "lookups/users.yaml".to_owned(),
        Some("forge") => "gitflic/forge.yaml".to_owned(),
        _ if name.starts_with("rules-") => format!("gitflic-to-gitlab/{name}.yaml"),
        _ => format!("alone/{name}.yaml"),
    };
    let alone = path.starts_with("alone/") || path.starts_with("overlays/") || path.starts_with("lookups/");
    let mut files = if alone { Files::default() } else { mapping_files::built_in() };
    let own = path.split('/').next().unwrap();
    for beside in ["_shared.yaml", "examples/ship.json", "examples/broken.json"].iter().filter(|_| alone) {
        let text = std::fs::read_to_string(folder.join(beside)).unwrap();
        files.insert(&format!("{own}/{beside}"), beside, text);
    }
    files.insert(&path, "FILE", text.to_owned());
    let mut found = match own {
        "alone" => all(Mappings::load(&files, own, true)),
        "lookups" => all(Mappings::load(&files, "none", true)),
        "overlays" => all(Overlays::load(&files)),
        _ => of_rules(&files),
    };
    found.keep(|finding| finding.file == "FILE");
    let lines: Vec<String> = found.sorted().into_iter().map(ToString::to_string).collect();
    lines.into_iter().map(|line| line.strip_prefix("FILE:").unwrap().to_owned()).collect()
}

fn all<T>(loaded: Result<(T, Diagnostics), Diagnostics>) -> Diagnostics {
    loaded.map_or_else(|faults| faults, |(_, warnings)| warnings)
}

fn of_rules(files: &Files) -> Diagnostics {
    let (rules, mut found) = match Rules::load(files) {
        Ok(loaded) => loaded,
        Err(faults) => return faults,
    };
    for ((_, to), set) in &rules.directions {
        schemas::check(files, rules.forges.named(to).unwrap(), set, &mut found);
    }
    found
}
