//! Routes that keep the first hook of each event.

use crate::support::app::{App, serve_in};
use crate::support::{gitflic_push, gitlab_push};
use hookglot::store::recordings::Recordings;
use hookglot::store::sqlite::{Folder, SqliteStore};
use std::path::Path;

const CONFIG: &str = "
[[route]]
path = \"/records\"
secret = \"north-quay-7\"
record = true
[[route.to]]
name = \"picky\"
url = \"http://127.0.0.1:1/\"
format = \"gitlab\"
events = [\"Deployment Hook\"]
[[route]]
path = \"/other\"
secret = \"none\"
[[route.to]]
name = \"any\"
url = \"http://127.0.0.1:1/\"
format = \"gitlab\"
";

/// What a folder's store has recorded: route, event, headers and body.
fn recorded(folder: &Path) -> Vec<(String, String, String, Vec<u8>)> {
    let store = SqliteStore::open(Folder::own(&folder.join("data")).unwrap(), Box::new(|_, _| ())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut all = Vec::new();
        for own in store.recordings().await.unwrap() {
            let kept = store.recording(&own.route, &own.forge, &own.event).await.unwrap().unwrap();
            assert_eq!((kept.body.len() as u64, kept.recorded_at), (own.size, own.recorded_at));
            all.push((own.route, own.event, format!("{:?}", kept.headers), kept.body.to_vec()));
        }
        all
    })
}

#[test]
fn a_route_that_records_keeps_the_first_of_each_event_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let send = |app: &App, path: &str, more: &[(&str, &str)], body: &str| {
        let secrets = [("X-Gitlab-Token", "north-quay-7"), ("Gitflic-Webhook-Secret", "north-quay-7")];
        let answer = app.post(path, &[&secrets, more].concat(), body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let push = [("X-Gitlab-Event", "Push Hook")];
    let first = gitlab_push();
    let again = first.replace("Round half to even", "Round down");
    for round in 0..2 {
        let mut app = App::start(serve_in(folder.path(), CONFIG));
        // No destination wants it, and it is recorded all the same.
        send(&app, "/records", &push, if round == 0 { &first } else { &again });
        send(&app, "/records", &push, &again);
        send(&app, "/records", &[], &gitflic_push());
        send(&app, "/records", &[], "{\"nobody\": \"knows\"}");
        send(&app, "/other", &push, &gitlab_push());
        app.terminate();
        assert!(app.wait().success());
    }
    let kept = recorded(folder.path());
    let [of_gitflic, of_gitlab] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((of_gitflic.1.as_str(), &of_gitflic.3), ("BRANCH_UPDATE", &gitflic_push().into_bytes()));
    assert_eq!((of_gitlab.1.as_str(), &of_gitlab.3), ("Push Hook", &gitlab_push().into_bytes()));
    assert!(
        kept.iter().all(|(route, _, headers, _)| route == "/records" && !headers.contains("north-quay-7")),
        "{kept:?}"
    );
    assert!(of_gitlab.2.contains("Push Hook"), "{kept:?}");
}
