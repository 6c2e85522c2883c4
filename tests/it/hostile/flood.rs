use super::{Door, SECRET, is_refusal, post, request};
use crate::support::app::{App, BINARY};
use crate::support::gitflic_push;
use crate::support::wire::{connect, read_answer};
use std::io::{Read, Write};
use std::net::TcpStream;

/// What a process that has nothing to do may hold, in KiB: a debug build with its mappings.
const AT_REST: u64 = 120 << 10;

impl Door {
    /// Makes sure that the process never held more than at rest and this many KiB.
    #[track_caller]
    fn held_at_most(&self, more: u64) {
        let most = self.app.memory("VmHWM");
        assert!(most < AT_REST + more, "{most} KiB, at most {} were expected", AT_REST + more);
    }

    fn connections(&self) -> u64 {
        self.app.metric("hookglot_connections").unwrap_or(0)
    }

    #[track_caller]
    fn wait_for_connections(&self, what: impl Fn(u64) -> bool) {
        crate::support::wait_for("connections", || what(self.connections()).then_some(()));
    }
}

/// Where the system allows few open files, the bound is below that: who comes late is told so, and the admin port goes on.
#[test]
fn few_open_files_make_few_connections_and_not_silence() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(
        &config,
        "[[route]]\npath = \"/hooks\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"http://127.0.0.1:9/\"\n\
         format = \"gitlab\"\n",
    )
    .unwrap();
    let mut limited = std::process::Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 300 && exec \"$0\" \"$@\"", BINARY, "serve", "--config", config.to_str().unwrap()]);
    limited.env_clear().stdin(std::process::Stdio::null());
    let app = App::start(limited);
    assert!(app.wait_for_log("limits.connections is").contains("the system allows 300 open files"));
    let mut idle: Vec<TcpStream> = (0..190).map(|_| connect(&app.address)).collect();
    let late = read_answer(idle.last_mut().unwrap());
    assert_eq!(late.status, 503, "{late:?}");
    assert_eq!(app.get_admin("/ready").status, 200);
    drop(idle);
    crate::support::wait_for("room", || {
        (app.post("/hooks", &[], gitflic_push().as_bytes()).status == 200).then_some(())
    });
}

#[test]
fn a_thousand_idle_connections_are_no_burden() {
    let door = Door::new();
    let mut idle: Vec<TcpStream> = (0..1_000).map(|_| connect(&door.app.address)).collect();
    // Half of them silent, half within a head.
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(b"POST /hooks HTTP/1.1\r\nHost: x\r\nX-").unwrap();
    }
    door.wait_for_connections(|open| open >= 1_000);
    door.goes_on();
    door.held_at_most(64 << 10);
    drop(idle);
    door.wait_for_connections(|open| open == 0);
    door.goes_on();
}

#[test]
fn connections_beyond_the_bound_are_503_and_others_take_their_place() {
    let door = Door::with("connections = 20", "");
    let inside: Vec<TcpStream> = (0..20).map(|_| connect(&door.app.address)).collect();
    door.wait_for_connections(|open| open == 20);
    for number in 1..=5 {
        let mut more = connect(&door.app.address);
        more.write_all(&post(gitflic_push().as_bytes())).unwrap();
        let answer = read_answer(&mut more);
        is_refusal(&answer, 503, "20 connections are open, and no more may be");
        door.wait_for_refused("", "connections", number);
        assert_eq!(door.app.get_admin("/live").status, 200);
    }
    assert_eq!(door.taken("/hooks"), 0);
    drop(inside);
    door.wait_for_connections(|open| open == 0);
    door.goes_on();
}

/// Connects from another address of this machine.
fn connect_from(from: &str, to: &str) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(from.parse().unwrap()).unwrap();
        socket.connect(to.parse().unwrap()).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(crate::support::DEADLINE)).unwrap();
    stream
}

/// One address takes its share and not the places of others; what it gives back it can have again.
#[test]
fn one_address_has_its_share_of_the_connections() {
    let door = Door::with("connections_per_address = 5", "");
    let mut inside: Vec<TcpStream> = (0..5).map(|_| connect(&door.app.address)).collect();
    door.wait_for_connections(|open| open == 5);
    for number in 1..=3 {
        let mut more = connect(&door.app.address);
        more.write_all(&post(gitflic_push().as_bytes())).unwrap();
        is_refusal(&read_answer(&mut more), 503, "5 connections from this address are open, and no more may be");
        door.wait_for_refused("", "connections_of_address", number);
    }
    // Another address of this machine has its own.
    let mut stream = connect_from("127.0.0.2:0", &door.app.address);
    stream.write_all(&post(gitflic_push().as_bytes())).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    drop(inside.pop());
    door.wait_for_connections(|open| open == 5);
    let mut again = connect(&door.app.address);
    again.write_all(&post(gitflic_push().as_bytes())).unwrap();
    assert_eq!(read_answer(&mut again).status, 200);
    drop((inside, stream, again));
    door.wait_for_connections(|open| open == 0);
    door.goes_on();
}

