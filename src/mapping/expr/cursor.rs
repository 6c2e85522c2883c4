//! Steps through the text of an expression, token by token.

/// What is wrong, and at which byte of the expression.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

/// A place in a text. Methods ending in `_close` look at the very next character, the others skip white space first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Where the next token begins.
    pub(super) fn next_at(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// The text from a byte up to here.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn next_is_close(&self, symbol: &str) -> bool {
        self.rest().starts_with(symbol)
    }

    pub(super) fn take_close(&mut self, symbol: &str) -> bool {
        let found = self.next_is_close(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        self.skip_space();
        self.take_close(symbol)
    }

    /// Takes a word of the grammar, if it stands here as a whole word.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let found = ahead.name() == Some(word);
        if found {
            *self = ahead;
        }
        found
    }

    pub(super) fn name(&mut self) -> Option<&'t str> {
        self.skip_space();
        self.name_close()
    }

    pub(super) fn name_close(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let is_name = |character: char| character == '_' || character.is_ascii_alphanumeric();
        let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
        let name = rest.get(..end)?;
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        self.at += end;
        Some(name)
    }

    /// A text in single quotes, a quote inside it doubled.
    pub(super) fn string(&mut self) -> Result<Option<String>, Fault> {
        let start = self.next_at();
        if !self.take_close("'") {
            return Ok(None);
        }
        let mut text = String::new();
        loop {
            let Some(end) = self.rest().find('\'') else {
                return Err(Fault { at: start, message: "a text without its closing quote".to_owned() });
            };
            text.push_str(self.rest().get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.take_close("'") {
                return Ok(Some(text));
            }
            text.push('\'');
        }
    }

    pub(super) fn integer(&mut self) -> Result<Option<i64>, Fault> {
        let start = self.next_at();
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return Ok(None);
        }
        self.at += rest.len() - digits.len() + length;
        match self.since(start).parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Fault { at: start, message: "an integer of more than 64 bits".to_owned() }),
        }
    }

    pub(super) fn fault(&self, message: String) -> Fault {
        Fault { at: self.at, message }
    }

    /// `expected …, found …`
    pub(super) fn unexpected(&mut self, expected: &str) -> Fault {
        let at = self.next_at();
        let found = match self.rest().chars().next() {
            Some(character) => format!("'{character}'"),
            None => "the end".to_owned(),
        };
        Fault { at, message: format!("expected {expected}, found {found}") }
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected(&format!("'{symbol}'"))) }
    }

    pub(super) fn expect_end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected("the end of the expression")) }
    }
}
