//! Which names a place in a file can see, and what is noted while compiling: loop variable > `let` > input.

use super::diagnostic::{Diagnostics, Position, did_you_mean};
use super::eval::HookFacts;
use super::program::{Need, Path, Place, Program, Root, Segment};
use super::usage::{self, Named, NamedKind, Origin, Read};
use super::yaml::Yaml;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A block as it stands in a file; it is compiled at each place that uses it, and sees that place's loop variables.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Where its name stands.
    pub(crate) place: Place,
    pub(crate) body: Yaml,
}

/// Names and notes of one file that is being compiled.
pub(crate) struct Scope<'d> {
    pub(crate) program: Program,
    pub(crate) faults: &'d mut Diagnostics,
    pub(crate) blocks: HashMap<String, Block>,
    /// The file that the node being compiled stands in; an index into [`Program::files`].
    pub(crate) file: usize,
    /// How many errors were said, those that were said before among them.
    pub(crate) said: usize,
    /// How often each block was expanded and had errors in it.
    pub(crate) faulty: HashMap<String, usize>,
    /// The blocks that are being expanded, to find one that uses itself.
    pub(crate) expanding: Vec<String>,
    /// Whether this is a forge file, which may look at request headers and at the delivery; mappings may not.
    pub(crate) is_forge: bool,
    /// Whether what is read now decides between mappings.
    pub(crate) selects: bool,
    /// How many values were compiled.
    pub(crate) compiled: usize,
    /// Whether the file that this one uses could not be read, so that nobody knows which names it has.
    pub(crate) lacks_names: bool,
    /// The names of `let`s that stand below the place being compiled.
    pub(crate) later: Vec<String>,
    /// The `let`s to compile, when not all of them.
    pub(crate) needed: Option<HashSet<Place>>,
    /// The `let` that is being compiled.
    pub(crate) compiling: Option<Place>,
    /// Each use of a `let`, and the `let` in which it stands, if it stands in one.
    let_uses: Vec<(Option<Place>, Place)>,
    loops: Vec<Loop>,
}

/// A loop variable and where its values may come from.
struct Loop {
    name: String,
    origins: Option<Vec<Origin>>,
}

/// What stands beside the input: its name, whether only forge files see it, and its fields where they are fixed.
struct Beside {
    name: &'static str,
    root: Root,
    for_forges: bool,
    fields: &'static [&'static str],
}

const BESIDE: [Beside; 4] = [
    Beside { name: "hook", root: Root::Hook, for_forges: false, fields: &HookFacts::NAMES },
    Beside { name: "settings", root: Root::Settings, for_forges: false, fields: &[] },
    Beside { name: "seen", root: Root::Seen, for_forges: false, fields: &[] },
    Beside { name: "delivery", root: Root::Delivery, for_forges: true, fields: &["key", "attempt", "attempted_at"] },
];

impl<'d> Scope<'d> {
    pub(crate) fn new(file: &str, is_forge: bool, faults: &'d mut Diagnostics) -> Self {
        let program = Program { files: vec![Arc::from(file)], ..Program::default() };
        Self {
            program,
            faults,
            blocks: HashMap::new(),
            file: 0,
            said: 0,
            faulty: HashMap::new(),
            expanding: Vec::new(),
            is_forge,
            selects: false,
            compiled: 0,
            lacks_names: false,
            later: Vec::new(),
            needed: None,
            compiling: None,
            let_uses: Vec::new(),
            loops: Vec::new(),
        }
    }

    /// The `let`s that something outside of them uses, or one of these does.
    pub(crate) fn needed_lets(&self) -> HashSet<Place> {
        let mut needed: HashSet<Place> = HashSet::new();
        // One uses only those before it, which were noted before: from the last to the first each is met once.
        for (user, used) in self.let_uses.iter().filter(|(user, _)| user.is_none()).chain(self.let_uses.iter().rev()) {
            if user.is_none_or(|user| needed.contains(&user)) {
                needed.insert(*used);
            }
        }
        needed
    }

    pub(crate) fn place(&self, position: Position) -> Place {
        Place { file: self.file, position }
    }

    pub(crate) fn error(&mut self, position: Position, message: impl Into<String>) {
        self.said += 1;
        let file = self.program.files.get(self.file).cloned().unwrap_or_default();
        self.faults.error(&file, position, message);
    }

    pub(crate) fn warning(&mut self, position: Position, message: impl Into<String>) {
        let file = self.program.files.get(self.file).cloned().unwrap_or_default();
        self.faults.warning(&file, position, message);
    }

