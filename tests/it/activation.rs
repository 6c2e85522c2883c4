use crate::support::app::BINARY;
use crate::support::receiver::Receiver;
use crate::support::wire::{connect, exchange, post, read_answer};
use crate::support::{DEADLINE, gitflic_push, wait_for};
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// What systemd does: it has the sockets, hands them over, and hears how it goes.
struct Supervisor {
    sockets: Vec<TcpListener>,
    heard: UnixDatagram,
    folder: TempDir,
}

/// A hookglot that has got sockets.
struct Service {
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Supervisor {
    fn new(sockets: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        heard.set_read_timeout(Some(DEADLINE)).unwrap();
        let sockets = (0..sockets).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        Self { sockets, heard, folder }
    }

    fn address(&self, at: usize) -> String {
        self.sockets[at].local_addr().unwrap().to_string()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Starts it with the sockets as its descriptors 3 and 4. What a test starts has no more than three; a shell makes
    /// others of these, and becomes hookglot, whose id it has.
    fn start(&self, names: &str, tool: &Receiver, variables: &[(&str, &str)]) -> Service {
        let handed: Vec<OwnedFd> = self.sockets.iter().map(|own| own.try_clone().unwrap().into()).collect();
        let count = handed.len();
        let mut handed = handed.into_iter();
        let mut next = || handed.next().map_or_else(Stdio::null, Stdio::from);
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let script = "exec 3<&0 4>&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$0\" serve";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, BINARY]).env_clear().stdin(next()).stdout(next()).stderr(log);
        shell.env("LISTEN_FDS", count.to_string()).env("LISTEN_FDNAMES", names);
        shell.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        shell.envs([("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_LISTEN", "127.0.0.1:0")]);
        shell.env("HOOKGLOT_TO", &tool.url).env("HOOKGLOT_ADMIN_LISTEN", "127.0.0.1:0");
        shell.env("HOOKGLOT_DATA_DIR", self.folder.path().join("data")).envs(variables.iter().copied());
        Service { child: shell.spawn().unwrap() }
    }

    /// Starts it, and waits until it says that it is ready.
    fn start_ready(&self, names: &str, tool: &Receiver) -> Service {
        let service = self.start(names, tool, &[]);
        assert_eq!(self.hear(), "READY=1\n", "{}", self.log());
        service
    }

    /// The next that is heard.
    fn hear(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.heard.recv(&mut bytes).unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn stop(&self, mut service: Service) {
        service.signal("TERM");
        assert_eq!(self.hear(), "STOPPING=1\n");
        assert_eq!(service.child.wait().unwrap().code(), Some(0), "{}", self.log());
    }
}

impl Service {
    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for the end that a wrong handover brings.
    fn refused(mut self, supervisor: &Supervisor) -> String {
        assert_eq!(self.child.wait().unwrap().code(), Some(78), "{}", supervisor.log());
        supervisor.log()
    }
}

#[test]
fn a_hook_that_comes_while_nobody_runs_arrives() {
    let (supervisor, tool) = (Supervisor::new(1), Receiver::content());
    let service = supervisor.start_ready("hooks", &tool);
    assert_eq!(post(&supervisor.address(0), "/", &[], gitflic_push().as_bytes()).status, 200);
    tool.wait_for(1);
    supervisor.stop(service);
    let body = gitflic_push();
    let mut waiting = connect(&supervisor.address(0));
    write!(waiting, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let service = supervisor.start_ready("hooks", &tool);
    assert_eq!(read_answer(&mut waiting).status, 200);
    tool.wait_for(2);
    supervisor.stop(service);
    let log = supervisor.log();
    assert!(
        log.contains("listen is a socket that was handed over") && !log.contains("admin_listen is a socket"),
        "{log}"
    );
    assert!(log.contains(&format!("hooks come in on http://{}", supervisor.address(0))), "{log}");
}

/// Four senders, each with a connection for every hook, and a process that is stopped and started under them.
#[test]
fn restarts_lose_no_connection() {
    let (supervisor, tool, is_over) = (Supervisor::new(1), Receiver::content(), AtomicBool::new(false));
    let post_on = || {
        let mut sent = 0;
        while !is_over.load(Ordering::Relaxed) {
            let answer = post(&supervisor.address(0), "/", &[], gitflic_push().as_bytes());
            assert_eq!(answer.status, 200, "after {sent}: {answer:?}\n{}", supervisor.log());
            sent += 1;
        }
        sent
    };
    let hooks: usize = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4).map(|_| scope.spawn(post_on)).collect();
        for round in 1..=4 {
            let service = supervisor.start_ready("", &tool);
            let before = tool.got().len();
            wait_for("hooks of this round", || (tool.got().len() > before + 10).then_some(()));
            if round < 4 {
                supervisor.stop(service);
            } else {
                is_over.store(true, Ordering::Relaxed);
                let all = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
                wait_for("all of them", || (tool.got().len() >= all).then_some(()));
                supervisor.stop(service);
                return all;
            }
        }
        0
    });
    assert!(hooks > 40, "{hooks}");
}

#[test]
fn both_ports_are_handed_over_by_their_names() {
    let (supervisor, tool) = (Supervisor::new(2), Receiver::content());
    for (names, hooks, admin) in [("admin:hooks", 1, 0), ("hookglot.socket:hookglot.socket", 0, 1)] {
        let service = supervisor.start_ready(names, &tool);
        assert_eq!(post(&supervisor.address(hooks), "/", &[], gitflic_push().as_bytes()).status, 200);
        let live = exchange(&supervisor.address(admin), b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(live.body, "live\n");
        supervisor.stop(service);
    }
}

#[test]
fn a_reload_is_told_with_its_time() {
    let (supervisor, tool) = (Supervisor::new(1), Receiver::content());
    let service = supervisor.start_ready("hooks", &tool);
    service.signal("HUP");
    let told = supervisor.hear();
    let time = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{told}"));
    assert!(time.trim().parse::<u64>().unwrap() > 0);
    assert_eq!(supervisor.hear(), "READY=1\n");
    supervisor.stop(service);
}

#[test]
fn what_cannot_be_used_is_refused() {
    let (supervisor, tool) = (Supervisor::new(2), Receiver::content());
    let log = supervisor.start("hooks:hooks", &tool, &[]).refused(&supervisor);
    assert!(log.contains("LISTEN_FDS: 2 sockets were handed over") && log.contains("FileDescriptorName"), "{log}");
    // Two are there, and the third is none.
    let log = supervisor.start("", &tool, &[("LISTEN_FDS", "3")]).refused(&supervisor);
    assert!(log.contains("socket 3 that was handed over is no TCP socket"), "{log}");
}

#[test]
fn what_is_for_another_process_is_left_alone() {
    let (supervisor, tool) = (Supervisor::new(0), Receiver::content());
    let mut serve = crate::support::app::command(&["serve"]);
    serve.env("HOOKGLOT_TO", &tool.url).envs([("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", "none")]);
    serve.envs([("LISTEN_FDS", "1"), ("LISTEN_PID", "1"), ("NOTIFY_SOCKET", "/nowhere/at/all")]);
    serve.env("HOOKGLOT_DATA_DIR", supervisor.folder.path().join("data"));
    let app = crate::support::app::App::start(serve);
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    app.wait_for_log("NOTIFY_SOCKET: systemd is not told of READY=1");
}
