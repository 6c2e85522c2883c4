//! Look-up tables: what a file says of people and projects that a hook names by an id alone.
//!
//! `lookups/users.yaml` holds `lookup: 1` and `rows`: an id, and the columns that are known of it.

use super::diagnostic::{Diagnostics, Position, did_you_mean};
use super::files::{Files, is_yaml};
use super::yaml::{self, Yaml};
use std::collections::HashMap;

/// The tables and their columns.
pub const TABLES: [(&str, &[&str]); 2] = [
    ("users", &["name", "username", "email", "avatar"]),
    ("projects", &["default_branch", "description", "avatar", "visibility", "language"]),
];

/// The folder of the files, below `mappings/`.
const FOLDER: &str = "lookups";

/// What to say of a file of another kind in the folder.
pub const OTHER_KIND: &str = "is not used: look-up tables are .yaml files";

type Row = HashMap<String, String>;

/// The rows of every table, by the id that they are about.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Lookups {
    tables: HashMap<String, HashMap<String, Row>>,
}

impl Lookups {
    /// Reads every file of the folder.
    pub(crate) fn load(files: &Files, faults: &mut Diagnostics) -> Self {
        let mut all = Self::default();
        for path in files.in_folder(FOLDER).filter(|path| is_yaml(path)) {
            let Some((file, text)) = files.get(path) else { continue };
            let Some(root) = yaml::parse(&file, text, faults) else { continue };
            let name = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or(path, |(name, _)| name);
            all.read_file(&root, name, &file, faults);
        }
        all
    }

    fn read_file(&mut self, root: &Yaml, name: &str, file: &str, faults: &mut Diagnostics) {
        for (key, value) in root.map().unwrap_or_default() {
            match key.name.as_str() {
                "lookup" if value.text() == Some(super::file::LANGUAGE) => {}
                "lookup" => faults.error(file, value.position, "this binary understands `lookup: 1`"),
                "doc" => {}
                "rows" => self.read_table(name, key.position, value, faults, file),
                other => {
                    let suggestion = did_you_mean(other, ["lookup", "doc", "rows"]);
                    faults.error(file, key.position, format!("unknown key `{other}`{suggestion}"));
                }
            }
        }
        if root.get("lookup").is_none() || root.get("rows").is_none() {
            faults.error(
                file,
                root.position,
                "a look-up table has `lookup: 1` and `rows`: ids and what is known of each",
            );
        }
    }

    /// Takes the rows of one table: a map of ids to maps of columns.
    pub(crate) fn read_table(&mut self, name: &str, at: Position, rows: &Yaml, faults: &mut Diagnostics, file: &str) {
        let Some((_, columns)) = TABLES.iter().find(|(own, _)| *own == name) else {
            let suggestion = did_you_mean(name, TABLES.iter().map(|(own, _)| *own));
            let known = TABLES.map(|(own, _)| own).join(" and ");
            faults.error(file, at, format!("unknown look-up table `{name}`: there are {known}{suggestion}"));
            return;
        };
        for (id, row) in rows.map().unwrap_or_default() {
            for (column, value) in row.map().unwrap_or_default() {
                if !columns.contains(&column.name.as_str()) {
                    let suggestion = did_you_mean(&column.name, columns.iter().copied());
                    let known = columns.join(", ");
                    let message = format!("unknown column `{}`: `{name}` has {known}{suggestion}", column.name);
                    faults.error(file, column.position, message);
                }
                match value.to_json() {
                    serde_json::Value::String(text) => self.insert(name, &id.name, &column.name, &text),
                    // As where there is no such column.
                    serde_json::Value::Null => {}
                    _ => faults.error(file, value.position, "expected a text: quote what is to be one"),
                }
            }
            if row.map().is_none() {
                faults.error(file, row.position, format!("expected columns: {}", columns.join(", ")));
            }
        }
        if rows.map().is_none() {
            faults.error(file, rows.position, "expected a map of ids");
        }
    }

    fn insert(&mut self, table: &str, id: &str, column: &str, text: &str) {
        let rows = self.tables.entry(table.to_owned()).or_default();
        rows.entry(id.to_owned()).or_default().insert(column.to_owned(), text.to_owned());
    }

    /// Whether there is no row in any table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// One column of one row.
    #[must_use]
    pub fn get(&self, table: &str, id: &str, column: &str) -> Option<&str> {
        self.tables.get(table)?.get(id)?.get(column).map(String::as_str)
    }
}
