//! Which names a place in a file can see, and what is noted while compiling: loop variable > `let` > input.

use super::diagnostic::{Diagnostics, Position, did_you_mean};
use super::program::{Need, Path, Place, Program, Root, Segment};
use super::yaml::Yaml;
use std::collections::HashMap;
use std::sync::Arc;

/// A block as it stands in a file; it is compiled at each place that uses it, and sees that place's loop variables.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Index into [`Program::files`].
    pub(crate) file: usize,
    pub(crate) body: Yaml,
}

/// Names and notes of one file that is being compiled.
pub(crate) struct Scope<'d> {
    pub(crate) program: Program,
    pub(crate) faults: &'d mut Diagnostics,
    pub(crate) blocks: HashMap<String, Block>,
    /// The file that the node being compiled stands in; an index into [`Program::files`].
    pub(crate) file: usize,
    /// The blocks that are being expanded, to find one that uses itself.
    pub(crate) expanding: Vec<String>,
    /// Whether this file may look at request headers: forge files may, mappings may not.
    pub(crate) headers_allowed: bool,
    loops: Vec<String>,
}

/// The names that stand beside the input.
const SURROUNDINGS: [(&str, Root); 4] =
    [("hook", Root::Hook), ("settings", Root::Settings), ("seen", Root::Seen), ("delivery", Root::Delivery)];

impl<'d> Scope<'d> {
    pub(crate) fn new(file: &str, headers_allowed: bool, faults: &'d mut Diagnostics) -> Self {
        let program = Program { files: vec![Arc::from(file)], ..Program::default() };
        Self {
            program,
            faults,
            blocks: HashMap::new(),
            file: 0,
            expanding: Vec::new(),
            headers_allowed,
            loops: Vec::new(),
        }
    }

    pub(crate) fn place(&self, position: Position) -> Place {
        Place { file: self.file, position }
    }

    pub(crate) fn error(&mut self, position: Position, message: impl Into<String>) {
        let file = self.program.files.get(self.file).cloned().unwrap_or_default();
        self.faults.error(&file, position, message);
    }

    pub(crate) fn warning(&mut self, position: Position, message: impl Into<String>) {
        let file = self.program.files.get(self.file).cloned().unwrap_or_default();
        self.faults.warning(&file, position, message);
    }

    /// Adds a loop variable; gives its slot.
    pub(crate) fn enter_loop(&mut self, name: &str) -> usize {
        self.loops.push(name.to_owned());
        self.program.loops = self.program.loops.max(self.loops.len());
        self.loops.len() - 1
    }

    pub(crate) fn leave_loop(&mut self) {
        self.loops.pop();
    }

    /// Resolves the first name of a path and gives the whole path.
    pub(crate) fn path(&mut self, mut segments: Vec<Segment>, need: Need, text: String, position: Position) -> Path {
        let root = self.root(&mut segments);
        let found = self.program.shapes.spot(root, &segments);
        let (spot, walked) = found.map_or((None, 0), |(spot, walked)| (Some(spot), walked));
        let segments = segments.into_iter().skip(walked).collect();
        Path { root, spot, segments, need, text, missing: None, place: self.place(position) }
    }

    fn root(&self, segments: &mut Vec<Segment>) -> Root {
        let Some(Segment::Key(name)) = segments.first() else { return Root::Input };
        let root = if let Some(slot) = self.loops.iter().rposition(|own| own == name) {
            Root::Loop(slot)
        } else if let Some(index) = self.program.lets.iter().rposition(|own| own.name == *name) {
            Root::Let(index)
        } else if let Some((_, root)) = SURROUNDINGS.iter().find(|(own, _)| own == name) {
            *root
        } else {
            return Root::Input;
        };
        segments.remove(0);
        root
    }

    /// The number of a table, or what to say of an unknown one.
    pub(crate) fn table(&self, name: &str) -> Result<usize, String> {
        self.program.tables.iter().position(|table| table.name == name).ok_or_else(|| {
            format!(
                "unknown table `{name}`{}",
                did_you_mean(name, self.program.tables.iter().map(|table| table.name.as_str()))
            )
        })
    }

    /// The number under which the absence of a path is counted.
    pub(crate) fn counted(&mut self, text: &str) -> usize {
        let counted = &mut self.program.counted;
        counted.iter().position(|own| own == text).unwrap_or_else(|| {
            counted.push(text.to_owned());
            counted.len() - 1
        })
    }
}
