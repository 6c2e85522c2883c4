//! The words that labels may be: each is a variant with what it means, so that what is counted, what is shown as 0 and what
//! is documented cannot differ.

/// Makes an enum of words; each stands behind its meaning.
macro_rules! words {
    ($(#[doc = $about:literal] $name:ident { $(#[doc = $doc:literal] $variant:ident = $word:literal,)+ })+) => {
        $(
            #[doc = $about]
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $name {
                $(#[doc = $doc] $variant,)+
            }

            impl $name {
                /// Every word, and what it means.
                pub const ALL: &[(&str, &str)] = &[$(($word, $doc),)+];

                /// The word.
                #[must_use]
                pub const fn word(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                    }
                }
            }
        )+
    };
}

words! {
    /// Why a request was refused.
    Cause {
        /// no route has the path (404)
        UnknownPath = "unknown_path",
        /// it is no POST (405)
        Method = "method",
        /// it comes from an address that is not in `allow_from` (403)
        Address = "address",
        /// the secret is missing or wrong (401)
        Secret = "secret",
        /// the signature is missing or wrong (401)
        Signature = "signature",
        /// the secret or the signature was wrong too often from this address (429)
        SecretTooOften = "secret_too_often",
        /// more came than the `rate_limit` of the route allows (429)
        Rate = "rate",
        /// the body is compressed (415)
        Encoding = "encoding",
        /// the body is no JSON object, or none that is read (400)
        BadBody = "bad_body",
        /// the body is over the limit (413)
        LargeBody = "large_body",
        /// the body did not come in time (408)
        SlowBody = "slow_body",
        /// all bodies on their way hold too much (503)
        BytesInFlight = "bytes_in_flight",
        /// bodies of those who have proved nothing hold too much (503)
        BytesUnproven = "bytes_unproven",
        /// the store is full or broken (503)
        NoRoom = "no_room",
        /// with `ack = "delivered"`: it is stored, and a destination did not take it at the first attempt
        NotDelivered = "not_delivered",
        /// no HTTP, or a head that can be read in two ways (400)
        NoRequest = "no_request",
        /// the head did not come in time (408)
        SlowHead = "slow_head",
        /// the head is over its limits (431)
        LargeHead = "large_head",
        /// the connection ended within a head
        BrokenHead = "broken_head",
        /// the TLS handshake failed
        Handshake = "handshake",
        /// plain HTTP at a port that speaks TLS (400)
        NoTls = "no_tls",
        /// too many connections are open (503)
        Connections = "connections",
        /// too many connections of one address are open (503)
        ConnectionsOfAddress = "connections_of_address",
    }

    /// Why a hook was ignored, by all or by one destination.
    Ignored {
        /// it is no hook of a forge that the route accepts
        Unrecognised = "unrecognised",
        /// it, or the branch that it is about, cannot be read
        Unreadable = "unreadable",
        /// it has passed too many hookglots: it goes in a circle
        Loop = "loop",
        /// the header that counts them is no number
        BadHops = "bad_hops",
        /// the event comes only where it is listed, and the destination lists nothing
        Unlisted = "unlisted",
        /// the destination lists other events
        NotListed = "not_listed",
        /// the `branch_filter` of the destination wants other branches
        Branch = "branch",
        /// it names no project, which the destination's format wants
        NoProject = "no_project",
        /// the destination's format has no such event, or the mapping ignores it
        NoCounterpart = "no_counterpart",
    }

    /// How a delivery ended.
    Outcome {
        /// the destination took it
        Delivered = "delivered",
        /// it is not for the destination
        Ignored = "ignored",
        /// it was given up
        Failed = "failed",
    }

    /// What came back of an attempt.
    Answered {
        /// an answer of 200 to 299
        Success = "2xx",
        /// an answer of 300 to 399
        Redirect = "3xx",
        /// an answer of 400 to 499
        Refusal = "4xx",
        /// any other answer
        Failure = "5xx",
        /// no answer in time
        Timeout = "timeout",
        /// no connection, or one that broke
        Unreachable = "unreachable",
    }

    /// What is wrong with the store.
    Trouble {
        /// no room is left
        Full = "full",
        /// it cannot be written or read
        Broken = "broken",
    }

    /// What became of files that were read again.
    Reading {
        /// they are in force
        Loaded = "loaded",
        /// what was in force before stays
        Refused = "refused",
    }

    /// What became of what was to be posted.
    Posting {
        /// it was taken
        Posted = "posted",
        /// it was given up
        Failed = "failed",
        /// too much waited already
        Dropped = "dropped",
    }

    /// What became of a span of a trace.
    Exported {
        /// the collector took it
        Exported = "exported",
        /// the collector did not take it: the log says why
        Failed = "failed",
        /// more came than the collector took, or the grace time of a stop was over
        Dropped = "dropped",
    }

    /// Why the word of a proxy says no address.
    Unsaid {
        /// there is no such header: a health check of the proxy's own has none
        Missing = "missing",
        /// the proxy does not know, or hides it: `unknown`, `_name`
        Hidden = "hidden",
        /// it is no address
        Unreadable = "unreadable",
    }
}
