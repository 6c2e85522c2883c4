//! Holds what mappings make against the JSON Schemas of the forge that would send it. For checks and tests only.

use crate::forge::{Forge, Header};
use crate::mapping::diagnostic::{Position, did_you_mean};
use crate::mapping::json::Document;
use crate::mapping::{Diagnostics, ExampleOutput, Files, Mappings};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Holds the output of every example of a set against its schema; gives how many examples there were, and adds a warning
/// for each field that a strict receiver would refuse, at the line that made it. The files in which errors are found are
/// passed over: what their examples make is not what they are to make.
pub fn check(files: &Files, target: &Forge, set: &Mappings, found: &mut Diagnostics) -> usize {
    let (mut count, mut schemas) = (0, Schemas::new(files, target));
    // What one example shows, those after it show again.
    let mut shown: Vec<(SchemaFault, String, Position)> = Vec::new();
    for made in set.examples() {
        count += 1;
        let Some((headers, body)) = made.output.as_ref().filter(|_| !found.has_errors_in(&made.file)) else { continue };
        for fault in schemas.validate(headers, body).err().unwrap_or_default() {
            let (file, position) = place(&made, &fault.path);
            let fault = (fault, file.to_owned(), position);
            if !shown.contains(&fault) {
                found.warning(file, position, format!("{} (example \"{}\")", fault.0, made.name));
                shown.push(fault);
            }
        }
    }
    count
}

/// The line that made what stands at a path, or what it stands in, or the first thing in it; else the example's own.
fn place<'m>(made: &'m ExampleOutput, path: &str) -> (&'m str, Position) {
    let inside = |outer: &str, inner: &str| {
        outer == inner || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    let around = made.fields.iter().find(|field| inside(&field.path, path));
    if let (None, Some((_, file, position))) = (around, made.around.iter().find(|(own, _, _)| own == path)) {
        return (file, *position);
    }
    let maker = around.or_else(|| made.fields.iter().find(|field| !path.is_empty() && inside(path, &field.path)));
    maker
        .map_or((&made.file, made.position), |field| (&field.file, Position { line: field.line, column: field.column }))
}

/// What a strict receiver would not like in one place of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaFault {
    /// Where: `commits[0].id`; empty for the body as a whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl SchemaFault {
    fn whole(message: impl Into<String>) -> Self {
        Self { path: String::new(), message: message.into() }
    }

    fn new(error: &ValidationError<'_>, file: &str, schema: &Value) -> Vec<Self> {
        let at = shown(error.instance_path());
        let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|name| {
                    let mut known = Vec::new();
                    properties(schema, &mut known);
                    let suggestion = did_you_mean(name, known.into_iter().filter(|known| known != name));
                    let path = below(name);
                    Self { message: format!("`{path}` is unknown to {file}{suggestion}"), path }
                })
                .collect(),
            ValidationErrorKind::Required { property } => {
                let name = below(property.as_str().unwrap_or_default());
                vec![Self { message: format!("`{name}` is absent, and {file} requires it"), path: at }]
            }
            _ => vec![Self { message: format!("`{at}` is not what {file} wants: {error}"), path: at }],
        }
    }
}

/// A JSON pointer as a path is written.
fn shown(pointer: &jsonschema::paths::Location) -> String {
    let mut text = String::new();
    for part in pointer.as_str().split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            // Writing into a String cannot fail.
            let _ = write!(text, "[{part}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

/// The names of all properties that a schema knows anywhere.
fn properties<'v>(schema: &'v Value, known: &mut Vec<&'v str>) {
    match schema {
        Value::Object(members) => {
            for (key, inner) in members {
                if key == "properties" {
                    known.extend(inner.as_object().into_iter().flat_map(|own| own.keys().map(String::as_str)));
                }
                properties(inner, known);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, known)),
        _ => {}
    }
}

/// The schemas of one forge, each compiled once.
pub struct Schemas<'f> {
    files: &'f Files,
    forge: &'f Forge,
    compiled: HashMap<String, Compiled>,
}

