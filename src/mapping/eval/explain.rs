//! Runs a template once more and writes down, for each field, which line made it and what it was made of.
//!
//! It goes the way that writing the bytes goes, with the same steps and conditions, so that it cannot tell another story.

use super::output::Source;
use super::{Result, Run, Stop};
use crate::mapping::json::write;
use crate::mapping::program::{
    Branch, Condition, Each, Expr, Field, Path, Piece, Place, Primary, Root, Step, Template,
};
use crate::mapping::value::Value;
use std::collections::HashSet;

/// One value of the output: where it stands, what it is, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traced {
    /// The keys and positions that lead to it.
    pub(crate) path: Vec<String>,
    /// Its JSON text.
    pub(crate) json: Vec<u8>,
    /// The line that made it.
    pub(crate) place: Place,
    pub(crate) sources: Vec<ReadSource>,
    /// What the conditions of the branches that it stands in read.
    pub(crate) decided_by: Vec<ReadSource>,
}

/// A path that was read for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSource {
    /// From the top of the hook, or of what stands beside it: `push.commits[0].id`, `hook.received_at`.
    pub path: String,
    /// Whether the hook had a value there.
    pub has_value: bool,
}

/// What a trace has written down so far.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) values: Vec<Traced>,
    /// Where the fields stand that hold others: objects and lists.
    pub(crate) around: Vec<(Vec<String>, Place)>,
    /// The branches that were taken.
    pub(crate) taken: HashSet<Place>,
    /// Where the next value stands.
    pub(crate) path: Vec<String>,
    /// Where the value of each loop variable stands in the hook.
    loops: Vec<String>,
    /// What decided for the branches that the next value stands in.
    deciders: Sources,
}

type Sources = Vec<ReadSource>;

impl<'a> Run<'a> {
    /// Writes down how a template makes its value; `place` is the line that asks for it.
    pub(crate) fn trace(&mut self, template: &'a Template, place: Place, trace: &mut Trace) -> Result<()> {
        // The translation before has held the bound; a trace works some texts out twice, which is not the hook's doing.
        self.texts_left.set(usize::MAX);
        match template {
            Template::Literal { json, .. } => trace.add(json.to_vec(), place, Vec::new()),
            Template::Hole(expr) => {
                let mut sources = Vec::new();
                let value = self.traced(expr, trace, &mut sources)?;
                trace.add_value(&value, place, sources);
            }
            Template::Text(pieces) => {
                let mut sources = Vec::new();
                self.trace_pieces(pieces, trace, &mut sources)?;
                let value = self.text(pieces)?;
                trace.add_value(&value, place, sources);
            }
            Template::Object(fields) => {
                if fields.is_empty() {
                    trace.add(b"{}".to_vec(), place, Vec::new());
                }
                for field in fields {
                    self.trace_field(field, trace)?;
                }
            }
            Template::List(items) => self.trace_list(items, place, trace)?,
            Template::Each(each) => {
                let (count, sources) = self.trace_each(each, &mut 0, trace)?;
                if count == 0 {
                    trace.add(b"[]".to_vec(), place, sources);
                }
            }
            Template::Case(branches) => self.trace_case(branches, trace)?,
            Template::Merge(parts) => self.trace_merged(parts, trace)?,
        }
        Ok(())
    }

    fn trace_field(&mut self, field: &'a Field, trace: &mut Trace) -> Result<bool> {
        trace.path.push(field.key.clone());
        if !matches!(field.value, Template::Literal { .. } | Template::Hole(_) | Template::Text(_)) {
            trace.around.push((trace.path.clone(), field.place));
        }
        let traced = self.kept_trace(&field.value, field.place, trace);
        trace.path.pop();
        traced
    }

    /// Says whether there is a value; one that is left out leaves no trace.
    fn kept_trace(&mut self, template: &'a Template, place: Place, trace: &mut Trace) -> Result<bool> {
        let before = trace.values.len();
        match self.trace(template, place, trace) {
            Ok(()) => Ok(true),
            Err(Stop::Omit) => {
                trace.values.truncate(before);
                Ok(false)
            }
            Err(fail) => Err(fail),
        }
    }

    fn trace_list(&mut self, items: &'a [Template], place: Place, trace: &mut Trace) -> Result<()> {
        let mut position = 0;
        for item in items {
            if let Template::Each(each) = item {
                match self.trace_each(each, &mut position, trace) {
                    Ok(_) | Err(Stop::Omit) => {}
                    Err(fail) => return Err(fail),
                }
                continue;
            }
            trace.path.push(position.to_string());
            let kept = self.kept_trace(item, place, trace);
            trace.path.pop();
            position += usize::from(kept?);
        }
        if position == 0 {
            trace.add(b"[]".to_vec(), place, Vec::new());
        }
        Ok(())
    }

