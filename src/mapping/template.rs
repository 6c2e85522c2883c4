//! Compiles YAML nodes into templates: literals, holes, texts with holes, objects, lists and the `$` directives.

use super::diagnostic::{Position, did_you_mean};
use super::expr;
use super::json::write;
use super::program::{Branch, Condition, Constant, Each, Field, Piece, Ready, Template};
use super::scope::Scope;
use super::yaml::{Key, MAX_DEPTH, Scalar, Yaml, YamlValue, scalar_json};
use std::collections::HashSet;

/// How many values a file may hold, those of a block counted at every place that it is put in.
const MAX_VALUES: usize = 250_000;

/// How often a block with errors in it is compiled again: each place that uses it may show others, but the same ones a
/// hundred thousand times over cost seconds and tell nothing.
const MOST_FAULTY: usize = 16;

/// Every directive of the language.
const DIRECTIVES: [&str; 6] = ["$each", "$if", "$else", "$case", "$block", "$merge"];

/// Compiles one value; faults go to the scope, and what could not be compiled becomes null.
pub(crate) fn compile(node: &Yaml, scope: &mut Scope<'_>) -> Template {
    scope.compiled += 1;
    if scope.compiled > MAX_VALUES {
        // Said once: what comes behind is passed over, so that blocks in blocks in blocks come to an end.
        if scope.compiled == MAX_VALUES + 1 {
            let message = format!("more than {MAX_VALUES} values, those of blocks counted wherever they are put");
            scope.error(node.position, message);
        }
        return null();
    }
    match &node.value {
        YamlValue::Scalar(scalar) => compile_scalar(scalar, scope),
        YamlValue::List(items) => literal_or(Template::List(items.iter().map(|item| compile(item, scope)).collect())),
        YamlValue::Map(members) if members.iter().any(|(key, _)| is_directive(key)) => directive(node, members, scope),
        YamlValue::Map(members) => object(members.iter(), scope),
    }
}

fn is_directive(key: &Key) -> bool {
    key.name.starts_with('$') && !key.name.starts_with("$$") && !key.name.starts_with("${")
}

fn null() -> Template {
    literal(Constant::Null)
}

fn literal(constant: Constant) -> Template {
    let mut json = Vec::new();
    constant.value().write(&mut json);
    Template::Literal { json: json.into(), constant: Some(constant) }
}

/// Lists and objects without holes are written once, now.
fn literal_or(template: Template) -> Template {
    let mut json = Vec::new();
    match &template {
        Template::List(items) => {
            json.push(b'[');
            for item in items {
                let Template::Literal { json: item, .. } = item else { return template };
                json.extend_from_slice(item);
                json.push(b',');
            }
            write::end(&mut json, b']');
        }
        Template::Object(fields) if fields.is_empty() => json.extend_from_slice(b"{}"),
        _ => return template,
    }
    Template::Literal { json: json.into(), constant: None }
}

fn object<'y>(members: impl Iterator<Item = &'y (Key, Yaml)>, scope: &mut Scope<'_>) -> Template {
    let fields = members
        .map(|(key, value)| {
            if key.name.contains("${") {
                scope.error(key.position, "a key is what it says: there are no holes in keys");
            }
            let name = key.name.replace("$$", "$");
            let mut json = Vec::new();
            write::quoted(&mut json, &name);
            json.push(b':');
            let (place, value) = (scope.place(key.position), compile(value, scope));
            Field { key: name, json: json.into(), place, value, ready: Ready::default() }
        })
        .collect();
    literal_or(Template::object(fields))
}

