//! Holds what mappings make against the JSON Schemas of the forge that would send it. For checks and tests only.

use crate::forge::{Forge, Header};
use crate::mapping::json::Document;
use crate::mapping::{Diagnostics, Files, Mappings};
use jsonschema::Validator;
use serde_json::Value;
use std::collections::HashMap;

/// Holds the output of every example of a set against its schema; gives how many examples there were, and a warning
/// for each that a strict receiver would refuse.
#[must_use]
pub fn check(files: &Files, target: &Forge, set: &Mappings) -> (usize, Diagnostics) {
    let (mut count, mut found, mut schemas) = (0, Diagnostics::default(), Schemas::new(files, target));
    for made in set.examples() {
        count += 1;
        if let Some((headers, body)) = &made.output
            && let Err(faults) = schemas.validate(headers, body)
        {
            for fault in faults {
                found.warning(&made.file, made.position, format!("example \"{}\": {fault}", made.name));
            }
        }
    }
    (count, found)
}

/// The schemas of one forge, each compiled once.
pub struct Schemas<'f> {
    files: &'f Files,
    forge: &'f Forge,
    compiled: HashMap<String, Validator>,
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
    /// What a strict receiver would not like, one text for each place.
    pub fn validate(&mut self, headers: &[Header], body: &Value) -> Result<(), Vec<String>> {
        let one = |message: String| vec![message];
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
        let validator = self.compiled(&path).map_err(one)?;
        let faults: Vec<String> =
            validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn compiled(&mut self, path: &str) -> Result<&Validator, String> {
        if !self.compiled.contains_key(path) {
            let (shown, text) = self.files.get(path).ok_or_else(|| format!("there is no schema {path}"))?;
            let schema: Value = serde_json::from_str(text).map_err(|error| format!("{shown}: {error}"))?;
            let validator = jsonschema::validator_for(&schema).map_err(|error| format!("{shown}: {error}"))?;
            self.compiled.insert(path.to_owned(), validator);
        }
        self.compiled.get(path).ok_or_else(|| format!("there is no schema {path}"))
    }
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
        let mapping =
            jsonschema::options().with_registry(&registry).build(&schema("mapping.schema.json")).expect("a schema");
        let forge =
            jsonschema::options().with_registry(&registry).build(&schema("forge.schema.json")).expect("a schema");
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
                let validator = if path.ends_with("/forge.yaml") { &forge } else { &mapping };
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
