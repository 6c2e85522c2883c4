use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::wait_for;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// The folder with the mappings of one direction, and the two files in it that must fit together: one takes the place of
/// a built-in one, the other is used by it.
const DIRECTION: &str = "gitflic-to-gitlab";
const HOOK: &str = r#"{"action": "WEBHOOK_SEND", "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92"}"#;

/// A mapping that marks what it makes twice: by itself and by the file that it shares.
fn mapping(mark: &str) -> String {
    format!(
        "mapping: 1\nname: own\nuse: _mark.yaml\nevent: WEBHOOK_SEND\nheaders: {{X-Gitlab-Event: Push Hook}}\n\
         body: {{own: {mark}, shared: '${{mark}}'}}\nlossy:\n  - project_id: nobody asks for it\n\
         examples:\n  - {{name: any, input: {HOOK}, expect: {{own: {mark}}}}}\n"
    )
}

fn shared(mark: &str) -> String {
    format!("mapping: 1\nlet:\n  mark: {mark}\n")
}

fn write_both(folder: &Path, mark: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("webhook-send.yaml"), mapping(mark)).unwrap();
    std::fs::write(folder.join("_mark.yaml"), shared(mark)).unwrap();
}

/// A running hookglot with a folder of mappings, and the tool behind it.
struct Running {
    folder: PathBuf,
    app: App,
    tool: Receiver,
    _kept: TempDir,
}

impl Running {
    /// `lay` fills the folder before the start.
    fn with(lay: impl FnOnce(&Path)) -> Self {
        Self::timed(("20ms", "200ms"), lay)
    }

    fn timed((debounce, poll): (&str, &str), lay: impl FnOnce(&Path)) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("mappings");
        std::fs::create_dir(&folder).unwrap();
        lay(&folder);
        let tool = Receiver::content();
        let mut serve = command(&["serve", "--mappings-dir", folder.to_str().unwrap()]);
        serve.envs([
            ("HOOKGLOT_TO", tool.url.as_str()),
            ("HOOKGLOT_FORMAT", "gitlab"),
            ("HOOKGLOT_SECRET", "none"),
            ("HOOKGLOT_RELOAD__DEBOUNCE", debounce),
            ("HOOKGLOT_RELOAD__POLL", poll),
            ("HOOKGLOT_LOG_FORMAT", "json"),
        ]);
        Self { folder, app: App::start(serve), tool, _kept: kept }
    }

    fn direction(&self) -> PathBuf {
        self.folder.join(DIRECTION)
    }

    /// Sends a hook and gives the two marks of what arrives.
    fn marks(&self) -> (String, String) {
        let before = self.tool.got().len();
        assert_eq!(self.app.post("/", &[], HOOK.as_bytes()).json()["status"], "stored");
        let body = self.tool.wait_for(before + 1)[before].json();
        (body["own"].as_str().unwrap().to_owned(), body["shared"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn becomes(&self, mark: &str) {
        wait_for(&format!("the mark {mark}"), || {
            let marks = self.marks();
            assert_eq!(marks.0, marks.1, "half of a set");
            (marks.0 == mark).then_some(())
        });
    }

    fn reloads(&self, result: &str) -> u64 {
        self.app.metric(&format!("hookglot_mappings_reloads_total{{result=\"{result}\"}} ")).unwrap_or(0)
    }

    fn is_refused(&self) -> bool {
        self.app.metric("hookglot_mappings_reload_failed ") == Some(1)
    }
}

#[test]
fn a_file_that_is_edited_in_place_is_in_force_soon() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "first"));
    running.becomes("first");
    std::fs::write(
        running.direction().join("webhook-send.yaml"),
        mapping("first").replace("own: first", "own: 'first'"),
    )
    .unwrap();
    wait_for("a reload", || (running.reloads("loaded") == 1).then_some(()));
    write_both(&running.direction(), "second");
    running.becomes("second");
}

#[test]
fn a_file_that_is_renamed_over_another_is_in_force_soon() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "first"));
    let new = running.folder.parent().unwrap().join("webhook-send.yaml.new");
    let text = mapping("first").replace("shared: '${mark}'", "shared: '${mark}', berth: 7");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, running.direction().join("webhook-send.yaml")).unwrap();
    wait_for("the new field", || {
        running.marks();
        running.tool.got().last().filter(|got| got.json()["berth"] == 7).map(|_| ())
    });
}