fn directive(node: &Yaml, members: &[(Key, Yaml)], scope: &mut Scope<'_>) -> Template {
    for (key, _) in members {
        if is_directive(key) && !DIRECTIVES.contains(&key.name.as_str()) {
            let suggestion = did_you_mean(&key.name, DIRECTIVES);
            scope.error(key.position, format!("unknown directive `{}`{suggestion}", key.name));
            return null();
        }
    }
    if let Some(key) = stray_else(members) {
        let in_case = members.iter().any(|(key, _)| key.name == "$case");
        let instead = if in_case { ": the last branch of a `$case` is {else: value}" } else { "" };
        scope.error(key.position, format!("`$else` belongs to `$if`, and there is none beside it{instead}"));
        return null();
    }
    let Some((key, value)) = members
        .iter()
        .find(|(key, _)| matches!(key.name.as_str(), "$each" | "$if"))
        .or_else(|| members.iter().find(|(key, _)| is_directive(key)))
    else {
        return null();
    };
    let rest: Vec<(Key, Yaml)> = members.iter().filter(|(other, _)| other.name != key.name).cloned().collect();
    match key.name.as_str() {
        "$each" => each(node, value, rest, scope),
        "$if" => condition(node, value, rest, scope),
        _ if !rest.is_empty() => {
            scope.error(
                key.position,
                format!("`{}` stands alone: put it and the other fields into a `$merge` list", key.name),
            );
            null()
        }
        "$case" => case(value, scope),
        "$block" => block(value, scope),
        "$merge" => merge(value, scope),
        _ => null(),
    }
}

/// An `$else` without the `$if` that it belongs to.
fn stray_else(members: &[(Key, Yaml)]) -> Option<&Key> {
    let named = |name: &str| members.iter().map(|(key, _)| key).find(|key| key.name == name);
    if named("$if").is_some() { None } else { named("$else") }
}

fn rest_of(node: &Yaml, rest: Vec<(Key, Yaml)>) -> Yaml {
    Yaml { position: node.position, value: YamlValue::Map(rest) }
}

/// `$each: c in commits`, the other keys being one element.
fn each(node: &Yaml, value: &Yaml, rest: Vec<(Key, Yaml)>, scope: &mut Scope<'_>) -> Template {
    let parts = value.scalar().and_then(|scalar| {
        let (name, list) = scalar.text.split_once(" in ")?;
        let valid = name.trim().bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        (valid && !name.trim().is_empty()).then_some((scalar, name.trim(), list))
    });
    let Some((scalar, name, list)) = parts else {
        scope.error(value.position, "expected `$each: name in list`");
        return null();
    };
    let offset = scalar.text.len() - list.len();
    let list = expr::parse(list, &|byte| scalar.position_of(offset + byte), scope);
    if rest.is_empty() {
        scope.error(
            value.position,
            "`$each` needs the fields of an element beside it; for a list of texts take `pluck`",
        );
    }
    let origins = list.as_ref().and_then(|list| scope.program.usage.element_origins(list));
    if let Some(list) = &list {
        scope.program.usage.not_whole(list);
    }
    super::file::check_word(name, scalar.inner, scope);
    let slot = scope.enter_loop(name, origins, scalar.inner);
    let item = compile(&rest_of(node, rest), scope);
    scope.leave_loop();
    list.map_or_else(null, |list| Template::Each(Box::new(Each { slot, list, item })))
}

/// `$if: cond`, the other keys being the object, `$else` what stands there otherwise.
fn condition(node: &Yaml, value: &Yaml, mut rest: Vec<(Key, Yaml)>, scope: &mut Scope<'_>) -> Template {
    let otherwise = rest.iter().position(|(key, _)| key.name == "$else").map(|position| rest.remove(position).1);
    if rest.is_empty() {
        scope.error(value.position, "`$if` needs fields beside it; for a single value take `$case`");
    }
    let when = read_condition(value, scope);
    let then = compile(&rest_of(node, rest), scope);
    let mut branches = Vec::new();
    if let Some(when) = when {
        branches.push(branch(value.position, Some(when), then, scope));
    }
    if let Some(otherwise) = otherwise {
        let compiled = compile(&otherwise, scope);
        branches.push(branch(otherwise.position, None, compiled, scope));
    }
    Template::Case(branches)
}

fn branch(position: Position, when: Option<Condition>, then: Template, scope: &mut Scope<'_>) -> Branch {
    let place = scope.place(position);
    scope.program.usage.branches.push(place);
    Branch { place, when, then }
}

