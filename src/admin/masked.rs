//! Hides what may be a secret in the headers of a hook: somebody may have set up custom ones with keys in them. What proved
//! the hook was never kept.

/// Words of a header's name that say that its value is a secret.
const SECRET: [&str; 9] =
    ["authorization", "auth", "token", "secret", "password", "cookie", "credential", "credentials", "apikey"];
const HIDDEN: &str = "[hidden]";

/// The headers, with a word in place of every value that may be a secret.
pub(super) fn headers(headers: &[(String, String)]) -> Vec<(String, String)> {
    let shown = |(name, value): &(String, String)| {
        let value = if is_secret(name) { HIDDEN.to_owned() } else { value.clone() };
        (name.clone(), value)
    };
    headers.iter().map(shown).collect()
}

fn is_secret(name: &str) -> bool {
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    words.iter().any(|word| SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(word)))
        // `X-Api-Key`, but not `Idempotency-Key`.
        || words.windows(2).any(|pair| matches!(pair, [one, key] if key.eq_ignore_ascii_case("key") && !one.eq_ignore_ascii_case("idempotency")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in ["x-api-key", "authorization", "x-team-token", "cookie", "X-Vault_Secret"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["idempotency-key", "content-type", "x-team", "user-agent", "x-author"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
