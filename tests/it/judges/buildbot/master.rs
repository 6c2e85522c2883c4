use crate::support::wait_for;
use crate::support::wire::exchange;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What its change hook wants in X-Gitlab-Token.
pub const TOKEN: &str = "brass-buoy-31";

/// A master without workers and builders: what it shows of a hook are changes, and nothing is built of them. It tells
/// nobody that it runs.
const CONFIG: &str = r"c = BuildmasterConfig = {
    'multiMaster': True,
    'workers': [], 'builders': [], 'schedulers': [], 'protocols': {},
    'db': {'db_url': 'sqlite:///state.sqlite'},
    'buildbotURL': 'http://127.0.0.1/',
    'buildbotNetUsageData': None,
    'www': {
        'port': 'tcp:0:interface=127.0.0.1',
        'change_hook_dialects': {'gitlab': {'secret': 'TOKEN'}},
    },
}
";

/// A running Buildbot on a free port, ended with the test.
pub struct Master {
    folder: tempfile::TempDir,
    process: Child,
    address: String,
}

impl Master {
    /// Makes a master in a folder of its own and waits until it runs.
    pub fn start(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(programs.join("buildbot"))
            .args(["create-master", "--quiet", "."])
            .current_dir(folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", programs.display()));
        assert!(made.status.success(), "{made:?}");
        std::fs::write(folder.path().join("master.cfg"), CONFIG.replace("TOKEN", TOKEN)).unwrap();
        let process = Command::new(programs.join("twistd"))
            .args(["--nodaemon", "--no_save", "--pidfile=", "--python=buildbot.tac"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut master = Self { folder, process, address: String::new() };
        let port = wait_for("a running Buildbot", || {
            let ended = master.process.try_wait().unwrap();
            assert!(ended.is_none(), "Buildbot has ended: {ended:?}\n{}", master.log());
            let log = master.log();
            let port =
                log.lines().find_map(|line| line.split_once("BuildbotSite starting on ")).map(|(_, port)| port)?;
            log.contains("BuildMaster is running").then(|| port.trim().to_owned())
        });
        master.address = format!("127.0.0.1:{port}");
        master
    }

    /// Where hooks of GitLab go.
    pub fn hook_url(&self) -> String {
        format!("http://{}/change_hook/gitlab", self.address)
    }

    /// The changes after so many, oldest first.
    pub fn changes_after(&self, seen: usize) -> Vec<Value> {
        // HTTP 1.0, so that the answer comes in one piece.
        let request = format!("GET /api/v2/changes?changeid__gt={seen} HTTP/1.0\r\nHost: x\r\n\r\n");
        let answer = exchange(&self.address, request.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut changes = answer.json()["changes"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
        // In whatever order they come; ids are given one by one.
        changes.sort_by_key(|change| change["changeid"].as_u64());
        changes
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("twistd.log")).unwrap_or_default()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Buildbot\n{}", self.log());
        }
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
