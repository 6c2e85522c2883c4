//! Holds a hook back that is about a branch or tag which a destination does not want to hear of.

use super::plan::Refusal;
use crate::config::Destination;
use crate::forge::{Forge, Header};
use crate::mapping::json::Node;
use crate::metrics::Ignored;

/// Why a destination's branch filter holds a hook back, when it does.
pub(super) fn held_back(
    to: &Destination,
    forge: &Forge,
    event: &str,
    body: Node<'_>,
    headers: &[Header],
) -> Option<Refusal> {
    let filter = to.branch_filter.as_ref()?;
    match forge.filtered_name(filter.kind(), event, body, headers) {
        Ok(Some(name)) if !filter.takes(&name) => {
            let text = format!("the destination {} does not want `{name}`: its branch_filter is {filter}", to.name);
            Some(Refusal::new(Ignored::Branch, text))
        }
        Ok(_) => None,
        Err(failure) => {
            Some(Refusal::new(Ignored::Unreadable, format!("the branch of the {event} cannot be read: {failure}")))
        }
    }
}
