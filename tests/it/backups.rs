//! Backups and restores that are cut off, have no room, or are none.

use crate::disk::{Disk, config, filled, overwrite, refused};
use crate::support::app::{App, command, serve_in};
use crate::support::load::numbered_push;
use crate::support::process::{Ended, Running, ended};
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `backup` or `restore` of a file.
fn copy(word: &str, folder: &Path, file: &Path) -> Command {
    let mut run = command(&[word, "--data-dir", folder.join("data").to_str().unwrap()]);
    run.arg(file).env("HOOKGLOT_CONFIG", folder.join("hookglot.toml"));
    run
}

/// Runs it where it must fail.
fn fails(word: &str, folder: &Path, file: &Path) -> Ended {
    let ended = ended(copy(word, folder, file));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended
}

fn works(word: &str, folder: &Path, file: &Path) {
    let ended = ended(copy(word, folder, file));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// All that waited comes out of a folder.
fn brings(folder: &Path, address: std::net::SocketAddr, config: &str, hooks: usize) {
    let tool = Tool::at(address, content);
    let app = App::start(serve_in(folder, config));
    wait_for("all that waited", || (tool.count() == hooks).then_some(()));
    drop(app);
}

/// The name under which a restore kept what was there.
fn before(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let is_it = |name: &&String| name.starts_with("hookglot.db.before-restore-");
    let name = names(&data).iter().find(is_it).expect("what was there is kept").clone();
    data.join(name)
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (folder, other) = (filled(&config, 5), tempfile::tempdir().unwrap());
    // So much that it can be killed on its way.
    let database = rusqlite::Connection::open(folder.path().join("data/hookglot.db")).unwrap();
    database.execute_batch("CREATE TABLE large (x); INSERT INTO large VALUES (randomblob(200000000))").unwrap();
    drop(database);
    let (file, unfinished) = (other.path().join("backup.db"), other.path().join("backup.db.unfinished"));
    let running = Running::start(copy("backup", folder.path(), &file), b"");
    wait_for("a part of it", || std::fs::metadata(&unfinished).is_ok_and(|found| found.len() > 1 << 20).then_some(()));
    let second = fails("backup", folder.path(), &file);
    assert!(second.err.contains("backup.db: another backup is being written there"), "{second:?}");
    drop(running);
    assert!(!file.exists(), "half a backup has no name of one: {:?}", names(other.path()));
    assert!(unfinished.exists(), "it was killed on its way");
    let refused = fails("restore", folder.path(), &unfinished);
    assert!(refused.err.contains("take another backup"), "{refused:?}");
    works("backup", folder.path(), &file);
    assert_eq!(names(other.path()), ["backup.db"], "what was left is gone");
    works("restore", folder.path(), &file);
    brings(folder.path(), address, &config, 5);
}

#[test]
fn a_backup_without_room_names_its_own_disk_and_leaves_nothing() {
    let Some(disk) = Disk::mount("a backup on a full disk") else { return };
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 5);
    disk.fill();
    let file = disk.0.path().join("backup.db");
    let refused = fails("backup", folder.path(), &file);
    assert!(refused.err.contains(&format!("{}: the disk of the backup is full", file.display())), "{refused:?}");
    assert!(!refused.err.contains("data_dir"), "{refused:?}");
    assert_eq!(names(disk.0.path()), ["ballast"]);
    disk.free();
    works("backup", folder.path(), &file);
    let again = fails("backup", folder.path(), &file);
    assert!(again.err.contains("exists"), "{again:?}");
    assert_eq!(names(disk.0.path()), ["backup.db"]);
}

#[test]
fn a_restore_without_room_changes_nothing() {
    let Some(disk) = Disk::mount("a restore on a full disk") else { return };
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (large, other) = (filled(&config, 200), tempfile::tempdir().unwrap());
    let file = other.path().join("backup.db");
    works("backup", large.path(), &file);
    let mut app = App::start(serve_in(disk.0.path(), &config));
    (0..3).for_each(|number| assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).status, 200));
    app.terminate();
    app.wait();
    disk.fill();
    let was = names(&disk.0.path().join("data"));
    let refused = fails("restore", disk.0.path(), &file);
    for said in ["the disk of this folder is full: make room on it", "nothing is changed"] {
        assert!(refused.err.contains(said), "{said}: {refused:?}");
    }
    assert_eq!(names(&disk.0.path().join("data")), was);
    disk.free();
    brings(disk.0.path(), address, &config, 3);
}

