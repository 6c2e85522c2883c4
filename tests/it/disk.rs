//! Disks that are full, closed or broken, and databases that are damaged. What needs a mount is left out, and says so, where
//! the user may not mount.

use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::process::{Ended, Running};
use crate::support::receiver::status;
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

/// A small disk of its own, taken away with the test.
pub struct Disk(pub tempfile::TempDir);

impl Disk {
    /// None where the user may not mount.
    pub fn mount(test: &str) -> Option<Self> {
        Self::of_size(test, "24m")
    }

    pub fn of_size(test: &str, size: &str) -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let mounted = disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "none"]);
        if !mounted {
            eprintln!("left out: {test} mounts a disk, which this user may not do");
            return None;
        }
        Some(disk)
    }

    pub fn run(&self, command: &str, arguments: &[&str]) -> bool {
        let done = Command::new(command).args(arguments).arg(self.0.path()).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut ballast = OpenOptions::new().create(true).append(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
    }

    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run("umount", &["-l"]);
    }
}

pub fn config(tool: &str) -> String {
    format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{tool}\"\n\
         format = \"gitlab\"\nretries = [\"300ms\", \"300ms\", \"300ms\"]\n"
    )
}

/// A tool whose first answer waits until it is let go.
fn held() -> (Tool, Arc<(Mutex<bool>, Condvar)>) {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let own = Arc::clone(&gate);
    let tool = Tool::scripted(move |_| {
        let open = own.0.lock().unwrap();
        drop(own.1.wait_while(open, |open| !*open).unwrap());
        status(200, "")
    });
    (tool, gate)
}

fn send(app: &App, number: usize) -> u16 {
    app.post("/", &[], numbered_push(number).as_bytes()).status
}

/// The marks of what came are those that were accepted, each once.
pub fn came(tool: &Tool, accepted: &[usize]) {
    let mut expected: Vec<String> = accepted.iter().copied().map(mark).collect();
    wait_for("all that was accepted", || (tool.count() >= expected.len()).then_some(()));
    let mut marks = tool.marks();
    marks.sort();
    expected.sort();
    assert_eq!(marks, expected);
}

fn errors(app: &App, reason: &str) -> u64 {
    app.metric(&format!("hookglot_store_errors_total{{reason=\"{reason}\"}} ")).unwrap_or(0)
}

#[test]
fn a_full_disk_is_said_to_the_forge_and_heals_by_itself() {
    let Some(disk) = Disk::mount("a full disk") else { return };
    let (tool, gate) = held();
    let app = App::start(serve_in(disk.0.path(), &config(&tool.url)));
    assert_eq!(send(&app, 0), 200);
    wait_for("the first attempt", || (tool.requests() == 1).then_some(()));

    let (mut number, mut accepted) = (1, vec![0]);
    let refused = wait_for("a refusal", || {
        disk.fill();
        let answer = app.post("/", &[], numbered_push(number).as_bytes());
        number += 1;
        if answer.status == 200 {
            accepted.push(number - 1);
            return None;
        }
        Some(answer)
    });
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(refused.body.contains("no room is left on the disk of data_dir"), "{refused:?}");
    let ready = app.get_admin("/ready");
    assert!(ready.body.starts_with("not ready: the store is full: no room is left on the disk"), "{ready:?}");
    assert!(ready.body.ends_with(": make room there\n") && ready.body.lines().count() == 1, "{ready:?}");
    assert_eq!(app.metric("hookglot_store_down "), Some(1));
    assert!(errors(&app, "full") > 0 && errors(&app, "broken") == 0);

    // The tool answers while nothing can be written: what it has must not be sent to it over and over again.
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    app.wait_for_log("what came of a delivery cannot be kept yet");
    let before = errors(&app, "full");
    wait_for("further tries to keep it", || (errors(&app, "full") > before + 2).then_some(()));
    assert!(tool.kept().values().all(|kept| kept.at.len() == 1), "{:?}", tool.kept());

    disk.free();
    let more = wait_for("the store", || {
        number += 1;
        (send(&app, number - 1) == 200).then_some(number - 1)
    });
    accepted.push(more);
    assert_eq!(app.metric("hookglot_store_down "), Some(0));
    came(&tool, &accepted);
    wait_for("an empty queue", || {
        app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"delivered\"} ")
            .filter(|count| *count == accepted.len() as u64)
    });
    came(&tool, &accepted);
}

