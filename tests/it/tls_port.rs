use crate::config::{ConfigFile, ROUTE, assert_faults};
use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::tls::{Pair, authority, server_pair, stray_pair};
use crate::support::tls_client::{TlsClient, trusting};
use crate::support::wire::{connect, exchange, read_answer};
use crate::support::{DEADLINE, gitflic_push, wait_for};
use rcgen::{CertifiedIssuer, KeyPair};
use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

/// A hookglot whose public port has a certificate.
struct Served {
    app: App,
    tool: Receiver,
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// Puts a pair where it is looked for.
fn put(folder: &Path, pair: &Pair) {
    std::fs::write(folder.join("tls.crt"), &pair.certificate).unwrap();
    std::fs::write(folder.join("tls.key"), &pair.key).unwrap();
}

fn der(pair: &Pair) -> Vec<u8> {
    CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap().to_vec()
}

fn served(pair: impl FnOnce(&CertifiedIssuer<'static, KeyPair>, &Path), variables: &[(&str, &str)]) -> Served {
    let (tool, authority, folder) = (Receiver::content(), authority(), tempfile::tempdir().unwrap());
    pair(&authority, folder.path());
    let mut serve = command(&["serve"]);
    serve
        .env("HOOKGLOT_TO", &tool.url)
        .envs([("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_STORE", "memory")])
        .envs([("HOOKGLOT_RELOAD__POLL", "50ms"), ("HOOKGLOT_RELOAD__DEBOUNCE", "50ms")])
        .env("HOOKGLOT_TLS__CERT_FILE", folder.path().join("tls.crt"))
        .env("HOOKGLOT_TLS__KEY_FILE", folder.path().join("tls.key"))
        .envs(variables.iter().copied());
    Served { app: App::start(serve), tool, authority, folder }
}

fn plainly(variables: &[(&str, &str)]) -> Served {
    served(|authority, folder| put(folder, &server_pair(authority)), variables)
}

impl Served {
    fn connect(&self) -> TlsClient {
        TlsClient::connect(&self.app.address, &self.authority)
    }

    fn refused(&self, reason: &str) -> u64 {
        let line = format!("hookglot_refused_total{{reason=\"{reason}\",route=\"\"}}");
        self.app.metric(&line).unwrap_or(0)
    }

    fn reloads(&self, result: &str) -> u64 {
        self.app.metric(&format!("hookglot_tls_reloads_total{{result=\"{result}\"}}")).unwrap_or(0)
    }
}

#[test]
fn hooks_come_in_over_tls() {
    let served = plainly(&[]);
    let mut client = served.connect();
    for _ in 0..2 {
        assert_eq!(client.post("/", "", &gitflic_push()).status, 200);
    }
    served.tool.wait_for(2);
    assert!(served.app.log().contains("hooks come in on https://"), "{}", served.app.log());
    // A body that is larger than everything between the socket and the framework.
    let body = format!("{}{}", " ".repeat(2 << 20), gitflic_push());
    assert_eq!(client.post("/", "Connection: close\r\n", &body).status, 200);
    assert_eq!(client.read_to_end(), "", "and the connection ends as TLS ends");
    served.tool.wait_for(3);
    assert_eq!(served.refused("handshake"), 0);
}

#[test]
fn tls_is_at_least_1_2_and_for_http_1_1() {
    let served = plainly(&[]);
    for (version, number) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let mut config = trusting(&served.authority, &[version]);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut client = TlsClient::try_connect(&served.app.address, config).unwrap();
        assert_eq!(client.settled(), (Some(number), Some(&b"http/1.1"[..])));
        assert_eq!(client.post("/", "", &gitflic_push()).status, 200);
    }
    let mut config = trusting(&served.authority, rustls::DEFAULT_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(TlsClient::try_connect(&served.app.address, config).is_err());
    // A hello of TLS 1.0, as OpenSSL wrote it, without an extension.
    let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut stream = connect(&served.app.address);
    stream.write_all(&hello).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said.first(), Some(&0x15), "an alert: {said:?}");
    wait_for("both to be counted", || (served.refused("handshake") == 2).then_some(()));
    served.app.wait_for_log("a TLS handshake failed");
}

#[test]
fn whoever_speaks_http_without_tls_is_told() {
    let served = plainly(&[]);
    let answer = crate::support::wire::post(&served.app.address, "/", &[], gitflic_push().as_bytes());
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().unwrap().contains("https://"), "{answer:?}");
    assert_eq!(exchange(&served.app.address, b"\x80\x01\x02").status, 400);
    assert_eq!(served.refused("no_tls"), 2);
    assert!(served.app.log().contains("speaks TLS"), "{}", served.app.log());
    assert_eq!(served.connect().post("/", "", &gitflic_push()).status, 200);
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let served = plainly(&[("HOOKGLOT_LIMITS__HEAD_TIMEOUT", "300ms")]);
    let mut said = Vec::new();
    // Nothing at all, a part of a hello, and one byte after another.
    let mut silent = connect(&served.app.address);
    assert_eq!(silent.read_to_end(&mut said).unwrap(), 0);
    let mut half = connect(&served.app.address);
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).unwrap();
    assert_eq!(half.read_to_end(&mut said).unwrap(), 0);
    let mut slow = connect(&served.app.address);
    wait_for("its end", || slow.write_all(&[0x16]).and_then(|()| slow.write_all(&[3])).err());
    // A handshake that ends, and no request; a part of a head.
    assert_eq!(served.connect().read_to_end(), "");
    let mut head = served.connect();
    head.send(b"POST / HTTP/1.1\r\n");
    assert_eq!(head.read_answer().status, 408);
    assert_eq!((served.refused("slow_head"), served.refused("handshake")), (1, 2), "{}", served.app.log());
    wait_for("all to be gone", || (served.app.metric("hookglot_connections") == Some(0)).then_some(()));
}

