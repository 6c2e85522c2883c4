//! Values as TOML writes them.

use serde_json::Value;
use std::fmt::Write as _;

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // A terminal would obey some of them, and TOML allows none.
            _ if super::screen::is_harmful(character) => {
                // Writing into a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A list of texts.
pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    format!("[{}]", texts.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

/// The name of a setting, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { name.to_owned() } else { text(name) }
}

/// Any value on one line. TOML has no null: it is an empty text.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => text(""),
        Value::String(own) => text(own),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, own)| format!("{} = {}", key(name), self::value(own)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        let tree = json!({"a": "x\"\\\n\u{1b}\u{7f}é", "b c": [1, true, {"d.e": 2.5}], "f": {}});
        let lines = tree.as_object().expect("an object").iter();
        let written = lines.map(|(name, own)| format!("{} = {}", key(name), value(own))).collect::<Vec<_>>().join("\n");
        let source = config::File::from_str(&written, config::FileFormat::Toml);
        let read: Value = config::Config::builder()
            .add_source(source)
            .build()
            .and_then(config::Config::try_deserialize)
            .expect("TOML");
        assert_eq!(read, tree, "{written}");
    }
}
