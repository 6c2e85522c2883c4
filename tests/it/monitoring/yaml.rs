//! YAML as JSON; every scalar is a text.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

enum Open {
    List(Vec<Value>),
    Members(Map<String, Value>, Option<String>),
}

impl Open {
    fn add(&mut self, value: Value) {
        match self {
            Self::List(all) => all.push(value),
            Self::Members(all, key) => match key.take() {
                Some(key) => assert!(all.insert(key.clone(), value).is_none(), "{key} twice"),
                None => *key = Some(value.as_str().expect("a key is a text").to_owned()),
            },
        }
    }
}

/// The one document of a text.
pub fn read(text: &str) -> Value {
    let mut open = vec![Open::List(Vec::new())];
    for event in Parser::new_from_str(text) {
        let ended = match event.unwrap_or_else(|error| panic!("{error}")).0 {
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Members(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop().unwrap() {
                Open::List(all) => Value::Array(all),
                Open::Members(all, _) => Value::Object(all),
            },
            _ => continue,
        };
        open.last_mut().unwrap().add(ended);
    }
    let Some(Open::List(documents)) = open.pop() else { panic!("something is not closed") };
    let [document] = documents.try_into().expect("one document");
    document
}
