//! What ends a translation before its time.

/// Why a translation failed, and which line of which file asked for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Failure {
    /// The mapping file.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// What is wrong with the hook.
    pub message: String,
}

/// Why an evaluation stops before it has a value.
pub(crate) enum Stop {
    /// A `?` path has no value: the field is left out.
    Omit,
    Fail(Box<Failure>),
}