    /// Gives how many elements there are, and what was read for the list.
    fn trace_each(&mut self, each: &'a Each, position: &mut usize, trace: &mut Trace) -> Result<(usize, Sources)> {
        let mut sources = Vec::new();
        let list = self.traced(&each.list, trace, &mut sources)?;
        let stands = sources.iter().rev().find(|source| source.has_value).map(|source| source.path.clone());
        let stands = stands.unwrap_or_default();
        let elements = list.elements().unwrap_or_default();
        let first = *position;
        for (element, item) in elements.into_iter().enumerate() {
            if let Some(variable) = self.loops.get(each.slot) {
                variable.set(item);
            }
            self.found.forget_loop(each.slot);
            trace.loops.truncate(each.slot);
            trace.loops.push(format!("{stands}[{element}]"));
            trace.path.push(position.to_string());
            let kept = self.kept_trace(&each.item, each.list.place, trace);
            trace.path.pop();
            *position += usize::from(kept?);
        }
        Ok((*position - first, sources))
    }

    /// The line that makes the value is that of the branch that is taken.
    fn trace_case(&mut self, branches: &'a [Branch], trace: &mut Trace) -> Result<()> {
        let mut decided = Vec::new();
        let Some(branch) = self.trace_branch(branches, trace, &mut decided)? else { return Err(Stop::Omit) };
        let outer = trace.deciders.len();
        trace.deciders.append(&mut decided);
        let traced = self.trace(&branch.then, branch.place, trace);
        trace.deciders.truncate(outer);
        traced
    }

    fn trace_branch(
        &self,
        branches: &'a [Branch],
        trace: &mut Trace,
        sources: &mut Sources,
    ) -> Result<Option<&'a Branch>> {
        for branch in branches {
            let holds = match &branch.when {
                None => true,
                Some(when) => {
                    self.trace_condition(when, trace, sources)?;
                    self.holds(when)?
                }
            };
            if holds {
                trace.taken.insert(branch.place);
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    fn trace_condition(&self, condition: &'a Condition, trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        match condition {
            Condition::Or(all) | Condition::And(all) => {
                let stops_at = matches!(condition, Condition::Or(_));
                for next in all {
                    self.trace_condition(next, trace, sources)?;
                    if self.holds(next)? == stops_at {
                        break;
                    }
                }
                Ok(())
            }
            Condition::Not(inner) => self.trace_condition(inner, trace, sources),
            Condition::Exists(expr) | Condition::True(expr) => self.trace_tested(expr, trace, sources),
            Condition::Same(left, right) | Condition::Differ(left, right) | Condition::In(left, right) => {
                self.trace_tested(left, trace, sources)?;
                self.trace_tested(right, trace, sources)
            }
        }
    }

    fn trace_tested(&self, expr: &'a Expr, trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        match self.traced(expr, trace, sources) {
            Ok(_) | Err(Stop::Omit) => Ok(()),
            Err(fail) => Err(fail),
        }
    }

    fn trace_merged(&mut self, parts: &'a [Template], trace: &mut Trace) -> Result<()> {
        let mut decided = Vec::new();
        self.trace_branches_of(parts, trace, &mut decided)?;
        let outer = trace.deciders.len();
        trace.deciders.append(&mut decided);
        let traced = self.trace_merged_fields(parts, trace);
        trace.deciders.truncate(outer);
        traced
    }

    fn trace_merged_fields(&mut self, parts: &'a [Template], trace: &mut Trace) -> Result<()> {
        let mut fields = Vec::new();
        for part in parts {
            self.gather(part, &mut fields)?;
        }
        for (key, sources) in fields {
            for source in sources.into_iter().rev() {
                let kept = match source {
                    Source::Field(field) => self.trace_field(field, trace)?,
                    Source::Member(node, expr) => {
                        let mut read = Vec::new();
                        self.traced(expr, trace, &mut read)?;
                        let mut json = Vec::new();
                        write::node(&mut json, node);
                        trace.path.push(key.clone());
                        trace.add(json, expr.place, read);
                        trace.path.pop();
                        true
                    }
                };
                if kept {
                    break;
                }
            }
        }
        Ok(())
    }

