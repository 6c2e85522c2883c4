//! The filters: one table with name, arguments, documentation, example and function.
//!
//! A closed set without network, clock, environment or files. Null passes through every filter but `table` and
//! `count`; texts are wanted where a filter reads text, and numbers and booleans count as their JSON text.

mod ids;
mod lists;
mod texts;
mod times;

use super::diagnostic::did_you_mean;
use super::identity::KINDS;
use super::knowledge::Knowledge;
use super::lookups::{Lookups, TABLES};
use super::value::Value;
use bumpalo::Bump;

/// The longest text that a mapping may put together, in bytes.
pub(crate) const MAX_TEXT: usize = 4 << 20;

/// What a filter can ask about the hook that is being translated.
pub(crate) struct Asking<'a> {
    pub(crate) knowledge: &'a dyn Knowledge,
    /// The instance that the hook came from.
    pub(crate) instance: &'a str,
    pub(crate) lookups: Option<&'a Lookups>,
    /// Where texts and lists are put that a filter makes.
    pub(crate) arena: &'a Bump,
}

/// What a filter's function is: it changes a value in its place by arguments and surroundings, or says what was wrong
/// with the value.
pub(crate) type Run = for<'a> fn(&mut Value<'a>, &[Value<'a>], &Asking<'a>) -> Result<(), String>;

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text,
    /// A text that is not empty.
    Filled,
    /// An integer.
    Number,
    /// An integer from 1.
    Length,
    /// An integer that may be left out.
    MaybeNumber,
    /// Any value.
    Any,
    /// One of the kinds of things that have numbers and UUIDs.
    Kind,
    /// `'UTC'` or an offset such as `'+03:00'`.
    Zone,
    /// The name of a table of the file.
    Table,
    /// The name of a look-up table.
    Lookup,
    /// The name of a column of a look-up table.
    Column,
}

