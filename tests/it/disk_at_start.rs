//! Starts on a disk or a database that cannot be used. What waits in a database is worth more than a quick start: only where
//! nobody can use it any more is it advised to replace it.

use crate::disk::{Disk, config, filled, refused};
use crate::support::app::{App, BINARY, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::process::{Running, run};
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::{project_file, wait_for};
use rusqlite::Connection;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn send(app: &App, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).status, 200));
}

fn kill(mut app: App) {
    app.signal("KILL");
    app.wait();
}

fn no_advice_to_throw_away(err: &str) {
    for advice in ["hookglot restore", "begin anew", "away"] {
        assert!(!err.contains(advice), "{advice}: {err}");
    }
}

#[test]
fn a_start_on_a_full_disk_says_to_make_room_and_loses_nothing() {
    let Some(disk) = Disk::mount("a start on a full disk") else { return };
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let app = App::start(serve_in(disk.0.path(), &config));
    send(&app, 0..20);
    disk.fill();
    kill(app);
    // What SQLite shares between processes is made anew, and needs the first room.
    std::fs::remove_file(disk.0.path().join("data/hookglot.db-shm")).unwrap();
    disk.fill();
    let ended = refused(disk.0.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["hookglot.db: ", "the disk of this folder is full: make room on it and start again", "is lost"] {
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
    no_advice_to_throw_away(&ended.err);
    disk.free();
    let tool = Tool::at(address, content);
    let _app = App::start(serve_in(disk.0.path(), &config));
    wait_for("all that waited", || (tool.count() == 20).then_some(()));
}

#[test]
fn a_first_start_on_a_full_disk_says_to_make_room() {
    let Some(disk) = Disk::mount("a first start on a full disk") else { return };
    let config = config(&format!("http://{}/", nobodys_address()));
    // The configuration must be there before the room is gone.
    std::fs::write(disk.0.path().join("hookglot.toml"), &config).unwrap();
    std::fs::create_dir(disk.0.path().join("data")).unwrap();
    disk.fill();
    let ended = refused(disk.0.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("make room on it"), "{ended:?}");
    no_advice_to_throw_away(&ended.err);
}

fn change(folder: &Path, change: &str) -> Connection {
    let database = Connection::open(folder.join("data/hookglot.db")).unwrap();
    database.execute_batch(change).unwrap();
    database
}

/// The first step of the schema, as it was released.
fn first_schema() -> String {
    let code = project_file("src/store/sqlite/schema.rs");
    let step = code.split("const FIRST: &str = \"").nth(1).and_then(|rest| rest.split("\";").next());
    step.unwrap().to_owned()
}

#[test]
fn a_database_of_an_older_hookglot_is_brought_on_and_that_is_said() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start(serve_in(folder.path(), &config));
    let info = app.get_admin("/metrics").body;
    let schema = info.split("schema=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let end = |app: &mut App| {
        app.terminate();
        assert!(app.wait().success());
        app.log()
    };
    assert!(!end(&mut app).contains("schema"), "a new one was no other before: {}", app.log());
    let version = run(&["--version"]).out;
    assert!(version.ends_with(&format!("(store schema {schema})\n")), "{version}");
    std::fs::remove_dir_all(folder.path().join("data")).unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let old = format!("{}PRAGMA application_id = 0x68676c74; PRAGMA user_version = 1", first_schema());
    drop(change(folder.path(), &old));
    let mut app = App::start(serve_in(folder.path(), &config));
    let said = format!(
        "the store is brought from schema version 1 to {schema}: an older hookglot cannot open it any more, restore a backup"
    );
    assert!(app.wait_for_log(&said).contains("WARN"), "{}", app.log());
    send(&app, 0..1);
    end(&mut app);
    let mut again = App::start(serve_in(folder.path(), &config));
    assert!(!end(&mut again).contains("schema"), "{}", again.log());
}

#[test]
fn a_newer_database_is_left_to_the_newer_hookglot() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 1);
    drop(change(folder.path(), "PRAGMA user_version = 99"));
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.trim_end().ends_with("run that one, or restore a backup"), "{ended:?}");
    no_advice_to_throw_away(&ended.err);
}

#[test]
fn a_database_of_somebody_else_is_refused_with_what_to_do() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    drop(change(folder.path(), "CREATE TABLE other (x)"));
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["not one of hookglot", "is data_dir the right folder?", "hookglot restore", "lost with them"] {
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
}

#[test]
fn a_database_that_another_program_keeps_is_not_to_be_replaced() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 1);
    let _held = change(folder.path(), "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("another program keeps the database to itself"), "{ended:?}");
    no_advice_to_throw_away(&ended.err);
}

