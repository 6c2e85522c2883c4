//! What begins with `(`.

use super::Reader;
use regex::Regex;

/// What can stand in `(?…)`, beside `-`.
const FLAGS: [char; 4] = ['i', 'm', 's', 'U'];
/// What a name of a group is made of.
const NAME: &str = r"\A[\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Nl}\p{Pc}]+\z";

impl Reader {
    pub(super) fn group(&mut self) -> Result<(), String> {
        let signs: String = (1..4).map_while(|ahead| self.peek(ahead)).collect();
        let look_around = ["?=", "?!", "?<=", "?<!"].into_iter().find(|sign| signs.starts_with(sign));
        if let Some(sign) = look_around {
            return Err(format!("RE2 has no look-around: `({sign}`; say what a name is, not what it is not"));
        }
        if signs.starts_with("?P<") || signs.starts_with("?<") {
            return self.with_a_name();
        }
        if signs.starts_with('?') {
            return self.with_flags();
        }
        self.at += 1;
        self.out.open("");
        Ok(())
    }

    /// `(?P<name>` or `(?<name>`. Two may have the same.
    fn with_a_name(&mut self) -> Result<(), String> {
        let start = self.at;
        let length = self.characters.iter().skip(start).position(|character| *character == '>');
        self.at = length.map_or(self.characters.len(), |length| start + length + 1);
        let shown = self.since(start);
        let name = shown.split_once('<').and_then(|(_, name)| name.strip_suffix('>')).unwrap_or_default();
        if !Regex::new(NAME).is_ok_and(|fits| fits.is_match(name)) {
            return Err(format!("RE2 takes letters, digits and `_` for the name of a group: `{shown}`"));
        }
        self.out.open("");
        Ok(())
    }

    /// `(?i)` or `(?i:`: the library knows more of them, and takes none twice.
    fn with_flags(&mut self) -> Result<(), String> {
        let start = self.at;
        self.at += 2;
        let (mut flags, mut is_off, mut is_at_work) = (FLAGS.map(|flag| (flag, None)), false, true);
        loop {
            let character = self.peek(0);
            self.at += 1;
            match character {
                None => return Err(format!("unclosed group: there is no `)` for `{}`", self.since(start))),
                Some(')' | ':') if !is_at_work => {
                    return Err(format!("`-` stands before no flag: `{}`", self.since(start)));
                }
                Some('-') if !is_off => (is_off, is_at_work) = (true, false),
                Some(')') => {
                    let flags = written(&flags);
                    if !flags.is_empty() {
                        self.out.flags(&format!("(?{flags})"));
                    }
                    return Ok(());
                }
                Some(':') => {
                    self.out.open(&written(&flags));
                    return Ok(());
                }
                Some(other) => match flags.iter_mut().find(|(flag, _)| *flag == other) {
                    Some((_, state)) => (*state, is_at_work) = (Some(!is_off), true),
                    None => {
                        let shown = self.since(start);
                        return Err(format!("RE2 does not know the flag `{other}` of `{shown}`; it has i, m, s and U"));
                    }
                },
            }
        }
    }
}

fn written(flags: &[(char, Option<bool>)]) -> String {
    let of = |wanted| flags.iter().filter(move |(_, state)| *state == Some(wanted)).map(|(flag, _)| *flag);
    let (on, off): (String, String) = (of(true).collect(), of(false).collect());
    if off.is_empty() { on } else { format!("{on}-{off}") }
}
