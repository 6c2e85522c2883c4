//! The runbook, in the troubles that it is about: every block of it is run, and every line that it quotes comes.

mod page;
mod world;

use crate::disk::Disk;
use crate::mappings_dir::{PUSH, edited};
use crate::readmes::anchor;
use crate::support::receiver::Receiver;
use crate::support::tool::nobodys_address;
use crate::support::{gitflic_push, gitlab_push, project_file, wait_for};
use page::{Chapter, PAGE, titles};
use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use world::{SECRET, World};

/// A destination at an address.
fn to(url: &str) -> String {
    format!("[[route.to]]\nname = \"jenkins\"\nurl = \"{url}\"\nformat = \"gitlab\"\n")
}

/// One at which nobody listens, and that is soon given up, and soon found again.
fn away() -> String {
    format!("{}breaker = 2\nprobe = \"200ms\"\n", to(&format!("http://{}/", nobodys_address())))
}

fn event(name: &str) -> String {
    project_file(&format!("mappings/gitflic-to-gitlab/examples/{name}.json"))
}

#[test]
fn where_to_look_first() {
    let tool = Receiver::content();
    let world = World::started(&to(&tool.url));
    Chapter::named("").rest(&world);
    world.hears(&gitflic_push());
    Chapter::named("Where to look first").rest(&world);
}

#[test]
fn the_disk_is_full() {
    let Some(disk) = Disk::of_size("the runbook's full disk", "96m") else { return };
    let folder = tempfile::tempdir().unwrap();
    let world = World::at(folder.path(), &away());
    let data = world.path("/var/lib/hookglot");
    std::fs::remove_dir(&data).unwrap();
    std::os::unix::fs::symlink(disk.0.path(), &data).unwrap();
    world.does("systemctl start hookglot");
    world.hears(&gitflic_push());
    let mut chapter = Chapter::named("The disk is full");
    chapter.until("little room is left", &world);
    std::fs::write(disk.0.path().join("much"), vec![1; 65 << 20]).unwrap();
    chapter.until("no room is left", &world);
    disk.fill();
    chapter.until("room is made", &world);
    disk.free();
    std::fs::remove_file(disk.0.path().join("much")).unwrap();
    chapter.rest(&world);
}

#[test]
fn a_tool_is_down() {
    let address = nobodys_address();
    let destination = to(&format!("http://{address}/")) + "breaker = 2\nprobe = \"200ms\"\n";
    let world = World::started(&destination);
    let mut chapter = Chapter::named("A tool is down");
    chapter.until("hooks come", &world);
    (0..6).for_each(|_| world.hears(&gitflic_push()));
    chapter.until("the tool is back", &world);
    let _tool = Receiver::at(address);
    chapter.rest(&world);
}

#[test]
fn an_event_did_not_reach_a_tool() {
    let tool = Receiver::content();
    let filters = "events = [\"BRANCH_UPDATE\"]\nbranch_filter = {wildcard = \"main\"}\n";
    let world = World::started(&(to(&tool.url) + filters));
    let mut chapter = Chapter::named("An event did not reach a tool");
    chapter.until("hooks come that nobody gets", &world);
    assert_eq!(world.sends(&[("Gitflic-Webhook-Secret", "tin-whistle-34")], &gitflic_push()), 401);
    for hook in [event("PUSH"), event("BRANCH_CREATE"), gitflic_push().replace("refs/heads/main", "refs/heads/side")] {
        world.hears(&hook);
    }
    world.means("hook", "--hooks");
    chapter.rest(&world);
}

