use crate::config::{ConfigFile, ROUTE, assert_faults};
use crate::support::app::App;
use crate::support::tls::{Pair, TlsReceiver, stray_pair};
use crate::support::{gitflic_push, wait_for};
use std::path::Path;

/// Writes texts into files of a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn a_tool_that_demands_a_certificate_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, Pair { certificate, key }) = TlsReceiver::demanding();
    let stray = stray_pair();
    let (both, stray) = (format!("{key}{certificate}"), format!("{}{}", stray.certificate, stray.key));
    write(
        folder.path(),
        &[("ca", &tool.ca), ("certificate", &certificate), ("key", &key), ("both", &both), ("stray", &stray)],
    );
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let to = |name: &str, own: &str| {
        format!(
            "[[route]]\npath = \"/{name}\"\nsecret = \"none\"\n[[route.to]]\nname = \"{name}\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
             ca_file = {:?}\n{own}\n",
            tool.url,
            file("ca")
        )
    };
    let own = |name: &str| format!("client_cert_file = {:?}", file(name));
    let text = [
        to("split", &format!("{}\nclient_key_file = {:?}", own("certificate"), file("key"))),
        to("together", &own("both")),
        to("stray", &own("stray")),
        to("without", ""),
    ]
    .concat();
    let app = App::with_config(folder.path(), &text);
    let attempt = |name: &str| {
        assert_eq!(app.post(&format!("/{name}"), &[], gitflic_push().as_bytes()).status, 200);
        let destination = format!("destination=\"{name}\"");
        wait_for(name, || {
            let log = app.log();
            log.lines().find(|line| line.contains(" attempt ") && line.contains(&destination)).map(str::to_owned)
        })
    };
    for name in ["without", "stray"] {
        let line = attempt(name);
        assert!(line.contains("outcome=\"again\""), "{line}");
        assert_eq!(tool.requests(), 0, "{name}");
    }
    for (number, name) in ["split", "together"].into_iter().enumerate() {
        let line = attempt(name);
        assert!(line.contains("outcome=\"delivered\""), "{line}");
        assert_eq!(tool.requests(), number + 1, "{name}");
    }
    let last_line_of_key = key.lines().rev().nth(1).unwrap();
    assert!(!app.log().contains(last_line_of_key));
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_at_the_start() {
    let file = ConfigFile::new("");
    let (own, other) = (stray_pair(), stray_pair());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nTEFOVEVSTg==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,07\n\nTEFOVEVSTg==\n-----END RSA PRIVATE KEY-----\n";
    let broken = "-----BEGIN PRIVATE KEY-----\nTEFOVEVSTg==\n-----END PRIVATE KEY-----\n";
    let no_base64 = "-----BEGIN PRIVATE KEY-----\n!LANTERN!\n-----END PRIVATE KEY-----\n";
    write(
        file.folder.path(),
        &[
            ("certificate", &own.certificate),
            ("key", &own.key),
            ("other-key", &other.key),
            ("encrypted", encrypted),
            ("old", old),
            ("both-encrypted", &format!("{}{encrypted}", own.certificate)),
            ("broken", broken),
            ("no-base64", no_base64),
            ("empty", ""),
        ],
    );
    let (cert, key) = ("client_cert_file", "client_key_file");
    let cases: [(&[_], &str, &str); 13] = [
        (&[(cert, "certificate")], cert, "no private key in it, and client_key_file does not say where it is"),
        (&[(cert, "certificate"), (key, "empty")], key, "there is no private key (-----BEGIN PRIVATE KEY-----) in it"),
        (&[(cert, "certificate"), (key, "certificate")], key, "there is no private key"),
        (&[(cert, "certificate"), (key, "other-key")], key, "the key does not belong to the first certificate of"),
        (&[(cert, "certificate"), (key, "encrypted")], key, "the key is encrypted"),
        (&[(cert, "certificate"), (key, "old")], key, "the key is encrypted"),
        (&[(cert, "both-encrypted")], cert, "the key is encrypted"),
        (&[(cert, "certificate"), (key, "broken")], key, "cannot be used"),
        (&[(cert, "certificate"), (key, "no-base64")], key, "the private key in it is broken"),
        (&[(cert, "certificate"), (key, "absent")], key, "No such file"),
        (&[(cert, "key"), (key, "key")], cert, "there is no certificate"),
        (&[(cert, "absent"), (key, "key")], cert, "No such file"),
        (&[(key, "key")], key, "client_cert_file is missing"),
    ];
    let route = ROUTE.replace("http://", "https://");
    for (settings, place, message) in cases {
        let lines: String = settings
            .iter()
            .flat_map(|(key, name)| [format!("{key} = {:?}", file.folder.path().join(name)), "\n".to_owned()])
            .collect();
        std::fs::write(&file.path, format!("{route}{lines}")).unwrap();
        let said = file.faults(&[], &[]);
        assert_faults(&said, &[(&format!("route[0].to[0].{place}"), message)]);
        assert!(!said[0].contains("LANTERN") && !said[0].contains("TEFOVEVSTg"), "{said:?}");
    }
}

#[test]
fn a_certificate_for_a_tool_without_tls_is_a_fault() {
    let file = ConfigFile::new("");
    let Pair { certificate, key } = stray_pair();
    write(file.folder.path(), &[("both", &format!("{certificate}{key}"))]);
    let both = file.folder.path().join("both");
    std::fs::write(&file.path, format!("{ROUTE}client_cert_file = {both:?}\n")).unwrap();
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].client_cert_file", "the url is no https:// URL")]);
}
