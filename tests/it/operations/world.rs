//! A machine with a hookglot on it, as far as the runbook can tell: folders, commands, a log.

use crate::support::app::BINARY;
use crate::support::{DEADLINE, project_file, wait_for};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

pub const SECRET: &str = "brass-lantern-77";
pub const ADMIN: &str = "harbour-lantern-write-1";
/// What may be asked again and again until the answer is there.
const LOOKS: [&str; 7] = [
    "curl -s http://127.0.0.1:9090/",
    "curl -si http://127.0.0.1:9090/",
    "hookglot routes",
    "hookglot deliveries list",
    "hookglot deliveries show",
    "hookglot deliveries diff",
    "journalctl",
];
/// Folders as the page names them; they lie below the world's own.
const FOLDERS: [&str; 4] = ["/etc/hookglot", "/var/lib/hookglot", "/run/secrets", "/srv/backup"];

pub struct World {
    root: PathBuf,
    /// Taken away with it, where it is its own.
    folder: Option<tempfile::TempDir>,
}

impl World {
    /// One whose configuration has these destinations, and that has started.
    pub fn started(destinations: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self::at(folder.path(), destinations);
        world.folder = Some(folder);
        world.does("systemctl start hookglot");
        world
    }

    /// One in a folder that somebody else takes away; not started.
    pub fn at(root: &Path, destinations: &str) -> Self {
        let world = Self { root: root.to_owned(), folder: None };
        for path in FOLDERS {
            std::fs::create_dir_all(world.path(path)).unwrap();
        }
        std::fs::create_dir_all(world.path("/etc/hookglot/mappings")).unwrap();
        std::fs::create_dir(root.join("bin")).unwrap();
        for name in ["systemctl", "journalctl"] {
            let file = root.join("bin").join(name);
            std::fs::write(&file, project_file(&format!("tests/it/operations/{name}.sh"))).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::symlink(BINARY, root.join("bin/hookglot")).unwrap();
        std::fs::write(root.join("log"), "").unwrap();
        std::fs::write(world.path("/run/secrets/admin"), ADMIN).unwrap();
        let config = "data_dir = \"/var/lib/hookglot\"\nmappings_dir = \"/etc/hookglot/mappings\"\n\
                      admin_token_file = \"/run/secrets/admin\"\n[[route]]\npath = \"/\"\n";
        world.writes_config(&format!("{config}secret = \"{SECRET}\"\n{destinations}"));
        world
    }

    /// Where a file of the page is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn config(&self) -> String {
        self.shown(&std::fs::read_to_string(self.path("/etc/hookglot/hookglot.toml")).unwrap())
    }

    /// Changes a text of the configuration into another.
    pub fn replaces(&self, text: &str, other: &str) {
        let config = self.config();
        assert!(config.contains(text), "{config}");
        self.writes_config(&config.replace(text, other));
    }

    fn writes_config(&self, text: &str) {
        std::fs::write(self.path("/etc/hookglot/hookglot.toml"), self.real(text)).unwrap();
    }

