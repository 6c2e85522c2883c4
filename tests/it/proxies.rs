use crate::config::{ConfigFile, ROUTE, assert_faults};
use crate::support::app::App;
use crate::support::wire::{Answer, connect, read_answer};
use crate::support::{DEADLINE, gitflic_push, wait_for};
use rustix::net::{AddressFamily, SocketType, bind, socket};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use tempfile::TempDir;

/// The proxy that is trusted, and somebody who is not.
const PROXY: &str = "127.0.0.1:0";
const STRANGER: &str = "127.0.0.2:0";

/// A hookglot behind a proxy: 127.0.0.1, before which there may be others in 10.0.0.0/8.
struct Behind {
    app: App,
    folder: TempDir,
}

fn config(top: &str, route: &str) -> String {
    format!(
        "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n{top}{}",
        ROUTE.replace("secret =", &format!("{route}secret ="))
    )
}

fn behind(top: &str, route: &str) -> Behind {
    let folder = tempfile::tempdir().unwrap();
    Behind { app: App::with_config(folder.path(), &config(top, route)), folder }
}

fn connect_from(from: &str, to: &str) -> TcpStream {
    let own = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&own, &from.parse::<SocketAddr>().unwrap()).unwrap();
    rustix::net::connect(&own, &to.parse::<SocketAddr>().unwrap()).unwrap();
    let stream = TcpStream::from(own);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

impl Behind {
    fn send(&self, from: &str, lines: &str) -> Answer {
        let hook = gitflic_push();
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {}\r\n\r\n{hook}", hook.len());
        let mut stream = connect_from(from, &self.app.address);
        // Whoever is turned away may be so before all is written.
        let _ = stream.write_all(head.as_bytes());
        read_answer(&mut stream)
    }

    fn unused(&self, reason: &str) -> u64 {
        self.app.metric(&format!("hookglot_forwarded_unused_total{{reason=\"{reason}\"}}")).unwrap_or(0)
    }
}

#[test]
fn allow_from_is_about_the_address_that_a_trusted_proxy_says() {
    let behind = behind("", "allow_from = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n");
    for lines in [
        "X-Forwarded-For: 192.0.2.7\r\n",
        "X-Forwarded-For: 203.0.113.5, 192.0.2.7, 10.1.1.1\r\n",
        "X-Forwarded-For: 203.0.113.5\r\nx-forwarded-for: 192.0.2.7:4711\r\n",
        "X-Forwarded-For: [2001:db8::7]:443\r\n",
        // The header that is not configured is nobody's word.
        "Forwarded: for=203.0.113.5\r\nX-Forwarded-For: 192.0.2.7\r\n",
    ] {
        assert_eq!(behind.send(PROXY, lines).status, 200, "{lines}");
        assert_eq!(behind.send(STRANGER, lines).status, 403, "a stranger: {lines}");
    }
    for lines in [
        "X-Forwarded-For: 192.0.2.7, 203.0.113.5\r\n",
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.5\r\n",
        "X_Forwarded_For: 192.0.2.7\r\n",
        "Forwarded: for=192.0.2.7\r\n",
        "X-Forwarded-For: 192.0.2.7, unknown\r\n",
        "X-Forwarded-For: 192.0.2.7, _hidden\r\n",
        "X-Forwarded-For: 192.0.2.7, harbour\r\n",
        "X-Forwarded-For: \u{ff}\r\n",
        "",
    ] {
        assert_eq!(behind.send(PROXY, lines).status, 403, "{lines}");
    }
    assert_eq!((behind.unused("missing"), behind.unused("hidden"), behind.unused("unreadable")), (3, 2, 2));
    let log = behind.app.log();
    assert!(log.contains("from=\"203.0.113.5\"") && log.contains("from=\"127.0.0.2\""), "{log}");
}

