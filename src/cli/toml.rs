//! Values as TOML writes them.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let strange = "x\"\\\n\u{1b}\u{7f}é";
        let source = config::File::from_str(&format!("a = {}", texts([strange])), config::FileFormat::Toml);
        let read = config::Config::builder().add_source(source).build().expect("TOML");
        assert_eq!(read.get::<Vec<String>>("a").expect("texts"), [strange]);
    }
}
