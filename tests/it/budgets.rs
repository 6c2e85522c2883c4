use crate::mappings::translate;
use hookglot::mapping::{Files, Mappings, Untranslated};
use serde_json::{Value, json};

const BODY_LINE: u32 = 5;

/// A mapping whose body is one expression over the hook's `x`.
fn mapping(lets: &str, expression: &str) -> Mappings {
    let mut files = Files::default();
    let text = format!(
        "mapping: 1\nname: big\nevent: BIG\n{}\nbody: {{made: \"${{{expression} | count}}\"}}\nexamples: \
         [{{name: a small one, input: {{x: {{t: a, n: b, i: d, l: [c]}}}}, expect: {{}}}}]\n",
        if lets.is_empty() { "# no names" } else { lets }
    );
    files.insert("big/big.yaml", "big.yaml", text);
    Mappings::load(&files, "big", true).unwrap_or_else(|faults| panic!("{expression}: {faults}")).0
}

fn failure(set: &Mappings, hook: &Value) -> (u32, String) {
    match translate(set, "BIG", hook) {
        Err(Untranslated::Failed(failure)) => (failure.line, failure.message),
        other => panic!("{other:?}"),
    }
}

/// A hook is 25 MiB at most, but what a filter makes of it can be its size times itself.
#[test]
fn no_filter_makes_more_than_a_text_may_hold() {
    let images = "![a](/b)".repeat(20_000);
    let hook = json!({"x": {"t": "{n}".repeat(50_000), "n": "a".repeat(100_000), "l": vec!["c"; 50_000], "i": images}});
    for (expression, filter) in [
        ("x.t | replace('{n}', x.n)", "replace"),
        ("x.n | replace('a', x.n)", "replace"),
        ("x.l | join(x.n)", "join"),
        ("x.i | absolute_images(x.n)", "absolute_images"),
    ] {
        let (line, message) = failure(&mapping("", expression), &hook);
        assert_eq!(line, BODY_LINE);
        assert!(message.contains(&format!("filter `{filter}` makes a text of more than 4194304 bytes")), "{message}");
    }
}

#[test]
fn texts_of_texts_of_texts_come_to_an_end() {
    let lets: Vec<String> =
        (1..30).map(|at| format!("l{at}: '${{l{0}}}${{l{0}}}${{l{0}}}${{l{0}}}'", at - 1)).collect();
    let lets = format!("let: {{l0: '${{x.t}}', {}}}", lets.join(", "));
    let mut files = Files::default();
    let text = format!(
        "mapping: 1\nname: big\nevent: BIG\n{lets}\nbody: {{made: '${{l29 | count}}'}}\n\
         examples: [{{name: any, input: {{x: {{t: a}}}}, expect: {{}}}}]\n"
    );
    files.insert("big/big.yaml", "big.yaml", text);
    let faults = Mappings::load(&files, "big", true).unwrap_err().to_string();
    assert!(faults.contains("a text of more than 4194304 bytes"), "{faults}");
}

/// Each of the texts is small enough, all of them together are not.
#[test]
fn many_large_texts_are_too_many() {
    let expression = format!("x.t{}", " | replace('a', 'b') | replace('b', 'a')".repeat(20));
    let (line, message) = failure(&mapping("", &expression), &json!({"x": {"t": "a".repeat(3 << 20)}}));
    assert_eq!(
        (line, &*message),
        (BODY_LINE, "texts and lists of more than 67108864 bytes are put together for one hook")
    );
}

/// A list that a filter makes of a long list, again and again.
#[test]
fn many_long_lists_are_too_many() {
    let expression = format!("x.l{}", " | texts".repeat(40));
    let (line, message) = failure(&mapping("", &expression), &json!({"x": {"l": vec!["c"; 100_000]}}));
    assert_eq!(
        (line, &*message),
        (BODY_LINE, "texts and lists of more than 67108864 bytes are put together for one hook")
    );
}

/// What looks like the beginning of an image a million times over is looked at once.
#[test]
fn a_text_full_of_half_images_is_read_in_one_go() {
    let set = mapping("", "x.t | absolute_images('https://git.example.org')");
    for half in ["![", "![]", "![](#", "](", "[![](//a)"] {
        let text = half.repeat((2 << 20) / half.len()) + "]";
        let (_, body) = translate(&set, "BIG", &json!({"x": {"t": text}})).unwrap();
        assert_eq!(body["made"], text.len(), "{half}");
    }
}

/// An explanation works a `let` out again; that does not count against the hook (`translate` explains as well).
#[test]
fn what_is_within_bounds_can_be_explained_too() {
    let many = " | replace('a', 'b') | replace('b', 'a')".repeat(6);
    let set = mapping(&format!("let: {{l: \"${{x.t{many}}}\"}}"), "l");
    let (_, body) = translate(&set, "BIG", &json!({"x": {"t": "a".repeat(3 << 20)}})).unwrap();
    assert_eq!(body["made"], 3 << 20);
}
