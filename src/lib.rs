//! hookglot takes hooks of one git forge, translates them through mapping files and delivers them in the other's form.
//!
//! ```text
//! ingest ─ store ─► delivery ─► tool          mapping: bytes to bytes, knows nothing of the rest
//!    └── forge ──┘      └── mapping           forge:   what a forge file says of its hooks
//! ```

pub mod acks;
pub mod admin;
pub mod alerts;
pub mod audit;
mod bucket;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod coverage;
pub mod delivery;
pub mod doorbell;
pub mod echo;
pub mod feed;
pub mod forge;
mod handmade;
pub mod ingest;
pub mod known;
pub mod loop_guard;
pub mod mapping;
pub mod mapping_files;
pub mod metrics;
mod path_keys;
pub mod reload;
pub mod rules;
pub mod schemas;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod traces;
