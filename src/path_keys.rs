//! Keys in the paths of addresses: chat tools and bots are given theirs there. Nothing says which part of a path is one, so
//! whatever does not look like a name that somebody chose is taken for a key.

use std::borrow::Cow;

/// What stands in place of a key.
const MASK: &str = "hidden";
/// The longest word of letters alone that is a name.
const MOST_LETTERS: usize = 20;
/// The longest part that is a name.
const MOST_OF_A_PART: usize = 64;
/// How many characters of a part may stand in words that have digits among their letters, or digits beyond a short number.
const MOST_ODD: usize = 7;
/// The longest number that is a name: of a project, a year, a port.
const MOST_DIGITS: usize = 6;
/// From how many letters on mixed ones must look like `buildByToken`, in pieces of so many on average.
const MIXED_LETTERS: usize = 8;
const LEAST_PIECE: usize = 4;

/// A path, with a word in place of every part that may be a key.
pub(crate) fn masked(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(may_be_key) {
        return path.into();
    }
    path.split('/').map(|part| if may_be_key(part) { MASK } else { part }).collect::<Vec<_>>().join("/").into()
}

/// Whether a part of a path, or a word, may be a key.
pub(crate) fn may_be_key(part: &str) -> bool {
    let part = percent_encoding::percent_decode_str(part).decode_utf8_lossy();
    let words = || part.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let odd: usize = words().filter(|word| is_odd(word)).map(str::len).sum();
    // What stands behind these is a value: `;token=…`, `key:…`.
    part.chars().count() > MOST_OF_A_PART || part.contains(['=', ':', ',']) || odd > MOST_ODD || words().any(is_no_word)
}

/// Whether a word is neither letters alone nor a short number.
fn is_odd(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits > 0 && (digits < word.len() || digits > MOST_DIGITS)
}

/// Whether letters alone are nothing that somebody would say.
fn is_no_word(word: &str) -> bool {
    let (bytes, length) = (word.as_bytes(), word.chars().count());
    let is_hump = |pair: &&[u8]| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let humps = bytes.windows(2).filter(is_hump).count();
    let mixes = |three: &[u8]| matches!(three, [a, b, c] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_lowercase());
    let is_jumble = humps > 0 && (length < LEAST_PIECE * (humps + 1) || bytes.windows(3).any(mixes));
    length > MOST_LETTERS || length >= MIXED_LETTERS && is_jumble
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show() {
        for path in [
            "/",
            "",
            "/project/north-harbour/ledger-2",
            "/generic-webhook-trigger/invoke",
            "/job/Ledger/job/release%2F2.x/buildWithParameters",
            "/gitlab/build_now",
            "/api/v4/projects/4711/trigger/pipeline",
            "/change_hook/gitlab",
            "/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82",
            "//hooks//",
            "/api/webhook.php",
            "/GitLab/JavaScript/webhookTriggerInvoke",
        ] {
            assert_eq!(masked(path), path);
        }
    }

    #[test]
    fn keys_do_not() {
        for (path, shown) in [
            ("/hooks/xkq8wzr3yibtmfp9o1cdns5ueh", "/hooks/hidden"),
            ("/bot271828182:AAEhBOweik6ad9r_zK-8ZpMq3vTn/sendMessage", "/hidden/sendMessage"),
            ("/services/T04QZ7K2M/B05RR1W9X/hVbQsXtGwNyLpKdJmRcFzTaE", "/services/hidden/hidden/hidden"),
            ("/hook/eyJhbGciOiJub25lIn0.eyJpZCI6Mn0.c2ln", "/hook/hidden"),
            ("/in/7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5", "/in/hidden"),
            ("/in/a1b2-c3d4-e5f6", "/in/hidden"),
            ("/in/qwzrtpsdfghjklyxcvbnm", "/in/hidden"),
            ("/in/aBcDeFgHiJkL", "/in/hidden"),
            ("/in/229d7373", "/in/hidden"),
            ("/in/x;token=abc", "/in/hidden"),
            ("/in/key:abc", "/in/hidden"),
            ("/in/pryyHHyvAHsZPRhl", "/in/hidden"),
            ("/in/DIEujKYeoY", "/in/hidden"),
            ("/in/aQutYDtD", "/in/hidden"),
            ("/in/31415926535897", "/in/hidden"),
            ("/in/a%2Bq1w2e3r4t5", "/in/hidden"),
            ("/in/%71%31%77%32%65%33%72%34%74%35", "/in/hidden"),
        ] {
            assert_eq!(masked(path), shown);
        }
        assert_eq!(masked(&format!("/{}", "a.".repeat(40))), "/hidden");
    }
}
