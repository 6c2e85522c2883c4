//! README.ru.md says what README.md says, as far as a machine can tell: chapter by chapter the same commands, settings, names,
//! links and numbers. What it says in words, people must translate; a difference is told with its line and what to do.

use crate::support::project_file;
use std::collections::BTreeMap;

const ENGLISH: &str = "README.md";
const RUSSIAN: &str = "README.ru.md";

/// The units that are shipped and tried are the only ones: a sketch of them would say something else sooner or later.
#[test]
fn units_of_systemd_are_named_and_not_shown() {
    for page in [ENGLISH, RUSSIAN, "deploy/README.md", "docs/operations.md"] {
        let text = project_file(page);
        let sketch = text.lines().find(|line| ["[Service]", "[Socket]"].contains(&line.trim()));
        assert_eq!(sketch, None, "{page}: name the files of deploy/systemd instead");
    }
    for unit in ["deploy/systemd/hookglot.service", "deploy/systemd/hookglot.socket"] {
        assert!(!project_file(unit).is_empty());
        assert!([ENGLISH, RUSSIAN].iter().all(|page| project_file(page).contains(&format!("]({unit})"))), "{unit}");
    }
}

/// A chapter: its heading, and what is in it, each with the line that it stands in.
#[derive(Default)]
struct Chapter {
    line: usize,
    heading: String,
    /// Blocks of code: what stands behind the fence, and the lines.
    blocks: Vec<(usize, String, Vec<String>)>,
    /// Lines beside the blocks.
    prose: Vec<(usize, String)>,
}

impl Chapter {
    fn level(&self) -> usize {
        self.heading.bytes().take_while(|byte| *byte == b'#').count()
    }

    /// What of the prose must be the same, each with the first line that has it.
    fn kept(&self, find: impl Fn(&str) -> Vec<String>) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for (line, text) in &self.prose {
            for own in find(text) {
                all.entry(own).or_insert(*line);
            }
        }
        all
    }

    /// How many lines begin so.
    fn count(&self, begin: &str) -> usize {
        self.prose.iter().filter(|(_, line)| line.starts_with(begin)).count()
    }
}

fn chapters(path: &str) -> Vec<Chapter> {
    let (mut all, mut is_open) = (vec![Chapter::default()], false);
    for (number, line) in project_file(path).lines().enumerate() {
        let number = number + 1;
        if !is_open && line.starts_with('#') {
            all.push(Chapter { line: number, heading: line.to_owned(), ..Chapter::default() });
            continue;
        }
        let chapter = all.last_mut().unwrap();
        match line.strip_prefix("```") {
            Some(kind) if !is_open => chapter.blocks.push((number, kind.to_owned(), Vec::new())),
            None if is_open => chapter.blocks.last_mut().unwrap().2.push(line.to_owned()),
            None => chapter.prose.push((number, line.to_owned())),
            Some(_) => {}
        }
        is_open ^= line.starts_with("```");
    }
    assert!(!is_open, "{path}: a block is not closed");
    all
}

/// A line of code without its comment. A setting that is commented out is code.
fn without_comment(line: &str) -> &str {
    let is_comment = |at: usize| line[at..].starts_with("# ") && (at == 0 || line[..at].ends_with(' '));
    let from = usize::from(line.starts_with("# ") && line.split(' ').nth(2) == Some("="));
    let end = (from..line.len()).find(|at| line.is_char_boundary(*at) && is_comment(*at)).unwrap_or(line.len());
    line[..end].trim_end()
}

/// What is run or set in a block that begins at a line, each with its own line. Of a drawing, which is words, only its height
/// counts.
fn code(at: usize, kind: &str, lines: &[String]) -> Vec<(usize, String)> {
    if kind.is_empty() && lines.iter().any(|line| line.contains("──")) {
        return vec![(at, format!("a drawing of {} lines", lines.len()))];
    }
    let code = lines.iter().enumerate().map(|(place, line)| (at + 1 + place, without_comment(line).to_owned()));
    code.filter(|(_, line)| !line.is_empty()).collect()
}

/// What stands between backticks in a line.
fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where the links of a line lead; `#…` leads to a chapter, whose title is another in each language.
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.starts_with('#') && *target != ENGLISH && *target != RUSSIAN)
        .map(str::to_owned)
        .collect()
}

/// Numbers of a line, without what separates thousands, and beside what stands between backticks.
fn numbers(line: &str) -> Vec<String> {
    let words: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let (first, others) = words.split_once("](").unwrap_or((&words, ""));
    // What a link leads to is no text.
    let others = others.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
    let words: String = std::iter::once(first).chain(others).collect();
    let (mut digits, all) = (String::new(), words.chars().collect::<Vec<_>>());
    for (at, c) in all.iter().enumerate() {
        let is_digit = |at: Option<usize>| at.and_then(|at| all.get(at)).is_some_and(char::is_ascii_digit);
        let separates = [',', '\u{a0}'].contains(c) && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
        digits.extend((!separates).then_some(*c));
    }
    digits.split(|c: char| !c.is_ascii_digit()).filter(|own| !own.is_empty()).map(str::to_owned).collect()
}

