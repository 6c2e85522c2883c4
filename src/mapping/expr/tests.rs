//! The grammar from outside: expressions as they stand in a mapping, values in, values out.

use crate::mapping::{Files, Mappings, NoKnowledge, Surroundings, filter::FILTERS, json::Document};
use serde_json::{Value, json};

/// A mapping whose body is `out: <template>`, over an example whose input is given.
fn set(template: &str, names: &str, input: &Value) -> Result<Mappings, String> {
    let text = format!(
        "mapping: 1\nname: test\nevent: E\n{names}\nbody:\n  out: {template}\n  end: true\n\
         examples:\n  - name: it\n    input: input.json\n    expect: {{end: true}}\n"
    );
    let mut files = Files::default();
    files.insert("d/m.yaml", "d/m.yaml", text);
    files.insert("d/input.json", "d/input.json", input.to_string());
    Mappings::load(&files, "d", false).map(|(set, _)| set).map_err(|faults| faults.to_string())
}

fn run(set: &Mappings, input: &Value) -> Result<Value, String> {
    let text = input.to_string();
    let document = Document::parse(text.as_bytes()).expect("valid JSON");
    let beside = Surroundings { instance: "git.example.org", ..Surroundings::new(&NoKnowledge) };
    let made = set.translate("E", document.root(), &beside).map_err(|why| why.to_string())?;
    let body: Value = serde_json::from_slice(&made.body).expect("a body is JSON");
    Ok(body.get("out").cloned().unwrap_or_else(|| json!("left out")))
}

fn value_of(template: &str, input: &Value) -> Value {
    let set = set(template, "", input).unwrap_or_else(|faults| panic!("{template}: {faults}"));
    run(&set, input).unwrap_or_else(|failure| panic!("{template}: {failure}"))
}

fn fault_of(template: &str) -> String {
    set(template, "", &json!({"a": 1})).expect_err(template)
}

#[test]
fn every_filter_does_what_its_documentation_shows() {
    for filter in FILTERS {
        let (expression, input, output) = filter.example;
        let names = "tables:\n  visibility: {true: 0, false: 20, else: 0}";
        let input = json!({"x": serde_json::from_str::<Value>(input).expect(filter.name)});
        let set = set(&format!("\"${{{expression}}}\""), names, &input)
            .unwrap_or_else(|faults| panic!("{}: {faults}", filter.name));
        let expected: Value = serde_json::from_str(output).expect(filter.name);
        assert_eq!(run(&set, &input), Ok(expected), "{}", filter.name);
    }
}

#[test]
fn filters_stand_in_the_order_of_their_names() {
    assert!(FILTERS.windows(2).all(|pair| pair[0].name < pair[1].name));
}

#[test]
fn null_passes_through_every_filter_but_table_and_count() {
    for filter in FILTERS {
        let (expression, ..) = filter.example;
        let names = "tables:\n  visibility: {true: 0, false: 20, else: 0}";
        let input = json!({"x": null});
        let set = set(&format!("\"${{{expression}}}\""), names, &input).expect(filter.name);
        let expected = if ["table", "count"].contains(&filter.name) { json!(0) } else { Value::Null };
        assert_eq!(run(&set, &input), Ok(expected), "{}", filter.name);
    }
}

#[test]
fn a_hole_that_is_the_whole_value_keeps_its_type() {
    let input = json!({"n": 1.50, "t": "a\"b", "b": false, "o": {"k": [1]}, "z": null});
    for key in ["n", "t", "b", "o", "z"] {
        assert_eq!(value_of(&format!("${{{key}}}"), &input), input[key], "{key}");
    }
}

#[test]
fn a_hole_in_a_text_makes_text_and_no_value_makes_null() {
    let input = json!({"n": 7, "t": "ä\n", "b": true});
    assert_eq!(value_of("'x${n}-${t}-${b}$${$'", &input), json!("x7-ä\n-true${$"));
    assert_eq!(value_of("a/${absent}/b", &input), Value::Null);
    assert_eq!(value_of("\"a/${absent ?? ''}/b\"", &input), json!("a//b"));
}

#[test]
fn defaults_and_filters_are_read_from_left_to_right() {
    let input = json!({"b": "B", "list": [1, 2]});
    assert_eq!(value_of("${a ?? b | lower ?? 'c'}", &input), json!("b"));
    assert_eq!(value_of("${total ?? (list | count) | string}", &input), json!("2"));
    assert_eq!(value_of("${a ?? [1, 'x', null]}", &input), json!([1, "x", null]));
    assert_eq!(value_of("${list[1]}", &input), json!(2));
}

#[test]
fn required_and_optional_paths() {
    let input = json!({"a": 1, "z": null});
    assert_eq!(value_of("${a!}", &input), json!(1));
    assert_eq!(value_of("${b?}", &input), json!("left out"));
    assert_eq!(value_of("${z?}", &input), json!("left out"));
    assert_eq!(value_of("x${b?}", &input), json!("left out"));
    let set = set("${a!}", "", &input).expect("sound");
    let failure = run(&set, &json!({"a": null})).expect_err("required");
    assert_eq!(failure, "d/m.yaml:6:10: `a` is required and the hook has no value for it");
}

