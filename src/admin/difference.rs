//! What is different between two bodies, field by field.

use super::resend_shown::Change;
use serde_json::Value;

/// The fields that differ, in the order of the bodies. Bodies that are no JSON differ as a whole.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    match (serde_json::from_slice(before), serde_json::from_slice(after)) {
        (Ok(before), Ok(after)) => compare("", Some(&before), Some(&after), &mut changes),
        _ if before == after => {}
        _ => {
            let text = |body| Some(Value::from(String::from_utf8_lossy(body)).to_string());
            changes.push(Change { path: String::new(), before: text(before), after: text(after) });
        }
    }
    changes
}

/// The headers that differ.
pub(super) fn of_headers(before: &[(String, String)], after: &[(String, String)]) -> Vec<Change> {
    let value = |of: &[(String, String)], name: &str| {
        let found = of.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| Value::from(value.as_str()).to_string())
    };
    let new = after.iter().filter(|(name, _)| value(before, name).is_none());
    let names = before.iter().chain(new).map(|(name, _)| name);
    let changes = names.map(|name| Change {
        path: format!("header {name}"),
        before: value(before, name),
        after: value(after, name),
    });
    changes.filter(|change| change.before != change.after).collect()
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let new = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(new) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, one.get(key), other.get(key), changes);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for at in 0..one.len().max(other.len()) {
                compare(&format!("{path}[{at}]"), one.get(at), other.get(at), changes);
            }
        }
        _ if before == after => {}
        _ => {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            changes.push(Change { path: path.to_owned(), before: text(before), after: text(after) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_compared_one_by_one() {
        let found = changes(br#"{"a":1,"b":{"c":[1,2]},"d":null}"#, br#"{"a":1,"b":{"c":[1,3,4]},"e":"x"}"#);
        let shown: Vec<_> = found
            .iter()
            .map(|own| (own.path.as_str(), own.before.as_deref().unwrap_or("-"), own.after.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(shown, [("b.c[1]", "2", "3"), ("b.c[2]", "-", "4"), ("d", "null", "-"), ("e", "-", "\"x\"")]);
        assert!(changes(b"{}", b"{}").is_empty());
        assert_eq!(changes(b"x", b"{}").len(), 1);
    }

    #[test]
    fn headers_are_compared_by_their_names() {
        let of = |value: &str| vec![("X-Event".to_owned(), value.to_owned())];
        assert!(of_headers(&of("push"), &[("x-event".to_owned(), "push".to_owned())]).is_empty());
        assert_eq!(of_headers(&of("push"), &of("tag")).len(), 1);
    }
}