#[test]
fn a_git_pull_is_in_force_soon() {
    let origin = tempfile::tempdir().unwrap();
    let git = |folder: &Path, arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=Olga Vetrova", "-c", "user.email=o.vetrova@harbour.example.com"])
            .args(["-c", "init.defaultBranch=main", "-c", "pull.ff=only"])
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    };
    git(origin.path(), &["init", "-q"]);
    let commit = |mark: &str| {
        write_both(&origin.path().join(DIRECTION), mark);
        git(origin.path(), &["add", "-A"]);
        git(origin.path(), &["commit", "-q", "-m", mark]);
    };
    commit("first");
    let running = Running::with(|folder| git(folder, &["clone", "-q", origin.path().to_str().unwrap(), "."]));
    running.becomes("first");
    commit("second");
    git(&running.folder, &["pull", "-q"]);
    running.becomes("second");
}

/// As Kubernetes lays a config map: files are links to `..data/`, which is a link that is swapped by a rename.
fn config_map(mount: &Path, version: &str, mark: &str) {
    write_both(&mount.join(version), mark);
    symlink(version, mount.join("..data_tmp")).unwrap();
    std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
}

#[test]
fn a_swapped_config_map_is_in_force_soon() {
    let running = Running::with(|folder| {
        let mount = folder.join(DIRECTION);
        std::fs::create_dir(&mount).unwrap();
        config_map(&mount, "..2026_02_03", "first");
        for file in ["webhook-send.yaml", "_mark.yaml"] {
            symlink(format!("..data/{file}"), mount.join(file)).unwrap();
        }
    });
    running.becomes("first");
    config_map(&running.direction(), "..2026_02_04", "second");
    std::fs::remove_dir_all(running.direction().join("..2026_02_03")).unwrap();
    running.becomes("second");
}

#[test]
fn a_folder_that_is_a_link_can_be_swapped_as_a_whole() {
    let running = Running::with(|folder| {
        let above = folder.parent().unwrap();
        write_both(&above.join("one").join(DIRECTION), "first");
        write_both(&above.join("two").join(DIRECTION), "second");
        std::fs::remove_dir(folder).unwrap();
        symlink("one", folder).unwrap();
    });
    running.becomes("first");
    let above = running.folder.parent().unwrap();
    symlink("two", above.join("new")).unwrap();
    std::fs::rename(above.join("new"), &running.folder).unwrap();
    running.becomes("second");
    // What is below the new folder is watched as well.
    write_both(&above.join("two").join(DIRECTION), "third");
    running.becomes("third");
}

#[test]
fn a_broken_file_is_refused_whole_and_its_repair_is_in_force_soon() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "first"));
    running.becomes("first");
    let file = running.direction().join("webhook-send.yaml");
    std::fs::write(running.direction().join("_mark.yaml"), shared("second")).unwrap();
    std::fs::write(&file, mapping("second").replace("${mark}", "${mark | frst_line}")).unwrap();
    wait_for("a refusal", || running.is_refused().then_some(()));
    let message = format!("{}:6:39: unknown filter `frst_line`, did you mean `first_line`?", file.display());
    running.app.wait_for_log(&message);
    running.app.wait_for_log("the mapping files are refused: those loaded before stay in force");
    assert_eq!(running.marks(), ("first".to_owned(), "first".to_owned()));
    assert_eq!(running.app.get_admin("/ready").status, 200);
    // It is said once, however often it is looked at.
    let refused = running.reloads("refused");
    running.app.signal("HUP");
    running.app.wait_for_log("SIGHUP: the mapping files are read");
    assert_eq!(running.reloads("refused"), refused);
    assert_eq!(running.app.log().matches(&message).count(), 1, "{}", running.app.log());
    write_both(&running.direction(), "third");
    running.becomes("third");
    wait_for("the end of the refusal", || (!running.is_refused()).then_some(()));
}

#[test]
fn going_back_to_the_files_in_force_ends_a_refusal() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "first"));
    std::fs::write(running.direction().join("webhook-send.yaml"), "mapping: [").unwrap();
    wait_for("a refusal", || running.is_refused().then_some(()));
    write_both(&running.direction(), "first");
    running.app.wait_for_log("the mapping files are again those in force");
    wait_for("the end of the refusal", || (!running.is_refused()).then_some(()));
    assert_eq!(running.reloads("loaded"), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_what_else_is_wrong() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "one"));
    symlink("no-such-harbour.yaml", running.direction().join("quay.yaml")).unwrap();
    std::fs::write(running.direction().join("berth.yaml"), "mapping: 1\nevnt: BERTH\n").unwrap();
    running.app.wait_for_log("quay.yaml:1:1: cannot be read: ");
    running.app.wait_for_log("berth.yaml:2:1: unknown key `evnt`");
    assert_eq!(running.marks(), ("one".to_owned(), "one".to_owned()));
}

