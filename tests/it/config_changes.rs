//! A configuration, and the files that it names, that change while hooks come in.

use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::wait_for;
use crate::support::{gitflic_push, project_file};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Running {
    folder: TempDir,
    app: App,
    tool: Receiver,
}

fn config(reload: &str, tool: &Receiver, secret: &Path, path: &str) -> String {
    format!(
        "reload = {{debounce = \"20ms\", {reload}}}\n[[route]]\npath = \"{path}\"\nsecret_file = \"{}\"\n\
         [[route.to]]\nname = \"tool\"\nurl = {:?}\nformat = \"gitlab\"\n",
        secret.display(),
        tool.url
    )
}

impl Running {
    /// Starts with a configuration and a secret, `copper`, in one folder.
    fn new(reload: &str) -> Self {
        let (folder, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "copper\n").unwrap();
        let app = App::with_config(folder.path(), &config(reload, &tool, &secret, "/"));
        Self { folder, app, tool }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn status(&self, path: &str, secret: &str) -> u16 {
        self.app.post(path, &[("Gitflic-Webhook-Secret", secret)], gitflic_push().as_bytes()).status
    }

    fn opens(&self, path: &str, secret: &str) {
        wait_for(&format!("{path} with {secret}"), || (self.status(path, secret) == 200).then_some(()));
    }

    fn reloads(&self, result: &str) -> u64 {
        self.app.metric(&format!("hookglot_config_reloads_total{{result=\"{result}\"}} ")).unwrap_or(0)
    }
}

#[test]
fn a_changed_file_is_in_force_soon_and_a_wrong_one_changes_nothing() {
    let running = Running::new("poll = \"1h\"");
    running.opens("/", "copper");
    let (file, secret) = (running.file("hookglot.toml"), running.file("secret"));
    let text = |path: &str| config("poll = \"1h\"", &running.tool, &secret, path);
    std::fs::write(&file, text("/moved")).unwrap();
    running.opens("/moved", "copper");
    running.app.wait_for_log("changed file: the configuration is read");
    assert_eq!(running.status("/", "copper"), 404);

    std::fs::write(&file, text("/lost") + "tokn = \"x\"\n").unwrap();
    running.app.wait_for_log("the configuration is refused: the one before stays in force");
    wait_for("the metric", || (running.app.metric("hookglot_config_reload_failed ") == Some(1)).then_some(()));
    assert_eq!(running.status("/moved", "copper"), 200);
    let refused = running.reloads("refused");

    // A file that is renamed over it, as editors do.
    std::fs::write(running.file("new"), text("/again")).unwrap();
    std::fs::rename(running.file("new"), &file).unwrap();
    running.opens("/again", "copper");
    // The new routes answer before the reload is counted.
    wait_for("the metric", || (running.app.metric("hookglot_config_reload_failed ") == Some(0)).then_some(()));
    assert_eq!(running.reloads("refused"), refused);
}

#[test]
fn a_changed_secret_file_is_in_force_soon_also_one_that_was_missing() {
    let running = Running::new("poll = \"1h\"");
    running.opens("/", "copper");
    std::fs::write(running.file("secret"), "tin\n").unwrap();
    running.opens("/", "tin");
    assert_eq!(running.status("/", "copper"), 401);
    std::fs::remove_file(running.file("secret")).unwrap();
    running.app.wait_for_log("the configuration is refused");
    assert_eq!(running.status("/", "tin"), 200, "the last good one stays");
    std::fs::write(running.file("secret"), "zinc\n").unwrap();
    running.opens("/", "zinc");
    assert!(
        !["copper", "tin\"", "zinc"].iter().any(|secret| running.app.log().contains(secret)),
        "{}",
        running.app.log()
    );
}

#[test]
fn what_nobody_is_told_of_is_found_by_the_poll() {
    // A link in a folder above is swapped: nothing happens in the folder itself.
    let (above, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
    let at = |name: &str| above.path().join(name);
    for (name, secret) in [("one", "copper"), ("two", "tin")] {
        std::fs::create_dir(at(name)).unwrap();
        std::fs::write(at(name).join("secret"), secret).unwrap();
    }
    symlink("one", at("now")).unwrap();
    let text = config("poll = \"50ms\"", &tool, &at("now").join("secret"), "/");
    let app = App::with_config(above.path(), &text);
    let running = Running { folder: above, app, tool };
    running.opens("/", "copper");
    symlink("two", running.file("next")).unwrap();
    std::fs::rename(running.file("next"), running.file("now")).unwrap();
    running.opens("/", "tin");
}

/// As Kubernetes lays a secret: files are links to `..data/`, which is a link that is swapped by a rename.
fn mount(folder: &Path, version: &str, secret: &str) {
    std::fs::create_dir(folder.join(version)).unwrap();
    std::fs::write(folder.join(version).join("secret"), secret).unwrap();
    symlink(version, folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

#[test]
fn a_swapped_secret_of_kubernetes_is_in_force_soon_also_for_a_sidecar() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
    mount(folder.path(), "..2026_02_03", "copper");
    symlink("..data/secret", folder.path().join("secret")).unwrap();
    let mut serve = command(&["serve"]);
    serve.envs([
        ("HOOKGLOT_TO", tool.url.as_str()),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET_FILE", folder.path().join("secret").to_str().unwrap()),
        ("HOOKGLOT_RELOAD__DEBOUNCE", "20ms"),
        ("HOOKGLOT_RELOAD__POLL", "1h"),
    ]);
    let running = Running { app: App::start(serve), folder, tool };
    running.opens("/", "copper");
    for (version, secret) in [("..2026_02_04", "tin"), ("..2026_02_05", "zinc")] {
        mount(running.folder.path(), version, secret);
        running.opens("/", secret);
    }
}

#[test]
fn what_takes_a_restart_is_said_and_a_touched_file_is_no_change() {
    let running = Running::new("poll = \"50ms\"");
    let file = running.file("hookglot.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text).unwrap();
    std::fs::write(&file, format!("grace = \"3s\"\n{text}")).unwrap();
    running.app.wait_for_log("grace has changed: that takes a restart");
    wait_for("the reload", || (running.reloads("loaded") == 1).then_some(()));
}

/// As two config maps of one change come, in whichever order.
#[test]
fn a_configuration_and_the_mapping_files_that_it_needs_may_come_one_after_the_other() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
    let (secret, own) = (folder.path().join("secret"), folder.path().join("own"));
    std::fs::write(&secret, "copper").unwrap();
    std::fs::create_dir_all(own.join("overlays")).unwrap();
    let text = |tool: &Receiver, more: &str| {
        format!("mappings_dir = {own:?}\n{}{more}", config("poll = \"50ms\"", tool, &secret, "/"))
    };
    let app = App::with_config(folder.path(), &text(&tool, ""));
    let running = Running { folder, app, tool };
    let failed = |what: &str, wanted| {
        let name = format!("hookglot_{what}_reload_failed ");
        wait_for(&name, || (running.app.metric(&name) == Some(wanted)).then_some(()));
    };
    let (file, overlay) = (running.file("hookglot.toml"), running.file("own/overlays/mine.yaml"));
    std::fs::write(&file, text(&running.tool, "overlays = [\"mine\"]\n")).unwrap();
    failed("config", 1);
    std::fs::write(&overlay, project_file("mappings/overlays/atlantis.yaml")).unwrap();
    failed("config", 0);
    running.app.wait_for_log("the configuration is loaded and in force");

    std::fs::remove_file(&overlay).unwrap();
    failed("mappings", 1);
    std::fs::write(&file, text(&running.tool, "")).unwrap();
    failed("mappings", 0);
    failed("config", 0);
}

#[test]
fn an_emptied_file_of_a_token_changes_nothing() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
    let (secret, token) = (folder.path().join("secret"), folder.path().join("token"));
    std::fs::write(&secret, "copper").unwrap();
    std::fs::write(&token, "brass-lantern").unwrap();
    let text = format!("{}token_file = {token:?}\n", config("poll = \"1h\"", &tool, &secret, "/"));
    let running = Running { app: App::with_config(folder.path(), &text), folder, tool };
    running.opens("/", "copper");
    std::fs::write(running.file("token"), "").unwrap();
    running.app.wait_for_log("token is empty");
    running.app.wait_for_log("the configuration is refused: the one before stays in force");
    let before = running.tool.wait_for(1).len();
    assert_eq!(running.status("/", "copper"), 200);
    let got = running.tool.wait_for(before + 1);
    assert!(got[before].head.contains("brass-lantern"), "{}", got[before].head);
}

#[test]
fn it_can_be_switched_off() {
    let running = Running::new("poll = \"20ms\", config = false");
    std::fs::write(running.file("secret"), "tin\n").unwrap();
    running.app.signal("HUP");
    running.opens("/", "tin");
    wait_for("the reload", || (running.reloads("loaded") == 1).then_some(()));
    assert!(!running.app.log().contains("changed file"), "{}", running.app.log());
}
