//! A command that runs to its end, or as long as its test.

use super::DEADLINE;
use super::app::command;
use serde_json::Value;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command on its way; killed with the test, whatever it does.
pub struct Running {
    child: Child,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

/// A command that has come to its end, and all that it printed.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Running {
    /// Starts a command and feeds it.
    pub fn start(mut command: Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without having read anything.
        let _ = child.stdin.take().unwrap().write_all(input);
        let (out, reads_out) = collect(child.stdout.take().unwrap());
        let (err, reads_err) = collect(child.stderr.take().unwrap());
        Self { child, out, err, readers: vec![reads_out, reads_err] }
    }

    /// What it has printed so far.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out.lock().unwrap()).into_owned()
    }

    /// What it has said so far on standard error.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let until = Instant::now() + DEADLINE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            let err = String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned();
            assert!(Instant::now() < until, "the command does not end:\n{}{err}", self.out());
            std::thread::park_timeout(Duration::from_millis(5));
        };
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        let err = String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned();
        Ended { code, out: self.out(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> (Arc<Mutex<Vec<u8>>>, JoinHandle<()>) {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk) {
            shared.lock().unwrap().extend_from_slice(&chunk[..read]);
        }
    });
    (bytes, reader)
}

/// Runs a command to its end; panics when that does not come.
pub fn ended(command: Command) -> Ended {
    Running::start(command, b"").end()
}

/// Runs hookglot to its end in an empty environment.
pub fn run(arguments: &[&str]) -> Ended {
    ended(command(arguments))
}

/// Runs hookglot to its end with something on standard input.
pub fn fed(arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    Running::start(command(arguments), input.as_ref()).end()
}

impl Ended {
    /// What was printed, as JSON, after making sure that it went well.
    pub fn json(&self) -> Value {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What standard error says, after making sure of the exit code and that nothing else was printed.
    #[track_caller]
    pub fn says(&self, code: i32) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        &self.err
    }
}
