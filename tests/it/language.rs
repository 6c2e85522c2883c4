use crate::support::process::run;
use crate::support::project_file;
use hookglot::mapping::overlay::Overlays;
use hookglot::mapping::{Diagnostics, Files, Mappings, filter};
use serde_json::Value;

const PAGE: &str = "docs/mapping-language.md";
const FOLDER: &str = "d";
const FILTERS: [&str; 2] = ["<!-- filters -->\n", "<!-- /filters -->"];

/// A fenced block: the line that it begins at, what stands behind its fence, and its text.
struct Block {
    line: usize,
    kind: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let page = project_file(PAGE);
    let (mut all, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some(Block { line: number + 1, kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some("")) => all.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    all
}

/// Loads a file as a mapping, with the shared file of the page where it uses it; gives what is found, without the name in front.
fn findings(shared: &str, text: &str) -> String {
    let mut files = Files::default();
    if text.contains("\nuse: ") {
        files.insert("d/_shared.yaml", "_shared.yaml", shared.to_owned());
    }
    files.insert("d/own.yaml", "", text.to_owned());
    let found = Mappings::load(&files, FOLDER, true).map_or_else(|faults| faults, |(_, warnings)| warnings);
    lines(&found)
}

fn lines(found: &Diagnostics) -> String {
    found.sorted().iter().map(|finding| format!("{finding}\n").trim_start_matches(':').to_owned()).collect()
}

/// A part of a mapping as a whole one, with the hooks and results that stand behind it as its examples.
fn whole(part: &str, pairs: &[(Value, Value)]) -> String {
    let mut text = format!("mapping: 1\nname: part\nevent: Ship Hook\n{part}examples:\n");
    for (number, (hook, result)) in pairs.iter().enumerate() {
        text += &format!("  - {{name: 'number {number}', input: {hook}, output: {result}}}\n");
    }
    if pairs.is_empty() {
        text += "  - {name: none, input: {}, expect: {}}\n";
    }
    text
}

fn pairs(behind: &[Block]) -> Vec<(Value, Value)> {
    let of = |block: &Block| {
        serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{PAGE}:{}: {error}", block.line))
    };
    let pairs = behind.chunks(2).take_while(|pair| pair[0].kind == "json hook" && pair[1].kind == "json result");
    pairs.map(|pair| (of(&pair[0]), of(&pair[1]))).collect()
}

#[test]
fn every_block_of_the_page_does_what_the_page_says() {
    let blocks = blocks();
    let (mut shared, mut run_blocks) = ("mapping: 1\n".to_owned(), 0);
    for (position, block) in blocks.iter().enumerate() {
        let at = format!("{PAGE}:{}", block.line);
        let behind = &blocks[position + 1..];
        let wanted = || behind.first().filter(|next| next.kind == "text findings").map(|next| next.text.as_str());
        match block.kind.as_str() {
            "yaml shared" => shared.clone_from(&block.text),
            "yaml mapping" => assert_eq!(findings(&shared, &block.text), "", "{at}"),
            "yaml broken" => assert_eq!(findings(&shared, &block.text), wanted().unwrap(), "{at}"),
            "yaml part" => {
                let found = findings(&shared, &whole(&block.text, &pairs(behind)));
                assert_eq!(found, wanted().unwrap_or_default(), "{at}");
            }
            "yaml overlay" => assert_eq!(overlay(&block.text), "", "{at}"),
            "yaml lookup" => assert_eq!(lookup(&block.text), "", "{at}"),
            "json hook" | "json result" | "text findings" => {
                let before: Vec<&str> = blocks[..position].iter().rev().map(|block| block.kind.as_str()).collect();
                let known = match block.kind.as_str() {
                    "json hook" => ["yaml part", "json result"].contains(&before[0]),
                    "json result" => before[0] == "json hook",
                    _ => ["yaml broken", "yaml part"].contains(&before[0]),
                };
                assert!(known, "{at}: belongs to no block");
            }
            "text grammar" => {
                let source = project_file("src/mapping/expr.rs");
                let stated = source.split("//! ```text\n").nth(1).unwrap().split("//! ```\n").next().unwrap();
                let stated: Vec<&str> = stated.split_whitespace().filter(|word| *word != "//!").collect();
                assert_eq!(block.text.split_whitespace().collect::<Vec<_>>(), stated, "{at}");
            }
            "console" => console(&block.text, &at),
            other => panic!("{at}: no test runs a block of `{other}`"),
        }
        run_blocks += 1;
    }
    assert!(run_blocks > 40, "{run_blocks}");
}

fn overlay(text: &str) -> String {
    let mut files = Files::default();
    files.insert("overlays/own.yaml", "", text.to_owned());
    lines(&Overlays::load(&files).map_or_else(|faults| faults, |(_, warnings)| warnings))
}

fn lookup(text: &str) -> String {
    let mut files = Files::default();
    files.insert("lookups/users.yaml", "", text.to_owned());
    lines(&Mappings::load(&files, FOLDER, true).map_or_else(|faults| faults, |(_, warnings)| warnings))
}

/// A command and what it prints; `…` stands for anything, on a line of its own for any lines.
fn console(text: &str, at: &str) {
    let (command, expected) = text.split_once('\n').unwrap();
    let words: Vec<&str> = command.strip_prefix("$ hookglot ").unwrap().split(' ').collect();
    let printed = run(&words).out;
    let mut rest = printed.as_str();
    for line in expected.lines().filter(|line| *line != "…") {
        let parts: Vec<&str> = line.split('…').collect();
        let found = rest.lines().position(|own| {
            let mut left = own;
            parts.iter().all(|part| left.find(part).map(|start| left = &left[start + part.len()..]).is_some())
        });
        let found = found.unwrap_or_else(|| panic!("{at}: `{line}` is not in\n{printed}"));
        rest = &rest[rest.split_inclusive('\n').take(found + 1).map(str::len).sum()..];
    }
}

#[test]
fn the_table_of_filters_is_the_one_of_the_code() {
    let page = project_file(PAGE);
    let (before, rest) = page.split_once(FILTERS[0]).unwrap();
    let (table, after) = rest.split_once(FILTERS[1]).unwrap();
    if std::env::var_os("HOOKGLOT_BLESS").is_some() {
        let page = format!("{before}{}{}{}{after}", FILTERS[0], filter::markdown(), FILTERS[1]);
        std::fs::write(format!("{}/{PAGE}", env!("CARGO_MANIFEST_DIR")), page).unwrap();
        return;
    }
    assert_eq!(table, filter::markdown());
}
