//! A database that is damaged, moved away or without its log: said before a hook meets it, and not for longer than it lasts.

use crate::disk::{Disk, config, filled, overwrite};
use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;

fn wait_until_down(app: &App) {
    wait_for("a store that takes nothing", || app.metric("hookglot_store_down ").filter(|down| *down == 1));
    assert_eq!(app.get_admin("/ready").status, 503);
}

#[test]
fn damage_is_found_before_a_hook_comes() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 200);
    let database = folder.path().join("data/hookglot.db");
    // A page that holds hooks, and not the schema.
    let (bytes, middle) = (std::fs::read(&database).unwrap(), mark(100).into_bytes());
    let at = bytes.windows(middle.len()).position(|own| own == middle).expect("the hook is in the database");
    let page = 16 << 10;
    overwrite(&database, (at / page * page) as u64, page);
    let app = App::start_unready(serve_in(folder.path(), &config));
    let line = app.wait_for_log("the store takes no hooks");
    assert!(line.contains("ERROR") && line.contains("damaged"), "{line}");
    wait_until_down(&app);
}

#[test]
fn a_database_that_is_moved_away_takes_nothing_until_it_is_back() {
    let (tool, folder) = (Tool::scripted(content), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&tool.url)));
    assert_eq!(app.post("/", &[], numbered_push(0).as_bytes()).status, 200);
    for name in ["hookglot.db", "hookglot.db-wal"] {
        let (here, there) = (folder.path().join("data").join(name), folder.path().join(name));
        std::fs::rename(&here, &there).unwrap();
        wait_until_down(&app);
        let refused = app.post("/", &[], numbered_push(1).as_bytes());
        assert!(refused.status == 503 && refused.body.contains("not in data_dir any more"), "{refused:?}");
        std::fs::rename(&there, &here).unwrap();
        wait_for("a store that takes hooks", || {
            (app.post("/", &[], numbered_push(2).as_bytes()).status == 200).then_some(())
        });
        wait_for("a healthy metric", || app.metric("hookglot_store_down ").filter(|down| *down == 0));
    }
}

#[test]
fn a_log_that_is_missing_after_a_kill_is_told() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config));
    assert_eq!(app.post("/", &[], numbered_push(0).as_bytes()).status, 200);
    app.signal("KILL");
    drop(app);
    std::fs::remove_file(folder.path().join("data/hookglot.db-wal")).unwrap();
    let app = App::start(serve_in(folder.path(), &config));
    let line = app.wait_for_log("hooks that were accepted last may be lost");
    assert!(line.contains("ERROR") && line.contains("hookglot.db-wal"), "{line}");
    drop(app);
    // One that came to its end leaves no log, and nothing is missing then.
    let mut app = App::start(serve_in(folder.path(), &config));
    app.terminate();
    app.wait();
    let app = App::start(serve_in(folder.path(), &config));
    app.wait_for_log("hooks come in on");
    assert!(!app.log().contains("may be lost"), "{}", app.log());
}

/// A small write may still fit where no hook does.
#[test]
fn a_disk_without_room_for_hooks_stays_so_for_the_metric() {
    let Some(disk) = Disk::of_size("a disk without room", "48m") else { return };
    let config = config(&format!("http://{}/", nobodys_address()));
    let app = App::start(serve_in(disk.0.path(), &config));
    std::fs::write(disk.0.path().join("ballast"), vec![1; 42 << 20]).unwrap();
    wait_until_down(&app);
    let refusals = || app.post("/", &[], numbered_push(0).as_bytes()).status;
    assert_eq!(refusals(), 503);
    // Longer than errors must have ceased for the store to count as well.
    let asked = std::time::Instant::now();
    wait_for("seven seconds", || (asked.elapsed().as_secs() >= 7).then_some(()));
    assert_eq!((app.metric("hookglot_store_down "), refusals()), (Some(1), 503));
    std::fs::remove_file(disk.0.path().join("ballast")).unwrap();
    wait_for("a healthy metric", || app.metric("hookglot_store_down ").filter(|down| *down == 0));
    assert_eq!(app.post("/", &[], numbered_push(1).as_bytes()).status, 200);
}