/// How GitHub calls a heading in an address.
pub fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_readmes_have_the_same_chapters() {
    let (english, russian) = (chapters(ENGLISH), chapters(RUSSIAN));
    for (place, own) in english.iter().enumerate() {
        let (line, heading) = (own.line, &own.heading);
        let other = russian.get(place);
        assert!(
            other.is_some_and(|other| other.level() == own.level()),
            "{ENGLISH}:{line} `{heading}`: its place in {RUSSIAN} has `{}`: translate the chapter, in the same order",
            other.map_or("nothing", |other| &other.heading)
        );
    }
    let further = russian.get(english.len()).map(|own| format!("{RUSSIAN}:{} `{}`", own.line, own.heading));
    assert_eq!(further, None, "this chapter is not in {ENGLISH}: take it away, or write it there, too");
}

#[test]
fn the_readmes_have_the_same_commands_and_settings() {
    for (own, other) in chapters(ENGLISH).iter().zip(&chapters(RUSSIAN)) {
        let (line, heading) = (own.line, &own.heading);
        assert_eq!(
            own.blocks.len(),
            other.blocks.len(),
            "{ENGLISH}:{line} `{heading}` and {RUSSIAN}:{}: blocks of code",
            other.line
        );
        for ((at, kind, lines), (there, other_kind, other_lines)) in own.blocks.iter().zip(&other.blocks) {
            assert_eq!(kind, other_kind, "{ENGLISH}:{at} and {RUSSIAN}:{there}: what stands behind the fence");
            let (code, other_code) = (code(*at, kind, lines), code(*there, other_kind, other_lines));
            for place in 0..code.len().max(other_code.len()) {
                let of = |code: &[(usize, String)], begin: &usize| {
                    let last = || (*begin, "nothing more".to_owned());
                    code.get(place).cloned().unwrap_or_else(last)
                };
                let ((at, line), (there, other_line)) = (of(&code, at), of(&other_code, there));
                assert!(
                    line == other_line,
                    "{ENGLISH}:{at}: `{line}`\n{RUSSIAN}:{there}: `{other_line}`\ncopy the line, and translate what stands behind `# `"
                );
            }
        }
    }
}

#[test]
fn the_readmes_name_the_same_things() {
    let mut differences = Vec::new();
    for (own, other) in chapters(ENGLISH).iter().zip(&chapters(RUSSIAN)) {
        for (what, find) in
            [("between backticks", spans as fn(&str) -> Vec<String>), ("as a link", links), ("as a number", numbers)]
        {
            let (here, there) = (own.kept(find), other.kept(find));
            differences.extend(here.iter().filter(|(text, _)| !there.contains_key(*text)).map(|(text, line)| {
                let (heading, place) = (&other.heading, other.line);
                format!("{ENGLISH}:{line} has `{text}` {what}, {RUSSIAN}:{place} `{heading}` has not: translate that line anew")
            }));
            differences.extend(there.iter().filter(|(text, _)| !here.contains_key(*text)).map(|(text, line)| {
                let (heading, place) = (&own.heading, own.line);
                format!(
                    "{RUSSIAN}:{line} has `{text}` {what}, {ENGLISH}:{place} `{heading}` has not: say it as that does"
                )
            }));
        }
        for (begin, what) in [("| ", "rows of tables"), ("- ", "points of lists"), ("1. ", "numbered lists")] {
            let (line, heading, place) = (own.line, &own.heading, other.line);
            let (here, there) = (own.count(begin), other.count(begin));
            if here != there {
                differences
                    .push(format!("{ENGLISH}:{line} `{heading}` has {here} {what}, {RUSSIAN}:{place} has {there}"));
            }
        }
    }
    assert!(differences.is_empty(), "translate what has changed:\n{}", differences.join("\n"));
}

/// The first column of a table is what a row is about: names of metrics, of events, of settings, of statuses.
#[test]
fn rows_of_tables_are_in_the_same_order() {
    for (own, other) in chapters(ENGLISH).iter().zip(&chapters(RUSSIAN)) {
        let rows = |chapter: &Chapter| {
            let rows = chapter.prose.iter().filter(|(_, line)| line.starts_with("| "));
            let first =
                rows.map(|(line, text)| (*line, [spans, numbers].map(|find| find(text.split(" | ").next().unwrap()))));
            first.collect::<Vec<_>>()
        };
        for ((line, here), (other_line, there)) in rows(own).into_iter().zip(rows(other)) {
            assert_eq!(here, there, "{ENGLISH}:{line} and {RUSSIAN}:{other_line}: the first column");
        }
    }
}

#[test]
fn links_within_each_readme_lead_to_the_same_chapter() {
    let (english, russian) = (chapters(ENGLISH), chapters(RUSSIAN));
    let inner = |all: &[Chapter], path: &str| {
        let mut places = Vec::new();
        for chapter in all {
            for (line, text) in &chapter.prose {
                for target in text.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
                    let place = all.iter().position(|own| anchor(&own.heading) == target);
                    places.push(place.unwrap_or_else(|| panic!("{path}:{line}: no chapter is called `#{target}`")));
                }
            }
        }
        places.sort_unstable();
        places
    };
    assert_eq!(inner(&english, ENGLISH), inner(&russian, RUSSIAN), "chapters, by their place, to which links lead");
    for (path, other) in [(ENGLISH, RUSSIAN), (RUSSIAN, ENGLISH)] {
        let top: Vec<String> = project_file(path).lines().take(5).map(str::to_owned).collect();
        assert!(top.iter().any(|line| line.contains(&format!("]({other})"))), "{path}: link to {other} at its top");
    }
}
