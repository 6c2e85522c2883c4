//! The numbers that stand for texts: each text of a kind has one, the same for everybody, and keeps it for ever.
//!
//! Invariant: a number of a kind stands for one text. What was given once is given to nobody else, also when the text has
//! another number by now.

use super::{Answer, Look, Page};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// A text of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// The kind.
    pub kind: String,
    /// The text.
    pub text: String,
}

/// A text for which a number is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub named: Named,
    /// The number that it gets when that is free; else the next one that is.
    pub first: u32,
    /// The installation whose hook asks: its hooks are told the text again.
    pub instance: Option<String>,
}

/// Which numbers there are: from 1 to the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    last: u32,
}

impl Numbering {
    /// All that a signed integer of 32 bits holds: Jenkins' plugin keeps them in one.
    pub const ALL: Self = Self { last: i32::MAX as u32 };

    /// The numbers from 1 to another one: tests make collisions in few.
    #[must_use]
    pub const fn up_to(last: u32) -> Self {
        // There is at least one.
        Self { last: if last == 0 { 1 } else { last } }
    }

    /// The last number.
    #[must_use]
    pub const fn last(self) -> u32 {
        self.last
    }

    /// Whether there is such a number.
    #[must_use]
    pub const fn has(self, number: u32) -> bool {
        number > 0 && number <= self.last
    }

    /// Where it is begun to look for a free number.
    #[must_use]
    pub const fn begin(self, first: u32) -> u32 {
        if self.has(first) { first } else { first % self.last + 1 }
    }
}

/// A number that the configuration gives to a text: it wins over one that the text had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// The kind.
    pub kind: String,
    /// The text.
    pub text: String,
    /// Its number.
    pub number: u32,
    /// The installation that knows the text by this number.
    pub instance: Option<String>,
}

/// A text with its number, as it is exported and imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The text.
    pub named: Named,
    /// Its number.
    pub number: u32,
    /// The installation whose hooks are told the text again.
    pub instance: Option<String>,
    /// Whether the text has another number by now.
    pub is_former: bool,
}

/// A number in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRow {
    /// The number, and the text for which it stands.
    pub pair: Pair,
    /// When it was given, by the system's clock.
    pub made_at: Timestamp,
}

/// Which numbers are meant: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberFilter {
    /// The kind.
    pub kind: Option<String>,
    /// The text, whole.
    pub text: Option<String>,
    /// The number.
    pub number: Option<u32>,
}

/// A text and a number that cannot belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The text.
    pub named: Named,
    /// The number that it was to have.
    pub number: u32,
    /// Why it does not have it.
    pub why: Why,
}

/// Why a text does not have a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The number stands for another text.
    StandsFor(String),
    /// The text has another number.
    Has(u32),
    /// There is no such number.
    NoNumber(Numbering),
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { named: Named { kind, text }, number, why } = self;
        write!(formatter, "the {kind} `{text}` cannot have the number {number}: ")?;
        match why {
            Why::StandsFor(other) => write!(formatter, "that stands for `{other}`"),
            Why::Has(own) => write!(formatter, "it has the number {own}"),
            Why::NoNumber(all) => write!(formatter, "numbers go from 1 to {}", all.last()),
        }
    }
}

/// What is asked of a store that numbers texts.
pub trait Numbers {
    /// The numbers of texts, in their order. What has none is given one, on the disk before it is told; whoever asks at the
    /// same time is told the same.
    ///
    /// # Errors
    /// [`super::StoreError::Full`] when all numbers of a kind are given, or there is no room. Some of the texts may have
    /// their number all the same.
    fn number(&self, wanted: Vec<Wanted>, at: Timestamp) -> Answer<'_, Vec<u32>>;

    /// The numbers of texts, in their order, as far as they have any.
    fn numbers(&self, named: Vec<Named>) -> Answer<'_, Vec<Option<u32>>>;

    /// The texts for which numbers of kinds stand, in their order: only those that were numbered for hooks of an instance.
    fn texts(&self, instance: &str, numbers: Vec<(String, u32)>) -> Answer<'_, Vec<Option<String>>>;

    /// The instances for whose hooks numbers were given.
    fn numbered_instances(&self) -> Answer<'_, BTreeSet<String>>;

    /// Gives texts the numbers of the configuration: all of them, or none where one stands for another text, which is told. What
    /// was reserved before, is not in the list and was never given ([`Numbers::number`]) is let go.
    fn reserve(&self, reserved: Vec<Reserved>, at: Timestamp) -> Answer<'_, Vec<Conflict>>;

    /// The numbers that fit a filter, those that were given last first.
    fn all_numbers(&self, filter: NumberFilter, look: Look) -> Answer<'_, Page<NumberRow>>;

    /// Takes pairs in; gives those that cannot be taken. What is there already is taken.
    fn import(&self, pairs: Vec<Pair>, at: Timestamp) -> Answer<'_, Vec<Conflict>>;
}
