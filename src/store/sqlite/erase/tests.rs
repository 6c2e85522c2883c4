use super::super::super::contract::{append, at, claim, end, hook};
use super::super::super::{Ending, Erase, Erasure, Hook, Retention, Store, Whose};
use super::super::{Folder, SqliteStore};
use bytes::Bytes;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

const NAME: &str = "Olga-Vetrova-of-the-harbour";

/// Hooks of many sizes, so that some stand in one page with others and some in pages of their own.
fn body(number: usize) -> Bytes {
    let filled = NAME.repeat(1 + number % 7 * number % 300);
    Bytes::from(format!(r#"{{"n": {number}, "name": "{NAME}", "rest": "{filled}"}}"#))
}

fn holds(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let holds = |file: &Path| {
        let bytes = std::fs::read(file).expect("it is read");
        bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes())
    };
    files.filter(|file| holds(file)).map(|file| file.display().to_string()).collect()
}

async fn fill(store: &SqliteStore, count: usize) {
    for number in 0..count {
        append(store, &Hook { body: body(number), ..hook(0) }, &["a"]).await;
        if number % 2 == 0 {
            append(store, &hook(number * 10), &["a"]).await;
        }
    }
    while let Some(claimed) = claim(store, "a", at(1)).await {
        end(store, &claimed, Ending::Delivered, at(1)).await;
    }
}

fn order(is_dry_run: bool) -> Erasure {
    let whose = Whose::User(NAME.to_owned());
    Erasure { whose, ends_pending: false, is_dry_run, now: at(2), at: at(2) }
}

#[tokio::test]
async fn nothing_of_it_is_left_in_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(Folder::own(folder.path()).expect("a folder"), Box::new(|_, _| ())).expect("a store");
    fill(&store, 300).await;
    // Some of it was removed after its time before, and stands in pages that are free.
    let keep = Retention {
        age: Duration::from_secs(1),
        at_least: Duration::ZERO,
        bytes: u64::MAX,
        states: Duration::from_hours(1),
        audit: Duration::from_hours(1),
    };
    store.prune(keep, at(100)).await.expect("the store works");
    assert_eq!(holds(folder.path()).len(), 2, "the database and its log");
    let counted = store.erase(order(true)).await.expect("the store works");
    let erased = store.erase(order(false)).await.expect("the store works");
    assert!(erased.hooks > 100 && (erased.hooks, erased.may_linger) == (counted.hooks, false), "{erased:?}");
    assert_eq!(holds(folder.path()), Vec::<String>::new());
    store.close().await.expect("it closes");
    assert_eq!(holds(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn it_is_said_when_somebody_keeps_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let owned = Folder::own(folder.path()).expect("a folder");
    let path = owned.database();
    let store = SqliteStore::open(owned, Box::new(|_, _| ())).expect("a store");
    fill(&store, 3).await;
    let reader = Connection::open(path).expect("it opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM hook;").expect("it reads");
    let erased = store.erase(order(false)).await.expect("the store works");
    assert!(erased.hooks == 3 && erased.may_linger);
    drop(reader);
    assert!(!store.erase(order(false)).await.expect("the store works").may_linger);
    assert_eq!(holds(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn recordings_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let owned = Folder::own(folder.path()).expect("a folder");
    let path = owned.database();
    let store = SqliteStore::open(owned, Box::new(|_, _| ())).expect("a store");
    let other = Connection::open(path).expect("it opens");
    let record = |event: &str, body: &str| {
        let insert = "INSERT INTO recording VALUES ('/', 'gitlab', ?1, 0, '[]', ?2)";
        other.execute(insert, rusqlite::params![event, body.as_bytes()]).expect("it is written");
    };
    record("one", r#"{"name": "Olga-Vetrova-of-the-harbour"}"#);
    record("two", r#"{"project_id": 4217, "name": "Oleg"}"#);
    record("three", r#"{"project_id": 42170}"#);
    let of_project = Erasure { whose: Whose::Project("4217".to_owned()), ..order(false) };
    for (erasure, left) in [(order(false), 2), (of_project, 1)] {
        assert_eq!(store.erase(erasure).await.expect("the store works").recordings, 1);
        let count = other.query_row("SELECT count(*) FROM recording", [], |row| row.get::<_, i64>(0));
        assert_eq!(count.expect("it reads"), left);
    }
}
