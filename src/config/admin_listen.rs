//! Where the admin port is, for those who only ask there: a secret that is missing is no fault of a process that runs.

use super::Faults;
use super::fields::{Collector, Fields};
use super::sources::{Flags, Gathered, file, gather};
use serde_json::Map;
use std::collections::HashMap;
use std::net::SocketAddr;

/// The setting.
const NAME: &str = "admin_listen";
/// Its variable.
const VARIABLE: &str = "HOOKGLOT_ADMIN_LISTEN";

/// Where the admin port is by default.
pub(super) fn default() -> SocketAddr {
    ([127, 0, 0, 1], 9090).into()
}

/// Reads where a port is to listen.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address and a port such as 127.0.0.1:8080, got `{text}`"))
}

/// Where the admin port is, as flag, variable or file say. The file is read only where neither of the others says it, and
/// nothing else of it is looked at.
///
/// # Errors
/// When that is no address, or the file cannot be read or is no TOML.
pub fn admin_listen(flags: &Flags, environment: &HashMap<String, String>) -> Result<SocketAddr, Faults> {
    let settings: Vec<_> = flags.settings.iter().filter(|(name, _)| *name == NAME).cloned().collect();
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let needs_file = settings.is_empty() && set(VARIABLE).is_none();
    let config = file(flags, environment).filter(|_| needs_file);
    let own = |name: &str| set(name).map(|value| (name.to_owned(), value.clone()));
    let environment = own(VARIABLE).into_iter().collect();
    let Gathered { mut tree, origins, mut faults, unreadable, .. } = gather(&Flags { config, settings }, &environment);
    if let Some(fault) = faults.last_mut() {
        fault.push_str("; else say with --admin-listen or HOOKGLOT_ADMIN_LISTEN where the admin port is");
    }
    let mut all = Collector::new(faults, unreadable, &origins);
    let alone = Map::from_iter(tree.remove(NAME).map(|value| (NAME.to_owned(), value)));
    let said = Fields::new("", alone).parsed(NAME, &mut all, listen);
    if all.faults.is_empty() { Ok(said.unwrap_or_else(default)) } else { Err(Faults(all.faults)) }
}