#[test]
fn forwarded_is_read_where_it_is_configured() {
    let behind = behind("forwarded = \"forwarded\"\n", "allow_from = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n");
    for lines in [
        "Forwarded: for=192.0.2.7\r\n",
        "Forwarded: for=203.0.113.5, For=\"192.0.2.7:80\";proto=https, for=10.1.1.1\r\n",
        "Forwarded: for=\"203.0.113.5\r\nForwarded: for=\"[2001:db8::7]\";host=\"a,b\"\r\n",
        "X-Forwarded-For: 203.0.113.5\r\nForwarded: for=192.0.2.7\r\n",
    ] {
        assert_eq!(behind.send(PROXY, lines).status, 200, "{lines}");
        assert_eq!(behind.send(STRANGER, lines).status, 403, "a stranger: {lines}");
    }
    for lines in
        ["X-Forwarded-For: 192.0.2.7\r\n", "Forwarded: for=192.0.2.7, for=203.0.113.5\r\n", "Forwarded: for=_me\r\n"]
    {
        assert_eq!(behind.send(PROXY, lines).status, 403, "{lines}");
    }
}

#[test]
fn wrong_secrets_are_counted_by_the_address_that_a_trusted_proxy_says() {
    let behind = behind("[limits]\nsign_in_failures = \"2/h\"\n", "");
    // The route has a secret after all.
    let text =
        config("[limits]\nsign_in_failures = \"2/h\"\n", "").replace("\"none\"", "\"brass lantern of the pier\"");
    std::fs::write(behind.folder.path().join("hookglot.toml"), text).unwrap();
    behind.app.signal("HUP");
    behind.app.wait_for_log("the configuration is loaded and in force");
    let from = |address: &str| behind.send(PROXY, &format!("X-Forwarded-For: {address}\r\n")).status;
    for _ in 0..2 {
        assert_eq!((from("192.0.2.1"), from("192.0.2.2, 10.1.1.1")), (401, 401));
    }
    assert_eq!((from("192.0.2.1"), from("192.0.2.2")), (429, 429));
    assert_eq!(from("192.0.2.3"), 401, "another one has a count of its own");
    // A stranger has one count, whatever it says of itself.
    let stranger = |number: u8| behind.send(STRANGER, &format!("X-Forwarded-For: 198.51.100.{number}\r\n")).status;
    assert_eq!((stranger(1), stranger(2), stranger(3)), (401, 401, 429));
}

#[test]
fn a_proxy_may_open_more_connections_than_one_address() {
    let behind = behind("[limits]\nconnections_per_address = 1\n", "");
    let _first = connect(&behind.app.address);
    assert_eq!(behind.send(PROXY, "X-Forwarded-For: 192.0.2.1\r\n").status, 200);
    let _other = connect_from(STRANGER, &behind.app.address);
    wait_for("two", || (behind.app.metric("hookglot_connections")? >= 2).then_some(()));
    assert_eq!(behind.send(STRANGER, "").status, 503);
}

#[test]
fn whom_to_believe_is_read_again() {
    let behind = behind("", "allow_from = [\"192.0.2.0/24\"]\n");
    let lines = "X-Forwarded-For: 192.0.2.7\r\n";
    assert_eq!((behind.send(PROXY, lines).status, behind.send(STRANGER, lines).status), (200, 403));
    let text = config("", "allow_from = [\"192.0.2.0/24\"]\n").replace("127.0.0.1\"", "127.0.0.2\"");
    std::fs::write(behind.folder.path().join("hookglot.toml"), text).unwrap();
    behind.app.signal("HUP");
    behind.app.wait_for_log("the configuration is loaded and in force");
    assert_eq!((behind.send(PROXY, lines).status, behind.send(STRANGER, lines).status), (403, 200));
}

#[test]
fn proxies_that_are_none_are_told_with_their_place() {
    let said =
        ConfigFile::new(&format!("trusted_proxies = [\"10.0.0.1/8\"]\nforwarded = \"via\"\n{ROUTE}")).faults(&[], &[]);
    assert_faults(
        &said,
        &[
            ("trusted_proxies", "write 10.0.0.0/8"),
            ("forwarded", "expected `x-forwarded-for` or `forwarded`, got `via`"),
        ],
    );
    let said = ConfigFile::new(&format!("forwarded = \"forwarded\"\n{ROUTE}")).faults(&[], &[]);
    assert_faults(&said, &[("forwarded", "trusted_proxies names nobody")]);
    let said = ConfigFile::new(ROUTE).faults(&[("HOOKGLOT_TRUSTED_PROXIES", "10.0.0.0/8, harbour")], &[]);
    assert_faults(&said, &[("HOOKGLOT_TRUSTED_PROXIES", "expected an address or a range")]);
}
