//! Which mapping a hook is for: by event, then by the most specific `match` that holds.

use super::eval::Run;
use super::expr;
use super::failure::Stop;
use super::file::{Mapping, Output};
use super::files::Files;
use super::program::{Condition, Expr, Primary};
use super::scope::Scope;
use super::template::read_condition;
use super::value::Value;
use super::yaml::Yaml;
use super::{Failure, diagnostic::Diagnostics};

/// One key of `match`: a path and what it must be.
#[derive(Debug)]
pub(crate) struct Match {
    path: Expr,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// One of these values.
    OneOf(Vec<serde_json::Value>),
    Exists(bool),
    Prefix(String),
}

/// Reads `match`: paths with their tests, and the condition under `where`.
pub(crate) fn read(node: Option<&Yaml>, scope: &mut Scope<'_>) -> (Vec<Match>, Option<Condition>) {
    let (mut matches, mut condition) = (Vec::new(), None);
    for (key, value) in super::file::members(node, "match", scope) {
        if key.name == "where" {
            condition = read_condition(value, scope);
            continue;
        }
        let position = key.position;
        let path = expr::parse(&key.name, &|_| position, scope);
        let test = read_test(value);
        match (path, test) {
            (Some(path @ Expr { first: Primary::Path(_), .. }), Some(test)) if path.steps.is_empty() => {
                matches.push(Match { path, test });
            }
            (Some(_), Some(_)) => scope.error(position, "expected a path of the hook"),
            (_, None) => {
                scope.error(
                    value.position,
                    "expected a value, a list of values, {exists: true}, {exists: false} or {prefix: text}",
                );
            }
            (None, _) => {}
        }
    }
    (matches, condition)
}

fn read_test(value: &Yaml) -> Option<Test> {
    if let Some(members) = value.map() {
        let [(key, wanted)] = members else { return None };
        return match (key.name.as_str(), wanted.to_json()) {
            ("exists", serde_json::Value::Bool(wanted)) => Some(Test::Exists(wanted)),
            ("prefix", serde_json::Value::String(prefix)) => Some(Test::Prefix(prefix)),
            _ => None,
        };
    }
    let values = value.list().map_or_else(|| vec![value.to_json()], |items| items.iter().map(Yaml::to_json).collect());
    values.iter().all(|value| !value.is_object() && !value.is_array()).then_some(Test::OneOf(values))
}

impl Match {
    fn holds<'a>(&'a self, run: &Run<'a>) -> Result<bool, Stop> {
        let value = match run.expr(&self.path) {
            Err(Stop::Omit) => Value::Null,
            other => other?,
        };
        Ok(match &self.test {
            Test::Exists(wanted) => value.is_null() != *wanted,
            Test::Prefix(prefix) => value.as_text().is_some_and(|text| text.starts_with(prefix.as_str())),
            Test::OneOf(values) => values.iter().any(|wanted| is(&value, wanted)),
        })
    }
}

fn is(value: &Value<'_>, wanted: &serde_json::Value) -> bool {
    match wanted {
        serde_json::Value::Null => value.is_null(),
        serde_json::Value::Bool(truth) => matches!(value, Value::Bool(own) if own == truth),
        serde_json::Value::String(text) => matches!(value, Value::Text(own) if own.read() == *text),
        number => {
            matches!(value, Value::Int(_) | Value::Number(_))
                && value.as_text().is_some_and(|own| own == number.to_string())
        }
    }
}

/// Whether a mapping is for the input of a run.
pub(crate) fn takes<'a>(mapping: &'a Mapping, run: &Run<'a>) -> Result<bool, Failure> {
    let held = mapping.matches.iter().try_fold(true, |held, next| if held { next.holds(run) } else { Ok(false) });
    let held = held.and_then(|held| match (&mapping.condition, held) {
        (Some(condition), true) => run.holds(condition),
        _ => Ok(held),
    });
    match held {
        Ok(held) => Ok(held),
        Err(Stop::Omit) => Ok(false),
        Err(Stop::Fail(failure)) => Err(*failure),
    }
}

/// What comes with the program and ignores an event as a whole gives way to a file of one's own that maps it: that
/// event, and its examples, are taken out of it.
pub(crate) fn give_way(mappings: &mut Vec<Mapping>, files: &Files) {
    let own = mappings.iter().filter(|mapping| !files.is_built_in(&mapping.file) && mapping.specificity() == 0);
    let own: Vec<String> = own.flat_map(|mapping| mapping.events.clone()).collect();
    if own.is_empty() {
        return;
    }
    for mapping in mappings.iter_mut().filter(|mapping| files.is_built_in(&mapping.file)) {
        if matches!(mapping.output, Output::Ignore(_)) && mapping.specificity() == 0 {
            let mut examples = std::mem::take(&mut mapping.examples);
            examples.retain(|example| !own.iter().any(|event| event == example.event_of(mapping)));
            for example in &mut examples {
                example.event = Some(example.event_of(mapping).to_owned());
            }
            mapping.examples = examples;
            mapping.events.retain(|event| !own.contains(event));
        }
    }
    mappings.retain(|mapping| !mapping.events.is_empty());
}

/// Logs and metrics could not tell two mappings of one name apart.
pub(crate) fn check_names(mappings: &[Mapping], faults: &mut Diagnostics) {
    for (position, one) in mappings.iter().enumerate() {
        if let Some(other) = mappings.iter().take(position).find(|other| !one.name.is_empty() && other.name == one.name)
        {
            let message = format!("`{}` is the name of {} as well", one.name, other.file);
            faults.warning(&one.file, one.position, message);
        }
    }
}

/// Whether two mappings are for one event and neither has a `match`.
pub(crate) fn are_alike(one: &Mapping, other: &Mapping) -> bool {
    let shared = one.events.iter().any(|event| other.events.contains(event));
    shared && one.specificity() == 0 && other.specificity() == 0
}

/// Two mappings without `match` for one event can never be told apart.
pub(crate) fn check_clashes(mappings: &[Mapping], files: &Files, faults: &mut Diagnostics) {
    for (position, one) in mappings.iter().enumerate() {
        for other in mappings.iter().take(position) {
            if are_alike(one, other) {
                // Whoever adds a file can change that one, not the one that comes with the program.
                let (one, other) = if files.is_built_in(&one.file) { (other, one) } else { (one, other) };
                let message = format!(
                    "matches the same event as {}:{}:{}",
                    other.file, other.position.line, other.position.column
                );
                faults.error(&one.file, one.position, message);
            }
        }
    }
}
