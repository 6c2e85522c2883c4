//! The branches and tags that a destination wants to hear of. Which hooks that decides on, the forges' files say.

use super::fields::{Collector, Fields};
use super::re2::{self, Written};
use crate::forge::FilterKind;
use regex::bytes::Regex;
use serde_json::Value;
use std::fmt;

/// A filter that can be asked.
#[derive(Debug, Clone)]
pub struct BranchFilter {
    kind: FilterKind,
    /// As the user wrote it.
    text: String,
    compiled: Regex,
    whole_ref: Option<&'static str>,
}

impl BranchFilter {
    /// Makes a filter of its text; none of a blank one, which lets everything pass.
    ///
    /// # Errors
    /// What is wrong with a regular expression, in a line.
    pub fn new(kind: FilterKind, text: &str) -> Result<Option<Self>, String> {
        let written = match kind {
            FilterKind::Regex if text.trim().is_empty() => None,
            FilterKind::Regex => Some(re2::written_over(text).map_err(|message| unusable(&message))?),
            FilterKind::Wildcard => of_patterns([text]),
            FilterKind::List => of_patterns(text.split(':').map(str::trim)),
        };
        let Some(Written { text: expression, whole_ref }) = written else { return Ok(None) };
        let compiled = Regex::new(&expression).map_err(|error| told(&error))?;
        Ok(Some(Self { kind, text: text.to_owned(), compiled, whole_ref }))
    }

    /// How it is written, which says what it decides on.
    #[must_use]
    pub fn kind(&self) -> FilterKind {
        self.kind
    }

    /// A character of a pattern that no name of a branch has, so that the pattern fits none.
    #[must_use]
    pub fn impossible(&self) -> Option<char> {
        let impossible = match self.kind {
            FilterKind::Wildcard => " :~^?[\\",
            FilterKind::List => "~^?[\\",
            FilterKind::Regex => "",
        };
        self.text.chars().find(|character| impossible.contains(*character))
    }

    /// The beginning of a pattern that says a whole ref, so that it fits none: names are looked at without it.
    #[must_use]
    pub fn whole_ref(&self) -> Option<&'static str> {
        self.whole_ref
    }

    /// Whether the destination wants to hear of a branch or tag.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        self.compiled.is_match(name.as_bytes())
    }
}

impl fmt::Display for BranchFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} `{}`", self.kind.word(), self.text)
    }
}

/// Patterns of whole names, in which `*` stands for any characters, as a regular expression.
fn of_patterns<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Option<Written> {
    let patterns: Vec<&str> = patterns.into_iter().filter(|pattern| !pattern.trim().is_empty()).collect();
    let one = |pattern: &&str| pattern.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
    let all: Vec<String> = patterns.iter().map(one).collect();
    let whole_ref = re2::WHOLE_REFS.into_iter().find(|whole| patterns.iter().any(|one| one.starts_with(whole)));
    (!all.is_empty()).then(|| Written { text: format!(r"\A(?s:{})\z", all.join("|")), whole_ref })
}

/// What is wrong with an expression, without the drawing of it, which takes several lines.
fn told(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    unusable(last.trim_start_matches("error: "))
}

fn unusable(why: &str) -> String {
    format!("not a regular expression that can be used: {why}")
}