    /// Puts settings of the page into the configuration: in place of the line that has the setting, or in front of it all; tables
    /// go to its end.
    pub fn edit(&self, text: &str) {
        let mut config = self.config();
        if text.contains("[[") {
            self.writes_config(&format!("{config}{text}"));
            return;
        }
        for line in text.lines() {
            let key = |line: &str| line.split(" = ").next().unwrap_or_default().trim_end_matches('s').to_owned();
            let is_there = config.lines().any(|own| key(own) == key(line));
            config = if is_there {
                config.lines().map(|own| if key(own) == key(line) { line } else { own }.to_owned() + "\n").collect()
            } else {
                format!("{line}\n{config}")
            };
        }
        self.writes_config(&config);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.root.join("log")).unwrap()
    }

    /// An address that the last start has logged.
    fn address(&self, mark: &str) -> String {
        let log = self.log();
        let line = log.lines().rev().find_map(|line| line.split_once(mark));
        line.map_or_else(|| "127.0.0.1:9".to_owned(), |(_, address)| address.trim().to_owned())
    }

    /// A text of the page as it is here.
    fn real(&self, text: &str) -> String {
        let root = self.root.to_str().unwrap();
        let text = FOLDERS.iter().fold(text.to_owned(), |text, path| text.replace(path, &format!("{root}{path}")));
        text.replace("127.0.0.1:9090", &self.address("admin listens on http://"))
            .replace("127.0.0.1:8080", &self.address("hooks come in on http://"))
    }

    /// What was printed here as it stands on the page.
    fn shown(&self, text: &str) -> String {
        text.replace(self.root.to_str().unwrap(), "")
    }

    /// Runs a command of the page; gives how it ended and all that it printed.
    pub fn run(&self, command: &str) -> (Option<i32>, String) {
        let bin = self.root.join("bin");
        let mut shell = Command::new("sh");
        shell.args(["-ec", &format!("exec 2>&1\n{}", self.real(command))]).env_clear().current_dir(&self.root);
        shell.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())).env("ROOT", &self.root);
        shell.env("HOOKGLOT_ADMIN_URL", self.real("http://127.0.0.1:9090"));
        shell.env("HOOKGLOT_ADMIN_TOKEN_FILE", self.path("/run/secrets/admin"));
        for (name, file) in [("ID", "id"), ("HOOK", "hook")] {
            shell.env(name, std::fs::read_to_string(self.root.join(file)).unwrap_or_default());
        }
        let ended = shell.stdin(Stdio::null()).output().unwrap();
        (ended.status.code(), self.shown(&String::from_utf8_lossy(&ended.stdout)))
    }

    /// Runs a command that must go well.
    pub fn does(&self, command: &str) -> String {
        let (code, printed) = self.run(command);
        assert_eq!(code, Some(0), "{command}\n{printed}{}", self.log());
        printed
    }

    /// Says which `$ID` (a delivery) or `$HOOK` the page means: the newest of a list.
    pub fn means(&self, name: &str, list: &str) {
        let id = wait_for(list, || {
            let printed = self.does(&format!("hookglot deliveries list --json {list}"));
            let first = serde_json::from_str::<serde_json::Value>(printed.lines().next()?).unwrap();
            first["id"].as_str().map(str::to_owned)
        });
        std::fs::write(self.root.join(name), id).unwrap();
    }

    /// Sends a hook with headers; gives the status.
    pub fn sends(&self, headers: &[(&str, &str)], body: &str) -> u16 {
        let address = self.address("hooks come in on http://");
        crate::support::wire::post(&address, "/", headers, body.as_bytes()).status
    }

    /// Sends a hook of GitFlic that is stored.
    pub fn hears(&self, body: &str) {
        assert_eq!(self.sends(&[("Gitflic-Webhook-Secret", SECRET)], body), 200);
    }

    pub fn wait_for_log(&self, line: &str, at: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.shown(&self.log()).lines().any(|own| fits(own, line)) {
            assert!(Instant::now() < until, "{at}: `{line}` is not logged:\n{}", self.log());
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
    }

    /// Runs a command that prints these lines, in this order, among others; `…` stands for anything.
    pub fn prints(&self, command: &str, expected: &str, at: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            let (_, printed) = self.run(command);
            let mut lines = printed.lines();
            let missing = expected.lines().find(|line| *line != "…" && !lines.any(|own| fits(own, line)));
            let Some(missing) = missing else { return };
            let goes_on = LOOKS.iter().any(|look| command.starts_with(look)) && Instant::now() < until;
            assert!(goes_on, "{at}: `{command}` does not print `{missing}`, but\n{printed}\n{}", self.log());
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.root.join("pid")).unwrap_or_default();
        let command_line = std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
        // It may have ended already, and its number may be another's.
        if String::from_utf8_lossy(&command_line).contains(self.root.to_str().unwrap()) {
            let _ = Command::new("kill").args(["-KILL", pid.trim()]).stderr(Stdio::null()).status();
        }
    }
}

/// Whether a line has the parts of another, between which `…` stands for anything.
pub fn fits(own: &str, line: &str) -> bool {
    let mut left = own;
    line.split('…').all(|part| left.find(part).map(|start| left = &left[start + part.len()..]).is_some())
}
