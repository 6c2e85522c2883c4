//! Numbers of things in sentences: `1 hook is`, `2 hooks are`.

use std::fmt::Display;

/// So many of what one is called so.
pub(super) fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    match one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
        _ if number == N::from(1) => format!("1 {one}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {one}s"),
    }
}

/// What stands behind so many.
pub(super) fn are<N: Copy + PartialEq + From<u8>>(number: N) -> &'static str {
    if number == N::from(1) { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0_u64, 1, 2].map(|number| counted(number, "hook")), ["0 hooks", "1 hook", "2 hooks"]);
        assert_eq!(
            [0_u64, 1, 2].map(|number| counted(number, "delivery")),
            ["0 deliveries", "1 delivery", "2 deliveries"]
        );
        assert_eq!(counted(2_u64, "overlay"), "2 overlays");
        assert_eq!([0_u64, 1, 2].map(are), ["are", "is", "are"]);
    }
}
