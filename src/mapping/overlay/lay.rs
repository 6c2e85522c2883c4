//! Writes a body with some of its fields set.

use crate::mapping::json::{Node, write};
use crate::mapping::program::Place;

/// A field to set: where, to what, and which line says so.
pub(super) struct Laid<'s> {
    pub(super) path: &'s [String],
    pub(super) json: Vec<u8>,
    pub(super) place: Place,
}

/// Why a field cannot be set.
pub(super) struct Refused {
    pub(super) place: Place,
    pub(super) message: String,
}

/// The fields of one object: what is left of each path from here on.
type Here<'l> = Vec<(&'l [String], &'l Laid<'l>)>;

/// A body with fields set; what does not exist yet stands behind what does.
pub(super) fn over(body: Node<'_>, fields: &[Laid<'_>]) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::with_capacity(8 << 10);
    object(Some(body), fields.iter().map(|field| (field.path, field)).collect(), &mut out)?;
    Ok(out)
}

/// `node` is what stands there so far: an object, or nothing.
fn object(node: Option<Node<'_>>, mut here: Here<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    if let (Some(node), Some((_, first))) = (node.filter(|node| !node.is_object()), here.first()) {
        let message = format!("`{}` cannot be set: {} stands where an object should", first.path.join("."), node.raw());
        return Err(Refused { place: first.place, message });
    }
    out.push(b'{');
    for (key, member) in node.into_iter().flat_map(write::unique) {
        let name = key.text().unwrap_or_default();
        write::text(out, key);
        out.push(b':');
        let own = take(&mut here, &name);
        if own.is_empty() {
            write::node(out, member);
        } else {
            value(Some(member), own, out)?;
        }
        out.push(b',');
    }
    while let Some(name) = here.first().and_then(|(path, _)| path.first()) {
        write::quoted(out, name);
        out.push(b':');
        let own = take(&mut here, name);
        value(None, own, out)?;
        out.push(b',');
    }
    write::end(out, b'}');
    Ok(())
}

/// The value of one key: set as a whole, or an object with fields set.
fn value(node: Option<Node<'_>>, here: Here<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    match here.iter().rev().find(|(path, _)| path.is_empty()) {
        Some((_, whole)) => {
            out.extend_from_slice(&whole.json);
            Ok(())
        }
        None => object(node, here, out),
    }
}

/// Takes the fields below a key out of the list.
fn take<'l>(here: &mut Here<'l>, name: &str) -> Here<'l> {
    let (own, others) =
        std::mem::take(here).into_iter().partition(|(path, _)| path.first().is_some_and(|own| own == name));
    *here = others;
    let own: Here<'l> = own;
    own.into_iter().map(|(path, laid)| (path.get(1..).unwrap_or_default(), laid)).collect()
}