pub(super) fn branch_filter(table: &mut Fields, all: &mut Collector<'_>) -> Option<BranchFilter> {
    let path = table.path_of("branch_filter");
    let members = match table.take("branch_filter")? {
        Value::String(text) if text == "all" => return None,
        Value::Object(members) => members,
        _ => {
            all.fault(&path, r#"expected "all" or one of {wildcard = "…"}, {regex = "…"} and {list = "…:…"}"#);
            return None;
        }
    };
    let (mut filter, before) = (Fields::new(&path, members), all.faults.len());
    let mut given = Vec::new();
    for (word, kind) in FilterKind::ALL {
        given.extend(filter.text(word, all).map(|text| (kind, filter.path_of(word), text)));
    }
    filter.end(all);
    match given.as_slice() {
        [(kind, path, text)] => BranchFilter::new(*kind, text).unwrap_or_else(|message| {
            all.fault(path, message);
            None
        }),
        [] if all.faults.len() > before => None,
        _ => {
            all.fault(&path, "expected one of wildcard, regex and list");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(kind: FilterKind, text: &str, names: &[&str]) -> Vec<String> {
        let filter = BranchFilter::new(kind, text).expect("a filter").expect("not blank");
        names.iter().filter(|name| filter.takes(name)).map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_wildcard_is_a_whole_name_in_which_only_the_star_is_special() {
        let names = ["main", "main2", "release/1.0", "release/a/b", "old-release/1", "release/", "m.in", "Main"];
        assert_eq!(takes(FilterKind::Wildcard, "main", &names), ["main"]);
        assert_eq!(takes(FilterKind::Wildcard, "release/*", &names), ["release/1.0", "release/a/b", "release/"]);
        assert_eq!(takes(FilterKind::Wildcard, "m.in", &names), ["m.in"]);
        assert_eq!(takes(FilterKind::Wildcard, "*", &names).len(), names.len());
        // GitLab takes one pattern: what separates others is a part of it.
        assert!(takes(FilterKind::Wildcard, "main:release/*", &names).is_empty());
    }

    #[test]
    fn a_regular_expression_is_found_anywhere() {
        let names = ["main", "domain", "release/1"];
        assert_eq!(takes(FilterKind::Regex, "main", &names), ["main", "domain"]);
        assert_eq!(takes(FilterKind::Regex, "^(main|release/.+)$", &names), ["main", "release/1"]);
        assert_eq!(takes(FilterKind::Regex, "(?i)^MAIN$", &names), ["main"]);
    }

    #[test]
    fn classes_are_those_of_re2() {
        let names = ["main", "ветка", "v١", "v1", "release-2", r"a\d"];
        assert_eq!(takes(FilterKind::Regex, r"^\w+$", &names), ["main", "v1"]);
        assert_eq!(takes(FilterKind::Regex, r"^v\d$", &names), ["v1"]);
        assert_eq!(takes(FilterKind::Regex, r"^[\w-]+$", &names), ["main", "v1", "release-2"]);
        assert_eq!(takes(FilterKind::Regex, r"\bветка", &names).len(), 0);
        assert_eq!(takes(FilterKind::Regex, r"^\pL+$", &names), ["main", "ветка"]);
        assert_eq!(takes(FilterKind::Regex, r"a\\d", &names), [r"a\d"]);
    }

    #[test]
    fn a_list_has_patterns_of_whole_names() {
        let names = ["main", "main2", "release/1.0", "v1"];
        assert_eq!(takes(FilterKind::List, "main:release/1.0", &names), ["main", "release/1.0"]);
        assert_eq!(takes(FilterKind::List, ": v* :", &names), ["v1"]);
    }

    #[test]
    fn what_is_blank_lets_everything_pass() {
        for (_, kind) in FilterKind::ALL {
            assert!(BranchFilter::new(kind, " ").expect("a filter").is_none());
        }
        assert!(BranchFilter::new(FilterKind::List, ": :").expect("a filter").is_none());
    }

    #[test]
    fn a_pattern_of_whole_refs_is_told() {
        let whole = |kind, text| BranchFilter::new(kind, text).expect("a filter").expect("not blank").whole_ref();
        assert_eq!(whole(FilterKind::Wildcard, "refs/heads/*"), Some("refs/heads/"));
        assert_eq!(whole(FilterKind::Wildcard, "release/refs/heads/*"), None);
        assert_eq!(whole(FilterKind::List, "main: refs/tags/v1"), Some("refs/tags/"));
        assert_eq!(whole(FilterKind::Regex, "^refs/heads/main$"), Some("refs/heads/"));
        assert_eq!(whole(FilterKind::Regex, "refs/heads/main"), None);
        for (whole_ref, texts) in [
            (
                Some("refs/heads/"),
                &["^(refs/heads/x)", "^(?:main|refs/heads/x)", r"\A(?i)((refs\/heads/x))", "^refs/(heads/|x)"][..],
            ),
            (Some("refs/tags/"), &["^main$|^refs/tags/v1$", r"(^\Qrefs/tags/\Ev1)", "^(refs/tags/)+v"]),
            // What may be left out does no harm.
            (None, &["^(refs/heads/)?main", "^(?:refs/heads/|)*main", "^(refs/heads/){0}main", "^a(refs/heads/x)"]),
            (
                None,
                &[
                    "^.refs/heads/",
                    "^(main|x)refs/heads/",
                    "(main|refs/heads/)",
                    "^refs/headship",
                    "^main|refs/heads/x",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(whole(FilterKind::Regex, text), whole_ref, "{text}");
            }
        }
    }

    #[test]
    fn what_re2_does_not_know_either_is_refused_in_one_line() {
        let said = |text| BranchFilter::new(FilterKind::Regex, text).expect_err("refused");
        let unusable = "not a regular expression that can be used: ";
        assert!(said("(?x)main").starts_with(&format!("{unusable}RE2 does not know the flag `x`")), "{}", said("(?x)"));
        assert!(said("^(main").starts_with(&format!("{unusable}unclosed group")), "{}", said("^(main"));
        // That of the library, which RE2 has in another way.
        assert!(said(r"(?:\pL\PL){1000}").starts_with(&format!("{unusable}Compiled regex exceeds size limit")));
        assert!(said("(?!main)").contains("look-around"), "{}", said("(?!main)"));
        assert!(said(r"(a)\1").contains("backreferences"), "{}", said(r"(a)\1"));
    }
}
