//! What hooks tell of people and of projects: a list, each item of which names one of them.

use super::{MOST_OF_AN_ID, RowTold};
use crate::mapping::Failure;
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::eval::Run;
use crate::mapping::failure::Stop;
use crate::mapping::program::{Place, Template};
use crate::mapping::scope::Scope;
use crate::mapping::template;
use crate::mapping::yaml::Yaml;
use serde_json::{Map, Value};

/// How many rows of one table a hook may tell of, and how long one text of them may be, in bytes.
const MOST_ROWS: usize = 100;
const MOST_OF_A_TEXT: usize = 4096;
/// The member of an item that says who or which it is.
const ID: &str = "id";

#[derive(Debug)]
pub(super) struct Rows {
    table: &'static str,
    template: Template,
    place: Place,
}

impl Rows {
    pub(super) fn read(
        table: &'static str,
        columns: &'static [&'static str],
        node: &Yaml,
        scope: &mut Scope<'_>,
    ) -> Self {
        for item in node.list().unwrap_or_default() {
            let keys = item.map().unwrap_or_default().iter().map(|(key, _)| key);
            for key in keys.filter(|key| !key.name.starts_with('$') && key.name != ID) {
                if !columns.contains(&key.name.as_str()) {
                    let suggestion = did_you_mean(&key.name, columns.iter().copied());
                    let known = columns.join(", ");
                    let message = format!("unknown column `{}`: `{table}` has {known}{suggestion}", key.name);
                    scope.error(key.position, message);
                }
            }
            if item.get(ID).is_none() {
                scope.error(item.position, format!("`{ID}` is missing: whom or which of `{table}` a hook tells of"));
            }
        }
        if node.list().is_none() {
            scope.error(node.position, format!("expected a list: each of `{table}` that a hook may tell of"));
        }
        Self { table, template: template::compile(node, scope), place: scope.place(node.position) }
    }

    /// Adds what a hook tells.
    pub(super) fn told<'a>(&'a self, run: &mut Run<'a>, all: &mut Vec<RowTold>) -> Result<(), Failure> {
        let mut json = Vec::new();
        match run.write(&self.template, &mut json) {
            Ok(()) | Err(Stop::Omit) => {}
            Err(Stop::Fail(failure)) => return Err(*failure),
        }
        // What the template wrote is a list of objects; nobody is named where it is none.
        let items: Vec<Map<String, Value>> = serde_json::from_slice(&json).unwrap_or_default();
        for mut item in items {
            let Some(id) = item.remove(ID).as_ref().and_then(text).filter(|id| !id.is_empty()) else { continue };
            let columns: Vec<(String, String)> =
                item.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
            let longest = columns.iter().map(|(_, text)| text.len()).max().unwrap_or_default();
            if id.len() > MOST_OF_AN_ID || longest > MOST_OF_A_TEXT {
                let length = id.len();
                let message = format!(
                    "an id of `{}` has {length} bytes and may have {MOST_OF_AN_ID}, the longest text {longest} and may have \
                     {MOST_OF_A_TEXT}",
                    self.table
                );
                return Err(run.failure(self.place, message));
            }
            self.add(all, id, columns);
        }
        if all.iter().filter(|row| row.table == self.table).count() > MOST_ROWS {
            let message = format!("the hook tells of more than {MOST_ROWS} of `{}`", self.table);
            return Err(run.failure(self.place, message));
        }
        Ok(())
    }

    /// Adds a row, or to the row that there is already what it does not say.
    fn add(&self, all: &mut Vec<RowTold>, id: String, columns: Vec<(String, String)>) {
        let Some(own) = all.iter_mut().find(|row| row.table == self.table && row.id == id) else {
            all.push(RowTold { table: self.table, id, columns });
            return;
        };
        for (name, text) in columns {
            if !own.columns.iter().any(|(known, _)| *known == name) {
                own.columns.push((name, text));
            }
        }
    }
}

/// A text, or a number as one; nothing else is an id or a column.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