impl<'f> Schemas<'f> {
    /// The schemas of a forge.
    #[must_use]
    pub fn new(files: &'f Files, forge: &'f Forge) -> Self {
        Self { files, forge, compiled: HashMap::new() }
    }

    /// Holds a request in this forge's format against the schema of its event.
    ///
    /// # Errors
    /// What a strict receiver would not like, place by place.
    pub fn validate(&mut self, headers: &[Header], body: &Value) -> Result<(), Vec<SchemaFault>> {
        let one = |message: String| vec![SchemaFault::whole(message)];
        let text = body.to_string();
        let document = Document::parse(text.as_bytes()).map_err(|error| one(error.to_string()))?;
        let headers: Vec<Header> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        if !self.forge.recognises(document.root(), &headers) {
            return Err(one(format!("what comes out is not a hook of {}", self.forge.name())));
        }
        let identity = self.forge.identify(document.root(), &headers).map_err(|failure| one(failure.to_string()))?;
        let path = self
            .forge
            .schema(&identity.event)
            .ok_or_else(|| one(format!("{} has no schema for {}", self.forge.name(), identity.event)))?;
        let Compiled { validator, schema } = self.compiled(&path).map_err(one)?;
        let faults: Vec<SchemaFault> =
            validator.iter_errors(body).flat_map(|error| SchemaFault::new(&error, &path, schema)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn compiled(&mut self, path: &str) -> Result<&Compiled, String> {
        if !self.compiled.contains_key(path) {
            let (shown, text) = self.files.get(path).ok_or_else(|| format!("there is no schema {path}"))?;
            let schema: Value = serde_json::from_str(text).map_err(|error| format!("{shown}: {error}"))?;
            let validator = jsonschema::validator_for(&schema).map_err(|error| format!("{shown}: {error}"))?;
            self.compiled.insert(path.to_owned(), Compiled { validator, schema });
        }
        self.compiled.get(path).ok_or_else(|| format!("there is no schema {path}"))
    }
}

struct Compiled {
    validator: Validator,
    schema: Value,
}

#[cfg(test)]
mod tests {
    use crate::mapping::{Diagnostics, yaml};
    use crate::mapping_files;
    use serde_json::Value;

    fn schema(name: &str) -> Value {
        let files = mapping_files::built_in();
        let (_, text) = files.get(name).expect("a built-in schema");
        serde_json::from_str(text).expect("JSON")
    }

    /// An editor must not underline what hookglot takes, nor take what it refuses at first sight.
    #[test]
    fn editors_take_the_built_in_files_and_underline_what_is_wrong() {
        let registry = jsonschema::Registry::new()
            .add("json-schema:///mapping.schema.json", schema("mapping.schema.json"))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("a schema");
        let [mapping, forge, overlay] = ["mapping", "forge", "overlay"].map(|kind| {
            let schema = schema(&format!("{kind}.schema.json"));
            jsonschema::options().with_registry(&registry).build(&schema).expect("a schema")
        });
        let files = mapping_files::built_in();
        let mut seen = 0;
        for folder in files.folders() {
            for path in files
                .in_folder(folder)
                .filter(|path| std::path::Path::new(path).extension().is_some_and(|extension| extension == "yaml"))
            {
                let (shown, text) = files.get(path).expect("listed");
                let mut faults = Diagnostics::default();
                let file = yaml::parse(&shown, text, &mut faults).expect("YAML").to_json();
                let validator = match folder {
                    "overlays" => &overlay,
                    _ if path.ends_with("/forge.yaml") => &forge,
                    _ => &mapping,
                };
                let wrong: Vec<String> =
                    validator.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect();
                assert!(wrong.is_empty(), "{shown}: {wrong:?}");
                seen += 1;
                let mut mistyped = file;
                mistyped["evnet"] = Value::Null;
                assert!(!validator.is_valid(&mistyped), "{shown}");
            }
        }
        assert!(seen >= 8, "{seen}");
    }
}