/// One filter.
pub struct Filter {
    /// Its name in a mapping file.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// An expression over an example's value `x`, the JSON of `x` and the JSON that comes out.
    pub example: (&'static str, &'static str, &'static str),
    pub(crate) run: Run,
    /// Whether it asks what is known of somebody or something.
    pub(crate) looks_up: bool,
    /// Whether it leaves every text as it is.
    pub(crate) keeps_texts: bool,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

use Argument::{Any, Column, Filled, Kind, Length, Lookup, MaybeNumber, Number, Table, Text, Zone};

const fn filter(
    name: &'static str,
    arguments: &'static [Argument],
    doc: &'static str,
    example: (&'static str, &'static str, &'static str),
    run: Run,
) -> Filter {
    let looks_up = matches!(arguments, [Lookup, Column]);
    Filter { name, arguments, doc, example, run, looks_up, keeps_texts: matches!(name.as_bytes(), b"string") }
}

/// Every filter of the language, by name.
pub static FILTERS: &[Filter] = &[
    filter(
        "absolute_images",
        &[Text],
        "a Markdown text whose images with a relative address (`![a](/uploads/a.png)`) get a base in front of it; an address that names the path of the base itself gets its host alone",
        (
            "x | absolute_images('https://git.example.org/harbour')",
            "\"see ![a](/uploads/a.png)\"",
            "\"see ![a](https://git.example.org/harbour/uploads/a.png)\"",
        ),
        texts::absolute_images,
    ),
    filter(
        "bool",
        &[],
        "`true` and `false`, also from the texts and from 1 and 0",
        ("x | bool", "\"true\"", "true"),
        texts::bool,
    ),
    filter(
        "count",
        &[],
        "how many elements a list, members an object or characters a text has; null has 0",
        ("x | count", "[1, 2]", "2"),
        lists::count,
    ),
    filter(
        "find",
        &[Text, Any],
        "the first object of a list whose field has a value",
        ("x | find('id', 2)", "[{\"id\": 1}, {\"id\": 2}]", "{\"id\":2}"),
        lists::find,
    ),
    filter(
        "first",
        &[],
        "the first element of a list; null when it is empty",
        ("x | first", "[1, 2]", "1"),
        lists::first,
    ),
    filter(
        "first_line",
        &[],
        "a text up to its first line break",
        ("x | first_line", "\"Fix it\\n\\nat last\"", "\"Fix it\""),
        texts::first_line,
    ),
    filter(
        "gitlab_time",
        &[],
        "a time as GitLab writes it in attributes",
        ("x | gitlab_time", "\"2021-03-04T10:16:00+03:00\"", "\"2021-03-04 07:16:00 UTC\""),
        times::gitlab_time,
    ),
    filter(
        "hash",
        &[],
        "the hash of a commit: 40 or 64 hexadecimal digits, in small letters; anything else fails the translation",
        ("x | hash", "\"5B1C0F3E7D9A24860C1B3D5F7A9E2C4D6F8B0A13\"", "\"5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13\""),
        texts::hash,
    ),
    filter(
        "id",
        &[Kind],
        "the number that stands for a UUID or another text: positive and below 2^31",
        ("x | id('user')", "\"8473a25a-0000-4000-8000-3e5c9e0a4b51\"", "1767166402"),
        ids::id,
    ),
    filter(
        "int",
        &[],
        "an integer, also from its text; a fraction is cut off",
        ("x | int", "\"42\"", "42"),
        texts::int,
    ),
    filter(
        "join",
        &[Text],
        "the elements of a list as one text with a separator",
        ("x | join(', ')", "[\"a\", 1]", "\"a, 1\""),
        lists::join,
    ),
    filter("json", &[], "a value as its JSON text", ("x | json", "{\"a\": 1}", "\"{\\\"a\\\":1}\""), texts::json),
    filter("last", &[], "the last element of a list; null when it is empty", ("x | last", "[1, 2]", "2"), lists::last),
    filter(
        "local_time",
        &[Zone],
        "a time in a zone, written without one; one without a zone stays as it is",
        ("x | local_time('UTC')", "\"2021-03-04T10:16:00+03:00\"", "\"2021-03-04T07:16:00\""),
        times::local_time,
    ),
    filter(
        "lookup",
        &[Lookup, Column],
        "what is known of the person or project with this id: from the configuration, else learned from hooks, else from the file `lookups/users.yaml` or `lookups/projects.yaml`; null when nothing is",
        ("x | lookup('users', 'name')", "\"1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71\"", "null"),
        ids::lookup,
    ),
    filter("lower", &[], "a text in small letters", ("x | lower", "\"OPEN\"", "\"open\""), texts::lower),
    filter("null_if", &[Any], "null in place of one value", ("x | null_if('')", "\"\"", "null"), texts::null_if),
    filter(
        "part",
        &[Filled, Number, MaybeNumber],
        "the part of a text at a position from 0 between separators, counted from the end when negative; with two positions all from the first up to before the second",
        ("x | part('/', 0, -1)", "\"group/team/app\"", "\"group/team\""),
        texts::part,
    ),
    filter(
        "pluck",
        &[Text],
        "one field of each object of a list",
        ("x | pluck('id')", "[{\"id\": 1}, {\"id\": 2}]", "[1,2]"),
        lists::pluck,
    ),
    filter(
        "replace",
        &[Filled, Text],
        "a text with every occurrence of one text replaced by another",
        ("x | replace('_', '-')", "\"a_b\"", "\"a-b\""),
        texts::replace,
    ),
    filter(
        "rfc3339",
        &[Zone],
        "a time in the form of RFC 3339; one without a zone is taken to be in the given one",
        ("x | rfc3339('UTC')", "\"2022-04-13T14:12:51\"", "\"2022-04-13T14:12:51Z\""),
        times::rfc3339,
    ),
    filter(
        "short_hex",
        &[Length],
        "the first characters of a UUID or hash without hyphens; of any other text those of its SHA-256",
        ("x | short_hex(8)", "\"8473a25a-0000-4000-8000-3e5c9e0a4b51\"", "\"8473a25a\""),
        ids::short_hex,
    ),
    filter(
        "sorted",
        &[],
        "a list of texts and numbers in the order of their texts",
        ("x | sorted", "[\"tide\", \"cargo\"]", "[\"cargo\",\"tide\"]"),
        lists::sorted,
    ),
    filter("string", &[], "a number or boolean as its text", ("x | string", "15", "\"15\""), texts::string),
    filter(
        "strip_prefix",
        &[Text],
        "a text without a beginning, if it has it",
        ("x | strip_prefix('refs/heads/')", "\"refs/heads/main\"", "\"main\""),
        texts::strip_prefix,
    ),
    filter(
        "strip_suffix",
        &[Text],
        "a text without an ending, if it has it",
        ("x | strip_suffix('.git')", "\"app.git\"", "\"app\""),
        texts::strip_suffix,
    ),
    filter(
        "table",
        &[Table],
        "the row of a table of this file; the row `else`, or null, when there is none",
        ("x | table('visibility')", "true", "0"),
        texts::unreached,
    ),
    filter(
        "texts",
        &[],
        "a list of texts, its numbers as texts too; what has no value is left out",
        ("x | texts", "[\"a\", 1, null]", "[\"a\",\"1\"]"),
        lists::texts,
    ),
    filter("trim", &[], "a text without white space at its ends", ("x | trim", "\" a \"", "\"a\""), texts::trim),
    filter(
        "truncate",
        &[Length],
        "the first characters of a text",
        ("x | truncate(3)", "\"привет\"", "\"при\""),
        texts::truncate,
    ),
    filter(
        "unix",
        &[],
        "a time as whole seconds since 1970; one without a zone is taken to be in UTC",
        ("x | unix", "\"1970-01-01T00:01:00Z\"", "60"),
        times::unix,
    ),
    filter("upper", &[], "a text in capital letters", ("x | upper", "\"open\"", "\"OPEN\""), texts::upper),
    filter(
        "uuid",
        &[Kind],
        "the UUID of a number (or path) at the instance that the hook came from",
        ("x | uuid('project')", "15", "\"696bd8c7-3af5-55f0-847d-a6536a96e9f3\""),
        ids::uuid,
    ),
];

impl Filter {
    /// How it is called: `part(text, number, [number])`.
    #[must_use]
    pub fn call(&self) -> String {
        let arguments: Vec<&str> = self.arguments.iter().map(|argument| argument.word()).collect();
        if arguments.is_empty() { self.name.to_owned() } else { format!("{}({})", self.name, arguments.join(", ")) }
    }
}

/// Every filter, for a terminal.
#[must_use]
pub fn text() -> String {
    let width = FILTERS.iter().map(|filter| filter.call().len()).max().unwrap_or_default();
    let lines = FILTERS.iter().map(|filter| {
        let (expression, input, output) = filter.example;
        format!("{:width$}  {}\n{:width$}  x = {input}: {expression} is {output}\n", filter.call(), filter.doc, "")
    });
    lines.collect()
}

/// Every filter, as a table of the documentation.
#[must_use]
pub fn markdown() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let rows = FILTERS.iter().map(|filter| {
        let (expression, input, output) = filter.example;
        let (called, doc) = (cell(&filter.call()), cell(filter.doc));
        format!("| `{called}` | {doc} | `{}` | `{}` | `{}` |\n", cell(input), cell(expression), cell(output))
    });
    "| filter | what it gives | `x` | expression | result |\n|---|---|---|---|---|\n".to_owned()
        + &rows.collect::<String>()
}

/// The filter of a name.
pub(crate) fn named(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name)
}

impl Argument {
    /// How documentation shows it; in brackets where it may be left out.
    fn word(self) -> &'static str {
        match self {
            Text | Filled => "text",
            Number | Length => "number",
            MaybeNumber => "[number]",
            Any => "value",
            Kind => "kind",
            Zone => "zone",
            Table | Lookup => "table",
            Column => "column",
        }
    }