#[test]
fn a_folder_that_is_gone_changes_nothing() {
    let running = Running::with(|folder| write_both(&folder.join(DIRECTION), "first"));
    let away = running.folder.with_extension("away");
    std::fs::rename(&running.folder, &away).unwrap();
    wait_for("a refusal", || running.is_refused().then_some(()));
    running.becomes("first");
    std::fs::rename(&away, &running.folder).unwrap();
    wait_for("its end", || (!running.is_refused()).then_some(()));
}

#[test]
fn a_forge_or_an_overlay_that_the_configuration_uses_cannot_be_taken_away() {
    let kept = tempfile::tempdir().unwrap();
    let overlay = kept.path().join("mappings/overlays/berth.yaml");
    std::fs::create_dir_all(overlay.parent().unwrap()).unwrap();
    let text = "overlay: 1\nevent: Push Hook\nset: {berth: 7}\nexamples:\n  - {name: any, input: {ref: x}, output: {ref: x, berth: 7}}\n";
    std::fs::write(&overlay, text).unwrap();
    let tool = Receiver::content();
    let config = format!(
        "mappings_dir = {:?}\nreload = {{debounce = \"20ms\", poll = \"200ms\"}}\n[[route]]\npath = \"/\"\n\
         secret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = {:?}\nformat = \"gitlab\"\noverlays = [\"berth\"]\n",
        kept.path().join("mappings"),
        tool.url
    );
    let app = App::with_config(kept.path(), &config);
    std::fs::remove_file(&overlay).unwrap();
    app.wait_for_log("the overlay berth is gone, and a destination uses it");
    app.post("/", &[], crate::support::gitflic_push().as_bytes());
    assert_eq!(tool.wait_for(1)[0].json()["berth"], 7, "the overlay in force is laid over what is sent");
}

#[test]
fn a_hangup_reads_the_files_at_once() {
    // Neither a change nor the clock would lead to a look in the time of a test.
    let running = Running::timed(("1h", "1h"), |folder| write_both(&folder.join(DIRECTION), "first"));
    // The first look is over when this is answered: from here on nothing else would find a change.
    running.app.signal("HUP");
    running.app.wait_for_log("SIGHUP: the mapping files are read");
    running.becomes("first");
    write_both(&running.direction(), "second");
    // The change has begun to settle for an hour; a hangup does not wait for that.
    running.app.signal("HUP");
    running.becomes("second");
}

/// The poll would find changes only in an hour, and nobody who writes beside the folder wakes the process.
#[test]
fn changes_are_found_without_the_poll_and_without_watching_what_is_beside_the_folder() {
    let running = Running::timed(("20ms", "1h"), |folder| {
        let above = folder.parent().unwrap();
        write_both(&above.join("one").join(DIRECTION), "first");
        write_both(&above.join("two").join(DIRECTION), "third");
        std::fs::remove_dir(folder).unwrap();
        symlink("one", folder).unwrap();
    });
    running.becomes("first");
    write_both(&running.direction(), "second");
    running.becomes("second");
    let above = running.folder.parent().unwrap();
    symlink("two", above.join("new")).unwrap();
    std::fs::rename(above.join("new"), &running.folder).unwrap();
    running.becomes("third");
    std::fs::remove_dir_all(above.join("two").join(DIRECTION)).unwrap();
    wait_for("a reload", || (running.reloads("loaded") == 3).then_some(()));
    let open = std::fs::read_dir(format!("/proc/{}/fd", running.app.id())).unwrap().flatten();
    let open: Vec<PathBuf> = open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    assert!(!open.iter().any(|file| file.to_string_lossy().contains("inotify")), "{open:?}");
}