#[test]
fn a_full_disk_is_not_asked_without_a_pause_after_the_configuration_was_read_again() {
    let Some(disk) = Disk::mount("a reload beside a full disk") else { return };
    let (tool, gate) = held();
    let app = App::start(serve_in(disk.0.path(), &config(&tool.url)));
    assert_eq!(send(&app, 0), 200);
    wait_for("the first attempt", || (tool.requests() == 1).then_some(()));
    let mut number = 0;
    wait_for("a refusal", || {
        disk.fill();
        number += 1;
        (send(&app, number) == 503).then_some(())
    });
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    app.wait_for_log("what came of a delivery cannot be kept yet");
    app.signal("HUP");
    app.wait_for_log("the configuration is loaded and in force");
    let (before, began) = (errors(&app, "full"), std::time::Instant::now());
    wait_for("more tries", || (errors(&app, "full") >= before + 4).then_some(()));
    assert!(began.elapsed() > std::time::Duration::from_millis(900), "it spins: {:?}", began.elapsed());
    disk.free();
    wait_for("what was accepted", || {
        app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending == 0)
    });
    assert!(tool.kept().values().all(|kept| kept.at.len() == 1), "{:?}", tool.kept());
}

#[test]
fn a_full_disk_heals_for_the_metric_when_no_hook_comes() {
    let Some(disk) = Disk::mount("a disk that heals") else { return };
    let tool = Tool::scripted(content);
    let app = App::start(serve_in(disk.0.path(), &config(&tool.url)));
    let mut number = 0;
    wait_for("a refusal", || {
        disk.fill();
        number += 1;
        (send(&app, number - 1) == 503).then_some(())
    });
    disk.free();
    app.wait_for_log("the store takes hooks again");
    assert_eq!(app.metric("hookglot_store_down "), Some(0));
}

/// Starts `serve` where it cannot start.
pub fn refused(folder: &Path, config: &str) -> Ended {
    let mut serve = serve_in(folder, config);
    serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    Running::start(serve, b"").end()
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_at_start() {
    let Some(disk) = Disk::mount("a disk that is mounted read-only") else { return };
    let tool = Tool::scripted(content);
    let config = config(&tool.url);
    let mut app = App::start(serve_in(disk.0.path(), &config));
    assert_eq!(send(&app, 0), 200);
    came(&tool, &[0]);
    app.terminate();
    app.wait();
    assert!(disk.run("mount", &["-o", "remount,ro"]));
    // The configuration lies elsewhere then.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut serve = serve_in(elsewhere.path(), &config);
    serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    serve.env("HOOKGLOT_DATA_DIR", disk.0.path().join("data"));
    let ended = Running::start(serve, b"").end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("hookglot cannot write into the folder"), "{ended:?}");
    assert!(ended.err.contains("Read-only file system") && ended.err.contains("look at its mount"), "{ended:?}");
    assert!(!ended.err.contains("restore"), "{ended:?}");
    assert!(disk.run("mount", &["-o", "remount,rw"]));
    let app = App::start(serve_in(disk.0.path(), &config));
    assert_eq!(send(&app, 1), 200);
    came(&tool, &[0, 1]);
}

/// A file system cannot become read-only below open files, but each write to it can fail: the process may write no file
/// beyond its first byte, which is not "no room" to `SQLite` but a broken disk.
#[test]
fn a_disk_that_gives_errors_is_said_to_the_forge_and_heals_by_itself() {
    let (tool, folder) = (Tool::scripted(content), tempfile::tempdir().unwrap());
    let serve = serve_in(folder.path(), &config(&tool.url));
    let mut shell = Command::new("sh");
    // The signal that goes with such an error would end the process.
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    shell.env_clear().stdin(Stdio::null());
    for (name, value) in serve.get_envs() {
        shell.env(name, value.unwrap());
    }
    let app = App::start(shell);
    assert_eq!(send(&app, 0), 200);
    came(&tool, &[0]);
    let limit = |bytes: &str| {
        let done =
            Command::new("prlimit").args(["--pid", &app.id().to_string(), &format!("--fsize={bytes}:")]).status();
        assert!(done.expect("prlimit of util-linux").success());
    };
    limit("1");
    let answer = app.post("/", &[], numbered_push(1).as_bytes());
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert!(answer.body.contains("the disk of data_dir gives an error"), "{answer:?}");
    assert_eq!(app.metric("hookglot_store_down "), Some(1));
    assert!(errors(&app, "broken") > 0);
    limit("unlimited");
    wait_for("the store", || (send(&app, 2) == 200).then_some(()));
    assert_eq!(app.metric("hookglot_store_down "), Some(0));
    came(&tool, &[0, 2]);
}

