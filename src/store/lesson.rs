//! What a hook teaches, and what is known after it.

use serde_json::{Map, Value};

/// The look-up table of people.
pub(super) const USERS: &str = "users";
/// The look-up table of projects.
pub(super) const PROJECTS: &str = "projects";

/// The look-up tables whose rows have numbers, and of which kind these are.
pub(super) const NUMBERED: [(&str, &str); 2] = [(USERS, "user"), (PROJECTS, "project")];

/// What a hook tells beyond itself: hooks leave out what has not changed, and name people by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lesson {
    /// The object that it is about.
    pub object: Option<Told>,
    /// The people and projects that it names, and what it tells of them.
    pub rows: Vec<RowTold>,
}

/// What a hook tells of the object that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The kind of the object.
    pub kind: String,
    /// Which one of its kind, within its project.
    pub id: String,
    /// What is told of it: the newest counts, member by member.
    pub state: Map<String, Value>,
    /// What is told of it and counts the first time only.
    pub first: Map<String, Value>,
    /// Members that say since when something is so: whether it is so now. The time of the hook that told it first stays.
    pub since: Vec<(String, bool)>,
    /// Members of the state that keep one of these values once they have it.
    pub lasting: Vec<(String, Vec<Value>)>,
    /// What orders hooks about one object, where the forge says it: one with less than what is remembered teaches nothing.
    pub version: Option<i64>,
    /// Members of what is known that are ids of people, who are asked for, too.
    pub users: Vec<String>,
    /// Members that it tells and that are too long to be remembered: nobody knows them any more.
    pub unkept: Vec<String>,
    /// When the hook came, in the form of RFC 3339.
    pub at: String,
}

/// What a hook tells of somebody or of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTold {
    /// The look-up table.
    pub table: String,
    /// Who or which, as the hook's instance names it.
    pub id: String,
    /// What is told: columns of the table and their texts. None: only asked for.
    pub columns: Vec<(String, String)>,
}

impl Told {
    /// What is known of the object when a hook has told this: nothing is new where the hook is older than what is known.
    #[must_use]
    pub fn over(&self, mut known: Map<String, Value>, version: Option<i64>) -> Map<String, Value> {
        if self.is_older_than(version) {
            return known;
        }
        let is_lasting = |name: &str, value: Option<&Value>| {
            self.lasting.iter().any(|(own, values)| own == name && value.is_some_and(|value| values.contains(value)))
        };
        for (name, value) in &self.state {
            if !is_lasting(name, known.get(name)) {
                known.insert(name.clone(), value.clone());
            }
        }
        for name in &self.unkept {
            known.shift_remove(name);
        }
        for (name, value) in &self.first {
            known.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for (name, is_so) in &self.since {
            if *is_so {
                known.entry(name.clone()).or_insert_with(|| self.at.clone().into());
            } else {
                known.shift_remove(name);
            }
        }
        known
    }

    /// Whether it says less than what is remembered already.
    #[must_use]
    pub fn is_older_than(&self, version: Option<i64>) -> bool {
        self.version.zip(version).is_some_and(|(own, known)| own < known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn told(state: &Value, at: &str) -> Told {
        Told { state: members(state), at: at.to_owned(), ..Told::default() }
    }

    #[test]
    fn the_newest_counts_and_what_is_left_out_stays() {
        let known = told(&json!({"title": "Lamp", "status": "OPEN"}), "1").over(Map::new(), None);
        let known = told(&json!({"title": "New lamp"}), "2").over(known, None);
        assert_eq!(Value::Object(known), json!({"title": "New lamp", "status": "OPEN"}));
    }

    #[test]
    fn what_counts_the_first_time_stays() {
        let first = |text: &str| Told { first: members(&json!({"author": text})), ..Told::default() };
        let known = first("olga").over(Map::new(), None);
        assert_eq!(Value::Object(first("oleg").over(known, None)), json!({"author": "olga"}));
    }

    #[test]
    fn since_when_something_is_so() {
        let closed = |is_so, at| Told { since: vec![("closed_at".to_owned(), is_so)], ..told(&json!({}), at) };
        let known = closed(true, "1").over(Map::new(), None);
        let known = closed(true, "2").over(known, None);
        assert_eq!(Value::Object(known.clone()), json!({"closed_at": "1"}), "it still is");
        let known = closed(false, "3").over(known, None);
        assert_eq!(Value::Object(known.clone()), json!({}));
        assert_eq!(Value::Object(closed(true, "4").over(known, None)), json!({"closed_at": "4"}));
    }

    #[test]
    fn a_value_that_lasts_is_not_taken_back() {
        let lasting = vec![("status".to_owned(), vec![json!("MERGED")])];
        let status =
            |text: &str| Told { lasting: lasting.clone(), ..told(&json!({"status": text, "title": text}), "1") };
        let known = status("MERGED").over(Map::new(), None);
        let known = status("OPENED").over(known, None);
        assert_eq!(Value::Object(known), json!({"status": "MERGED", "title": "OPENED"}));
    }

    #[test]
    fn what_is_too_long_is_not_taken_for_what_was_before() {
        let known = told(&json!({"text": "short", "status": "OPEN"}), "1").over(Map::new(), None);
        let long = Told { unkept: vec!["text".to_owned()], ..told(&json!({"status": "CLOSED"}), "2") };
        assert_eq!(Value::Object(long.over(known, None)), json!({"status": "CLOSED"}));
    }

    #[test]
    fn an_older_hook_teaches_nothing() {
        let at = |version, title: &str| Told { version: Some(version), ..told(&json!({"title": title}), "1") };
        let known = at(7, "new").over(Map::new(), None);
        let known = at(6, "old").over(known, Some(7));
        assert_eq!(known["title"], "new");
        let known = at(7, "as new").over(known, Some(7));
        assert_eq!(known["title"], "as new", "of two of the same time the later one counts");
        assert_eq!(told(&json!({"title": "no time"}), "1").over(known, Some(7))["title"], "no time");
    }
}
