//! What a person does with an example: where it belongs, and what a mapping says of it.

use super::super::out;
use super::super::screen::harmless;
use crate::admin::capture::ExampleShown;
use serde_json::Value;
use std::path::Path;

/// Says on standard error what the example is and where to put it, with the lines for the mapping as they stand there.
pub(super) fn advise(example: &ExampleShown, file: Option<&Path>) {
    let ExampleShown { forge, event, folder, .. } = example;
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| format!("{}.json", in_file_names(event)));
    out::error(harmless(&format!(
        "an example of the event `{event}` of {forge}; look through it before others see it: numbers stay as they came"
    )));
    out::error(harmless(&format!(
        "it belongs into {folder}/examples/{name} of a mappings_dir, and below `examples:` of the mapping beside that folder, \
         with what is to come out:"
    )));
    out::findings(entry(example, &name));
}

/// The example in a mapping file.
fn entry(example: &ExampleShown, name: &str) -> String {
    let instance = example.instance.as_deref().map_or_else(|| "null".to_owned(), yaml);
    let mut lines = vec![
        "  - name: a hook that came".to_owned(),
        format!("    event: {}", yaml(&example.event)),
        format!("    input: {}", yaml(&format!("examples/{name}"))),
        format!("    hook: {{instance: {instance}}}"),
    ];
    // JSON is YAML.
    lines.extend(example.seen.as_ref().map(|seen| format!("    seen: {seen}")));
    lines.push("    expect: {}".to_owned());
    lines.iter().map(|line| harmless(line)).collect::<Vec<_>>().join("\n")
}

/// A text as YAML reads it, quoted only where it must be.
fn yaml(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.chars().all(|own| own.is_ascii_alphanumeric() || "_-./ ".contains(own))
        && !["null", "true", "false"].contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// An event as a part of a file's name.
fn in_file_names(event: &str) -> String {
    let name = event.chars().map(|own| if own.is_ascii_alphanumeric() { own.to_ascii_lowercase() } else { '-' });
    name.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_says_what_stands_beside_the_hook() {
        let example = ExampleShown {
            forge: "north".to_owned(),
            event: "Ship: in".to_owned(),
            folder: "north-to-south".to_owned(),
            instance: None,
            headers: Vec::new(),
            body: String::new(),
            seen: Some(json!({"title": "Text 1"})),
        };
        let lines = entry(&example, &format!("{}.json", in_file_names(&example.event)));
        assert_eq!(
            lines,
            "  - name: a hook that came\n    event: \"Ship: in\"\n    input: examples/ship--in.json\n    hook: {instance: null}\n    \
             seen: {\"title\":\"Text 1\"}\n    expect: {}"
        );
        let known = ExampleShown { instance: Some("forge.example.org".to_owned()), seen: None, ..example };
        assert!(entry(&known, "a.json").contains("\n    hook: {instance: forge.example.org}\n    expect"));
    }
}
