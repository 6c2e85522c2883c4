//! Looks for what a name would have to begin with, as far as signs say it plainly: a whole ref is the beginning of no name.

/// What a forge's own words for a branch and a tag begin with.
pub(in crate::config) const WHOLE_REFS: [&str; 2] = ["refs/heads/", "refs/tags/"];

#[derive(Default)]
pub(super) struct Beginning {
    /// What stands between the beginning of a name and here, where nothing else can.
    text: Option<String>,
    /// The same where each group around was opened.
    opened: Vec<Option<String>>,
    /// The whole refs, and where the last character of each is written.
    found: Vec<(usize, &'static str)>,
}

impl Beginning {
    pub(super) fn anchored(&mut self) {
        self.text = Some(String::new());
    }

    pub(super) fn literal(&mut self, character: char, at: usize) {
        let Some(text) = &mut self.text else { return };
        text.push(character);
        self.found.extend(WHOLE_REFS.iter().filter(|whole| *whole == text).map(|whole| (at, *whole)));
        if !WHOLE_REFS.iter().any(|whole| whole.len() > text.len() && whole.starts_with(&**text)) {
            self.text = None;
        }
    }

    /// Something else.
    pub(super) fn passed(&mut self) {
        self.text = None;
    }

    pub(super) fn open(&mut self) {
        self.opened.push(self.text.clone());
    }

    pub(super) fn bar(&mut self) {
        self.text = self.opened.last().cloned().flatten();
    }

    pub(super) fn close(&mut self) {
        self.text = None;
        self.opened.pop();
    }

    /// What is repeated is not said plainly, and what may be left out, from some place on, is not needed.
    pub(super) fn repeated(&mut self, left_out_from: Option<usize>) {
        self.text = None;
        self.found.retain(|(at, _)| left_out_from.is_none_or(|from| *at < from));
    }

    pub(super) fn whole_ref(&self) -> Option<&'static str> {
        self.found.first().map(|(_, whole)| *whole)
    }
}
