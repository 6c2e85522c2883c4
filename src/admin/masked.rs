//! Hides what may be a secret in the headers of a hook: somebody may have set up custom ones with keys in them. What proved
//! the hook was never kept.

/// What a header's name has in it that says that its value is a secret.
const SECRET: [&str; 12] = [
    "token",
    "secret",
    "passw",
    "pwd",
    "cookie",
    "credential",
    "signature",
    "jwt",
    "session",
    "apikey",
    "authorization",
    "oauth",
];
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
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    // `X-Api-Key`, but not `Idempotency-Key`; `X-Auth`, but not `X-Author`.
    let has_key = words.windows(2).any(|pair| matches!(pair, [one, "key"] if *one != "idempotency"));
    has_key || words.contains(&"auth") || SECRET.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        for name in [
            "x-api-key",
            "authorization",
            "x-team-token",
            "cookie",
            "X-Vault_Secret",
            "x-accesstoken",
            "x-passwd",
            "x-jwt",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["idempotency-key", "content-type", "x-team", "user-agent", "x-author"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
