//! A hookglot process on free ports, ended with the test.

use super::wire::{Answer, post};
use super::{DEADLINE, wait_for};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_hookglot");

/// A command of hookglot in an empty environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// A `serve` command with a configuration and a store that outlive it, both in a folder.
pub fn serve_in(folder: &Path, config: &str) -> Command {
    let file = folder.join("hookglot.toml");
    std::fs::write(&file, config).unwrap();
    let mut serve = command(&["serve", "--config", file.to_str().unwrap()]);
    serve.env("HOOKGLOT_DATA_DIR", folder.join("data"));
    serve
}

/// A running `hookglot serve`.
pub struct App {
    child: Child,
    log: Arc<Mutex<String>>,
    out: Arc<Mutex<String>>,
    /// End when the process has closed its outputs.
    readers: Vec<JoinHandle<()>>,
    /// Where its store is, unless the command says so.
    _data: tempfile::TempDir,
    pub address: String,
    pub admin: String,
}

impl App {
    /// Starts `serve` with a configuration file.
    pub fn with_config(folder: &Path, config: &str) -> Self {
        let file = folder.join("hookglot.toml");
        std::fs::write(&file, config).unwrap();
        Self::start(command(&["serve", "--config", file.to_str().unwrap()]))
    }

    /// Starts `serve` as a sidecar.
    pub fn with_environment(variables: &[(&str, &str)]) -> Self {
        let mut serve = command(&["serve"]);
        serve.envs(variables.iter().copied());
        Self::start(serve)
    }

    /// Starts a `serve` command on free ports and waits until it takes hooks.
    pub fn start(serve: Command) -> Self {
        let app = Self::start_unready(serve);
        wait_for("readiness", || (app.get_admin("/ready").status == 200).then_some(()));
        app
    }

    /// Starts it where it may never take hooks.
    pub fn start_unready(mut serve: Command) -> Self {
        serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        let data = tempfile::tempdir().unwrap();
        let has_own = |argument: &std::ffi::OsStr| {
            std::fs::read_to_string(argument).is_ok_and(|config| config.contains("data_dir"))
        };
        if !serve.get_envs().any(|(name, _)| name == "HOOKGLOT_DATA_DIR") && !serve.get_args().any(has_own) {
            serve.env("HOOKGLOT_DATA_DIR", data.path().join("data"));
        }
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, log_reader) = collect(child.stderr.take().unwrap());
        let (out, out_reader) = collect(child.stdout.take().unwrap());
        let find = |mark: &str| {
            wait_for(mark, || {
                let text = log.lock().unwrap().clone();
                let line = text.lines().find(|line| line.contains(mark))?;
                Some(line.split("://").nth(1)?.trim().trim_end_matches('"').trim_end_matches("\"}").to_owned())
            })
        };
        let (admin, address) = (find("admin listens on"), find("hooks come in on"));
        Self { child, log, out, readers: vec![log_reader, out_reader], _data: data, address, admin }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Everything printed so far.
    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Waits for a text in the log.
    pub fn wait_for_log(&self, text: &str) -> String {
        wait_for(text, || self.log().lines().find(|line| line.contains(text)).map(str::to_owned))
    }

    /// Sends a hook.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        post(&self.address, path, headers, body)
    }

    /// Asks the admin port.
    pub fn get_admin(&self, path: &str) -> Answer {
        super::wire::exchange(
            &self.admin,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
        )
    }

    /// The value of a metric line that begins so.
    pub fn metric(&self, line: &str) -> Option<u64> {
        let text = self.get_admin("/metrics").body;
        text.lines().find_map(|own| own.strip_prefix(line)?.trim().parse().ok())
    }

    /// A line of the process's status in KiB: `VmRSS`, what it holds, or `VmHWM`, the most that it has held.
    pub fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|own| own.strip_prefix(line)?.strip_prefix(':')).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.readers.drain(..).for_each(|reader| reader.join().unwrap());
                return status;
            }
            assert!(Instant::now() < until, "the process does not end:\n{}", self.log());
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of hookglot\n{}", self.log());
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&text);
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = shared.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    (text, reader)
}