/// A message of a handshake may say that it is as large as it likes.
#[test]
fn a_handshake_is_bounded_in_size() {
    let served = plainly(&[]);
    let mut stream = connect(&served.app.address);
    let mut record = vec![0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    record.resize(5 + 0x4000, 0);
    // However much is written: not all of 16 MiB is waited for.
    (0..1024).try_for_each(|_| stream.write_all(&record)).unwrap_err();
    served.app.wait_for_log("a TLS handshake failed");
    assert!(!served.app.log().contains("in time"), "{}", served.app.log());
    wait_for("it to be counted", || (served.refused("handshake") == 1).then_some(()));
    wait_for("it to be gone", || (served.app.metric("hookglot_connections") == Some(0)).then_some(()));
}

#[test]
fn whoever_finds_no_room_is_told_over_tls() {
    let served = plainly(&[("HOOKGLOT_LIMITS__CONNECTIONS", "1")]);
    let mut first = served.connect();
    let mut second = served.connect();
    assert_eq!(second.read_answer().status, 503);
    assert_eq!(first.post("/", "", &gitflic_push()).status, 200);
    // Whoever speaks without TLS as well.
    assert_eq!(read_answer_of(&served.app.address), 503);
}

fn read_answer_of(address: &str) -> u16 {
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    read_answer(&mut stream).status
}

#[test]
fn a_changed_certificate_is_for_new_connections() {
    let served = plainly(&[]);
    let until = || served.app.metric("hookglot_tls_certificate_not_after_seconds").unwrap();
    assert_eq!(until(), 4_019_587_200, "2097-05-17");
    let mut old = served.connect();
    let new = server_pair(&served.authority);
    put(served.folder.path(), &new);
    served.app.wait_for_log("the changed certificate is in force");
    assert_eq!(served.connect().shown(), der(&new));
    assert_ne!(old.shown(), der(&new));
    assert_eq!(old.post("/", "", &gitflic_push()).status, 200);
    assert_eq!((served.reloads("loaded"), served.reloads("refused")), (1, 0));
}

#[test]
fn a_wrong_certificate_changes_nothing() {
    let served = plainly(&[]);
    let before = served.connect().shown();
    let failed = || served.app.metric("hookglot_tls_reload_failed").unwrap();
    let key = served.folder.path().join("tls.key");
    for (number, (contents, message)) in
        [(stray_pair().key, "does not belong to the first certificate"), ("LANTERN".to_owned(), "no private key")]
            .into_iter()
            .enumerate()
    {
        std::fs::write(&key, contents).unwrap();
        served.app.wait_for_log(message);
        wait_for("the metric", || (served.reloads("refused") == number as u64 + 1).then_some(()));
        assert_eq!((failed(), served.connect().shown()), (1, before.clone()));
    }
    std::fs::remove_file(&key).unwrap();
    served.app.wait_for_log("No such file");
    // Whoever asks for it is told once more.
    let said = || served.app.log().matches("No such file").count();
    let told = said();
    served.app.signal("HUP");
    wait_for("the same again", || (said() > told).then_some(()));
    assert_eq!(served.connect().shown(), before);
    assert!(!served.app.log().contains("LANTERN"));
    let new = server_pair(&served.authority);
    put(served.folder.path(), &new);
    wait_for("the new one", || (served.connect().shown() == der(&new)).then_some(()));
    wait_for("the metric", || (failed() == 0).then_some(()));
}

/// As Kubernetes does it: the files are links through a link that is swapped. Only SIGHUP has them read.
#[test]
fn a_swapped_link_is_read_at_sighup() {
    let folder = |authority: &CertifiedIssuer<'static, KeyPair>, folder: &Path| {
        for name in ["one", "two"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            put(&folder.join(name), &server_pair(authority));
        }
        std::os::unix::fs::symlink("one", folder.join("..data")).unwrap();
        for file in ["tls.crt", "tls.key"] {
            std::os::unix::fs::symlink(Path::new("..data").join(file), folder.join(file)).unwrap();
        }
    };
    let served = served(folder, &[("HOOKGLOT_RELOAD__POLL", "1h")]);
    let before = served.connect().shown();
    std::os::unix::fs::symlink("two", served.folder.path().join("..new")).unwrap();
    std::fs::rename(served.folder.path().join("..new"), served.folder.path().join("..data")).unwrap();
    assert_eq!(served.connect().shown(), before);
    served.app.signal("HUP");
    wait_for("the other one", || (served.connect().shown() != before).then_some(()));
}

