//! `*`, `+`, `?` and numbers of times in braces.

use super::Reader;
use super::outline::Times;

/// More digits than these are no number to RE2.
const MOST_DIGITS: usize = 9;

impl Reader {
    /// A sign at which something is repeated, if it is one: other braces stand for themselves. Gives it back.
    pub(super) fn repetition(&mut self, before: Option<&str>) -> Result<Option<String>, String> {
        let (mut sign, least, most) = match self.peek(0) {
            Some('{') => match self.numbers() {
                Some(numbers) => numbers,
                None => return Ok(None),
            },
            Some(sign) => (sign.to_string(), u64::from(sign == '+'), None),
            None => return Ok(None),
        };
        self.at += sign.chars().count();
        // As few as will do, which changes nothing where the question is whether something is found.
        if self.peek(0) == Some('?') {
            self.at += 1;
            sign.push('?');
        }
        if let Some(before) = before {
            let message = "RE2 repeats nothing twice: write one sign, or put the first into `(?:…)`";
            return Err(format!("{message}: `{before}{sign}`"));
        }
        if let Some(most) = most.filter(|most| *most < least) {
            return Err(format!("at least {least} times and at most {most} is never: `{sign}`"));
        }
        let times = Times { sign: &sign, may_be_none: least == 0, copies: most.unwrap_or(least) };
        self.out.repeat(&times)?;
        Ok(Some(sign))
    }

    /// `{2}`, `{2,}` or `{2,4}`: the text, the least and the most.
    fn numbers(&self) -> Option<(String, u64, Option<u64>)> {
        let (least, mut at) = self.number(1)?;
        let mut most = Some(least);
        if self.peek(at) == Some(',') {
            at += 1;
            most = None;
            if self.peek(at) != Some('}') {
                let (number, behind) = self.number(at)?;
                (most, at) = (Some(number), behind);
            }
        }
        let text = (0..=at).filter_map(|ahead| self.peek(ahead)).collect();
        (self.peek(at) == Some('}')).then_some((text, least, most))
    }

    /// A number, and where it ends. One that begins with a needless 0 is none.
    fn number(&self, at: usize) -> Option<(u64, usize)> {
        let digits: String =
            (at..).map_while(|ahead| self.peek(ahead)).take_while(char::is_ascii_digit).take(MOST_DIGITS + 1).collect();
        let is_one = digits.len() <= MOST_DIGITS && (digits.len() == 1 || !digits.starts_with('0'));
        Some((digits.parse().ok().filter(|_| is_one)?, at + digits.len()))
    }
}
