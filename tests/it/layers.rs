use hookglot::mapping::identity::KINDS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file of `src` without its tests.
struct Source {
    /// Below `src`, with `/`.
    path: String,
    /// Its module, from the top: `mapping`, `json`.
    module: Vec<String>,
    code: String,
}

impl Source {
    /// The first step below the top: the room that the file stands in.
    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// Every file of `src`, but those that only tests see.
fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut open) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let texts: Vec<(PathBuf, String)> =
        files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(&file).unwrap())).collect();
    let for_tests: BTreeSet<PathBuf> =
        texts.iter().flat_map(|(file, text)| test_modules(text).map(|name| below(file, name))).collect();
    let kept = texts.iter().filter(|(file, _)| !for_tests.contains(file));
    let sources: Vec<Source> = kept
        .map(|(file, text)| {
            let path = file.strip_prefix(&top).unwrap().to_str().unwrap().replace('\\', "/");
            let module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            Source { path, module, code: without_tests(text) }
        })
        .collect();
    assert!(sources.len() > 40, "only {} files are looked at", sources.len());
    sources
}

/// The names of the modules that stand behind `#[cfg(test)]` in files of their own: `mod tests;`, not `mod tests {`.
fn test_modules(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("mod "));
    behind.filter_map(|rest| rest.split_once(';')).map(|(name, _)| name).filter(|name| !name.contains(' '))
}

/// The file of a module that is declared in another.
fn below(file: &Path, name: &str) -> PathBuf {
    file.with_extension("").join(format!("{name}.rs"))
}

/// The code up to the tests at its end, without whole-line comments.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path of this crate that a file names, from the top: `mapping::json::Document`.
fn used(source: &Source) -> Vec<String> {
    let mut used = Vec::new();
    for (at, word) in source.code.match_indices("crate::").chain(source.code.match_indices("super::")) {
        let before = source.code[..at].chars().next_back();
        // `super::super::` is looked at from its first word on, and `$crate::` or `mycrate::` are somebody else's.
        if before.is_some_and(|before| before == ':' || before == '$' || before == '_' || before.is_alphanumeric()) {
            continue;
        }
        let mut rest = &source.code[at + word.len()..];
        let mut base = if word == "crate::" { 0 } else { source.module.len() - 1 };
        while let Some(next) = rest.strip_prefix("super::") {
            (rest, base) = (next, base.saturating_sub(1));
        }
        let base = source.module[..base].join("::");
        flatten(rest, &base, &mut used);
    }
    used
}

/// The paths that a tree like `a::{b, c::d}` names, each behind `base`; gives what stands behind the tree.
fn flatten<'t>(tree: &'t str, base: &str, all: &mut Vec<String>) -> &'t str {
    let join = |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}::{name}") };
    if let Some(mut rest) = tree.strip_prefix('{') {
        loop {
            rest = flatten(rest.trim_start(), base, all).trim_start();
            match rest.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => rest = next,
                Some(next) => return next.trim_start().strip_prefix('}').unwrap_or(next),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = tree.find(|letter: char| letter != '_' && !letter.is_alphanumeric()).unwrap_or(tree.len());
    let (name, rest) = tree.split_at(end);
    match rest.strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => flatten(rest, &join(name), all),
        _ => {
            all.push(join(name));
            // `a as b` names `a`.
            let rest = rest.strip_prefix('*').unwrap_or(rest);
            rest.strip_prefix(" as ")
                .map_or(rest, |rest| rest.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric()))
        }
    }
}

/// Every use of a room that the rooms of a file may not have.
fn strangers(is_ours: impl Fn(&Source) -> bool, allowed: &[&str]) -> Vec<String> {
    let (mut count, mut wrong) = (0, Vec::new());
    for source in sources().iter().filter(|source| is_ours(source)) {
        count += 1;
        for path in used(source) {
            let is_own = path.split("::").next() == Some(source.room());
            let is_allowed = allowed.iter().any(|room| path == *room || path.starts_with(&format!("{room}::")));
            if !is_own && !is_allowed {
                wrong.push(format!("src/{}: {path}", source.path));
            }
        }
    }
    assert!(count > 0, "no file is looked at");
    wrong
}

