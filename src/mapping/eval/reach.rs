//! Reaches into nodes, values and expressions.

use crate::mapping::json::Node;
use crate::mapping::program::{Constant, Expr, Primary, Segment};
use crate::mapping::value::{Text, Value};

/// Whether a value is the one that the file has.
pub(super) fn is_constant(value: &Value<'_>, constant: &Constant) -> bool {
    match (value, constant) {
        (Value::Text(Text::Clean(own)), Constant::Clean(text)) => *own == &**text,
        (Value::Null, _) => false,
        (own, constant) => own.same(&constant.value()),
    }
}

pub(super) fn child<'a>(node: Option<Node<'a>>, segment: &Segment) -> Option<Node<'a>> {
    match segment {
        Segment::Key(key) => node?.get(key),
        Segment::Index(position) => node?.at(*position),
    }
}

/// The path that an expression begins with.
pub(super) fn source_of(expr: &Expr) -> Option<&str> {
    match &expr.first {
        Primary::Path(path) => Some(&path.text),
        Primary::Group(inner) => source_of(inner),
        _ => None,
    }
}

/// The value at a path inside a value; null where there is none.
pub(super) fn descend<'a>(mut value: Value<'a>, segments: &[Segment]) -> Value<'a> {
    for segment in segments {
        value = match segment {
            Segment::Key(key) => value.field(key),
            Segment::Index(position) => value.elements().and_then(|elements| elements.into_iter().nth(*position)),
        }
        .unwrap_or(Value::Null);
    }
    value
}