/// Root may do anything: the process is another user's then.
#[test]
fn a_database_of_another_user_is_refused_with_whose_it_must_be() {
    const NOBODY: u32 = 65_534;
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 1);
    let chown = |path: &str, user| std::os::unix::fs::chown(folder.path().join(path), Some(user), Some(user));
    for path in [".", "hookglot.toml", "data", "data/lock"] {
        if chown(path, NOBODY).is_err() {
            eprintln!("left out: a database of another user wants root");
            return;
        }
    }
    let binary = folder.path().join("hookglot");
    std::fs::copy(BINARY, &binary).unwrap();
    let mut serve = Command::new("setpriv");
    serve.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(binary).arg("serve").env_clear();
    serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    serve.env("HOOKGLOT_CONFIG", folder.path().join("hookglot.toml"));
    serve.env("HOOKGLOT_DATA_DIR", folder.path().join("data"));
    let ended = Running::start(serve, b"").end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("Permission denied"), "{ended:?}");
    assert!(ended.err.contains("to the user that hookglot runs as"), "{ended:?}");
    no_advice_to_throw_away(&ended.err);
}

/// As Kubernetes gives a volume to a pod with `fsGroup`: it is root's, open to the group, and has the group passed on.
#[test]
fn a_folder_of_somebody_else_that_it_may_write_is_taken() {
    let (address, folder) = (nobodys_address(), tempfile::tempdir().unwrap());
    let (data, binary) = (folder.path().join("data"), folder.path().join("hookglot"));
    std::fs::create_dir(&data).unwrap();
    if std::os::unix::fs::chown(&data, Some(0), Some(65_534)).is_err() {
        eprintln!("left out: a folder of another user wants root");
        return;
    }
    std::fs::set_permissions(&data, Permissions::from_mode(0o2775)).unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("hookglot.toml"), config(&format!("http://{address}/"))).unwrap();
    std::fs::set_permissions(folder.path().join("hookglot.toml"), Permissions::from_mode(0o644)).unwrap();
    std::fs::copy(BINARY, &binary).unwrap();
    let mut serve = Command::new("setpriv");
    serve.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(binary).arg("serve").env_clear();
    serve.env("HOOKGLOT_CONFIG", folder.path().join("hookglot.toml"));
    serve
        .env("HOOKGLOT_DATA_DIR", &data)
        .env("HOOKGLOT_LISTEN", "127.0.0.1:0")
        .env("HOOKGLOT_ADMIN_LISTEN", "127.0.0.1:0");
    let app = App::start(serve);
    send(&app, 0..1);
    app.wait_for_log("belongs to another user and stays as it is (mode 2775)");
    let mode = std::fs::metadata(data.join("hookglot.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_start_that_is_refused_late_leaves_nothing_to_fear() {
    let folder = tempfile::tempdir().unwrap();
    let (config, taken) =
        (config(&format!("http://{}/", nobodys_address())), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut app = App::start(serve_in(folder.path(), &config));
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    let mut serve = serve_in(folder.path(), &config);
    serve.args(["--listen", &taken.local_addr().unwrap().to_string(), "--admin-listen", "127.0.0.1:0"]);
    let ended = Running::start(serve, b"").end();
    assert!(ended.code == Some(1) && ended.err.contains("Address already in use"), "{ended:?}");
    let again = App::start(serve_in(folder.path(), &config));
    assert!(!again.log().contains("may be lost"), "{}", again.log());
}

#[test]
fn a_start_without_its_database_does_not_begin_anew_beside_the_log_of_it() {
    let address = nobodys_address();
    let (config, folder) = (config(&format!("http://{address}/tool")), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, 0..3);
    kill(app);
    let (database, aside) = (folder.path().join("data/hookglot.db"), folder.path().join("aside"));
    assert!(std::fs::metadata(database.with_file_name("hookglot.db-wal")).unwrap().len() > 0);
    std::fs::rename(&database, &aside).unwrap();
    for again in 0..2 {
        let ended = refused(folder.path(), &config);
        assert_eq!(ended.code, Some(1), "{again}: {ended:?}");
        for said in ["hookglot.db is missing, but there is", "hookglot.db-wal: ", "bring the hookglot.db back"] {
            assert!(ended.err.contains(said), "{said}: {ended:?}");
        }
        assert!(!database.exists(), "a refused start makes nothing");
    }
    std::fs::rename(&aside, &database).unwrap();
    let tool = Tool::at(address, content);
    let _app = App::start(serve_in(folder.path(), &config));
    wait_for("all that waited", || (tool.count() == 3 && tool.arrival(&mark(2)).is_some()).then_some(()));
}

#[test]
fn a_folder_whose_lock_was_removed_has_one_owner_all_the_same() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config));
    std::fs::remove_file(folder.path().join("data/lock")).unwrap();
    let mut second = serve_in(folder.path(), &config);
    second.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let ended = Running::start(second, b"").end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("another hookglot uses this folder: stop it"), "{ended:?}");
    send(&app, 0..1);
}
