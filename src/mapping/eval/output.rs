//! Writes a template's JSON straight into bytes. Each field and element ends with a comma; the bracket replaces the last.

use super::{MAX_ITEMS, MAX_OUTPUT, Result, Run, Stop};
use crate::mapping::json::{Kind, Node, write};
use crate::mapping::program::{Alone, Each, Expr, Field, Piece, Place, Primary, Ready, Template};
use crate::mapping::value::Value;

/// A field of an object that is being merged.
pub(super) enum Source<'a> {
    Field(&'a Field),
    /// A member of an object of the hook, and the expression that gave the object.
    Member(Node<'a>, &'a Expr),
}

impl<'a> Run<'a> {
    /// Writes the value that a template makes; [`Stop::Omit`] leaves the bytes as they were.
    pub(crate) fn write(&mut self, template: &'a Template, out: &mut Vec<u8>) -> Result<()> {
        match template {
            Template::Literal { json, .. } => out.extend_from_slice(json),
            Template::Hole(expr) => self.write_hole(expr, out)?,
            Template::Text(pieces) => self.write_text(pieces, out)?,
            Template::Object(fields) => {
                out.push(b'{');
                self.write_fields(fields, out)?;
                write::end(out, b'}');
            }
            Template::List(items) => {
                out.push(b'[');
                for item in items {
                    match item {
                        Template::Each(each) => match self.write_each(each, out) {
                            // Its list is left out, not the one that it stands in.
                            Err(Stop::Omit) => {}
                            written => written?,
                        },
                        item => self.write_element(item, out)?,
                    }
                }
                write::end(out, b']');
            }
            Template::Each(each) => {
                out.push(b'[');
                match self.write_each(each, out) {
                    Ok(()) => write::end(out, b']'),
                    Err(stop) => {
                        // Only the list itself can be left out, and then nothing stands behind its bracket.
                        out.pop();
                        return Err(stop);
                    }
                }
            }
            Template::Case(branches) => match self.branch(branches)? {
                Some(branch) => self.write(&branch.then, out)?,
                None => return Err(Stop::Omit),
            },
            Template::Merge(parts) => self.write_merged(parts, out)?,
        }
        Ok(())
    }

    /// A bare path is copied out of the document without becoming a value first.
    fn write_hole(&self, expr: &'a Expr, out: &mut Vec<u8>) -> Result<()> {
        if let Alone::Let(index) = expr.alone {
            self.let_value(index)?.write(out);
        } else if let Some(node) = self.bare(expr) {
            write::node(out, node);
        } else {
            let mut value = Value::Null;
            self.put(expr, &mut value)?;
            value.write(out);
        }
        Ok(())
    }