#[test]
fn a_tool_did_not_understand_a_hook() {
    let tool = Receiver::answering(|_, got| {
        let is_fine = got.json()["ref"].as_str().is_some_and(|branch| branch.starts_with("refs/heads/"));
        let (status, text) = if is_fine { (200, "built") } else { (422, "ref: expected refs/heads/") };
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{text}", text.len())
    });
    let folder = tempfile::tempdir().unwrap();
    let world = World::at(folder.path(), &(to(&tool.url) + "retries = [\"50ms\", \"50ms\"]\n"));
    mapping(&world, &edited(PUSH, "ref", "ref: ${push.ref! | strip_prefix('refs/heads/')}", "{ref: main}"));
    world.does("systemctl start hookglot");
    let mut chapter = Chapter::named("A tool did not understand a hook");
    chapter.until("the tool refuses a push", &world);
    (0..2).for_each(|_| world.hears(&gitflic_push()));
    world.means("id", "--state failed");
    chapter.rest(&world);
}

/// Writes the mapping of pushes.
fn mapping(world: &World, text: &str) {
    let file = world.path("/etc/hookglot/mappings").join(PUSH);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[test]
fn a_mapping_or_a_configuration_is_refused() {
    let world = World::started(&away());
    let mut chapter = Chapter::named("A mapping or a configuration is refused");
    chapter.until("a mapping with a slip is written", &world);
    mapping(&world, &project_file(&format!("mappings/{PUSH}")).replace("push.ref!", "push.rev!"));
    chapter.until("a configuration with a slip is read", &world);
    world.replaces("format = \"gitlab\"", "format = \"gitlub\"");
    world.does("systemctl reload hookglot");
    chapter.until("the configuration is mended", &world);
    world.replaces("format = \"gitlub\"", "format = \"gitlab\"");
    chapter.rest(&world);
}

#[test]
fn gitlab_has_disabled_the_hook() {
    let tool = Receiver::content();
    let world = World::started(&to(&tool.url));
    let sends = |secret| world.sends(&[("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", secret)], &gitlab_push());
    let mut chapter = Chapter::named("GitLab has disabled the hook");
    chapter.until("GitLab is refused four times", &world);
    (0..4).for_each(|_| assert_eq!(sends("tin-whistle-34"), 401));
    chapter.until("a hook of GitLab comes", &world);
    assert_eq!(sends(SECRET), 200);
    chapter.rest(&world);
}

#[test]
fn rotate_a_secret() {
    let tool = Receiver::content();
    let world = World::started(&(to(&tool.url) + "token = \"amber-anchor-41\"\n"));
    let sends = |secret| world.sends(&[("Gitflic-Webhook-Secret", secret)], &gitflic_push());
    // A reload is in force a moment after it was asked for.
    let becomes = |secret, status| wait_for("the reload", || (sends(secret) == status).then_some(()));
    let mut chapter = Chapter::named("Rotate a secret");
    chapter.until("both are taken", &world);
    becomes("tin-whistle-88", 200);
    assert_eq!(sends(SECRET), 200);
    chapter.until("the old one is refused", &world);
    becomes(SECRET, 401);
    assert_eq!(sends("tin-whistle-88"), 200);
    chapter.until("the tool gets the new token", &world);
    wait_for("the new token", || {
        sends("tin-whistle-88");
        tool.got().iter().any(|got| got.header("X-Gitlab-Token") == Some("cedar-compass-52")).then_some(())
    });
    chapter.rest(&world);
}

#[test]
fn back_up_restore_move_to_another_machine() {
    let world = World::started(&away());
    let mut chapter = Chapter::named("Back up, restore, move to another machine");
    chapter.until("hooks wait", &world);
    (0..2).for_each(|_| world.hears(&gitflic_push()));
    chapter.until("the machine is another", &world);
    world.does("systemctl stop hookglot\nrm /var/lib/hookglot/*");
    chapter.rest(&world);
}

#[test]
fn upgrade_and_downgrade() {
    let world = World::started(&away());
    let mut chapter = Chapter::named("Upgrade and downgrade");
    chapter.until("the store is of a newer one", &world);
    world.does("systemctl stop hookglot");
    let store = rusqlite::Connection::open(world.path("/var/lib/hookglot/hookglot.db")).unwrap();
    store.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(store);
    chapter.rest(&world);
}

#[test]
fn the_database_is_damaged() {
    let world = World::started(&away());
    let mut chapter = Chapter::named("The database is damaged");
    chapter.until("pages of the database are overwritten", &world);
    (0..20).for_each(|_| world.hears(&gitflic_push()));
    world.does("hookglot backup /srv/backup/nightly.db --config /etc/hookglot/hookglot.toml\nsystemctl stop hookglot");
    let database = world.path("/var/lib/hookglot/hookglot.db");
    let mut database = std::fs::OpenOptions::new().write(true).open(database).unwrap();
    database.seek(SeekFrom::Start(40 << 10)).unwrap();
    database.write_all(&[0x5a; 44 << 10]).unwrap();
    world.does("systemctl start hookglot");
    chapter.rest(&world);
}

#[test]
fn erase_somebody() {
    let tool = Receiver::content();
    let world = World::started(&to(&tool.url));
    let mut chapter = Chapter::named("Erase somebody");
    chapter.until("hooks tell of somebody", &world);
    world.hears(&gitflic_push());
    world.means("id", "--state delivered");
    chapter.rest(&world);
}

#[test]
fn keep_the_numbers_of_a_project_that_has_moved() {
    let tool = Receiver::content();
    let world = World::started(&to(&tool.url));
    let mut chapter = Chapter::named("Keep the numbers of a project that has moved");
    chapter.until("a hook of the project comes", &world);
    world.wait_for_log("the configuration is loaded and in force", PAGE);
    world.hears(&gitflic_push());
    let bodies = tool.wait_for(1);
    assert_eq!(bodies[0].json()["project_id"], 3107);
    chapter.rest(&world);
}

/// Each of these has a test of its name; the last one has no blocks.
#[test]
fn every_chapter_is_tried() {
    let code = project_file("tests/it/operations.rs");
    let (last, others) = titles().split_last().map(|(last, others)| (last.clone(), others.to_vec())).unwrap();
    assert_eq!(last, "How much it needs, and what to watch");
    for title in others {
        let is_tried = code.contains(&format!("Chapter::named(\"{title}\")"));
        assert!(is_tried, "{PAGE}: no test of tests/it/operations.rs tries the chapter `{title}`");
    }
}

#[test]
fn links_lead_to_chapters() {
    let page = project_file(PAGE);
    for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let (file, chapter) = target.split_once('#').unwrap_or((target, ""));
        let file = match file.strip_prefix("../") {
            _ if file.is_empty() => PAGE.to_owned(),
            Some(file) => file.to_owned(),
            None => format!("docs/{file}"),
        };
        let text = project_file(&file);
        let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
        assert!(chapter.is_empty() || headings.any(|own| own == chapter), "{PAGE}: {target}");
    }
}

fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            sources(&entry.path(), all);
        } else {
            all.push_str(&std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What tables quote is literally in the code, and so are metrics.
#[test]
fn what_tables_quote_is_in_the_code() {
    let (page, mut code) = (project_file(PAGE), String::new());
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    // A long text goes on in the next line.
    let lines: Vec<&str> = code.split("\\\n").collect();
    let code = lines.iter().enumerate().map(|(at, line)| if at == 0 { line } else { line.trim_start() });
    let code: String = code.collect();
    let mut quoted = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `") && !line.contains("docker ")) {
        let cell = line.split(" | ").next().unwrap();
        quoted.extend(cell.split('`').skip(1).step_by(2));
    }
    quoted.extend(page.split('`').filter(|part| part.starts_with("hookglot_") && !part.contains('\n')));
    assert!(quoted.len() > 25, "{quoted:?}");
    for text in quoted {
        for part in text.split('…') {
            assert!(code.contains(part.trim()), "{PAGE}: `{text}` is not in src/");
        }
    }
}
