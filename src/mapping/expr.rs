//! Parses expressions and conditions.
//!
//! ```text
//! expr    = primary { "??" primary | "|" filter }        read left to right
//! primary = path | string | integer | "true" | "false" | "null" | "[" [ primary { "," primary } ] "]" | "(" expr ")"
//!         | "header(" string ")"                          in forge files
//! path    = name { "." name | "[" integer "]" } [ "!" | "?" ]
//! filter  = name [ "(" primary { "," primary } ")" ]
//! cond    = and { "or" and }   and = test { "and" test }
//! test    = "not" test | "(" cond ")" | expr [ ("==" | "!=" | "in") expr | "exists" ]
//! ```

mod cursor;

use super::diagnostic::{Position, did_you_mean};
use super::filter::{self, Argument, FILTERS};
use super::program::{Condition, Constant, Expr, Need, Primary, Root, Segment, Step, Template};
use super::scope::Scope;
use super::value::{Text, Value};
use cursor::{Cursor, Fault};

/// How many parts a path may have.
const MAX_PATH: usize = 32;
/// How deep parentheses and lists may be nested in one expression.
const MAX_NESTING: usize = 32;

/// Parses a whole expression; a fault goes to the scope. `at` gives the place of a byte of `text`.
pub(crate) fn parse(text: &str, at: &dyn Fn(usize) -> Position, scope: &mut Scope<'_>) -> Option<Expr> {
    whole(text, at, scope, false, Parser::expr)
}

/// Parses a whole condition.
pub(crate) fn parse_condition(text: &str, at: &dyn Fn(usize) -> Position, scope: &mut Scope<'_>) -> Option<Condition> {
    whole(text, at, scope, true, Parser::condition)
}

fn whole<'t, 's, 'd, T>(
    text: &'t str,
    at: &'t dyn Fn(usize) -> Position,
    scope: &'s mut Scope<'d>,
    in_condition: bool,
    rule: fn(&mut Parser<'t, 's, 'd>) -> Result<T, Fault>,
) -> Option<T> {
    let mut parser = Parser { cursor: Cursor::new(text), at, scope, nesting: 0, in_condition };
    let parsed = rule(&mut parser).and_then(|parsed| parser.cursor.expect_end().map(|()| parsed));
    match parsed {
        Ok(parsed) => Some(parsed),
        Err(fault) => {
            parser.scope.error(at(fault.at), fault.message);
            None
        }
    }
}

struct Parser<'t, 's, 'd> {
    cursor: Cursor<'t>,
    at: &'t dyn Fn(usize) -> Position,
    scope: &'s mut Scope<'d>,
    nesting: usize,
    in_condition: bool,
}

