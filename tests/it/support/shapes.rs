//! Deliveries as the admin API gives them, for servers that only play it.

use serde_json::{Value, json as value};

/// The delivery.
pub const ID: &str = "01a2015f-6432-723a-8634-86c1c376a35d";
/// Its hook, or another delivery.
pub const OTHER: &str = "01a2015f-6432-723a-8634-86c1c376a35e";

/// A delivery that has failed.
pub fn delivery(id: &str) -> Value {
    value!({
        "id": id, "destination": "quay", "state": "failed", "reason": "410 Gone", "attempts": 1, "probes": 0,
        "accepted_at": "2026-11-26T10:15:00Z", "due": null, "ended_at": "2026-11-26T10:15:01Z", "parked": false,
        "resend_of": null, "resent_as": null, "key": "tide-7", "last_status": 410, "last_error": "410 Gone",
        "hook": {
            "id": OTHER, "route": "/", "forge": "gitflic", "event": "BRANCH_UPDATE", "project": "north/ledger",
            "instance": null, "delivery_key": null, "received_at": "2026-11-26T10:15:00.25Z", "size": 9,
            "duplicate_of": null, "ignored": null, "erased_at": null,
        },
    })
}

fn content(text: &str) -> Value {
    value!({"text": text, "base64": null, "size": text.len()})
}

/// The delivery with its hook and what it sends.
pub fn whole() -> Value {
    let mut whole = delivery(ID);
    whole["url"] = "http://quay.example/hooks/hidden".into();
    whole["hook_headers"] = value!([]);
    whole["hook_body"] = content(r#"{"tide": 12345678901234567890}"#);
    whole["outgoing"] = value!({
        "mapping": "gitflic-to-gitlab/push", "mapping_sha256": "00", "headers": [],
        "body": content(r#"{"kind":"push","tide":{"level":12345678901234567890}}"#),
    });
    whole["attempt_list"] = value!([]);
    whole
}

/// What it sends, beside what is made of its hook now.
pub fn difference(same: bool) -> Value {
    let changes = if same {
        value!([])
    } else {
        value!([{"path": "commits[0].title", "before": "\"a\"", "after": "\"b\u{9b}\""}, {"path": "tide", "before": null, "after": "1"}])
    };
    value!({"as_sent": whole()["outgoing"], "anew": whole()["outgoing"], "anew_sha256": "5a5a", "refused": null,
        "same": same, "changes": changes})
}