    /// Notes a name that the file gives.
    pub(crate) fn name(&mut self, kind: NamedKind, name: &str, place: Place) {
        self.program.usage.named.push(Named { kind, name: name.to_owned(), place });
    }

    /// Adds a loop variable with the origins of its values; gives its slot.
    pub(crate) fn enter_loop(&mut self, name: &str, origins: Option<Vec<Origin>>, position: Position) -> usize {
        let place = self.place(position);
        self.name(NamedKind::Loop, name, place);
        self.loops.push(Loop { name: name.to_owned(), origins });
        self.program.loops = self.program.loops.max(self.loops.len());
        self.loops.len() - 1
    }

    pub(crate) fn leave_loop(&mut self) {
        self.loops.pop();
    }

    /// Resolves the first name of a path and gives the whole path.
    pub(crate) fn path(&mut self, mut segments: Vec<Segment>, need: Need, text: String, position: Position) -> Path {
        self.check_order(&segments, position);
        let root = self.root(&mut segments);
        let read = self.note_read(root, &segments, &text, position);
        let found = self.program.shapes.spot(root, &segments);
        let (spot, walked) = found.map_or((None, 0), |(spot, walked)| (Some(spot), walked));
        let segments = segments.into_iter().skip(walked).collect();
        Path { root, spot, segments, need, text, missing: None, place: self.place(position), read }
    }

    /// A `let` uses those before it: one of its own name, or of one below, is not there yet.
    fn check_order(&mut self, segments: &[Segment], position: Position) {
        let Some(Segment::Key(name)) = segments.first() else { return };
        if self.later.contains(name) && !self.loops.iter().any(|own| own.name == *name) {
            let name = name.clone();
            self.error(
                position,
                format!("the let `{name}` is not there yet: a let can use those that stand before it"),
            );
        }
    }

    fn root(&mut self, segments: &mut Vec<Segment>) -> Root {
        let Some(Segment::Key(name)) = segments.first() else { return Root::Input };
        let root = if let Some(slot) = self.loops.iter().rposition(|own| own.name == *name) {
            Root::Loop(slot)
        } else if let Some(index) = self.program.lets.iter().rposition(|own| own.name == *name) {
            if let Some(place) = self.program.lets.get(index).map(|own| own.place) {
                self.program.usage.used.insert(place);
                self.let_uses.push((self.compiling, place));
            }
            Root::Let(index)
        } else if let Some(beside) = BESIDE.iter().find(|own| own.name == name && (self.is_forge || !own.for_forges)) {
            beside.root
        } else {
            return Root::Input;
        };
        segments.remove(0);
        root
    }

    /// Notes what is read; gives the index of the note.
    fn note_read(&mut self, root: Root, segments: &[Segment], text: &str, position: Position) -> usize {
        let top = |root| Some(vec![Origin { root, parts: Vec::new() }]);
        let base = match root {
            Root::Let(index) => self.program.lets.get(index).and_then(|own| own.origins.clone()),
            Root::Loop(slot) => self.loops.get(slot).and_then(|own| own.origins.clone()),
            _ => top(root),
        };
        self.check_beside(root, segments, text, position);
        let named = matches!(root, Root::Let(_) | Root::Loop(_));
        self.program.usage.reads.push(Read {
            text: text.to_owned(),
            place: self.place(position),
            origins: usage::below(base.as_ref(), segments),
            checked: !(named && segments.is_empty()),
            whole: true,
            selects: self.selects,
        });
        self.program.usage.reads.len() - 1
    }

    /// Some of what stands beside the input has fixed fields.
    fn check_beside(&mut self, root: Root, segments: &[Segment], text: &str, position: Position) {
        let Some(beside) = BESIDE.iter().find(|beside| beside.root == root && !beside.fields.is_empty()) else {
            return;
        };
        if let Some(Segment::Key(field)) = segments.first()
            && !beside.fields.contains(&field.as_str())
        {
            let suggestion = did_you_mean(field, beside.fields.iter().copied());
            let fields = beside.fields.join(", ");
            self.error(position, format!("unknown field `{text}`: `{}` has {fields}{suggestion}", beside.name));
        }
    }

    /// The number of a table, or what to say of an unknown one; nothing where nobody knows which tables there are.
    pub(crate) fn table(&mut self, name: &str) -> Result<usize, Option<String>> {
        let found = self.program.tables.iter().position(|table| table.name == name);
        self.program.usage.used.extend(found.and_then(|index| self.program.tables.get(index)).map(|table| table.place));
        found.ok_or_else(|| {
            let suggestion = did_you_mean(name, self.program.tables.iter().map(|table| table.name.as_str()));
            (!self.lacks_names).then(|| format!("unknown table `{name}`{suggestion}"))
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
