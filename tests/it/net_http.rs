use crate::config::ROUTE;
use crate::support::app::App;
use crate::support::receiver::{Got, Receiver};
use crate::support::{gitflic_push, project_file};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Names the Ruby that sends the same hooks; `scripts/test.sh` sets it, and without it there is nothing to compare with.
const VARIABLE: &str = "HOOKGLOT_RUBY";

/// What `Net::HTTP` sends and hookglot does not, each with the reason.
const ONLY_OF_RUBY: [(&str, &str); 2] = [
    ("Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "answers are read as they come, and never unpacked"),
    ("Connection: close", "a connection is used again: a burst of hooks need not shake hands for each"),
];
/// What hookglot sends and `Net::HTTP` does not: nothing, where Hookglot-Hops is switched off.
const ONLY_OURS: [&str; 0] = [];

/// A hook on its way, and what a destination says of it.
struct Call<'c> {
    /// Stands for the place of `http://` in the tool's address.
    before: &'c str,
    /// Stands behind the tool's address.
    behind: &'c str,
    settings: &'c str,
    custom: &'c [(&'c str, &'c str)],
    token: Option<&'c str>,
    headers: &'c [(&'c str, &'c str)],
    hook: String,
    event: &'c str,
    instance: &'c str,
    user_agent: &'c str,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            before: "http://",
            behind: "/tool",
            settings: "",
            custom: &[],
            token: None,
            headers: &[],
            hook: gitflic_push(),
            event: "Push Hook",
            instance: "https://git.example.org",
            user_agent: "GitLab/19.4.0",
        }
    }
}

impl Call<'_> {
    fn url(&self, tool: &Receiver) -> String {
        format!("{}{}", tool.url.replacen("http://", self.before, 1).trim_end_matches("/tool"), self.behind)
    }

    /// Sends it through a hookglot.
    fn by_hookglot(&self, tool: &Receiver) -> Got {
        let token = self.token.map(|token| format!("token = {token:?}\n")).unwrap_or_default();
        let custom: Vec<String> = self.custom.iter().map(|(name, value)| format!("{name:?} = {value:?}\n")).collect();
        let text = format!(
            "{}hop_header = false\n{token}[route.to.headers]\n{}[route.to.settings]\n{}",
            ROUTE.replace("http://127.0.0.1:9/", &self.url(tool)),
            custom.concat(),
            self.settings
        );
        let folder = tempfile::tempdir().unwrap();
        let app = App::with_config(folder.path(), &text);
        assert_eq!(app.post("/", self.headers, self.hook.as_bytes()).json()["status"], "stored");
        tool.wait_for(1).remove(0)
    }

    /// Sends it as GitLab does, with what of another request is made anew for each.
    fn by_ruby(&self, ruby: &str, tool: &Receiver, ours: &Got) -> Got {
        let anew = |name: &str| ours.header(name).unwrap_or_else(|| panic!("no {name} in\n{}", ours.head)).to_owned();
        let uuid = |name: &str| {
            let value = anew(name);
            assert!(value.parse::<uuid::Uuid>().is_ok(), "{name}: {value}");
            value
        };
        let custom: serde_json::Map<String, Value> =
            self.custom.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let hook = json!({
            "url": self.url(tool),
            "custom": custom,
            "token": self.token,
            "event": self.event,
            "instance": self.instance,
            "user_agent": self.user_agent,
            "key": uuid("Idempotency-Key"),
            "webhook_uuid": uuid("X-Gitlab-Webhook-Uuid"),
            "event_uuid": uuid("X-Gitlab-Event-Uuid"),
            "timestamp": anew("Webhook-Timestamp").parse::<u64>().unwrap().to_string(),
            "body": String::from_utf8(ours.body.clone()).unwrap(),
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receivers/net_http.rb");
        let mut child = Command::new(ruby).arg(script).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(hook.to_string().as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        tool.wait_for(2).remove(1)
    }

    /// Sends it in both ways and makes sure that nobody could tell them apart but by what is listed.
    #[track_caller]
    fn compare(&self) {
        let Some(ruby) = std::env::var(VARIABLE).ok() else {
            eprintln!("{VARIABLE} is not set: no request is compared with Net::HTTP's (scripts/ruby.sh installs it)");
            return;
        };
        let tool = Receiver::content();
        let ours = self.by_hookglot(&tool);
        let theirs = self.by_ruby(&ruby, &tool, &ours);
        let only = ONLY_OF_RUBY.map(|(line, _)| line);
        for line in only {
            assert!(theirs.head.contains(line), "Net::HTTP does not send {line}:\n{}", theirs.head);
        }
        for line in ONLY_OURS {
            assert!(ours.head.contains(line), "hookglot does not send {line}:\n{}", ours.head);
        }
        // Line by line and in order: the request line, spellings, values, framing.
        let theirs_lines: Vec<&str> = theirs.head.split("\r\n").filter(|line| !only.contains(line)).collect();
        let our_lines: Vec<&str> = ours.head.split("\r\n").filter(|line| !ONLY_OURS.contains(line)).collect();
        assert_eq!(our_lines, theirs_lines);
        assert_eq!(ours.body, theirs.body);
    }
}

#[test]
fn a_translated_hook_is_sent_as_net_http_sends_it() {
    Call { token: Some("copper-kettle-12"), behind: "/tool/%7Eledger?token=a%20b&x=/7", ..Call::default() }.compare();
}

#[test]
fn a_login_and_custom_headers_are_sent_as_net_http_sends_them() {
    Call {
        before: "http://ol%2Fga+q:tin%20kettle%3A@",
        behind: "",
        custom: &[
            // In the order of their names: hookglot sends them so, GitLab as they were entered.
            ("Accept", "application/json"),
            ("user-agent", "curl"),
            ("X-Gitlab-Event", "Job Hook"),
            ("X-Team", "ledger"),
            ("x-team.of_THE-quay", "  ё 7 "),
        ],
        ..Call::default()
    }
    .compare();
}

#[test]
fn a_system_hook_is_sent_as_net_http_sends_it() {
    Call {
        settings: "member_events = \"system\"\n",
        hook: project_file("mappings/gitflic-to-gitlab/examples/COLLABORATOR_ADD.json"),
        event: "System Hook",
        ..Call::default()
    }
    .compare();
}

#[test]
fn a_large_hook_that_passes_through_is_sent_as_net_http_sends_it() {
    Call {
        token: Some("copper-kettle-12"),
        headers: &[
            ("X-Gitlab-Event", "Deployment Hook"),
            ("X-Gitlab-Instance", "https://lab.example.org:8443"),
            ("X-Gitlab-Event-UUID", "0d7a6f0c-8a71-4a38-9f7e-1b2c3d4e5f60"),
            ("Idempotency-Key", "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
            ("User-Agent", "GitLab/17.3.1"),
        ],
        hook: format!("{{ \"object_kind\": \"deployment\",\n\t\"note\": \"{}\" }}", "Причал ".repeat(150_000)),
        event: "Deployment Hook",
        instance: "https://lab.example.org:8443",
        user_agent: "GitLab/17.3.1",
        ..Call::default()
    }
    .compare();
}
