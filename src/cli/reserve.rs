//! The numbers that the configuration gives to texts are reserved before any hook is taken under it.

use crate::config::Settings;
use crate::known::Known;
use crate::store::StoreError;
use crate::store::numbers::Conflict;

/// Has what the configuration says of people, projects and numbers counted, or nothing of it; gives what is wrong with it.
///
/// # Errors
/// When the store cannot be written.
pub(super) async fn reserve(known: &Known, settings: &Settings) -> Result<Vec<String>, StoreError> {
    let conflicts = known.configure(&settings.configured).await?;
    let fault = |conflict: &Conflict| {
        format!(
            "{conflict}; give it another number in the configuration (hookglot ids list shows those that are given)"
        )
    };
    Ok(conflicts.iter().map(fault).collect())
}