impl Parser<'_, '_, '_> {
    fn expr(&mut self) -> Result<Expr, Fault> {
        self.deeper()?;
        let start = self.cursor.next_at();
        let mut first = self.primary()?;
        let mut steps = Vec::new();
        loop {
            if self.cursor.take("??") {
                steps.push(Step::Or(self.primary()?));
            } else if self.cursor.take("|") {
                steps.extend(self.filter()?);
            } else {
                break;
            }
        }
        let optional = matches!(&first, Primary::Path(path) if path.need != Need::Lenient);
        if optional && steps.iter().any(|step| matches!(step, Step::Or(_))) {
            return Err(Fault {
                at: start,
                message: "`!` and `?` say what happens without a value, `??` what stands in for it: use one".to_owned(),
            });
        }
        self.count_missing(&mut first, &mut steps);
        self.nesting -= 1;
        let expr = Expr::new(self.scope.place((self.at)(start)), first, steps);
        self.scope.program.usage.note_fields(&expr);
        if self.in_condition {
            self.scope.program.usage.not_whole(&expr);
        }
        Ok(expr)
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.cursor.fault(format!("nested deeper than {MAX_NESTING} levels")));
        }
        Ok(())
    }

    /// A path counts as missing when nothing behind it gives a default: no `??`, and no table with an `else`.
    fn count_missing(&mut self, first: &mut Primary, steps: &mut [Step]) {
        let last_default = steps.iter().rposition(|step| match step {
            Step::Or(_) => true,
            Step::Table { index } => {
                self.scope.program.tables.get(*index).is_some_and(|table| table.otherwise.is_some())
            }
            Step::Filter { .. } | Step::NullIf(_) => false,
        });
        match last_default.and_then(|position| steps.get_mut(position)) {
            None => self.count(first),
            Some(Step::Or(default)) => self.count(default),
            Some(_) => {}
        }
    }

    /// In a condition absence is an answer, not a loss.
    fn count(&mut self, primary: &mut Primary) {
        if let Primary::Path(path) = primary
            && path.need == Need::Lenient
            && !self.in_condition
        {
            path.missing = Some(self.scope.counted(&path.text));
        }
    }

    fn primary(&mut self) -> Result<Primary, Fault> {
        let start = self.cursor.next_at();
        if let Some(text) = self.cursor.string()? {
            return Ok(Primary::Constant(Constant::text(text)));
        }
        if let Some(number) = self.cursor.integer()? {
            return Ok(Primary::Constant(Constant::Int(number)));
        }
        if self.cursor.take("(") {
            let inner = self.expr()?;
            self.cursor.expect(")")?;
            return Ok(Primary::Group(Box::new(inner)));
        }
        if self.cursor.take("[") {
            return self.list();
        }
        match self.cursor.name() {
            Some("true") => Ok(Primary::Constant(Constant::Bool(true))),
            Some("false") => Ok(Primary::Constant(Constant::Bool(false))),
            Some("null") => Ok(Primary::Constant(Constant::Null)),
            Some("header") if self.scope.is_forge && self.cursor.take("(") => self.header(),
            Some(name) => self.path(name, start),
            None => Err(self.cursor.unexpected("a path")),
        }
    }

    fn header(&mut self) -> Result<Primary, Fault> {
        let Some(name) = self.cursor.string()? else {
            return Err(self.cursor.unexpected("the name of a header in quotes"));
        };
        self.cursor.expect(")")?;
        Ok(Primary::Header(name))
    }

    fn list(&mut self) -> Result<Primary, Fault> {
        self.deeper()?;
        let mut items = Vec::new();
        if !self.cursor.take("]") {
            loop {
                items.push(self.primary()?);
                if self.cursor.take("]") {
                    break;
                }
                self.cursor.expect(",")?;
            }
        }
        self.nesting -= 1;
        Ok(Primary::List(items))
    }

    fn path(&mut self, first: &str, start: usize) -> Result<Primary, Fault> {
        let mut segments = vec![Segment::Key(first.to_owned())];
        loop {
            if self.cursor.take_close(".") {
                match self.cursor.name_close() {
                    Some(name) => segments.push(Segment::Key(name.to_owned())),
                    None => return Err(self.cursor.unexpected("a name behind '.'")),
                }
            } else if self.cursor.take_close("[") {
                let at = self.cursor.next_at();
                match self.cursor.integer()?.map(usize::try_from) {
                    Some(Ok(position)) => segments.push(Segment::Index(position)),
                    Some(Err(_)) => return Err(Fault { at, message: "a position counts from 0".to_owned() }),
                    None => return Err(self.cursor.unexpected("a position from 0")),
                }
                self.cursor.expect("]")?;
            } else {
                break;
            }
        }
        if segments.len() > MAX_PATH {
            return Err(self.cursor.fault(format!("a path of more than {MAX_PATH} parts")));
        }
        let text = self.cursor.since(start).to_owned();
        let need = self.need();
        Ok(self.resolve(segments, need, text, start))
    }

    fn need(&mut self) -> Need {
        if self.cursor.next_is_close("!") && !self.cursor.next_is_close("!=") {
            self.cursor.take_close("!");
            Need::Required
        } else if self.cursor.next_is_close("?") && !self.cursor.next_is_close("??") {
            self.cursor.take_close("?");
            Need::Optional
        } else {
            Need::Lenient
        }
    }

    /// The path, or the constant that it is the name of.
    fn resolve(&mut self, segments: Vec<Segment>, need: Need, text: String, start: usize) -> Primary {
        let path = self.scope.path(segments, need, text, (self.at)(start));
        if let (Root::Let(index), true) = (path.root, path.segments.is_empty())
            && let Some(Template::Literal { constant: Some(constant), .. }) =
                self.scope.program.lets.get(index).map(|named| &named.value)
            && *constant != Constant::Null
        {
            return Primary::Constant(constant.clone());
        }
        Primary::Path(path)
    }

    /// A filter with its arguments. Nothing where what is wrong with it is noted: the rest of the expression can be read.
    fn filter(&mut self) -> Result<Option<Step>, Fault> {
        let start = self.cursor.next_at();
        let Some(name) = self.cursor.name() else { return Err(self.cursor.unexpected("a filter")) };
        let arguments = self.arguments()?;
        let Some(filter) = filter::named(name) else {
            let suggestion = did_you_mean(name, FILTERS.iter().map(|filter| filter.name));
            self.wrong(start, format!("unknown filter `{name}`{suggestion}"));
            return Ok(None);
        };
        if !self.check_arguments(filter, &arguments, start) {
            return Ok(None);
        }
        let mut arguments: Vec<Primary> = arguments.into_iter().map(|(_, argument)| argument).collect();
        if filter.arguments == [Argument::Table]
            && let Some(Primary::Constant(Constant::Clean(table) | Constant::Text(table))) = arguments.first()
        {
            return Ok(match self.scope.table(table) {
                Ok(index) => Some(Step::Table { index }),
                Err(message) => {
                    if let Some(message) = message {
                        self.wrong(start, message);
                    }
                    None
                }
            });
        }
        if let ("null_if", [Primary::Constant(constant)]) = (filter.name, arguments.as_slice()) {
            return Ok(Some(Step::NullIf(constant.clone())));
        }
        for argument in &mut arguments {
            self.count(argument);
        }
        Ok(Some(Step::Filter { filter, arguments, place: self.scope.place((self.at)(start)) }))
    }

    /// Notes what is wrong where the expression can be read on all the same.
    fn wrong(&mut self, at: usize, message: impl Into<String>) {
        self.scope.error((self.at)(at), message);
    }

    /// The arguments in parentheses, if there are any, with the place of each.
    fn arguments(&mut self) -> Result<Vec<(usize, Primary)>, Fault> {
        let mut arguments = Vec::new();
        if self.cursor.take_close("(") {
            loop {
                let at = self.cursor.next_at();
                arguments.push((at, self.primary()?));
                if self.cursor.take(")") {
                    break;
                }
                self.cursor.expect(",")?;
            }
        }
        Ok(arguments)
    }

    /// Notes everything that is wrong with the arguments of a filter; says whether nothing is.
    fn check_arguments(&mut self, filter: &filter::Filter, given: &[(usize, Primary)], start: usize) -> bool {
        let most = filter.arguments.len();
        let least = filter.arguments.iter().filter(|argument| !argument.optional()).count();
        if given.len() < least || given.len() > most {
            let wanted = match (least, most) {
                (_, 0) => "no".to_owned(),
                (least, most) if least == most => most.to_string(),
                _ => format!("{least} to {most}"),
            };
            let plural = if most == 1 { "" } else { "s" };
            let message = format!("filter `{}` takes {wanted} argument{plural}, got {}", filter.name, given.len());
            self.wrong(start, message);
            return false;
        }
        let constant = |primary: &Primary| match primary {
            Primary::Constant(constant) => constant.value().as_text().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        let first = given.first().and_then(|(_, primary)| constant(primary));
        let mut sound = true;
        for (argument, (at, primary)) in filter.arguments.iter().zip(given) {
            let refused = match primary {
                Primary::Constant(constant) => argument.refuses(&constant.value(), first.as_deref()),
                // A path's value is known only at run time; names of tables, kinds and zones are checked now.
                _ if argument.may_be_path() => None,
                _ => Some("expected a constant".to_owned()),
            };
            if let Some(message) = refused {
                self.wrong(*at, format!("filter `{}`: {message}", filter.name));
                sound = false;
            }
        }
        sound
    }

    fn condition(&mut self) -> Result<Condition, Fault> {
        self.deeper()?;
        let mut either = vec![self.all()?];
        while self.cursor.take_word("or") {
            either.push(self.all()?);
        }
        self.nesting -= 1;
        Ok(if either.len() == 1 { either.remove(0) } else { Condition::Or(either) })
    }

    fn all(&mut self) -> Result<Condition, Fault> {
        let mut all = vec![self.test()?];
        while self.cursor.take_word("and") {
            all.push(self.test()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn test(&mut self) -> Result<Condition, Fault> {
        if self.cursor.take_word("not") {
            self.deeper()?;
            let inner = self.test()?;
            self.nesting -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        // A parenthesis opens an expression or a condition: what stands behind its end tells.
        let start = self.cursor;
        let nesting = self.nesting;
        let comparison = self.comparison();
        if comparison.is_ok() || !start.clone().take("(") {
            return comparison;
        }
        (self.cursor, self.nesting) = (start, nesting);
        self.cursor.take("(");
        let inner = self.condition()?;
        self.cursor.expect(")")?;
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Condition, Fault> {
        let left = self.expr()?;
        let condition = if self.cursor.take("==") {
            Condition::Same(left, self.expr()?)
        } else if self.cursor.take("!=") {
            Condition::Differ(left, self.expr()?)
        } else if self.cursor.take_word("in") {
            Condition::In(left, self.expr()?)
        } else if self.cursor.take_word("exists") {
            Condition::Exists(left)
        } else {
            Condition::True(left)
        };
        Ok(condition)
    }
}

impl Constant {
    /// The constant as a value.
    pub(crate) fn value(&self) -> Value<'_> {
        let mut value = Value::Null;
        self.put(&mut value);
        value
    }

    /// Puts the constant into a place; see [`Value::set`].
    #[inline]
    pub(crate) fn put<'a>(&'a self, value: &mut Value<'a>) {
        *value = Value::Null;
        match self {
            Self::Null => {}
            Self::Bool(truth) => *value = Value::Bool(*truth),
            Self::Int(number) => *value = Value::Int(*number),
            Self::Number(number) => *value = Value::Number(number),
            Self::Clean(text) => *value = Value::Text(Text::Clean(text)),
            Self::Text(text) => *value = Value::Text(Text::Written(text)),
        }
    }
}

#[cfg(test)]
mod tests;