/// Compiles a condition that stands as a scalar.
pub(crate) fn read_condition(node: &Yaml, scope: &mut Scope<'_>) -> Option<Condition> {
    let Some(scalar) = node.scalar() else {
        scope.error(node.position, "expected a condition");
        return None;
    };
    expr::parse_condition(&scalar.text, &|byte| scalar.position_of(byte), scope)
}

/// A list of `{when, then}` with `{else}` at its end.
fn case(value: &Yaml, scope: &mut Scope<'_>) -> Template {
    let Some(items) = value.list().filter(|items| !items.is_empty()) else {
        scope.error(value.position, "expected a list of {when, then} and at its end {else}");
        return null();
    };
    let mut branches = Vec::new();
    for (position, item) in items.iter().enumerate() {
        match (item.get("when"), item.get("then"), item.get("else"), item.map().map_or(0, <[_]>::len)) {
            (Some(when), Some(then), None, 2) => {
                let condition = read_condition(when, scope);
                let then = compile(then, scope);
                if let Some(condition) = condition {
                    branches.push(branch(item.position, Some(condition), then, scope));
                }
            }
            (None, None, Some(otherwise), 1) if position + 1 == items.len() => {
                let then = compile(otherwise, scope);
                branches.push(branch(item.position, None, then, scope));
            }
            (None, None, Some(_), 1) => {
                scope.error(item.position, "`else` is the last branch: those behind it are never taken");
            }
            _ => no_branch(item, scope),
        }
    }
    Template::Case(branches)
}

/// Says what is wrong with an element of a `$case`.
fn no_branch(item: &Yaml, scope: &mut Scope<'_>) {
    let known = ["when", "then", "else"];
    let misspelt = item.map().unwrap_or_default().iter().find(|(key, _)| !known.contains(&key.name.as_str()));
    match misspelt.map(|(key, _)| (key, did_you_mean(&key.name, known))) {
        Some((key, suggestion)) if !suggestion.is_empty() => {
            scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
        }
        _ => scope.error(item.position, "expected {when: condition, then: value} or {else: value}"),
    }
}

fn block(value: &Yaml, scope: &mut Scope<'_>) -> Template {
    let name = value.text().unwrap_or_default().to_owned();
    let Some(block) = scope.blocks.get(&name).cloned() else {
        if scope.lacks_names {
            return null();
        }
        let suggestion = did_you_mean(&name, scope.blocks.keys().map(String::as_str));
        scope.error(value.position, format!("unknown block `{name}`{suggestion}"));
        return null();
    };
    if scope.expanding.contains(&name) || scope.expanding.len() >= MAX_DEPTH {
        scope.error(value.position, format!("block `{name}` uses itself"));
        return null();
    }
    if scope.faulty.get(&name).is_some_and(|times| *times >= MOST_FAULTY) {
        // Whatever stands around it is faulty, too.
        scope.said += 1;
        return null();
    }
    scope.program.usage.used.insert(block.place);
    let user = std::mem::replace(&mut scope.file, block.place.file);
    scope.expanding.push(name.clone());
    let before = scope.said;
    let compiled = compile(&block.body, scope);
    if scope.said > before {
        *scope.faulty.entry(name).or_default() += 1;
    }
    scope.expanding.pop();
    scope.file = user;
    compiled
}

fn merge(value: &Yaml, scope: &mut Scope<'_>) -> Template {
    let Some(items) = value.list() else {
        scope.error(value.position, "expected a list of objects, later fields over earlier ones");
        return null();
    };
    let mut parts = Vec::new();
    for item in items {
        let part = compile(item, scope);
        let is_object = match &part {
            Template::Text(_) | Template::List(_) | Template::Each(_) => false,
            Template::Literal { json, constant } => constant.is_none() && json.starts_with(b"{"),
            _ => true,
        };
        if !is_object {
            scope.error(item.position, "`$merge` takes objects");
        }
        parts.push(part);
    }
    flattened(parts)
}