#[test]
fn a_folder_that_is_named_from_where_the_process_runs_is_watched() {
    let kept = tempfile::tempdir().unwrap();
    write_both(&kept.path().join("mappings").join(DIRECTION), "first");
    let mut serve = command(&["serve", "--mappings-dir", "mappings"]);
    serve.current_dir(kept.path());
    serve.envs([("HOOKGLOT_RELOAD__DEBOUNCE", "20ms"), ("HOOKGLOT_RELOAD__POLL", "1h")]);
    let app = App::start(serve);
    write_both(&kept.path().join("mappings").join(DIRECTION), "second");
    app.wait_for_log("mappings/gitflic-to-gitlab/_mark.yaml has changed");
    std::fs::remove_dir_all(kept.path().join("mappings").join(DIRECTION)).unwrap();
    app.wait_for_log("mappings/gitflic-to-gitlab/_mark.yaml is gone");
}

#[test]
fn a_hangup_without_a_folder_does_no_harm() {
    let app = App::start(command(&["serve"]));
    app.signal("HUP");
    app.wait_for_log("SIGHUP: there is no mappings_dir to read again");
    assert_eq!(app.get_admin("/ready").status, 200);
}

/// What a mapping reads may go with it: who set it is told, at start and whenever the files change.
#[test]
fn what_no_mapping_knows_is_told_at_each_reload() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let mappings = folder.path().join("mappings");
    let file = mappings.join(DIRECTION).join("webhook-send.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let own = mapping("first").replace("use: _mark.yaml\n", "").replace("shared: '${mark}'", "shared: 1");
    let reads = own
        .replace("shared: 1", "shared: '${settings.quay ?? 1}'")
        .replace("name: any,", "name: any, settings: {quay: 3},");
    std::fs::write(&file, &reads).unwrap();
    let config = format!(
        "mappings_dir = {mappings:?}\n[reload]\ndebounce = \"20ms\"\npoll = \"200ms\"\n\
         [[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
         events = [\"BRANCH_UPDATE\", \"MOON_PHASE\"]\n[route.to.settings]\nquay = 4\n",
        tool.url
    );
    let app = App::with_config(folder.path(), &config);
    let told = |text: &str| app.log().lines().filter(|line| line.contains("WARN") && line.contains(text)).count();
    let (of_event, of_setting) = ("is not known to send an event `MOON_PHASE`", "settings.quay: no mapping reads");
    assert_eq!((told(of_event), told(of_setting)), (1, 0));
    assert_eq!(app.metric("hookglot_configuration_warnings"), Some(1));
    std::fs::write(&file, &own).unwrap();
    wait_for("both warnings", || ((told(of_event), told(of_setting)) == (2, 1)).then_some(()));
    assert_eq!(app.metric("hookglot_configuration_warnings"), Some(2));
}

#[test]
fn files_that_are_written_one_after_the_other_are_loaded_together() {
    let running = Running::timed(("2s", "1h"), |folder| write_both(&folder.join(DIRECTION), "first"));
    running.becomes("first");
    std::fs::write(running.direction().join("webhook-send.yaml"), mapping("second")).unwrap();
    running.marks();
    std::fs::write(running.direction().join("_mark.yaml"), shared("second")).unwrap();
    running.becomes("second");
    // It is in force a moment before it is counted.
    let loaded = wait_for("a reload", || Some(running.reloads("loaded")).filter(|loaded| *loaded > 0));
    assert_eq!(loaded, 1);
}

#[test]
fn under_load_no_hook_sees_half_a_set() {
    let running = Running::with(|folder| {
        write_both(&folder.join("..versions/0"), "mark0");
        write_both(&folder.join("..versions/1"), "mark1");
        symlink("..versions/0", folder.join(DIRECTION)).unwrap();
    });
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    running.app.post("/", &[], HOOK.as_bytes());
                }
            });
        }
        // However the flips end, the senders must.
        let flips = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for flip in 1..=8_u64 {
                let version = flip % 2;
                let new = running.folder.join("..new");
                symlink(format!("..versions/{version}"), &new).unwrap();
                std::fs::rename(&new, running.direction()).unwrap();
                wait_for("the other version", || (running.reloads("loaded") == flip).then_some(()));
            }
        }));
        done.store(true, Ordering::Relaxed);
        flips.unwrap();
    });
    let got = running.tool.got();
    let torn = got.iter().map(super::support::receiver::Got::json).filter(|body| body["own"] != body["shared"]).count();
    assert_eq!((torn, running.reloads("loaded")), (0, 8));
    let of = |mark: &str| got.iter().filter(|got| got.json()["own"] == mark).count();
    assert!(of("mark0") > 20 && of("mark1") > 20, "{} and {} hooks", of("mark0"), of("mark1"));
}
