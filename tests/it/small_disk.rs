//! A disk with less room than what has ended may take: that gives way to what comes.

use crate::disk::{Disk, came, config};
use crate::support::app::{App, serve_in};
use crate::support::load::numbered_push;
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;

/// A push of half a megabyte.
fn large_push(number: usize) -> String {
    numbered_push(number).replacen('{', &format!("{{\"more\": \"{}\",", "x".repeat(500_000)), 1)
}

/// Sends until the disk is full of what waits; gives how many were accepted.
fn fill_with_waiting(app: &App) -> usize {
    let mut accepted = 0;
    wait_for("a refusal", || {
        let status = app.post("/", &[], large_push(accepted).as_bytes()).status;
        accepted += usize::from(status == 200);
        (status == 503).then_some(accepted)
    })
}

#[test]
fn a_disk_that_was_full_of_what_waited_takes_hooks_again_when_that_was_delivered_and_removed() {
    let Some(disk) = Disk::of_size("a disk full of what waits", "64m") else { return };
    let address = nobodys_address();
    let config = format!("[retention]\nage = \"1s\"\n{}probe = \"200ms\"\n", config(&format!("http://{address}/")))
        .replace("path = \"/\"\n", "path = \"/\"\nduplicates = \"none\"\n");
    let app = App::start(serve_in(disk.0.path(), &config));
    let accepted = fill_with_waiting(&app);
    assert!(accepted > 20, "{accepted}");
    let file = || std::fs::metadata(disk.0.path().join("data/hookglot.db")).unwrap().len();
    let tool = Tool::at(address, content);
    came(&tool, &(0..accepted).collect::<Vec<_>>());
    // No hook comes meanwhile.
    wait_for("a small file", || (file() < 20_000_000).then_some(()));
    app.wait_for_log("the store takes hooks again");
    for number in 0..20 {
        assert_eq!(app.post("/", &[], large_push(accepted + number).as_bytes()).status, 200, "{number}");
    }
    came(&tool, &(0..accepted + 20).collect::<Vec<_>>());
}

/// What tools answer is kept for those who ask; the room that deliveries need is not for that.
#[test]
fn a_disk_that_was_full_of_what_waited_empties_whatever_the_tool_answers() {
    let Some(disk) = Disk::of_size("a disk full of what waits for a talkative tool", "40m") else { return };
    let address = nobodys_address();
    let config = format!("{}probe = \"200ms\"\n", config(&format!("http://{address}/")))
        .replace("path = \"/\"\n", "path = \"/\"\nduplicates = \"none\"\n");
    let app = App::start(serve_in(disk.0.path(), &config));
    let push = |number| numbered_push(number).replacen('{', &format!("{{\"more\": \"{}\",", "x".repeat(60_000)), 1);
    let mut accepted = 0;
    wait_for("a refusal", || {
        let status = app.post("/", &[], push(accepted).as_bytes()).status;
        accepted += usize::from(status == 200);
        (status == 503).then_some(())
    });
    assert!(accepted > 200, "{accepted}");
    let answer = format!("HTTP/1.1 200 Fine\r\nContent-Length: 9000\r\n\r\n{}", "y".repeat(9_000));
    let tool = Tool::at(address, move |_| answer.clone());
    came(&tool, &(0..accepted).collect::<Vec<_>>());
    wait_for("all of them recorded", || {
        app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending == 0)
    });
}

#[test]
fn what_has_ended_gives_way_on_a_small_disk_and_what_waits_does_not() {
    let Some(disk) = Disk::of_size("a disk full of what has ended", "64m") else { return };
    let (tool, address) = (Tool::scripted(content), nobodys_address());
    let waits =
        config(&format!("http://{address}/")).replace("tool", "waits").replace("path = \"/\"", "path = \"/waits\"");
    let app = App::start(serve_in(disk.0.path(), &(config(&tool.url) + &waits + "probe = \"200ms\"\n")));
    (0..3).for_each(|number| assert_eq!(app.post("/waits", &[], numbered_push(number).as_bytes()).status, 200));
    let next = std::sync::atomic::AtomicUsize::new(3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if number >= 300 {
                        break;
                    }
                    // What waits does not give way, so it must not wait for long.
                    wait_for("the tool", || (tool.count() + 12 > number).then_some(()));
                    let answer = app.post("/", &[], large_push(number).as_bytes());
                    assert_eq!(answer.status, 200, "{number}: {answer:?}");
                }
            });
        }
    });
    came(&tool, &(3..300).collect::<Vec<_>>());
    wait_for("the count", || app.metric("hookglot_pruned_total ").filter(|count| *count > 100));
    assert_eq!(app.log().matches("what has ended is removed before its time").count(), 1);
    assert_eq!(app.metric("hookglot_store_down "), Some(0));
    let waits = Tool::at(address, content);
    came(&waits, &[0, 1, 2]);
}

/// The file cannot become smaller as long as somebody reads what was there: to remove more and more would give no room.
#[test]
fn what_has_ended_does_not_give_way_in_vain_while_somebody_reads_the_database() {
    let Some(disk) = Disk::of_size("a disk that is full while somebody reads", "64m") else { return };
    let tool = Tool::scripted(content);
    let app = App::start(serve_in(disk.0.path(), &config(&tool.url)));
    for number in 0..60 {
        assert_eq!(app.post("/", &[], large_push(number).as_bytes()).status, 200);
        wait_for("the tool", || (tool.count() > number).then_some(()));
    }
    let reader = rusqlite::Connection::open(disk.0.path().join("data/hookglot.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM hook;").unwrap();
    let mut number = 60;
    let mut send = || {
        number += 1;
        app.post("/", &[], large_push(number - 1).as_bytes()).status
    };
    let refused = |app: &App| app.metric("hookglot_store_errors_total{reason=\"full\"} ").unwrap_or(0);
    // Each is a try to make room, unless it comes too soon after the one before.
    wait_for("refusals", || {
        send();
        (refused(&app) > 200).then_some(())
    });
    let hooks = rusqlite::Connection::open(disk.0.path().join("data/hookglot.db")).unwrap();
    let kept: u64 = hooks.query_row("SELECT count(*) FROM hook", [], |row| row.get(0)).unwrap();
    assert!(kept > 30, "{kept} are kept: no more may go than one step removes");
    drop(hooks);
    drop(reader);
    wait_for("room", || (send() == 200).then_some(()));
}
