//! What stands in place of what was there, by a count: the first, the second …

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use uuid::{Builder, Uuid};

const NAMES: [&str; 24] = [
    "amber", "birch", "cedar", "dahlia", "elder", "fennel", "garnet", "hazel", "indigo", "jasper", "kelp", "laurel",
    "myrtle", "nettle", "opal", "pebble", "quartz", "rowan", "sorrel", "thistle", "umber", "violet", "willow",
    "yarrow",
];
const FIRST: [&str; 8] = ["Robin", "Sasha", "Kim", "Noa", "Toni", "Jule", "Mika", "Rene"];
const LAST: [&str; 6] = ["Ash", "Brook", "Clay", "Dale", "Fern", "Glen"];

/// The name of something, in small letters.
pub(super) fn name(count: usize) -> String {
    let name = NAMES.get(count % NAMES.len()).copied().unwrap_or_default();
    match count / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}-{}", round + 1),
    }
}

/// The name of somebody.
pub(super) fn person(count: usize) -> String {
    let first = FIRST.get(count % FIRST.len()).copied().unwrap_or_default();
    let last = LAST.get(count / FIRST.len() % LAST.len()).copied().unwrap_or_default();
    match count / (FIRST.len() * LAST.len()) {
        0 => format!("{first} {last}"),
        round => format!("{first} {last} {}", round + 1),
    }
}

/// A random UUID that is always the same.
pub(super) fn uuid(count: usize) -> Uuid {
    let digest = Sha256::digest(format!("uuid {count}"));
    Builder::from_random_bytes(digest.first_chunk().copied().unwrap_or_default()).into_uuid()
}

/// So many hexadecimal digits.
pub(super) fn hex(count: usize, length: usize) -> String {
    let mut digits = String::with_capacity(length + 64);
    for round in 0.. {
        if digits.len() >= length {
            break;
        }
        for byte in Sha256::digest(format!("hex {count} {round}")) {
            // Writing into a text cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
    }
    digits.truncate(length);
    digits
}
