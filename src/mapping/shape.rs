//! What a program reads of its input: the objects on its paths, each with the keys that some expression wants.
//!
//! An object is walked once, when the first of its keys is wanted, and all of them are found on that walk. Looking each
//! path up by itself would walk the same objects over and over: that was two fifths of the time of a translation.

use super::json::Node;
use super::program::{Root, Segment};
use super::value::Value;
use bumpalo::Bump;
use std::cell::Cell;

/// Every object that a program reads.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    slots: usize,
    /// The shapes below each loop variable, which change with every element.
    below_loops: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct Shape {
    whole: Whole,
    wanted: Vec<Wanted>,
}

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Input,
    Loop(usize),
    /// A key of another shape.
    Key(Spot),
}

#[derive(Debug)]
struct Wanted {
    key: String,
    slot: usize,
}

/// A key of a shape, and the slot that its value is found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    shape: usize,
    slot: usize,
}

impl Shapes {
    /// The spot of the longest beginning of a path that is made of keys, and how many segments that is.
    pub(crate) fn spot(&mut self, root: Root, segments: &[Segment]) -> Option<(Spot, usize)> {
        let mut whole = match root {
            Root::Input => Whole::Input,
            Root::Loop(slot) => Whole::Loop(slot),
            _ => return None,
        };
        let mut found = None;
        for (position, segment) in segments.iter().enumerate() {
            let Segment::Key(key) = segment else { break };
            let shape = self.shape(whole, root);
            let spot = Spot { shape, slot: self.slot(shape, key) };
            found = Some((spot, position + 1));
            whole = Whole::Key(spot);
        }
        found
    }

    fn shape(&mut self, whole: Whole, root: Root) -> usize {
        if let Some(known) = self.all.iter().position(|shape| shape.whole == whole) {
            return known;
        }
        self.all.push(Shape { whole, wanted: Vec::new() });
        let new = self.all.len() - 1;
        if let Root::Loop(slot) = root {
            if self.below_loops.len() <= slot {
                self.below_loops.resize_with(slot + 1, Vec::new);
            }
            self.below_loops.get_mut(slot).into_iter().for_each(|below| below.push(new));
        }
        new
    }

    fn slot(&mut self, shape: usize, key: &str) -> usize {
        let slots = &mut self.slots;
        let Some(shape) = self.all.get_mut(shape) else { return 0 };
        if let Some(known) = shape.wanted.iter().find(|wanted| wanted.key == key) {
            return known.slot;
        }
        let slot = *slots;
        *slots += 1;
        shape.wanted.push(Wanted { key: key.to_owned(), slot });
        slot
    }
}

/// What was found so far in one input.
pub(crate) struct Found<'a> {
    shapes: &'a Shapes,
    /// A bit for each shape; those beyond the bits are walked whenever they are asked.
    walked: Cell<u64>,
    slots: &'a [Cell<Option<Node<'a>>>],
}

impl<'a> Found<'a> {
    pub(crate) fn new(shapes: &'a Shapes, arena: &'a Bump) -> Self {
        let slots = arena.alloc_slice_fill_with(shapes.slots, |_| Cell::new(None));
        Self { shapes, walked: Cell::new(0), slots }
    }

    /// The value at a spot.
    #[inline]
    pub(crate) fn at(&self, spot: Spot, input: Node<'a>, loops: &[Cell<Value<'a>>]) -> Option<Node<'a>> {
        if self.walked.get() & bit(spot.shape) == 0 {
            self.walk(spot.shape, input, loops);
        }
        self.slots.get(spot.slot).and_then(Cell::get)
    }

    /// Forgets what was found below a loop variable: it has another value now.
    pub(crate) fn forget_loop(&self, slot: usize) {
        for shape in self.shapes.below_loops.get(slot).into_iter().flatten() {
            self.walked.set(self.walked.get() & !bit(*shape));
        }
    }

    #[inline(never)]
    fn walk(&self, index: usize, input: Node<'a>, loops: &[Cell<Value<'a>>]) {
        let Some(shape) = self.shapes.all.get(index) else { return };
        let object = match shape.whole {
            Whole::Input => Some(input),
            Whole::Loop(slot) => match loops.get(slot).map(Cell::get) {
                Some(Value::Container(node)) => Some(node),
                _ => None,
            },
            // Paths are short, so this goes only a few levels up.
            Whole::Key(spot) => self.at(spot, input, loops),
        };
        for wanted in &shape.wanted {
            self.set(wanted.slot, None);
        }
        for (key, value) in object.into_iter().flat_map(Node::members) {
            let wanted = match key.plain() {
                Some(key) => shape.wanted.iter().find(|wanted| wanted.key.as_bytes() == key),
                // What it says is written out once, and not for each key that is wanted: a hook may have a million such.
                None => {
                    let said = key.text();
                    shape.wanted.iter().find(|wanted| said.as_deref() == Some(&wanted.key))
                }
            };
            if let Some(wanted) = wanted {
                self.set(wanted.slot, Some(value));
            }
        }
        self.walked.set(self.walked.get() | bit(index));
    }

    fn set(&self, slot: usize, node: Option<Node<'a>>) {
        self.slots.get(slot).into_iter().for_each(|own| own.set(node));
    }
}

/// The bit of a shape; none for those beyond the bits.
fn bit(shape: usize) -> u64 {
    u32::try_from(shape).ok().and_then(|shape| 1_u64.checked_shl(shape)).unwrap_or(0)
}
