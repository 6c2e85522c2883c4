//! Many deliveries sent again at once.

use crate::erasing::{WRITES, ask, config, look};
use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::receiver::status;
use crate::support::tool::Tool;
use crate::support::wait_for;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody presses a button twice, or a request is repeated.
#[test]
fn two_calls_at_once_send_each_hook_once() {
    let (is_there, folder) = (Arc::<AtomicBool>::default(), tempfile::tempdir().unwrap());
    let own = Arc::clone(&is_there);
    let tool = Tool::by_mark(move |_| status(if own.load(Ordering::SeqCst) { 200 } else { 410 }, ""));
    let app = App::start(serve_in(folder.path(), &config(&tool.url)));
    for number in 0..20 {
        assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).status, 200);
    }
    let count = || look(&app, "/api/v1/deliveries/count");
    wait_for("failures", || (count()["failed"] == 20).then_some(()));
    is_there.store(true, Ordering::SeqCst);
    let order = r#"{"filter": {"state": "failed"}, "rate": 1000}"#;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(ask(&app, "POST", "/api/v1/resends", WRITES, order).status, 202));
        }
    });
    wait_for("the ends of the calls", || {
        let all = look(&app, "/api/v1/resends");
        let done = all["items"].as_array().unwrap().iter().filter(|call| call["state"] == "done").count();
        (done == 3).then_some(())
    });
    wait_for("all of them", || (count()["delivered"] == 20).then_some(()));
    let times = |number: usize| tool.marks().iter().filter(|own| **own == mark(number)).count();
    // Once when it was refused, and once again.
    assert_eq!((0..20).map(times).collect::<Vec<_>>(), [2; 20]);
}
