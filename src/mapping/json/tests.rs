use super::{Document, write};
use proptest::prelude::*;

fn copy(text: &str) -> String {
    let document = Document::parse(text.as_bytes()).expect("valid JSON");
    let mut out = Vec::new();
    write::node(&mut out, document.root());
    String::from_utf8(out).expect("UTF-8 out")
}

#[test]
fn keeps_numbers_and_texts_as_they_stand() {
    let text = r#"{"a":1.50,"b":123456789012345678901234567890,"c":"\u0041\/","d":[true,null,-0]}"#;
    assert_eq!(copy(text), text);
}

#[test]
fn the_last_of_two_equal_keys_wins_everywhere() {
    let text = r#"{"a":1,"b":2,"\u0061":3}"#;
    let document = Document::parse(text.as_bytes()).expect("valid JSON");
    assert_eq!(document.root().get("a").map(super::Node::raw), Some("3"));
    assert_eq!(copy(text), r#"{"a":3,"b":2}"#);
    let many: Vec<String> = (0..20).chain(0..20).map(|key| format!("\"k{key}\":{key}")).collect();
    let once: Vec<String> = (0..20).map(|key| format!("\"k{key}\":{key}")).collect();
    assert_eq!(copy(&format!("{{{}}}", many.join(","))), format!("{{{}}}", once.join(",")));
}

proptest! {
    #[test]
    fn what_an_escaped_text_says_is_found_without_writing_it(text in "\\PC{0,6}", other in "\\PC{0,6}", escaped in any::<[bool; 6]>()) {
        let raw: String = text
            .chars()
            .zip(escaped)
            .map(|(character, escaped)| {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                if escaped || matches!(character, '"' | '\\') {
                    units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
                } else {
                    character.to_string()
                }
            })
            .collect();
        prop_assert!(write::says(&raw, &text));
        prop_assert_eq!(write::says(&raw, &other), text == other);
        prop_assert_eq!(write::unescape(&raw), text);
    }
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    assert_eq!(copy(r#"["\ud83d\ude00","\ud83d!","\ude00"]"#), "[\"\\ud83d\\ude00\",\"\u{fffd}!\",\"\u{fffd}\"]");
}

#[test]
fn errors_name_line_and_column() {
    for (text, expected) in [
        ("", "line 1, column 1: the text ends where a value should stand"),
        ("{\n  \"a\": 1,\n}", "line 3, column 1: expected a key in double quotes"),
        ("{\"é\": tru}", "line 1, column 7: expected a value"),
        ("[1 2]", "line 1, column 4: expected ',' or ']'"),
        ("[1,", "line 1, column 4: the text ends where a value should stand"),
        ("[,1]", "line 1, column 2: expected a value"),
        ("{\"a\"", "line 1, column 5: expected ':' behind the key"),
        ("\"\\x\"", "line 1, column 2: no such escape in JSON"),
        ("\"\\u00g0\"", "line 1, column 2: \\u wants four hexadecimal digits"),
        ("01", "line 1, column 2: a number has no leading zero"),
        ("{} {}", "line 1, column 4: more text behind the end of the value"),
        ("\"a\nb\"", "line 1, column 3: a control character in a string must be escaped"),
    ] {
        assert_eq!(Document::parse(text.as_bytes()).expect_err(text).to_string(), expected, "{text:?}");
    }
    let invalid = Document::parse(b"{\"a\": \"\xff\"}").expect_err("invalid UTF-8");
    assert_eq!(invalid.to_string(), "line 1, column 8: this byte is not UTF-8");
    let many = format!("[{}0]", "0,".repeat(super::MAX_VALUES));
    assert_eq!(
        Document::parse(many.as_bytes()).expect_err("many").to_string(),
        "line 1, column 4000000: more than 2000000 values and keys"
    );
    let deep = Document::parse("[".repeat(10_000).as_bytes()).map(|_| ()).expect_err("deep");
    assert_eq!(deep.to_string(), "line 1, column 129: nested deeper than 128 levels");
    assert!(deep.is_too_deep);
    for shallow in
        ["[".repeat(128), format!("{}x", "[".repeat(128)), format!("{}{}]", "[".repeat(128), "]".repeat(128))]
    {
        assert!(!Document::parse(shallow.as_bytes()).expect_err("no JSON").is_too_deep);
    }
}

#[test]
fn the_first_line_of_a_raw_text_ends_at_an_escaped_line_break_and_nowhere_else() {
    for (raw, line) in [
        ("a b", "a b"),
        ("a\\nb", "a"),
        ("\\\\n still\\r", "\\\\n still"),
        ("\\u000Ab", ""),
        ("\\u00e4\\u000d", "\\u00e4"),
        ("ж\\\"\\n", "ж\\\""),
    ] {
        assert_eq!(write::first_line(raw), line);
    }
}

#[test]
fn integers_are_written_as_they_are() {
    for number in [0, 7, 10, -1, 1_767_166_402, i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        write::integer(&mut out, number);
        assert_eq!(String::from_utf8(out).expect("digits"), number.to_string());
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn eight_bytes_at_a_time_find_what_one_at_a_time_finds(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), 0_u8..=255, 0x1e_u8..=0x23], 0..40)) {
        let slowly = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
        prop_assert_eq!(write::special(&bytes), slowly);
    }

    #[test]
    fn a_copy_says_what_serde_json_says(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let again: serde_json::Value = serde_json::from_str(&copy(&text.expect("serialises"))).expect("parses");
        prop_assert_eq!(again, value);
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_json(bytes in prop::collection::vec(prop::sample::select(
        b"{}[]\",:\\u0dDe18+-.truefalsn \n\x01\xc3\xa9".to_vec()), 0..24)) {
        let ours = Document::parse(&bytes).is_ok();
        let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).is_ok();
        prop_assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(&bytes));
    }
}
