//! Decides conditions, and with them which branch is taken.

use super::{Result, Run, Stop};
use crate::mapping::json::{Kind, Node};
use crate::mapping::program::{Alone, Branch, Condition, Constant, Expr, Primary, Step};
use crate::mapping::value::Value;

impl<'a> Run<'a> {
    /// The first branch whose condition holds.
    pub(super) fn branch(&self, branches: &'a [Branch]) -> Result<Option<&'a Branch>> {
        for branch in branches {
            if branch.when.as_ref().map_or(Ok(true), |when| self.holds(when))? {
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    pub(crate) fn holds(&self, condition: &'a Condition) -> Result<bool> {
        match condition {
            Condition::Or(any) => {
                any.iter().try_fold(false, |held, next| if held { Ok(true) } else { self.holds(next) })
            }
            Condition::And(all) => {
                all.iter().try_fold(true, |held, next| if held { self.holds(next) } else { Ok(false) })
            }
            Condition::Not(inner) => self.holds(inner).map(|held| !held),
            Condition::Exists(expr) => Ok(!self.tested(expr)?.is_null()),
            Condition::Same(left, right) => Ok(self.tested(left)?.same(&self.tested(right)?)),
            Condition::Differ(left, right) => Ok(!self.tested(left)?.same(&self.tested(right)?)),
            Condition::In(left, right) => self.is_in(left, right),
            Condition::True(expr) => match expr.alone {
                Alone::Let(index) => self.is_true(&self.let_value(index)?, expr),
                _ => self.is_true(&self.tested(expr)?, expr),
            },
        }
    }

    fn is_true(&self, value: &Value<'a>, expr: &Expr) -> Result<bool> {
        match value {
            Value::Bool(truth) => Ok(*truth),
            Value::Null => Ok(false),
            other => self.fail(expr.place, format!("a condition wants true or false, got {}", other.describe())),
        }
    }

    fn is_in(&self, left: &'a Expr, right: &'a Expr) -> Result<bool> {
        let value = self.tested(left)?;
        if let Some(list) = constants(right) {
            return Ok(list.iter().any(|item| matches!(item, Primary::Constant(one) if one.value().same(&value))));
        }
        if let Some((list, key)) = self.plucked(right) {
            let fields = list.elements().map(|element| element.get(key).map_or(Value::Null, Value::of));
            return Ok(fields.into_iter().any(|field| field.same(&value)));
        }
        let list = self.tested(right)?;
        if list.is_null() {
            return Ok(false);
        }
        match list.elements() {
            Some(elements) => Ok(elements.iter().any(|element| element.same(&value))),
            None => self.fail(right.place, format!("`in` wants a list, got {}", list.describe())),
        }
    }

    /// The list and the key of `list | pluck('key')` where the list stands in a document: to look for a value in it, no
    /// other list needs to be made.
    fn plucked(&self, expr: &'a Expr) -> Option<(Node<'a>, &'a str)> {
        let (Primary::Path(path), [Step::Filter { filter, arguments, .. }]) = parts(expr) else { return None };
        let ("pluck", [Primary::Constant(Constant::Clean(key))]) = (filter.name, arguments.as_slice()) else {
            return None;
        };
        let list = self.node(path).filter(|node| node.kind() == Kind::Array)?;
        Some((list, key))
    }

    /// The value of an expression in a condition, where leaving out means null.
    fn tested(&self, expr: &'a Expr) -> Result<Value<'a>> {
        let mut value = Value::Null;
        match self.put(expr, &mut value) {
            Err(Stop::Omit) => Ok(Value::Null),
            Err(fail) => Err(fail),
            Ok(()) => Ok(value),
        }
    }
}

/// The items of a list that is written out and holds constants alone.
fn constants(expr: &Expr) -> Option<&[Primary]> {
    match parts(expr) {
        (Primary::List(items), []) if items.iter().all(|item| matches!(item, Primary::Constant(_))) => Some(items),
        _ => None,
    }
}

/// The beginning and the steps of an expression, parentheses around the whole of it taken off.
fn parts(expr: &Expr) -> (&Primary, &[Step]) {
    match (&expr.first, expr.steps.as_slice()) {
        (Primary::Group(inner), []) => parts(inner),
        whole => whole,
    }
}