    fn trace_branches_of(&self, parts: &'a [Template], trace: &mut Trace, decided: &mut Sources) -> Result<()> {
        for part in parts {
            match part {
                Template::Merge(inner) => self.trace_branches_of(inner, trace, decided)?,
                Template::Case(branches) => {
                    if let Some(branch) = self.trace_branch(branches, trace, decided)? {
                        self.trace_branches_of(std::slice::from_ref(&branch.then), trace, decided)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn trace_pieces(&self, pieces: &'a [Piece], trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        for piece in pieces {
            if let Piece::Hole(expr) = piece
                && self.traced(expr, trace, sources)?.is_null()
            {
                break;
            }
        }
        Ok(())
    }

    /// The value of an expression, with what was read for it.
    fn traced(&self, expr: &'a Expr, trace: &mut Trace, sources: &mut Sources) -> Result<Value<'a>> {
        let mut value = self.traced_primary(&expr.first, trace, sources)?;
        for step in &expr.steps {
            match step {
                Step::Or(other) if value.is_null() => value = self.traced_primary(other, trace, sources)?,
                Step::Filter { arguments, .. } if !value.is_null() => {
                    for argument in arguments {
                        self.traced_primary(argument, trace, sources)?;
                    }
                    self.steps(expr, std::slice::from_ref(step), &mut value)?;
                }
                _ => self.steps(expr, std::slice::from_ref(step), &mut value)?,
            }
        }
        *sources = unique(std::mem::take(sources));
        Ok(value)
    }

    fn traced_primary(&self, primary: &'a Primary, trace: &mut Trace, sources: &mut Sources) -> Result<Value<'a>> {
        match primary {
            Primary::Path(path) => self.trace_path(path, trace, sources)?,
            Primary::Group(expr) => return self.traced(expr, trace, sources),
            Primary::List(items) => {
                for item in items {
                    self.traced_primary(item, trace, sources)?;
                }
            }
            Primary::Header(_) | Primary::Constant(_) => {}
        }
        let mut value = Value::Null;
        self.primary(primary, &mut value)?;
        if let Primary::Header(name) = primary {
            sources.push(ReadSource { path: format!("header('{name}')"), has_value: !value.is_null() });
        }
        Ok(value)
    }

    fn trace_path(&self, path: &'a Path, trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        let shown = match path.root {
            Root::Let(index) => return self.trace_let(index, trace, sources),
            Root::Loop(slot) => {
                let own = trace.loops.get(slot).cloned().unwrap_or_default();
                let rest = path.text.find(['.', '[']).and_then(|end| path.text.get(end..)).unwrap_or_default();
                format!("{own}{rest}")
            }
            _ => path.text.clone(),
        };
        let mut value = Value::Null;
        let has_value = self.path(path, &mut value).is_ok() && !value.is_null();
        sources.push(ReadSource { path: shown, has_value });
        Ok(())
    }

    fn trace_let(&self, index: usize, trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        let Some(named) = self.program.lets.get(index) else { return Ok(()) };
        let traced = match &named.value {
            Template::Hole(expr) => self.traced(expr, trace, sources).map(|_| ()),
            Template::Text(pieces) => self.trace_pieces(pieces, trace, sources),
            Template::Case(branches) => self.trace_single(branches, trace, sources),
            _ => Ok(()),
        };
        match traced {
            Err(Stop::Omit) => Ok(()),
            other => other,
        }
    }

    /// The branch that a `let` takes, and what was read for its value.
    fn trace_single(&self, branches: &'a [Branch], trace: &mut Trace, sources: &mut Sources) -> Result<()> {
        match self.trace_branch(branches, trace, sources)?.map(|branch| &branch.then) {
            Some(Template::Hole(expr)) => self.traced(expr, trace, sources).map(|_| ()),
            Some(Template::Text(pieces)) => self.trace_pieces(pieces, trace, sources),
            Some(Template::Case(inner)) => self.trace_single(inner, trace, sources),
            _ => Ok(()),
        }
    }
}

impl Trace {
    /// A trace of what stands below a path.
    pub(crate) fn at(path: &[String]) -> Self {
        Self { path: path.to_vec(), ..Self::default() }
    }

    /// The line that made what stands at a path, or what it stands in, or the first thing in it.
    pub(crate) fn maker(&self, path: &[String]) -> Option<Place> {
        if let Some(value) = self.values.iter().find(|value| path.starts_with(&value.path)) {
            return Some(value.place);
        }
        let around = self.around.iter().find(|(own, _)| own == path).map(|(_, place)| *place);
        around.or_else(|| self.values.iter().find(|value| value.path.starts_with(path)).map(|value| value.place))
    }

    fn add(&mut self, json: Vec<u8>, place: Place, sources: Sources) {
        let decided_by = unique(self.deciders.clone());
        self.values.push(Traced { path: self.path.clone(), json, place, sources: unique(sources), decided_by });
    }

    fn add_value(&mut self, value: &Value<'_>, place: Place, sources: Sources) {
        let mut json = Vec::new();
        value.write(&mut json);
        self.add(json, place, sources);
    }
}

/// Each source once, in the order in which they were read.
fn unique(sources: Sources) -> Sources {
    let mut kept: Sources = Vec::with_capacity(sources.len());
    for source in sources {
        if !kept.contains(&source) {
            kept.push(source);
        }
    }
    kept
}