/// A folder whose store holds many hooks that wait, closed in good order.
pub fn filled(config: &str, hooks: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start(serve_in(folder.path(), config));
    (0..hooks).for_each(|number| assert_eq!(send(&app, number), 200));
    app.terminate();
    app.wait();
    folder
}

/// The size of a page of a database, as its head says it.
fn page(database: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([database[16], database[17]]))
}

pub fn overwrite(file: &Path, from: u64, bytes: usize) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; bytes]).unwrap();
}

#[test]
fn a_database_with_a_damaged_head_is_refused_with_what_to_do() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 1);
    let database = folder.path().join("data/hookglot.db");
    overwrite(&database, 0, 512);
    let before = std::fs::read(&database).unwrap();
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["hookglot.db", "file is not a database", "hookglot restore", "to begin anew", "lost with them"] {
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
    assert_eq!(std::fs::read(&database).unwrap(), before, "whoever can mend it finds it as it was");
}

#[test]
fn a_database_that_is_damaged_all_over_is_refused_with_what_to_do() {
    let config = config(&format!("http://{}/", nobodys_address()));
    let folder = filled(&config, 100);
    let database = folder.path().join("data/hookglot.db");
    let length = std::fs::metadata(&database).unwrap().len();
    // All but the first page, which holds the schema.
    let page = page(&std::fs::read(&database).unwrap());
    overwrite(&database, page as u64, usize::try_from(length).unwrap() - page);
    let ended = refused(folder.path(), &config);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("malformed") && ended.err.contains("hookglot restore"), "{ended:?}");
}

#[test]
fn a_hook_that_cannot_be_read_keeps_no_other_waiting() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool")) + "probe = \"200ms\"\n";
    let folder = filled(&config, 60);
    let database = folder.path().join("data/hookglot.db");
    let bytes = std::fs::read(&database).unwrap();
    let middle = mark(30).into_bytes();
    let at = bytes.windows(middle.len()).position(|own| own == middle).expect("the hook is in the database");
    let page = page(&bytes);
    overwrite(&database, (at / page * page) as u64, page);
    let tool = Tool::at(address, content);
    let app = App::start_unready(serve_in(folder.path(), &config));
    let line = app.wait_for_log("the store does not give what is to be delivered");
    assert!(line.contains("ERROR") && line.contains("damaged") && line.contains("hookglot restore"), "{line}");
    assert!(errors(&app, "broken") > 0);
    // Of a new one nobody would know whether it could be delivered.
    let refused = app.post("/", &[], numbered_push(60).as_bytes());
    assert!(refused.status == 503 && refused.body.contains("hookglot restore"), "{refused:?}");
    assert_eq!(app.metric("hookglot_store_down "), Some(1));
    let ready = app.get_admin("/ready");
    assert!(ready.status == 503 && ready.body.starts_with("not ready: the store is damaged: "), "{ready:?}");
    // A page holds few of them.
    wait_for("those behind it", || (tool.marks().contains(&mark(59)) && tool.count() >= 50).then_some(()));
}

#[test]
fn a_log_of_the_database_that_was_cut_off_is_read_as_far_as_it_goes() {
    let address = nobodys_address();
    let config = config(&format!("http://{address}/tool"));
    for part in [2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = App::start(serve_in(folder.path(), &config));
        (0..20).for_each(|number| assert_eq!(send(&app, number), 200));
        app.signal("KILL");
        app.wait();
        let log = folder.path().join("data/hookglot.db-wal");
        let length = std::fs::metadata(&log).unwrap().len();
        File::options().write(true).open(&log).unwrap().set_len(length / part + 7).unwrap();
        let app = App::start(serve_in(folder.path(), &config));
        assert_eq!(send(&app, 20), 200);
        let pending = wait_for("what is left", || {
            app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending > 0)
        });
        assert!(pending <= 21, "{pending}");
    }
}
