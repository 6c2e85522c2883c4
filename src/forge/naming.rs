//! What a forge file calls a hook by: its event, its project, its installation, its delivery. They come out of the hook and go
//! into log lines, metrics and headers, so each has a bound.

use super::text;
use crate::mapping::Failure;
use crate::mapping::eval::Run;
use crate::mapping::file::single;
use crate::mapping::program::{Place, Program, Template};
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;

/// How long the name of an event may be, in bytes. The longest that a forge is known to send has 50.
const MOST_OF_AN_EVENT: usize = 255;
/// How long the other names may be: some are addresses of pages.
const MOST: usize = 2048;

/// One key of a forge file that names a hook.
#[derive(Debug)]
pub(super) struct Naming {
    key: &'static str,
    template: Template,
    place: Place,
}

impl Naming {
    pub(super) fn read(root: &Yaml, key: &'static str, scope: &mut Scope<'_>) -> Self {
        let Some(node) = root.get(key) else {
            scope.error(root.position, format!("`{key}` is missing; `{key}: null` when the forge has none"));
            return Self { key, template: Template::List(Vec::new()), place: scope.place(root.position) };
        };
        Self { key, template: single(node, scope), place: scope.place(node.position) }
    }

    /// The event of a hook; nothing where the hook does not say.
    pub(super) fn event<'a>(&'a self, run: &Run<'a>) -> Result<String, Failure> {
        Ok(self.within(run, MOST_OF_AN_EVENT)?.unwrap_or_default())
    }

    /// What is wrong with a hook that does not say what it is.
    pub(super) fn is_missing(&self, program: &Program) -> Failure {
        program.failure(self.place, format!("the hook has no text for `{}`, so nobody knows what it tells", self.key))
    }

    /// Another name, where the hook has it.
    pub(super) fn name<'a>(&'a self, run: &Run<'a>) -> Result<Option<String>, Failure> {
        self.within(run, MOST)
    }

    fn within<'a>(&'a self, run: &Run<'a>, most: usize) -> Result<Option<String>, Failure> {
        let name = text(run, &self.template)?;
        if let Some(length) = name.as_ref().map(String::len).filter(|length| *length > most) {
            return Err(run.failure(self.place, format!("`{}` has {length} bytes and may have {most}", self.key)));
        }
        Ok(name)
    }
}
