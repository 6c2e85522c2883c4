//! Ends hooks that go in a circle: a destination that leads back to a route would be fed for ever.

/// The header in which a hookglot counts how often it has passed a hook on. In small letters.
pub const HOPS_HEADER: &str = "hookglot-hops";
/// A hook that has passed so many hookglots goes in a circle.
pub const MAX_HOPS: u32 = 5;