    /// What stands at a bare path, unless it is null, or a text where that is what it must be.
    #[inline]
    fn bare(&self, expr: &'a Expr) -> Option<Node<'a>> {
        let (Alone::Path | Alone::Text, Primary::Path(path)) = (expr.alone, &expr.first) else { return None };
        let node = self.node(path)?;
        match node.kind() {
            Kind::Null => None,
            Kind::PlainText | Kind::EscapedText | Kind::BrokenText => Some(node),
            _ => (expr.alone == Alone::Path).then_some(node),
        }
    }

    /// Fields that are the same for every hook are written by the row.
    fn write_fields(&mut self, fields: &'a [Field], out: &mut Vec<u8>) -> Result<()> {
        let mut rest = fields;
        while let Some((field, behind)) = rest.split_first() {
            let Ready { fields: count, json } = &field.ready;
            if *count > 0 && out.len() + json.len() <= MAX_OUTPUT {
                out.extend_from_slice(json);
                rest = rest.get(*count..).unwrap_or_default();
            } else {
                self.write_field(field, out)?;
                rest = behind;
            }
        }
        Ok(())
    }

    fn write_field(&mut self, field: &'a Field, out: &mut Vec<u8>) -> Result<()> {
        let before = out.len();
        out.extend_from_slice(&field.json);
        self.kept(field.place, before, &field.value, out)
    }

    fn write_element(&mut self, item: &'a Template, out: &mut Vec<u8>) -> Result<()> {
        let before = out.len();
        self.kept(Place { file: 0, position: crate::mapping::diagnostic::Position::default() }, before, item, out)
    }

    /// Writes a value and its comma, or takes back what was written since `before` when the value is left out.
    fn kept(&mut self, place: Place, before: usize, value: &'a Template, out: &mut Vec<u8>) -> Result<()> {
        match self.write(value, out) {
            Ok(()) => out.push(b','),
            Err(Stop::Omit) => out.truncate(before),
            Err(fail) => return Err(fail),
        }
        if out.len() > MAX_OUTPUT { self.too_large(place) } else { Ok(()) }
    }

    fn too_large(&self, place: Place) -> Result<()> {
        self.fail(place, format!("the translated body is larger than {MAX_OUTPUT} bytes"))
    }

    fn write_text(&mut self, pieces: &'a [Piece], out: &mut Vec<u8>) -> Result<()> {
        let before = out.len();
        out.push(b'"');
        for piece in pieces {
            match piece {
                Piece::Fixed { json, .. } => out.extend_from_slice(json.as_bytes()),
                Piece::Hole(expr) => {
                    if let Some(node) = self
                        .bare(expr)
                        .filter(|node| matches!(node.kind(), Kind::PlainText | Kind::EscapedText | Kind::Number))
                    {
                        out.extend_from_slice(node.bytes());
                        continue;
                    }
                    if let Alone::Let(index) = expr.alone
                        && let Value::Text(text) = self.let_value(index)?
                    {
                        text.write_inside(out);
                        continue;
                    }
                    let mut value = Value::Null;
                    self.put(expr, &mut value).inspect_err(|_| out.truncate(before))?;
                    if value.is_null() {
                        out.truncate(before);
                        out.extend_from_slice(b"null");
                        return Ok(());
                    }
                    self.write_inside(expr, value, out)?;
                    if out.len() > MAX_OUTPUT {
                        return self.too_large(expr.place);
                    }
                }
            }
        }
        out.push(b'"');
        Ok(())
    }

    fn write_inside(&self, expr: &Expr, value: Value<'a>, out: &mut Vec<u8>) -> Result<()> {
        match value.into_text(self.arena) {
            Ok(text) => {
                text.write_inside(out);
                Ok(())
            }
            Err(other) => self.fail(expr.place, format!("{} cannot stand inside a text", other.describe())),
        }
    }

    fn write_each(&mut self, each: &'a Each, out: &mut Vec<u8>) -> Result<()> {
        let list = self.expr(&each.list)?;
        match &list {
            Value::Null => {}
            Value::Container(node) if !node.is_object() => {
                for element in node.elements() {
                    self.write_item(each, Value::of(element), out)?;
                }
            }
            Value::List(items) => {
                for item in *items {
                    self.write_item(each, *item, out)?;
                }
            }
            other => return self.fail(each.list.place, format!("`$each` wants a list, got {}", other.describe())),
        }
        Ok(())
    }

    fn write_item(&mut self, each: &'a Each, item: Value<'a>, out: &mut Vec<u8>) -> Result<()> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return self.fail(each.list.place, format!("`$each` makes more than {MAX_ITEMS} elements"));
        }
        if let Some(variable) = self.loops.get(each.slot) {
            variable.set(item);
        }
        self.found.forget_loop(each.slot);
        let before = out.len();
        self.kept(each.list.place, before, &each.item, out)
    }

    /// Objects over one another: a key keeps its first place and takes its last value; one left out lets the earlier show.
    fn write_merged(&mut self, parts: &'a [Template], out: &mut Vec<u8>) -> Result<()> {
        let mut fields: Vec<(String, Vec<Source<'a>>)> = Vec::new();
        for part in parts {
            self.gather(part, &mut fields)?;
        }
        out.push(b'{');
        for (key, sources) in fields {
            for source in sources.into_iter().rev() {
                let before = out.len();
                match source {
                    Source::Field(field) => self.write_field(field, out)?,
                    Source::Member(node, _) => {
                        write::quoted(out, &key);
                        out.push(b':');
                        write::node(out, node);
                        out.push(b',');
                    }
                }
                if out.len() > before {
                    break;
                }
            }
        }
        write::end(out, b'}');
        Ok(())
    }

    pub(super) fn gather(&mut self, part: &'a Template, fields: &mut Vec<(String, Vec<Source<'a>>)>) -> Result<()> {
        let mut add = |key: String, source| match fields.iter_mut().find(|(own, _)| *own == key) {
            Some((_, sources)) => sources.push(source),
            None => fields.push((key, vec![source])),
        };
        match part {
            Template::Object(own) => {
                for field in own {
                    add(field.key.clone(), Source::Field(field));
                }
            }
            Template::Merge(parts) => {
                for part in parts {
                    self.gather(part, fields)?;
                }
            }
            Template::Case(branches) => {
                if let Some(branch) = self.branch(branches)? {
                    self.gather(&branch.then, fields)?;
                }
            }
            Template::Hole(expr) => match self.expr(expr) {
                Ok(Value::Container(node)) if node.is_object() => {
                    for (key, value) in write::unique(node) {
                        add(key.text().unwrap_or_default().into_owned(), Source::Member(value, expr));
                    }
                }
                Ok(Value::Null) | Err(Stop::Omit) => {}
                Ok(other) => {
                    return self.fail(expr.place, format!("`$merge` wants an object, got {}", other.describe()));
                }
                Err(fail) => return Err(fail),
            },
            // The loader refused everything else, but for an empty object.
            Template::Literal { .. } | Template::Text(_) | Template::List(_) | Template::Each(_) => {}
        }
        Ok(())
    }
}