#[test]
fn lists_take_elements_and_whole_loops() {
    let input = json!({"l": [{"k": 1}, {"k": 2}], "yes": true});
    let list = "\n    - $each: c in l\n      k: ${c.k}\n    - $each: c in nope?\n      k: ${c.k}\n    - $if: not yes\n      k: 9\n    - k: 3";
    assert_eq!(value_of(list, &input), json!([{"k": 1}, {"k": 2}, {"k": 3}]));
    assert_eq!(value_of("\n    $each: c in nope?\n    k: ${c.k}", &input), json!("left out"));
}

#[test]
fn merging_keeps_the_first_place_and_the_last_value_and_shows_what_is_left_out_above_it() {
    let input = json!({"o": {"b": 2, "c": 3}, "yes": true});
    let merge = "\n    $merge:\n      - {a: 1, b: 1}\n      - ${o}\n      - {$if: yes, d: 4, $else: {}}\n      - {c: '${absent?}', a: 9}";
    assert_eq!(value_of(merge, &input).to_string(), r#"{"a":9,"b":2,"c":3,"d":4}"#);
}

#[test]
fn only_absence_without_a_default_counts_as_missing() {
    let input = json!({"z": null});
    let set = set("${z ?? y ?? 'd'}${x}${w ?? v}", "", &input).expect("sound");
    let text = input.to_string();
    let document = Document::parse(text.as_bytes()).expect("valid JSON");
    let made = set.translate("E", document.root(), &Surroundings::new(&NoKnowledge)).expect("translates");
    assert_eq!(made.missing, ["x"], "the text is null with x, so w and v are not looked at");
}

#[test]
fn conditions() {
    let input = json!({"a": 1, "f": 1.0, "t": "x", "yes": true, "list": [1, "x"], "o": {"k": null}});
    for (condition, holds) in [
        ("a == 1", true),
        ("a == f and t == 'x'", true),
        ("a == '1'", false),
        ("a != 1 or t in ['y', 'x']", true),
        ("not (a == 2) and not yes == false", true),
        ("t in list", true),
        ("2 in list", false),
        ("a in absent", false),
        ("yes", true),
        ("absent", false),
        ("a exists and not o.k exists", true),
        ("(absent ?? t) == 'x'", true),
        ("(a == 2 or yes) and (t | upper) == 'X'", true),
        ("list | count == 2", true),
        ("list == list", true),
    ] {
        let template = format!("{{$case: [{{when: \"{condition}\", then: true}}, {{else: false}}]}}");
        assert_eq!(value_of(&template, &input), json!(holds), "{condition}");
    }
    let set = set("{$case: [{when: t, then: 1}]}", "", &json!({"t": true})).expect("sound");
    let failure = run(&set, &json!({"t": "x"})).expect_err("not a truth");
    assert_eq!(failure, "d/m.yaml:6:24: a condition wants true or false, got a text");
}

#[test]
fn faults_say_where_and_what_was_expected() {
    for (template, fault) in [
        ("${a | frist_line}", "d/m.yaml:6:14: unknown filter `frist_line`, did you mean `first_line`?"),
        ("${a | )}", "d/m.yaml:6:14: expected a filter, found ')'"),
        ("${)}", "d/m.yaml:6:10: expected a path, found ')'"),
        ("${a b}", "d/m.yaml:6:12: expected the end of the expression, found 'b'"),
        ("${a.}", "d/m.yaml:6:12: expected a name behind '.', found the end"),
        ("${a", "d/m.yaml:6:8: `${` without `}`: quote this value"),
        ("\"${a | part('/')}\"", "d/m.yaml:6:15: filter `part` takes 2 to 3 arguments, got 1"),
        (
            "\"${a | id('person')}\"",
            "d/m.yaml:6:18: filter `id`: expected one of 'project', 'user', 'group', 'issue', 'merge_request', 'note', 'pipeline', 'job', 'label'",
        ),
        ("\"${a | rfc3339('Mars')}\"", "d/m.yaml:6:23: filter `rfc3339`: expected 'UTC' or an offset such as '+03:00'"),
        ("\"${a | table('t')}\"", "d/m.yaml:6:15: unknown table `t`"),
        ("\"${'open}\"", "d/m.yaml:6:9: `${` without `}`: quote this value"),
        ("{$blok: x}", "d/m.yaml:6:9: unknown directive `$blok`, did you mean `$block`?"),
        ("{$block: x}", "d/m.yaml:6:17: unknown block `x`"),
        ("{$each: c of a, x: 1}", "d/m.yaml:6:16: expected `$each: name in list`"),
        (
            "{$case: [{else: 1}, {when: a, then: 2}]}",
            "d/m.yaml:6:17: `else` is the last branch: those behind it are never taken",
        ),
        ("{$if: a}", "d/m.yaml:6:14: `$if` needs fields beside it; for a single value take `$case`"),
        (
            "${a? ?? 1}",
            "d/m.yaml:6:10: `!` and `?` say what happens without a value, `??` what stands in for it: use one",
        ),
        ("{$case: []}", "d/m.yaml:6:16: expected a list of {when, then} and at its end {else}"),
        ("{'k${a}': 1}", "d/m.yaml:6:9: a key is what it says: there are no holes in keys"),
        ("${header('X')}", "d/m.yaml:6:16: expected the end of the expression, found '('"),
    ] {
        assert_eq!(fault_of(template), fault, "{template}");
    }
    let deep = format!("${{{}a{}}}", "(".repeat(100), ")".repeat(100));
    assert!(fault_of(&deep).contains("nested deeper than 32 levels"));
}
