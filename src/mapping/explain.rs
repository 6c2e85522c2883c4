//! Which line of which file made each field of a body, and from what of the hook.

use super::diagnostic::Position;
use super::eval::explain::{Trace, Traced};
use super::eval::{Run, Surroundings};
use super::failure::Stop;
use super::file::{Mapping, Output};
use super::json::{Node, write};
use super::program::{Place, Program};
use super::set::{Mappings, Untranslated};
use bumpalo::Bump;
use std::borrow::Cow;
use std::fmt::Write as _;

pub use super::eval::explain::ReadSource;

/// How a hook's translation came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The name of the mapping.
    pub mapping: String,
    /// The headers that the mapping sets; their names stand in `path`.
    pub headers: Vec<ExplainedField>,
    /// The fields of the body in their order, each down to a value without fields of its own.
    pub body: Vec<ExplainedField>,
}

/// One field and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedField {
    /// `commits[0].author.name`
    pub path: String,
    /// Its JSON text.
    pub json: String,
    /// The file that made it, as messages name it.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// What was read for it, in the order of reading; empty for what stands in the file itself.
    pub sources: Vec<ReadSource>,
    /// What the conditions read that decided for the branches it stands in; empty outside `$case` and `$if`.
    pub decided_by: Vec<ReadSource>,
}

impl ExplainedField {
    fn new(traced: Traced, program: &Program) -> Self {
        let Traced { path, json, place, sources, decided_by } = traced;
        let file = program.files.get(place.file).map(ToString::to_string).unwrap_or_default();
        let (line, column) = (place.position.line, place.position.column);
        let json = String::from_utf8_lossy(&json).into_owned();
        Self { path: shown(&path), json, file, line, column, sources, decided_by }
    }
}

impl Explained {
    /// Puts the fields that an overlay sets in the place of those that they replace, else at the end.
    pub fn lay(&mut self, fields: Vec<ExplainedField>) {
        for field in fields {
            let below = |own: &ExplainedField| {
                own.path == field.path
                    || own.path.strip_prefix(&field.path).is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            let place = self.body.iter().position(below).unwrap_or(self.body.len());
            self.body.retain(|own| !below(own));
            self.body.insert(place.min(self.body.len()), field);
        }
    }
}

/// The values of a trace with the names of their files.
pub(crate) fn fields(trace: Trace, program: &Program) -> Vec<ExplainedField> {
    trace.values.into_iter().map(|traced| ExplainedField::new(traced, program)).collect()
}

/// The objects and lists of a trace: path, file and place of each.
pub(crate) fn around(trace: &Trace, program: &Program) -> Vec<(String, String, Position)> {
    let file = |place: &Place| program.files.get(place.file).map(ToString::to_string).unwrap_or_default();
    trace.around.iter().map(|(path, place)| (shown(path), file(place), place.position)).collect()
}

impl Mappings {
    /// Says for each field that [`Mappings::translate`] makes of a hook which line made it and what it read.
    ///
    /// # Errors
    /// As [`Mappings::translate`].
    pub fn explain(&self, event: &str, input: Node<'_>, beside: &Surroundings<'_>) -> Result<Explained, Untranslated> {
        // The translation says what is wrong, budgets included; what can be translated can be explained.
        self.translate(event, input, beside)?;
        let beside = self.with_lookups(beside);
        let mapping = self.taking(event, input, &beside)?;
        let Output::Body(body) = &mapping.output else {
            return Err(Untranslated::NoMapping { event: event.to_owned() });
        };
        let arena = Bump::new();
        let mut run = Run::new(&mapping.program, input, &beside, &arena);
        let mut trace = Trace::default();
        run.trace(body, mapping.body_place(), &mut trace).map_err(|stop| untranslated(mapping, stop))?;
        let headers = headers(mapping, &mut run).map_err(|stop| untranslated(mapping, stop))?;
        Ok(Explained { mapping: mapping.name.to_string(), headers, body: fields(trace, &mapping.program) })
    }
}

fn headers<'a>(mapping: &'a Mapping, run: &mut Run<'a>) -> Result<Vec<ExplainedField>, Stop> {
    let mut all = Vec::new();
    for (name, place, value) in &mapping.headers {
        let mut trace = Trace::default();
        match run.trace(value, *place, &mut trace) {
            Ok(()) => {}
            Err(Stop::Omit) => continue,
            Err(fail) => return Err(fail),
        }
        all.extend(
            fields(trace, &mapping.program).into_iter().map(|field| ExplainedField { path: name.to_string(), ..field }),
        );
    }
    Ok(all)
}

fn untranslated(mapping: &Mapping, stop: Stop) -> Untranslated {
    match stop {
        Stop::Fail(failure) => Untranslated::Failed(*failure),
        Stop::Omit => super::set::makes_no_body(mapping),
    }
}

/// A path of an output as people write it: `commits[0].author.name`; a key that would break the line as a JSON text.
pub(crate) fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        let is_position = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let part = if part.bytes().any(|byte| byte < b' ') { quoted(part) } else { Cow::Borrowed(part.as_str()) };
        // Writing into a String cannot fail.
        let _ = match (is_position, text.is_empty()) {
            (true, _) => write!(text, "[{part}]"),
            (false, true) => write!(text, "{part}"),
            (false, false) => write!(text, ".{part}"),
        };
    }
    text
}

fn quoted(key: &str) -> Cow<'_, str> {
    let mut json = Vec::new();
    write::quoted(&mut json, key);
    Cow::Owned(String::from_utf8_lossy(&json).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_people_write_them() {
        let path: Vec<String> = ["commits", "0", "author", "name"].map(str::to_owned).to_vec();
        assert_eq!(shown(&path), "commits[0].author.name");
        assert_eq!(shown(&[]), "");
        let path: Vec<String> = ["labels", "tide\n\"low\"", "0"].map(str::to_owned).to_vec();
        assert_eq!(shown(&path), r#"labels."tide\n\"low\""[0]"#);
    }
}
