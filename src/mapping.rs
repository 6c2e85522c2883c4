//! The mapping engine: loads, checks, compiles and runs mapping files.
//!
//! Invariant: nothing in here knows a forge, HTTP, a store, a clock or the network; it turns bytes into bytes.
//! Start with [`Mappings`]; the language is described in `docs/mapping-language.md`.

pub mod diagnostic;
pub(crate) mod eval;
pub(crate) mod examples;
mod explain;
mod expr;
pub(crate) mod failure;
pub(crate) mod file;
pub(crate) mod files;
pub mod filter;
mod headers;
pub mod identity;
pub mod json;
mod knowledge;
pub mod lookups;
mod lossy;
pub mod overlay;
pub(crate) mod program;
pub(crate) mod scope;
mod selection;
pub(crate) mod set;
mod shape;
mod shared;
pub(crate) mod template;
pub(crate) mod usage;
mod value;
pub(crate) mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use eval::{HookFacts, Surroundings};
pub(crate) use explain::shown;
pub use explain::{Explained, ExplainedField, ReadSource};
pub use failure::Failure;
pub use files::Files;
pub use knowledge::{Knowledge, NoKnowledge};
pub use lookups::Lookups;
pub use lossy::{Loss, LostField};
pub use set::{Description, ExampleOutput, Mappings, Translated, Untranslated};
