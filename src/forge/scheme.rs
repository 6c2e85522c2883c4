//! The named ways in which a request proves by a secret who sent it.

use crate::secret::Secrets;

/// One way to prove by a secret who is calling: a scheme and the header that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    scheme: Scheme,
    /// In small letters.
    header: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// The header is the secret.
    SharedToken,
    /// The header is the secret, bare or behind `token ` or `Bearer `.
    Authorization,
}

impl Proof {
    /// The names of the schemes, as forge files write them.
    pub const SCHEMES: [&'static str; 2] = ["shared_token", "authorization"];

    /// A proof by the name of its scheme.
    #[must_use]
    pub fn new(scheme: &str, header: &str) -> Option<Self> {
        let scheme = match scheme {
            "shared_token" => Scheme::SharedToken,
            "authorization" => Scheme::Authorization,
            _ => return None,
        };
        (!header.is_empty()).then(|| Self { scheme, header: header.to_ascii_lowercase() })
    }

    /// The header that carries the proof, in small letters; it is never stored, logged or passed on.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Whether the value of the header opens a route with these secrets.
    #[must_use]
    pub fn accepts(&self, value: &[u8], secrets: &Secrets) -> bool {
        let bare = secrets.contain(value);
        match self.scheme {
            Scheme::SharedToken => bare,
            Scheme::Authorization => bare | without_scheme(value).is_some_and(|rest| secrets.contain(rest)),
        }
    }
}

/// What stands behind `token ` or `Bearer `, in any case of letters.
fn without_scheme(value: &[u8]) -> Option<&[u8]> {
    ["token ", "bearer "].iter().find_map(|scheme| {
        let (head, rest) = value.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn authorization_is_taken_bare_or_with_a_scheme() {
        let secrets = Secrets::new([&Secret::new("s3cret").expect("some")]);
        let proof = Proof::new("authorization", "Authorization").expect("known");
        for good in ["s3cret", "token s3cret", "Bearer s3cret", "bearer s3cret"] {
            assert!(proof.accepts(good.as_bytes(), &secrets), "{good}");
        }
        for bad in ["", "token ", "Basic s3cret", "tokens3cret", "token  s3cret", "s3cret "] {
            assert!(!proof.accepts(bad.as_bytes(), &secrets), "{bad}");
        }
    }

    #[test]
    fn a_shared_token_is_the_whole_header() {
        let secrets = Secrets::new([&Secret::new("s3cret").expect("some")]);
        let proof = Proof::new("shared_token", "X-Some-Token").expect("known");
        assert!(proof.accepts(b"s3cret", &secrets));
        assert!(!proof.accepts(b"token s3cret", &secrets));
        assert_eq!(proof.header(), "x-some-token");
        assert_eq!(Proof::new("magic", "X"), None);
    }
}