fn none_of(room: &str, words: &[&str]) -> Vec<String> {
    let sources = sources();
    let own = sources.iter().filter(|source| source.room() == room);
    own.flat_map(|source| {
        let found = words.iter().filter(|word| source.code.contains(**word));
        found.map(|word| format!("src/{}: {word}", source.path)).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn the_reader_of_uses_sees_every_path() {
    let source = Source {
        path: "harbour/berth/crane.rs".to_owned(),
        module: ["harbour", "berth", "crane"].map(str::to_owned).to_vec(),
        code: "use crate::{ledger::{Page, book::*}, harbour as port};\nuse super::Hook;\nuse super::super::quay::{self, Wall,};\n\
               fn x() -> crate::net::Ship { super::super::super::sea::sail::<T>() }"
            .to_owned(),
    };
    let mut found = used(&source);
    found.sort();
    assert_eq!(
        found,
        [
            "harbour",
            "harbour::berth::Hook",
            "harbour::quay::Wall",
            "harbour::quay::self",
            "ledger::Page",
            "ledger::book::",
            "net::Ship",
            "sea::sail",
        ]
    );
}

#[test]
fn mapping_knows_nothing_of_the_rest_and_nothing_of_the_world() {
    assert_eq!(strangers(|source| source.room() == "mapping", &[]), Vec::<String>::new());
    let world = ["tokio", "actix", "reqwest", "std::net", "std::fs", "std::{fs", "std::{net", "std::env"];
    assert_eq!(none_of("mapping", &world), Vec::<String>::new());
}

#[test]
fn forge_knows_mapping_and_secret_alone() {
    assert_eq!(strangers(|source| source.room().starts_with("forge"), &["mapping", "secret"]), Vec::<String>::new());
}

#[test]
fn store_knows_nobody() {
    assert_eq!(strangers(|source| source.room().starts_with("store"), &[]), Vec::<String>::new());
}

#[test]
fn ingest_does_not_translate_and_does_not_deliver() {
    let allowed = ["forge", "store", "config", "metrics", "doorbell", "loop_guard", "mapping::json", "rules", "secret"];
    assert_eq!(strangers(|source| source.room().starts_with("ingest"), &allowed), Vec::<String>::new());
}

/// What forges call their fields and headers: it stands in `mappings/**` and nowhere else.
const FORGE_WORDS: [&str; 13] = [
    "object_kind",
    "object_attributes",
    "merge_request",
    "issue_note",
    "author_id",
    "X-Gitlab-",
    "x-gitlab-",
    "Gitflic-",
    "gitflic-webhook-",
    "total_commits_count",
    "event_name",
    "project_id",
    "http_transport_url",
];

/// The string literals of Rust code, as they are written.
fn literals(code: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), code);
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, next)| next);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, next)| next);
        } else if let Some((literal, next)) = raw_literal(rest) {
            found.push(literal.to_owned());
            rest = next;
        } else if first == '"' {
            let end = end_of_literal(&rest[1..]);
            found.push(rest[1..=end].to_owned());
            rest = rest.get(end + 2..).unwrap_or_default();
        } else if first == '\'' {
            rest = behind_quote(rest);
        } else {
            // A whole word at once: the `r` of `for"` is no beginning of a raw literal.
            let word = rest.find(|letter: char| letter != '_' && !letter.is_alphanumeric()).unwrap_or(rest.len());
            rest = &rest[word.max(first.len_utf8())..];
        }
    }
    found
}

/// `r"…"` and `r#"…"#`, with what stands behind it.
fn raw_literal(code: &str) -> Option<(&str, &str)> {
    let behind = code.strip_prefix("br").or_else(|| code.strip_prefix('r'))?;
    let body = behind.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(behind.len() - body.len()));
    body.strip_prefix('"')?.split_once(&end)
}

/// How far it is to the quote that ends a literal; one behind a backslash does not.
fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    text.find(|letter| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    })
    .unwrap_or(text.len())
}

/// What stands behind a character (`'"'`, `'\''`) or the quote of a lifetime.
fn behind_quote(code: &str) -> &str {
    let inner = &code[1..];
    let length = match inner.strip_prefix('\\') {
        Some(escaped) => escaped.get(1..).and_then(|rest| rest.find('\'')).map(|end| end + 2),
        None => inner.chars().next().map(char::len_utf8).filter(|length| inner[*length..].starts_with('\'')),
    };
    length.map_or(inner, |length| &inner[length + 1..])
}

#[test]
fn the_reader_of_literals_sees_every_literal() {
    let code = r##"
        // "comment"
        fn f<'a>(x: &'a str) -> char { g("one \" quote", '"', '\'', '\u{1F}', 'é'); "two" /* "three" */ }
        const A: &[u8] = b"four"; const B: &str = r"five\"; const C: &str = r#"six "7"."#; let var = for_("eight");
    "##;
    assert_eq!(literals(code), ["one \\\" quote", "two", "four", "five\\", "six \"7\".", "eight"]);
}

#[test]
fn no_name_of_a_forges_field_or_header_stands_in_the_code() {
    let (mut found, mut count) = (Vec::new(), 0);
    for source in sources().iter().filter(|source| !source.path.ends_with("_api.rs")) {
        for literal in literals(&source.code) {
            count += 1;
            for word in FORGE_WORDS.iter().filter(|word| literal.contains(**word)) {
                found.push(format!("src/{}: {word} in \"{literal}\"", source.path));
            }
        }
    }
    assert!(count > 300, "only {count} literals are looked at");
    // The kinds of things that have numbers are our own words; one of them is a forge's word as well.
    assert!(KINDS.contains(&"merge_request"));
    let own = found.iter().position(|found| found == "src/mapping/identity.rs: merge_request in \"merge_request\"");
    found.remove(own.expect("the kinds stand in identity::KINDS"));
    assert_eq!(found, Vec::<String>::new());
}
