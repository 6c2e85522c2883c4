//! What is written so far, and what a repetition that comes next would repeat.

use super::beginning::Beginning;

/// How often RE2 repeats something, all repetitions around it counted.
const MOST_COPIES: u64 = 1000;

/// How often something is repeated.
pub(super) struct Times<'t> {
    /// The sign.
    pub(super) sign: &'t str,
    /// Whether it may be left out.
    pub(super) may_be_none: bool,
    /// How many copies RE2 makes of it.
    pub(super) copies: u64,
}

/// What a repetition can stand behind.
struct Item {
    start: usize,
    end: usize,
    /// Of that in it of which there are most.
    copies: u64,
    is_repeated: bool,
}

/// A group, or the whole.
#[derive(Default)]
struct Level {
    start: usize,
    last: Option<Item>,
    copies: u64,
}

#[derive(Default)]
pub(super) struct Outline {
    text: String,
    level: Level,
    around: Vec<Level>,
    beginning: Beginning,
}

impl Outline {
    /// Something that can be repeated.
    pub(super) fn piece(&mut self, text: &str) {
        self.beginning.passed();
        self.item(text);
    }

    /// A character that stands for itself.
    pub(super) fn literal(&mut self, character: char) {
        self.beginning.literal(character, self.text.len());
        self.item(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }

    /// The beginning of the text.
    pub(super) fn anchor(&mut self, text: &str) {
        self.beginning.anchored();
        self.item(text);
    }

    fn item(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.ended(Item { start, end: self.text.len(), copies: 1, is_repeated: false });
    }

    fn ended(&mut self, item: Item) {
        self.level.copies = self.level.copies.max(item.copies);
        self.level.last = Some(item);
    }

    /// Flags for what follows: a repetition behind them is of what stands before.
    pub(super) fn flags(&mut self, flags: &str) {
        self.text.push_str(flags);
    }

    pub(super) fn bar(&mut self) {
        self.beginning.bar();
        self.text.push('|');
        self.level.last = None;
    }

    /// A group: what it found is of no use to us, so that none has a number or a name.
    pub(super) fn open(&mut self, flags: &str) {
        self.beginning.open();
        let level = Level { start: self.text.len(), last: None, copies: 1 };
        self.around.push(std::mem::replace(&mut self.level, level));
        self.text.extend(["(?", flags, ":"]);
    }

    pub(super) fn close(&mut self) -> Result<(), String> {
        let Some(around) = self.around.pop() else {
            return Err(r"unopened group: there is no `(` for a `)`; write `\)` for the sign".to_owned());
        };
        self.beginning.close();
        self.text.push(')');
        let group = std::mem::replace(&mut self.level, around);
        self.ended(Item { start: group.start, end: self.text.len(), copies: group.copies, is_repeated: false });
        Ok(())
    }

    pub(super) fn repeat(&mut self, times: &Times<'_>) -> Result<(), String> {
        let sign = times.sign;
        let Some(item) = &mut self.level.last else {
            return Err(format!(r"there is nothing before `{sign}` to repeat; write `\{sign}` for the sign"));
        };
        item.copies = item.copies.saturating_mul(times.copies.max(1));
        if item.copies > MOST_COPIES {
            return Err(format!(
                "RE2 repeats nothing more than {MOST_COPIES} times, those around it counted: `{sign}`"
            ));
        }
        self.beginning.repeated(times.may_be_none.then_some(item.start));
        // Flags may stand between.
        let behind = self.text.split_off(item.end);
        if item.is_repeated {
            self.text.insert_str(item.start, "(?:");
            self.text.push(')');
        }
        self.text.push_str(sign);
        item.end = self.text.len();
        item.is_repeated = true;
        self.level.copies = self.level.copies.max(item.copies);
        self.text.push_str(&behind);
        Ok(())
    }

    pub(super) fn end(self) -> Result<(String, Option<&'static str>), String> {
        if !self.around.is_empty() {
            return Err(r"unclosed group: there is no `)` for a `(`; write `\(` for the sign".to_owned());
        }
        Ok((self.text, self.beginning.whole_ref()))
    }
}