    /// Whether it may be left out.
    pub(crate) fn optional(self) -> bool {
        self == MaybeNumber
    }

    /// Whether a path can stand in its place, whose value is known only when it runs.
    pub(crate) fn may_be_path(self) -> bool {
        matches!(self, Any | Text | Filled | Number | MaybeNumber | Length)
    }

    /// What is wrong with a constant in this place, if something is; `first` is the filter's first argument, of which the
    /// column of a look-up table must be.
    pub(crate) fn refuses(self, value: &Value<'_>, first: Option<&str>) -> Option<String> {
        let is_number = matches!(value, Value::Int(_));
        let text = if let Value::Text(text) = value { Some(text.read()) } else { None };
        match self {
            Any => None,
            Filled if text.as_deref() == Some("") => Some("expected a text that is not empty".to_owned()),
            Length if matches!(value, Value::Int(..=0)) => Some("expected an integer from 1".to_owned()),
            Number | Length | MaybeNumber => {
                (!is_number).then(|| format!("expected an integer, got {}", value.describe()))
            }
            Text | Filled | Table => text.is_none().then(|| format!("expected a text, got {}", value.describe())),
            Lookup => none_of(text.as_deref(), TABLES.iter().map(|(table, _)| *table)),
            Column => {
                let of_table = |table: &&(&str, &[&'static str])| first.is_none_or(|first| table.0 == first);
                let tables = TABLES.iter().filter(of_table);
                let columns: Vec<&str> = tables.flat_map(|(_, columns)| columns.iter().copied()).collect();
                // Of a table that nobody knows nothing can be said: the table is what is wrong.
                if columns.is_empty() { None } else { none_of(text.as_deref(), columns.into_iter()) }
            }
            Kind => none_of(text.as_deref(), KINDS.into_iter()),
            Zone => match text.and_then(|zone| times::zone(&zone)) {
                Some(_) => None,
                None => Some("expected 'UTC' or an offset such as '+03:00'".to_owned()),
            },
        }
    }
}

/// What to say of a text that is none of those that are known.
fn none_of<'k>(text: Option<&str>, known: impl Iterator<Item = &'k str> + Clone) -> Option<String> {
    if text.is_some_and(|text| known.clone().any(|own| own == text)) {
        return None;
    }
    let suggestion = text.map(|text| did_you_mean(text, known.clone())).unwrap_or_default();
    let known: Vec<String> = known.map(|own| format!("'{own}'")).collect();
    Some(format!("expected one of {}{suggestion}", known.join(", ")))
}

/// Puts what a filter made in the place of the value that it was made of.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a filter's function ends")]
fn put<'a>(place: &mut Value<'a>, made: Value<'a>) -> Result<(), String> {
    *place = made;
    Ok(())
}

/// What is wrong with a text of so many bytes, if something is.
fn bounded(length: usize) -> Result<(), String> {
    if length > MAX_TEXT { Err(format!("makes a text of more than {MAX_TEXT} bytes")) } else { Ok(()) }
}

/// What a filter says of a value that it cannot read.
fn wants<T>(what: &str, value: &Value<'_>) -> Result<T, String> {
    Err(format!("wants {what}, got {}", value.describe()))
}