#[test]
fn what_is_no_whole_backup_is_refused_with_what_to_do() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let (folder, other) = (filled(&config, 100), tempfile::tempdir().unwrap());
    let was = std::fs::read(folder.path().join("data/hookglot.db")).unwrap();
    let whole = other.path().join("backup.db");
    works("backup", folder.path(), &whole);
    let length = std::fs::metadata(&whole).unwrap().len();
    for (part, of_it) in [("half", length / 2), ("a page", 16 << 10), ("nothing", 0)] {
        let file = other.path().join(part);
        std::fs::copy(&whole, &file).unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_len(of_it).unwrap();
        let refused = fails("restore", folder.path(), &file);
        assert!(refused.err.contains(part) && refused.err.contains("take another backup"), "{part}: {refused:?}");
    }
    let with_log = other.path().join("with-log");
    std::fs::copy(&whole, &with_log).unwrap();
    std::fs::write(other.path().join("with-log-wal"), "some").unwrap();
    let refused = fails("restore", folder.path(), &with_log);
    assert!(refused.err.contains("a part of what it holds is in") && refused.err.contains("move both"), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("data/hookglot.db")).unwrap(), was);
}

/// As a restore leaves a folder that ends between its two renames.
fn cut_off(folder: &Path, backup: &Path) -> PathBuf {
    let (database, kept) = (folder.join("data/hookglot.db"), folder.join("data/hookglot.db.before-restore-1"));
    std::fs::copy(backup, folder.join("data/hookglot.db.restoring")).unwrap();
    std::fs::rename(&database, &kept).unwrap();
    kept
}

#[test]
fn a_restore_that_was_cut_off_is_not_taken_for_an_empty_folder() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (folder, other) = (filled(&config, 4), tempfile::tempdir().unwrap());
    let (file, database) = (other.path().join("backup.db"), folder.path().join("data/hookglot.db"));
    works("backup", folder.path(), &file);
    let kept = cut_off(folder.path(), &file);
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let back = format!("move {} back to {}", kept.display(), database.display());
    for said in ["hookglot.db.restoring", "run hookglot restore", &back, "is lost with it", "hookglot.db is missing"] {
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
    // An attempt that fails before it has changed anything makes no difference to that.
    fails("restore", folder.path(), &other.path().join("missing"));
    assert_eq!(refused(folder.path(), &config).err, ended.err);
    works("restore", folder.path(), &file);
    assert!(database.exists() && kept.exists() && !database.with_file_name("hookglot.db.restoring").exists());
    std::fs::rename(&kept, other.path().join("kept")).unwrap();
    let mut app = App::start(serve_in(folder.path(), &config));
    app.terminate();
    app.wait();
    // The other way.
    let kept = cut_off(folder.path(), &file);
    assert_eq!(refused(folder.path(), &config).code, Some(1));
    std::fs::rename(kept, &database).unwrap();
    brings(folder.path(), address, &config, 4);
}

#[test]
fn the_log_of_a_database_that_was_put_away_does_not_go_into_the_next_one() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (folder, other) = (filled(&config, 4), tempfile::tempdir().unwrap());
    let file = other.path().join("backup.db");
    works("backup", folder.path(), &file);
    let mut app = App::start(serve_in(folder.path(), &config));
    (4..9).for_each(|number| assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).status, 200));
    app.signal("KILL");
    app.wait();
    let kept = cut_off(folder.path(), &file);
    works("restore", folder.path(), &file);
    assert_eq!(before(folder.path()), kept);
    assert!(kept.with_file_name("hookglot.db.before-restore-1-wal").exists(), "they belong together");
    brings(folder.path(), address, &config, 4);
}

#[test]
fn a_restore_leaves_only_databases() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (folder, other) = (filled(&config, 4), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    // A name that means something in a URI.
    let file = other.path().join("backup 50%?#1.db");
    works("backup", folder.path(), &file);
    let restored = ended(copy("restore", folder.path(), &file));
    assert!(restored.code == Some(0) && restored.out.contains("with 4 deliveries waiting in it"), "{restored:?}");
    let kept = before(folder.path());
    let with = |kept: &Path| ["hookglot.db", kept.file_name().unwrap().to_str().unwrap(), "lock"].map(str::to_owned);
    assert_eq!(names(&data), with(&kept));
    assert_eq!(names(other.path()), ["backup 50%?#1.db"]);
    // What was put aside is a backup, too, and has a log when it is written to.
    let aside = other.path().join("aside.db");
    std::fs::rename(&kept, &aside).unwrap();
    works("restore", folder.path(), &aside);
    assert_eq!(names(&data), with(&before(folder.path())));
    assert_eq!(names(other.path()), ["aside.db", "backup 50%?#1.db"]);
    brings(folder.path(), address, &config, 4);
}

#[test]
fn a_damaged_database_is_replaced_and_kept() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    let (folder, other) = (filled(&config, 4), tempfile::tempdir().unwrap());
    let (file, database) = (other.path().join("backup.db"), folder.path().join("data/hookglot.db"));
    works("backup", folder.path(), &file);
    overwrite(&database, 0, 512);
    let damaged = std::fs::read(&database).unwrap();
    assert!(refused(folder.path(), &config).err.contains("hookglot restore"));
    works("restore", folder.path(), &file);
    assert_eq!(std::fs::read(before(folder.path())).unwrap(), damaged, "whoever can mend it finds it as it was");
    brings(folder.path(), address, &config, 4);
}
