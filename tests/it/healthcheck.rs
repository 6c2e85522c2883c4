use crate::support::app::{App, command};
use crate::support::process::{ended, run};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn healthcheck_is_0_while_hooks_are_taken() {
    let app = App::start(command(&["serve"]));
    assert_eq!(run(&["healthcheck", "--admin-listen", &app.admin]).says(0), "");
    let mut by_variable = command(&["healthcheck"]);
    by_variable.env("HOOKGLOT_ADMIN_LISTEN", &app.admin);
    assert_eq!(ended(by_variable).code, Some(0));
    // The address that listens everywhere is what a container says; it is asked on the loopback.
    let everywhere = app.admin.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(run(&["healthcheck", "--admin-listen", &everywhere]).code, Some(0));
}

#[test]
fn healthcheck_is_1_where_nobody_listens() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let down = run(&["healthcheck", "--admin-listen", &nobody]);
    assert!(down.says(1).starts_with(&format!("hookglot: http://{nobody}/ready: ")), "{down:?}");
}

#[test]
fn healthcheck_is_1_where_the_answer_is_not_yes() {
    for answer in ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "", "SSH-2.0-harbour\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut chunk).unwrap();
                request.extend_from_slice(&chunk[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        let down = run(&["healthcheck", "--admin-listen", &address]);
        let told = answer.lines().next().unwrap_or_default();
        assert!(down.says(1).starts_with(&format!("hookglot: http://{address}/ready: ")), "{down:?}");
        assert!(down.err.contains(told) && down.err.lines().count() == 1, "{down:?}");
        assert!(asked.join().unwrap().starts_with("GET /ready HTTP/1.1\r\n"));
    }
}

/// The rest may be wrong by now: the running process has read it when it was right.
#[test]
fn healthcheck_reads_nothing_but_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookglot.toml");
    let file = file.to_str().unwrap();
    let (secret, certificate) = (folder.path().join("secret"), folder.path().join("tls.crt"));
    let config = format!(
        "mappings_dir = {:?}\n[tls]\ncert_file = {certificate:?}\nkey_file = {certificate:?}\n\
         [[route]]\npath = \"/\"\nsecret_file = {secret:?}\nharbour = 7\n",
        folder.path().join("gone")
    );
    let app = App::start(command(&["serve"]));
    std::fs::write(file, format!("admin_listen = \"{}\"\n{config}", app.admin)).unwrap();
    assert_eq!(run(&["healthcheck", "--config", file]).says(0), "");
    let mut by_variables = command(&["healthcheck"]);
    by_variables.env("HOOKGLOT_CONFIG", file).env("HOOKGLOT_LIMITS__BODY", "harbour").env("HOOKGLOT_ADMIN_LISTEN", "");
    assert_eq!(ended(by_variables).says(0), "");
    std::fs::write(file, "admin_listen = \"harbour\"\n").unwrap();
    let wrong = run(&["healthcheck", "--config", file]);
    assert!(wrong.says(78).starts_with(&format!("hookglot: {file}: admin_listen: expected an address")), "{wrong:?}");
}

#[test]
fn healthcheck_of_a_file_that_cannot_be_read_asks_for_the_address() {
    let app = App::start(command(&["serve"]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookglot.toml");
    let file = file.to_str().unwrap();
    for text in [None, Some("admin_listen = \n")] {
        if let Some(text) = text {
            std::fs::write(file, text).unwrap();
        }
        let down = run(&["healthcheck", "--config", file]);
        let said = down.says(78);
        assert!(said.starts_with(&format!("hookglot: {file}: ")) && said.contains("--admin-listen"), "{down:?}");
        // Who says the address needs no file.
        assert_eq!(run(&["healthcheck", "--config", file, "--admin-listen", &app.admin]).says(0), "");
        let mut by_variable = command(&["healthcheck", "--config", file]);
        by_variable.env("HOOKGLOT_ADMIN_LISTEN", &app.admin);
        assert_eq!(ended(by_variable).says(0), "");
    }
}

#[test]
fn healthcheck_of_a_wrong_address_is_78() {
    let wrong = run(&["healthcheck", "--admin-listen", "harbour"]);
    assert!(wrong.says(78).starts_with("hookglot: --admin-listen: expected an address and a port"), "{wrong:?}");
}