/// One object, where no part depends on the hook for its fields and no field stands in two of them.
fn flattened(parts: Vec<Template>) -> Template {
    let mut keys = HashSet::new();
    let plain = parts.iter().all(|part| match part {
        Template::Object(fields) => fields.iter().all(|field| keys.insert(field.key.as_str())),
        _ => false,
    });
    if !plain {
        return Template::Merge(parts);
    }
    let fields = parts.into_iter().flat_map(|part| match part {
        Template::Object(fields) => fields,
        _ => Vec::new(),
    });
    Template::object(fields.collect())
}

fn compile_scalar(scalar: &Scalar, scope: &mut Scope<'_>) -> Template {
    if !scalar.text.contains('$') {
        warn_of_number(scalar, scope);
        return literal(match scalar_json(scalar) {
            serde_json::Value::Null => Constant::Null,
            serde_json::Value::Bool(truth) => Constant::Bool(truth),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| Constant::Number(scalar.text.clone()), Constant::Int)
            }
            _ => Constant::text(scalar.text.clone()),
        });
    }
    let mut pieces = pieces(scalar, scope);
    match pieces.pop() {
        Some(Piece::Hole(hole)) if pieces.is_empty() => Template::Hole(hole),
        Some(Piece::Fixed { text, .. }) if pieces.is_empty() => literal(Constant::text(text)),
        Some(last) => {
            pieces.push(last);
            Template::Text(pieces)
        }
        None => null(),
    }
}

/// A hash without quotes reads as a number: 40 zeros become 0.
fn warn_of_number(scalar: &Scalar, scope: &mut Scope<'_>) {
    let text = &scalar.text;
    let looks_like_hash = text.len() > 15 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        || text.contains(['e', 'E']) && scalar_json(scalar).is_number();
    if scalar.plain && looks_like_hash && text.starts_with(|first: char| first.is_ascii_digit()) {
        scope.warning(scalar.inner, format!("`{text}` may be read as a number: quote it if it is a text"));
    }
}

/// Splits a scalar into fixed text and holes; `$$` is a literal `$`.
fn pieces(scalar: &Scalar, scope: &mut Scope<'_>) -> Vec<Piece> {
    let text = scalar.text.as_str();
    let (mut pieces, mut fixed, mut at) = (Vec::new(), String::new(), 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('$')).map(|offset| at + offset) {
        fixed.push_str(text.get(at..found).unwrap_or_default());
        let after = text.get(found + 1..).unwrap_or_default();
        if after.starts_with('{') {
            let Some(length) = hole_length(after) else {
                scope.error(scalar.position_of(found), "`${` without `}`: quote this value");
                return Vec::new();
            };
            push_fixed(&mut pieces, &mut fixed);
            let start = found + 2;
            let inner = text.get(start..found + length).unwrap_or_default();
            if let Some(hole) = expr::parse(inner, &|byte| scalar.position_of(start + byte), scope) {
                pieces.push(Piece::Hole(hole));
            } else {
                return Vec::new();
            }
            at = found + length + 1;
        } else {
            fixed.push('$');
            at = found + if after.starts_with('$') { 2 } else { 1 };
        }
    }
    fixed.push_str(text.get(at..).unwrap_or_default());
    push_fixed(&mut pieces, &mut fixed);
    pieces
}

fn push_fixed(pieces: &mut Vec<Piece>, fixed: &mut String) {
    if !fixed.is_empty() {
        let text = std::mem::take(fixed);
        let mut json = Vec::new();
        write::escaped(&mut json, &text);
        pieces.push(Piece::Fixed { json: String::from_utf8_lossy(&json).into_owned(), text });
    }
}

/// How far it is from the `{` to its `}`; a `}` inside quotes is text.
fn hole_length(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, character)| {
        quoted ^= character == '\'';
        (character == '}' && !quoted).then_some(at + 1)
    })
}

/// The place of a node's text, for messages about it.
pub(crate) fn text_position(node: &Yaml) -> Position {
    node.scalar().map_or(node.position, |scalar| scalar.inner)
}