#[test]
fn pipelined_requests_are_answered_one_by_one() {
    let door = Door::new();
    let count = 200;
    let hook = post(gitflic_push().as_bytes());
    let mut stream = connect(&door.app.address);
    let mut sender = stream.try_clone().unwrap();
    let sends = std::thread::spawn(move || (0..count).for_each(|_| sender.write_all(&hook).unwrap()));
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while text.matches("\"status\":\"stored\"").count() < count {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "{} answers came", text.matches("HTTP/1.1 200 OK").count());
        text.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    sends.join().unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), count);
    assert_eq!(door.taken("/hooks"), count as u64);
    door.goes_on();
}

#[test]
fn heads_of_too_many_lines_or_bytes_are_431() {
    let door = Door::new();
    let too_large = "the head of the request is larger than 64 KiB or has more than 96 headers";
    let lines = |count: usize| {
        (0..count).flat_map(|number| ["X-".to_owned(), number.to_string(), ": a\r\n".to_owned()]).collect::<String>()
    };
    door.refuses(&request(&lines(200), b""), 431, too_large, ("", "large_head"));
    door.refuses(&request(&format!("X-A: {}\r\n", "a".repeat(100_000)), b""), 431, too_large, ("", "large_head"));
    let long = format!("POST /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    door.refuses(long.as_bytes(), 431, too_large, ("", "large_head"));
    let of = |length: usize| {
        let head = "POST / HTTP/1.1\r\nHost: x\r\n\r\n";
        head.replace(" / ", &format!(" /{} ", "a".repeat(length - head.len()))).into_bytes()
    };
    door.refuses(&of((64 << 10) + 1), 431, too_large, ("", "large_head"));
    // What is just below is answered in a few words.
    let long = of(64 << 10);
    let answer = door.refuses(&long, 404, "no route has the path /hidden", ("", "unknown_path"));
    assert!(answer.body.len() < 500 && door.app.log().lines().all(|line| line.len() < 2_000), "{answer:?}");
    let hook = gitflic_push();
    let fits = request(&format!("{}Content-Length: {}\r\n", lines(90), hook.len()), hook.as_bytes());
    assert_eq!(crate::support::wire::exchange(&door.app.address, &fits).status, 200);
}

/// 300 heads of 60 KiB each that do not end.
#[test]
fn large_heads_at_once_hold_no_more_than_their_bound() {
    let door = Door::new();
    let head = format!("POST /hooks HTTP/1.1\r\nHost: x\r\nX-A: {}", "a".repeat(60 << 10));
    let mut bombs: Vec<TcpStream> = (0..300).map(|_| connect(&door.app.address)).collect();
    for stream in &mut bombs {
        stream.write_all(head.as_bytes()).unwrap();
    }
    door.wait_for_connections(|open| open >= 300);
    door.goes_on();
    // 64 KiB for each, and as much again while a buffer grows.
    door.held_at_most(300 * 128);
    drop(bombs);
    door.goes_on();
}

/// 500 senders at once have 20 MB each. As many as the bound admits send all of theirs and get their 200; the others go on
/// sending until they are told 503; hooks on another route go on meanwhile, and afterwards there is room again.
#[test]
fn five_hundred_bodies_of_20_mb_stay_within_the_bound() {
    const LENGTH: usize = 20_000_000;
    const ADMITTED: usize = 4;
    let bound: u64 = 90 << 20;
    let door = Door::with("in_flight = \"90MiB\"", "");
    let mut body = gitflic_push().into_bytes();
    body.resize(LENGTH, b' ');
    let start = || {
        let mut stream = connect(&door.app.address);
        let head = format!("X-Gitlab-Token: {SECRET}\r\nContent-Length: {LENGTH}\r\n");
        let head = String::from_utf8(request(&head, b"")).unwrap().replace(" /hooks ", " /guarded ");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let in_flight = || door.app.metric("hookglot_bytes_in_flight").unwrap_or(0);
    // All but the last byte.
    let mut admitted: Vec<TcpStream> = (0..ADMITTED).map(|_| start()).collect();
    for stream in &mut admitted {
        stream.write_all(&body[..LENGTH - 1]).unwrap();
    }
    crate::support::wait_for("their bytes", || (in_flight() >= (ADMITTED * (LENGTH - 1)) as u64).then_some(()));
    let mut others: Vec<(TcpStream, usize)> = (ADMITTED..500).map(|_| (start(), 0)).collect();
    let (count, mut told, mut most) = (others.len() as u64, 0, 0);
    for (stream, _) in &others {
        stream.set_nonblocking(true).unwrap();
    }
    crate::support::wait_for("503 for the others", || {
        others.retain_mut(|(stream, sent)| {
            // One that was told 503 may be closed already.
            *sent += stream.write(&body[*sent..(*sent + (128 << 10)).min(LENGTH)]).unwrap_or(0);
            if !stream.peek(&mut [0]).is_ok_and(|count| count > 0) {
                return true;
            }
            stream.set_nonblocking(false).unwrap();
            is_refusal(&read_answer(stream), 503, "too many bytes of other hooks are on their way");
            told += 1;
            false
        });
        most = most.max(in_flight());
        (door.refused("/guarded", "bytes_in_flight") == count).then_some(())
    });
    assert!(told >= count * 9 / 10, "{told} of {count} were told so");
    // Each asks for as much again before it is refused, a piece of its body at most.
    assert!(most <= bound + (26 << 20), "{most} bytes on their way");
    door.goes_on();
    for stream in &mut admitted {
        stream.write_all(&body[LENGTH - 1..]).unwrap();
        let answer = read_answer(stream);
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{answer:?}");
    }
    assert_eq!(door.taken("/guarded"), ADMITTED as u64);
    // The bound, as much again while bodies grow, and what the framework holds of each connection: 64 KiB that came
    // and nobody has asked for, in buffers of up to twice that.
    door.held_at_most(2 * (bound >> 10) + 500 * 128);
    crate::support::wait_for("room", || (in_flight() == 0).then_some(()));
    door.goes_on();
}

/// Who proves nothing has a share of the room, and who has a secret the rest.
#[test]
fn bodies_that_nobody_vouches_for_leave_room_for_others() {
    const LENGTH: usize = 1 << 20;
    let door = Door::with("body = \"1MiB\"\nin_flight = \"8MiB\"", "");
    let start = |path: &str| {
        let mut stream = connect(&door.app.address);
        let head =
            format!("POST /{path} HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: {SECRET}\r\nContent-Length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&vec![b' '; LENGTH - 1]).unwrap();
        stream
    };
    let in_flight = || door.app.metric("hookglot_bytes_in_flight").unwrap_or(0);
    let of_nobody: Vec<TcpStream> = (0..2).map(|_| start("hooks")).collect();
    crate::support::wait_for("their bytes", || (in_flight() >= 2 * (LENGTH as u64 - 1)).then_some(()));
    is_refusal(&read_answer(&mut start("hooks")), 503, "from this address whose senders have proved nothing");
    assert_eq!(door.refused("/hooks", "bytes_unproven"), 1);
    let known: Vec<TcpStream> = (0..5).map(|_| start("guarded")).collect();
    crate::support::wait_for("their bytes, too", || (in_flight() >= 7 * (LENGTH as u64 - 1)).then_some(()));
    drop((of_nobody, known));
    crate::support::wait_for("room", || (in_flight() == 0).then_some(()));
    door.goes_on();
}

/// The admin port answers while wrong requests come from many sides at once.
#[test]
fn the_admin_port_answers_during_a_flood() {
    let door = Door::new();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let address = &door.app.address;
    std::thread::scope(|scope| {
        for request in
            [post(b"{"), b"garbage\r\n\r\n".to_vec(), post(b"[]"), b"POST /x HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()]
        {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    crate::support::wire::exchange(address, &request);
                }
            });
        }
        for path in ["/live", "/ready", "/metrics"].iter().cycle().take(30) {
            assert_eq!(door.app.get_admin(path).status, 200);
        }
        door.goes_on();
        crate::support::wait_for("wrong requests of each kind", || {
            (door.refused("", "no_request") > 10 && door.refused("/hooks", "bad_body") > 10).then_some(())
        });
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    door.held_at_most(64 << 10);
    door.goes_on();
}