#[test]
fn what_is_wrong_with_the_certificate_is_said_at_the_start() {
    let file = ConfigFile::new("");
    put(file.folder.path(), &stray_pair());
    std::fs::write(file.folder.path().join("other.key"), stray_pair().key).unwrap();
    let path = |name: &str| file.folder.path().join(name);
    let (cert, key) = ("cert_file", "key_file");
    let cases: [(&[_], &str, &str); 6] = [
        (&[(cert, "absent")], "tls.cert_file", "No such file"),
        (&[(cert, "tls.crt")], "tls.cert_file", "no private key in it, and tls.key_file does not say where it is"),
        (
            &[(cert, "tls.crt"), (key, "other.key")],
            "tls.key_file",
            "the key does not belong to the first certificate of",
        ),
        (&[(cert, "tls.key"), (key, "tls.key")], "tls.cert_file", "there is no certificate"),
        (&[(key, "tls.key")], "tls.key_file", "tls.cert_file is missing"),
        (&[(cert, "tls.crt"), (key, "absent")], "tls.key_file", "No such file"),
    ];
    for (settings, place, message) in cases {
        let lines: Vec<String> = settings.iter().map(|(key, name)| format!("{key} = {:?}\n", path(name))).collect();
        std::fs::write(&file.path, format!("[tls]\n{}{ROUTE}", lines.concat())).unwrap();
        assert_faults(&file.faults(&[], &[]), &[(place, message)]);
    }
    std::fs::write(&file.path, format!("[tls]\nkeyfile = \"\"\n{ROUTE}")).unwrap();
    assert_faults(&file.faults(&[], &[]), &[("tls.keyfile", "did you mean `key_file`?")]);
}

/// TLS takes answers in that the socket does not take: they must not wait for ever.
#[test]
fn a_sender_that_does_not_read_its_answers_is_cut_off() {
    let served = plainly(&[("HOOKGLOT_LIMITS__READ_TIMEOUT", "1s")]);
    let mut client = served.connect();
    let question = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200)).repeat(100);
    let until = Instant::now() + DEADLINE;
    while client.try_send(question.as_bytes()).is_ok() {
        assert!(Instant::now() < until, "it is served for ever");
    }
    wait_for("it to be gone", || (served.app.metric("hookglot_connections") == Some(0)).then_some(()));
    assert_eq!(served.connect().post("/", "", &gitflic_push()).status, 200);
}
