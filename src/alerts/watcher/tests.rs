//! A watcher that was too slow, and alerts that come and go.

use super::*;
use crate::config::{self, AlertFormat, HiddenUrl, Trouble};
use crate::feed::Happening;
use std::time::Duration;
use url::Url;

fn ready(name: &str, on: &[Trouble]) -> Arc<Ready> {
    let alert = config::Alert {
        name: name.to_owned(),
        // Nobody is asked to post there.
        url: HiddenUrl::new(Url::parse("http://127.0.0.1:9/").expect("a URL")),
        login: None,
        format: AlertFormat::Json,
        on: on.iter().copied().collect(),
        authorization: None,
        timeout: Duration::from_secs(1),
        proxy: None,
        ca_file: None,
    };
    Ready::all(&[alert]).unwrap_or_else(|faults| panic!("{faults}")).remove(0)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A watcher of two destinations with one alert, and what that is given.
fn watcher(on: &[Trouble]) -> (Watcher, mpsc::Receiver<Arc<Incident>>) {
    let (feed, metrics) = (Feed::default(), Metrics::new().expect("metrics"));
    let (orders, _) = watch::channel(Orders { ready: ready("chat", on), is_last: false });
    let (queue, given) = mpsc::channel(MOST_WAITING);
    let alerts = [("chat".to_owned(), Alert { orders, queue, told: HashSet::new() })].into();
    let place = Arc::new(Place { host: String::new(), data_dir: "/".into(), check: String::new() });
    let (incidents, listening) = (Incidents::of(names(&["a", "b"]), Duration::ZERO), Some(feed.listen()));
    (Watcher { feed, metrics, place, incidents, listening, alerts, senders: JoinSet::new() }, given)
}

fn ended(feed: &Feed, destination: &str, state: &str) {
    feed.tell(|| Happening::Ended {
        hook: Uuid::nil(),
        delivery: None,
        destination: destination.to_owned(),
        event: String::new(),
        state: state.to_owned(),
        reason: None,
    });
}

/// What was given: the key, and whether it is over.
fn given(queue: &mut mpsc::Receiver<Arc<Incident>>) -> Vec<(Key, bool)> {
    std::iter::from_fn(|| queue.try_recv().ok()).map(|own| (own.key.clone(), own.until.is_some())).collect()
}

#[tokio::test]
async fn an_end_that_was_missed_is_told_and_so_is_a_beginning() {
    let (watcher, mut queue) = watcher(&Trouble::ALL);
    let (feed, metrics) = (watcher.feed.clone(), watcher.metrics.clone());
    let (orders, given_orders) = mpsc::unbounded_channel();
    let task = tokio::spawn(watcher.run(given_orders));
    ended(&feed, "a", "failed");
    let first = queue.recv().await.expect("the beginning");
    // So many that all of it is lost, in one go: nobody listens meanwhile.
    ended(&feed, "a", "delivered");
    ended(&feed, "b", "failed");
    metrics.failing.with_label_values(&["b"]).set(1);
    metrics.disk_nearly_full.set(1);
    (0..5000).for_each(|_| ended(&feed, "a", "ignored"));
    orders.send(Order::Finish).expect("it listens");
    task.await.expect("it ends");
    let mut given = given(&mut queue);
    given.sort();
    let [a, b] = ["a", "b"].map(|name| Key::Failed(name.to_owned()));
    assert_eq!(first.key, a);
    assert_eq!(given, [(a, true), (b, false), (Key::Disk, false)]);
}

#[tokio::test]
async fn what_is_over_is_told_when_it_is_calm_or_at_a_stop() {
    let (mut watcher, mut queue) = watcher(&Trouble::ALL);
    watcher.incidents.calm = Duration::from_millis(1);
    let feed = watcher.feed.clone();
    let (orders, given_orders) = mpsc::unbounded_channel();
    let task = tokio::spawn(watcher.run(given_orders));
    ended(&feed, "a", "failed");
    ended(&feed, "a", "delivered");
    assert_eq!(queue.recv().await.map(|own| own.until), Some(None));
    assert!(queue.recv().await.is_some_and(|own| own.until.is_some()));
    orders.send(Order::Replace(vec![ready("chat", &Trouble::ALL)], names(&["a"]), Duration::MAX)).expect("it listens");
    ended(&feed, "a", "failed");
    ended(&feed, "a", "delivered");
    orders.send(Order::Finish).expect("it listens");
    task.await.expect("it ends");
    assert_eq!(given(&mut queue), [(Key::Failed("a".to_owned()), false), (Key::Failed("a".to_owned()), true)]);
}

#[tokio::test]
async fn an_alert_hears_only_of_what_it_wants_and_of_no_end_without_a_beginning() {
    let (mut watcher, mut queue) = watcher(&[Trouble::Failed]);
    let told = |happening| Told { at: Timestamp::now(), happening };
    let disk = |is_short| told(Happening::Disk { is_short, free_bytes: 1, total_bytes: 2, least_bytes: 2 });
    watcher.hear(&disk(true));
    assert_eq!(given(&mut queue), []);
    // It wants to hear of that, too, from now on.
    watcher.replace(vec![ready("chat", &[Trouble::Disk])], names(&["a", "b"]));
    assert_eq!(given(&mut queue), [(Key::Disk, false)]);
    watcher.replace(vec![ready("chat", &[Trouble::Disk])], names(&["a"]));
    watcher.hear(&disk(false));
    watcher.hear(&disk(false));
    assert_eq!(given(&mut queue), [(Key::Disk, true)]);
    // Without any alert nobody listens.
    watcher.replace(Vec::new(), names(&["a"]));
    watcher.feed.tell(|| panic!("nobody listens"));
}

#[tokio::test]
async fn ends_have_room_when_beginnings_have_none() {
    let (mut watcher, mut queue) = watcher(&Trouble::ALL);
    for _ in 0..MOST_WAITING {
        ended(&watcher.feed, "a", "failed");
        ended(&watcher.feed, "a", "delivered");
    }
    while let Some(Ok(told)) = watcher.listening.as_mut().map(broadcast::Receiver::try_recv) {
        watcher.hear(&told);
    }
    let given = given(&mut queue);
    let ends = given.iter().filter(|(_, is_over)| *is_over).count();
    assert_eq!((given.len(), ends), (MOST_WAITING / 2, MOST_WAITING / 4));
    assert_eq!(watcher.metrics.alerts.with_label_values(&["chat", "dropped"]).get(), 64 - 16);
}
