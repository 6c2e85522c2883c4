//! `hookglot.example.toml`, which has every setting with its default: what `hookglot config` knows of settings that nobody has
//! set. Tests hold it equal to what the code reads.

/// The text of the file.
const TEXT: &str = include_str!("../../hookglot.example.toml");

/// What a sentence says of a value that is no default.
const NO_DEFAULT: [&str; 2] = ["none by default", "an example"];
/// What it says of one, where the others are none.
const A_DEFAULT: &str = "the default";

/// A table of the file.
#[derive(Debug)]
pub(super) struct Table {
    /// Its path, as it stands in brackets; empty for the top.
    pub(super) path: &'static str,
    /// Whether there may be several: `[[…]]`.
    pub(super) is_list: bool,
    /// Whether it stands behind a `#`, as an example of a table.
    is_example: bool,
    /// The settings in it, in their order.
    pub(super) settings: Vec<Setting>,
}

/// A setting of the file.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// What is written there, as TOML.
    pub(super) written: &'static str,
    /// The sentence behind it.
    pub(super) says: String,
    /// Whether it stands behind a `#`.
    is_behind: bool,
    /// Whether its table does.
    is_of_example: bool,
}

impl Setting {
    /// What is in force where nobody says otherwise; nothing where that is nothing.
    pub(super) fn default(&self) -> Option<&'static str> {
        let is_default = if self.is_of_example {
            self.says.contains(A_DEFAULT)
        } else {
            self.is_behind && !NO_DEFAULT.iter().any(|word| self.says.contains(word))
        };
        is_default.then_some(self.written)
    }
}

/// The tables, the top first.
pub(super) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    let mut table = Table { path: "", is_list: false, is_example: false, settings: Vec::new() };
    for line in TEXT.lines() {
        if let Some((path, is_list)) = header(line) {
            let next = Table { path, is_list, is_example: line.starts_with('#'), settings: Vec::new() };
            tables.push(std::mem::replace(&mut table, next));
        } else if let Some(setting) = setting(line, table.is_example) {
            // What may be said in several ways is there several times; the first is the one to know.
            if table.settings.iter().all(|own| own.name != setting.name) {
                table.settings.push(setting);
            }
        } else if let (Some(more), Some(last)) = (continued(line), table.settings.last_mut()) {
            last.says.push(' ');
            last.says.push_str(more);
        }
    }
    tables.push(table);
    tables
}

/// `[limits]`, `[[route]]`, also behind a `#`.
fn header(line: &'static str) -> Option<(&'static str, bool)> {
    let line = line.strip_prefix("# ").unwrap_or(line).trim_end();
    let list = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let one = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let path = list.or(one)?;
    path.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)).then_some((path, list.is_some()))
}

/// `name = value  # sentence`, also behind a `#`.
fn setting(line: &'static str, is_of_example: bool) -> Option<Setting> {
    let behind = line.strip_prefix("# ");
    let (name, rest) = behind.unwrap_or(line).split_once(" = ")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let (written, says) = is_name.then(|| without_comment(rest))?;
    Some(Setting { name, written, says: says.to_owned(), is_behind: behind.is_some(), is_of_example })
}

/// The value, and the sentence behind the `#` that stands in no text.
fn without_comment(rest: &'static str) -> (&'static str, &'static str) {
    let mut is_text = false;
    let end = rest.char_indices().find_map(|(at, character)| {
        is_text ^= character == '"';
        (character == '#' && !is_text).then_some(at)
    });
    let (value, comment) = end.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    (value.trim(), comment.trim_start_matches('#').trim())
}

/// The rest of a sentence: a comment far from the beginning of its line.
fn continued(line: &'static str) -> Option<&'static str> {
    line.starts_with("        ").then(|| line.trim_start().strip_prefix('#')).flatten().map(str::trim)
}

#[cfg(test)]
mod tests;
