use super::written_over;
use regex::bytes::Regex;

fn compiled(expression: &str) -> Regex {
    let over = written_over(expression).expect(expression).text;
    Regex::new(&over).unwrap_or_else(|error| panic!("{expression}: {over}: {error}"))
}

/// What RE2 itself says: scripts/re2-verdicts.py asked it.
#[test]
fn verdicts_are_those_of_re2() {
    let mut lines = include_str!("verdicts.jsonl").lines();
    let names: Vec<String> = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut differ = Vec::new();
    let mut count = [0, 0];
    for line in lines {
        let (expression, fitted): (String, Option<Vec<String>>) = serde_json::from_str(line).unwrap();
        count[usize::from(fitted.is_some())] += 1;
        let ours = written_over(&expression).ok().map(|_| {
            let compiled = compiled(&expression);
            names.iter().filter(|name| compiled.is_match(name.as_bytes())).cloned().collect()
        });
        if ours != fitted {
            differ.push(format!("{expression:?}: RE2 {fitted:?}, we {ours:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(count.iter().all(|count| *count > 100), "{count:?}");
}

/// Expression, what it finds by RE2, what it does not.
const AS_IN_RE2: [(&str, &[&str], &[&str]); 40] = [
    (r"^\Qa.b*\E$", &["a.b*"], &["axb*", "a.b"]),
    (r"^\Q[v]\E+$", &["[v]", "[v]]]"], &["[v][v]", "v"]),
    (r"\Qa(b", &["a(b"], &["ab"]),
    (r"^\Q\d\E$", &[r"\d"], &["7"]),
    (r"^\Q\E$", &[""], &["a"]),
    (r"^[[x]+$", &["[", "x", "[x"], &["y", "]"]),
    (r"^[x[]$", &["[", "x"], &["y"]),
    (r"^[[a]$", &["[", "a"], &["[a"]),
    (r"^[a[b]c]$", &["ac]", "[c]", "bc]"], &["a", "b", "c"]),
    (r"^[[:alpha:]_]+$", &["a_b"], &["1", ":"]),
    (r"^[[:^alpha:]]+$", &["1", "_"], &["a"]),
    (r"^[[:a]+$", &["[", ":", "a"], &["b"]),
    (r"^[a&&b]+$", &["a", "&", "b"], &["c"]),
    (r"^[a&&&b]+$", &["&"], &["c"]),
    (r"^[+--]+$", &["+", ",", "-"], &["."]),
    (r"^[!--b]+$", &["!", "-", "b", "+"], &["a"]),
    (r"^[a~~b]+$", &["a", "~", "b"], &["c"]),
    (r"^[]a]+$", &["]", "a"], &["b"]),
    (r"^[^]a]+$", &["b", "["], &["]", "a"]),
    (r"^[a-]+$", &["a", "-"], &["b"]),
    (r"^[-a]+$", &["a", "-"], &["b"]),
    (r"^[\d-z]+$", &["7", "-", "z"], &["a"]),
    (r"^[\w.-]+$", &["a.b-c_7"], &["a/b", "ж"]),
    (r"^[\x41-\x43\x{44}]+$", &["A", "B", "C", "D"], &["E"]),
    (r"^[\]\\\[]+$", &["]", r"\", "["], &["a"]),
    (r"^\<a\>$", &["<a>"], &["a"]),
    (r"^[\pL\d]+$", &["ж7"], &["-"]),
    (r"^\p{Greek}\PL$", &["α1"], &["a1", "αa"]),
    (r"^(?i:MAIN)$", &["main"], &["domain"]),
    (r"^(?P<kind>release|hotfix)/(?:\d+\.)+x$", &["release/1.2.x"], &["release/x"]),
    (r"^a{ 1}$", &["a{ 1}"], &["a"]),
    (r"^a{01}$", &["a{01}"], &["a"]),
    (r"^a{1,02}$", &["a{1,02}"], &["a", "aa"]),
    (r"^a{,3}$", &["a{,3}"], &["", "a", "aaa"]),
    (r"^x\012\101$", &["x\nA"], &["x10A"]),
    (r"^\b{start}$", &[], &["start", "{start}"]),
    (r"a\B.", &["ab", "éab"], &["a.", "a"]),
    (r"^\C\Cx$", &["éx", "abx"], &["ex"]),
    (r"^a(?i)*B$", &["aaab", "B"], &["AB"]),
    (r"^(?P<n>a)(?P<n>b)$", &["ab"], &["a"]),
];

#[test]
fn what_the_library_reads_in_another_way_is_read_as_by_re2() {
    for (expression, fits, fits_not) in AS_IN_RE2 {
        let compiled = compiled(expression);
        for name in fits {
            assert!(compiled.is_match(name.as_bytes()), "{expression} ({compiled}) on {name}");
        }
        for name in fits_not {
            assert!(!compiled.is_match(name.as_bytes()), "{expression} ({compiled}) on {name}");
        }
    }
}

/// What is refused, and a part of what is said.
const REFUSED: [(&str, &str); 42] = [
    ("(?x)main # a comment", "RE2 does not know the flag `x` of `(?x`; it has i, m, s and U"),
    ("(?ix:ma in)", "RE2 does not know the flag `x` of `(?ix`; it has i, m, s and U"),
    ("(?-u:main)", "RE2 does not know the flag `u` of `(?-u`; it has i, m, s and U"),
    ("(?R)main", "RE2 does not know the flag `R` of `(?R`; it has i, m, s and U"),
    ("(?i-)main", "`-` stands before no flag: `(?i-)`"),
    ("(?!main)", "RE2 has no look-around: `(?!`; say what a name is, not what it is not"),
    ("(?<=a)b", "RE2 has no look-around: `(?<=`; say what a name is, not what it is not"),
    ("(?P<n.x>a)", "RE2 takes letters, digits and `_` for the name of a group: `(?P<n.x>`"),
    ("a(?P<n", "RE2 takes letters, digits and `_` for the name of a group: `(?P<n`"),
    ("^(main", r"unclosed group: there is no `)` for a `(`; write `\(` for the sign"),
    ("main)", r"unopened group: there is no `(` for a `)`; write `\)` for the sign"),
    ("main(?i", "unclosed group: there is no `)` for `(?i`"),
    (r"\u{61}", r"RE2 does not know `\u`: write \x{…}"),
    (r"[\U00000061]", r"RE2 does not know `\U`: write \x{…}"),
    (r"a\Z", r"RE2 does not know `\Z`: write `\z` or `$`"),
    (r"a\E", r"RE2 does not know `\E` without a `\Q` before it"),
    (r"[\b]", r"RE2 does not know `\b` in brackets"),
    (r"[a-\d]", r"RE2 does not know `\d` at the end of a range, being several characters"),
    (r"\é", r"RE2 does not know `\é`: write `é` for the sign"),
    (r"\h", r"RE2 does not know `\h`"),
    (r"a\", r"there is nothing behind the last `\`; write `\\` for the sign"),
    (r"(a)\1", r"RE2 has no backreferences: `\1`; write the text again, or `\x{1}` for the character of that number"),
    (r"\x4", r"two digits or `{…}` stand behind `\x`, of 0 to 9 and a to f: `\x4`"),
    (r"\x{4", r"two digits or `{…}` stand behind `\x`, of 0 to 9 and a to f: `\x{4`"),
    (r"\x{110000}", r"no character has the number of `\x{110000}`"),
    (r"\x{d800}", r"no character has the number of `\x{d800}`"),
    ("a**", "RE2 repeats nothing twice: write one sign, or put the first into `(?:…)`: `**`"),
    ("a{2}{3}", "RE2 repeats nothing twice: write one sign, or put the first into `(?:…)`: `{2}{3}`"),
    ("a{1001}", "RE2 repeats nothing more than 1000 times, those around it counted: `{1001}`"),
    ("(a{100}b){11}", "RE2 repeats nothing more than 1000 times, those around it counted: `{11}`"),
    ("a{3,2}", "at least 3 times and at most 2 is never: `{3,2}`"),
    ("(*)", r"there is nothing before `*` to repeat; write `\*` for the sign"),
    ("{2}", r"there is nothing before `{2}` to repeat; write `\{2}` for the sign"),
    (r"\p{greek}", r"RE2 does not know `\p{greek}`, did you mean `Greek`?"),
    (r"\p{Script=Greek}", r"RE2 does not know `\p{Script=Greek}`, did you mean `Greek`?"),
    (r"\p{Grek}", r"RE2 does not know `\p{Grek}`, did you mean `Greek`?"),
    (
        r"[\P{White_Space}]",
        r"RE2 does not know `\P{White_Space}`: write a kind such as `\p{Lu}` or a script such as `\p{Greek}`",
    ),
    (r"\p{Greek", r"there is no `}` for the `{` of `\p{Greek`"),
    ("[a--b]", "the end of a range is before its beginning: `a--`"),
    ("[z-a]", "the end of a range is before its beginning: `z-a`"),
    ("[a", r"unclosed class: there is no `]` for a `[`; write `\[` for the sign"),
    (
        "[[:letter:]]",
        "there is no class `[:letter:]`; RE2 knows alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, \
         space, upper, word, xdigit",
    ),
];

#[test]
fn what_re2_refuses_is_refused_with_what_to_write() {
    for (expression, says) in REFUSED {
        assert_eq!(written_over(expression).expect_err(expression), says);
    }
}

/// Nothing that begins in one way and does not end brings it out of step.
#[test]
fn half_an_expression_comes_to_an_end() {
    for whole in [r"\Qa.b\E[[:alpha:]\x{41}-\pL](?P<a>b)(?i:c){2,3}\d", "[[[[", r"\\\\\", "(?(?(?", "[:[:[:"] {
        for end in 0..=whole.len() {
            let _ = written_over(&whole[..end]);
        }
    }
}
