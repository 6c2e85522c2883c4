//! Numbers for texts: given once, the same for everybody, for ever.

use super::super::numbers::{Conflict, Named, NumberFilter, NumberRow, Numbering, Pair, Reserved, Wanted, Why};
use super::super::{Erasure, Look, Store, StoreError, Whose};
use super::at;
use std::collections::BTreeSet;
use std::time::Duration;

const KIND: &str = "user";
const HOST: &str = "git.example.org";

pub(in super::super) async fn run<S: Store>(make: impl Fn(Numbering) -> S) {
    a_text_keeps_its_number_and_kinds_are_apart(&make(Numbering::ALL)).await;
    a_number_that_is_given_is_passed_over(&make(Numbering::up_to(4))).await;
    when_all_are_given_it_is_said(&make(Numbering::up_to(3))).await;
    two_who_ask_at_once_are_told_the_same(&make(Numbering::up_to(200))).await;
    whoever_only_looks_makes_none(&make(Numbering::ALL)).await;
    the_way_back_is_for_the_own_instance(&make(Numbering::ALL)).await;
    the_configuration_wins(&make(Numbering::up_to(10))).await;
    what_the_configuration_cannot_have_is_told(&make(Numbering::up_to(10))).await;
    what_was_reserved_and_never_given_is_let_go(&make(Numbering::up_to(10))).await;
    a_lost_store_gives_the_same_and_takes_an_export(&make).await;
    what_cannot_be_imported_is_told(&make(Numbering::up_to(10))).await;
    pages_are_stable_while_more_are_given(&make(Numbering::ALL)).await;
    what_names_somebody_is_erased(&make(Numbering::ALL)).await;
}

fn named(text: &str) -> Named {
    Named { kind: KIND.to_owned(), text: text.to_owned() }
}

fn wanted(text: &str, first: u32) -> Wanted {
    Wanted { named: named(text), first, instance: Some(HOST.to_owned()) }
}

/// Gives numbers to texts that all begin to look at 2.
pub(in super::super) async fn give(store: &impl Store, texts: &[&str]) -> Vec<u32> {
    let wanted = texts.iter().map(|text| wanted(text, 2)).collect();
    store.number(wanted, at(0)).await.expect("there are some")
}

fn reserved(text: &str, number: u32) -> Reserved {
    Reserved { kind: KIND.to_owned(), text: text.to_owned(), number, instance: None }
}

async fn reserve(store: &impl Store, all: &[(&str, u32)]) -> Vec<Conflict> {
    let all = all.iter().map(|(text, number)| reserved(text, *number)).collect();
    store.reserve(all, at(1)).await.expect("the store works")
}

fn conflict(text: &str, number: u32, why: Why) -> Conflict {
    Conflict { named: named(text), number, why }
}

async fn all(store: &impl Store, filter: NumberFilter) -> Vec<NumberRow> {
    let look = Look { before: None, limit: 10_000, time: Duration::from_secs(10) };
    store.all_numbers(filter, look).await.expect("the store works").items
}

async fn export(store: &impl Store) -> Vec<Pair> {
    all(store, NumberFilter::default()).await.into_iter().map(|row| row.pair).collect()
}

async fn a_text_keeps_its_number_and_kinds_are_apart(store: &impl Store) {
    let asked = vec![wanted("Olga", 17), wanted("Oleg", 2_147_483_647), wanted("Olga", 17)];
    assert_eq!(store.number(asked, at(0)).await, Ok(vec![17, 2_147_483_647, 17]));
    // Whatever is begun at now.
    assert_eq!(store.number(vec![wanted("Olga", 99)], at(5)).await, Ok(vec![17]));
    let label = Named { kind: "label".to_owned(), ..named("Anna") };
    assert_eq!(store.number(vec![Wanted { named: label, first: 17, instance: None }], at(0)).await, Ok(vec![17]));
    assert_eq!(give(store, &[]).await, [0_u32; 0]);
}

async fn a_number_that_is_given_is_passed_over(store: &impl Store) {
    assert_eq!(reserve(store, &[("Rita", 3)]).await, []);
    // Over what is reserved, and behind the last to the first.
    assert_eq!(give(store, &["Olga", "Oleg", "Anna"]).await, [2, 4, 1]);
    assert_eq!(give(store, &["Anna", "Rita", "Oleg", "Olga"]).await, [1, 3, 4, 2]);
}

async fn when_all_are_given_it_is_said(store: &impl Store) {
    give(store, &["Olga", "Oleg", "Anna"]).await;
    let full = store.number(vec![wanted("Rita", 2)], at(0)).await;
    let said = "all 3 numbers of the kind user are given".to_owned();
    assert_eq!(full, Err(StoreError::Full(said)));
    assert_eq!(give(store, &["Anna"]).await, [1], "who has one keeps it");
    let label = Named { kind: "label".to_owned(), ..named("Rita") };
    assert_eq!(store.number(vec![Wanted { named: label, first: 2, instance: None }], at(0)).await, Ok(vec![2]));
}

async fn two_who_ask_at_once_are_told_the_same(store: &impl Store) {
    let texts: Vec<String> = (0..150).map(|number| format!("user-{number}")).collect();
    let (forth, back): (Vec<&str>, Vec<&str>) =
        (texts.iter().map(String::as_str).collect(), texts.iter().rev().map(String::as_str).collect());
    let ask = async |texts: &[&str]| {
        let mut given = Vec::new();
        for some in texts.chunks(7) {
            given.extend(give(store, some).await);
        }
        given
    };
    let (one, mut other) = tokio::join!(ask(&forth), ask(&back));
    other.reverse();
    assert_eq!(one, other);
    assert_eq!(one.iter().collect::<BTreeSet<_>>().len(), 150, "each has its own");
}

async fn whoever_only_looks_makes_none(store: &impl Store) {
    give(store, &["Olga"]).await;
    let asked = vec![named("Oleg"), named("Olga")];
    assert_eq!(store.numbers(asked).await, Ok(vec![None, Some(2)]));
    assert_eq!(export(store).await.len(), 1);
}

async fn the_way_back_is_for_the_own_instance(store: &impl Store) {
    give(store, &["Olga"]).await;
    let elsewhere = Wanted { instance: Some("elsewhere.example.org".to_owned()), ..wanted("Oleg", 5) };
    store.number(vec![elsewhere, Wanted { instance: None, ..wanted("Anna", 7) }], at(0)).await.expect("given");
    let hosts = [HOST, "elsewhere.example.org"].map(str::to_owned);
    assert_eq!(store.numbered_instances().await, Ok(BTreeSet::from(hosts)));
    let user = |number| (KIND.to_owned(), number);
    let asked = || vec![user(2), user(5), user(7), user(8), ("label".to_owned(), 2)];
    let olga = Some("Olga".to_owned());
    assert_eq!(store.texts(HOST, asked()).await, Ok(vec![olga, None, None, None, None]));
    // A later hook of another instance changes nothing.
    let again = Wanted { instance: Some("elsewhere.example.org".to_owned()), ..wanted("Olga", 2) };
    store.number(vec![again], at(0)).await.expect("given");
    let oleg = Some("Oleg".to_owned());
    assert_eq!(store.texts("elsewhere.example.org", asked()).await, Ok(vec![None, oleg, None, None, None]));
}

async fn the_configuration_wins(store: &impl Store) {
    assert_eq!(give(store, &["Olga"]).await, [2]);
    for _ in 0..2 {
        assert_eq!(reserve(store, &[("Olga", 7), ("Oleg", 5)]).await, []);
        assert_eq!(give(store, &["Olga", "Oleg"]).await, [7, 5]);
    }
    // The old one is nobody else's, and is still hers on the way back.
    assert_eq!(give(store, &["Anna"]).await, [3]);
    assert_eq!(store.texts(HOST, vec![(KIND.to_owned(), 2)]).await, Ok(vec![Some("Olga".to_owned())]));
    assert_eq!(reserve(store, &[("Anna", 2)]).await, [conflict("Anna", 2, Why::StandsFor("Olga".to_owned()))]);
    // She may have it again.
    assert_eq!(reserve(store, &[("Olga", 2)]).await, []);
    assert_eq!(give(store, &["Olga"]).await, [2]);
    assert_eq!(give(store, &["Rita", "Vera"]).await, [4, 6], "7 stays hers");
}

async fn what_was_reserved_and_never_given_is_let_go(store: &impl Store) {
    assert_eq!(give(store, &["Olga"]).await, [2]);
    assert_eq!(reserve(store, &[("Olga", 7), ("Olge", 5)]).await, []);
    // A slip of the pen is put right.
    assert_eq!(reserve(store, &[("Olga", 7), ("Oleg", 5)]).await, []);
    assert_eq!(give(store, &["Oleg", "Olga"]).await, [5, 7]);
    // What was given stays.
    assert_eq!(reserve(store, &[("Anna", 4)]).await, []);
    assert_eq!(give(store, &["Oleg", "Olga"]).await, [5, 7]);
    assert_eq!(reserve(store, &[("Rita", 5)]).await, [conflict("Rita", 5, Why::StandsFor("Oleg".to_owned()))]);
    // What had another number before has it again.
    assert_eq!(give(store, &["Vera"]).await, [3]);
    assert_eq!(reserve(store, &[("Vera", 9)]).await, []);
    assert_eq!(reserve(store, &[]).await, []);
    assert_eq!(give(store, &["Vera"]).await, [3]);
    // So is which installation knows it by the number.
    let of = |instance: &str| Reserved { instance: Some(instance.to_owned()), ..reserved("Olga", 7) };
    for instance in ["lab.example.org", "lab3.example.org"] {
        assert_eq!(store.reserve(vec![of(instance)], at(1)).await, Ok(Vec::new()));
        let text = store.texts(instance, vec![(KIND.to_owned(), 7)]).await.expect("the store works");
        assert_eq!(text, [Some("Olga".to_owned())]);
    }
    assert_eq!(store.texts("lab.example.org", vec![(KIND.to_owned(), 7)]).await, Ok(vec![None]));
}

async fn what_the_configuration_cannot_have_is_told(store: &impl Store) {
    give(store, &["Olga"]).await;
    let told = reserve(store, &[("Anna", 4), ("Oleg", 2), ("Rita", 4), ("Vera", 11), ("Vera", 0)]).await;
    let numbering = Numbering::up_to(10);
    let expected = [
        conflict("Oleg", 2, Why::StandsFor("Olga".to_owned())),
        conflict("Rita", 4, Why::StandsFor("Anna".to_owned())),
        conflict("Vera", 11, Why::NoNumber(numbering)),
        conflict("Vera", 0, Why::NoNumber(numbering)),
    ];
    assert_eq!(told, expected);
    assert_eq!(told[0].to_string(), "the user `Oleg` cannot have the number 2: that stands for `Olga`");
    assert_eq!(export(store).await.len(), 1, "none is reserved");
}

async fn a_lost_store_gives_the_same_and_takes_an_export<S: Store>(make: &impl Fn(Numbering) -> S) {
    let store = make(Numbering::up_to(100));
    let asked = |texts: [(&str, u32); 4]| texts.iter().map(|(text, first)| wanted(text, *first)).collect::<Vec<_>>();
    let texts = [("Olga", 40), ("Oleg", 40), ("Anna", 50), ("Rita", 140)];
    assert_eq!(store.number(asked(texts), at(0)).await, Ok(vec![40, 41, 50, 42]));
    assert_eq!(reserve(&store, &[("Anna", 60)]).await, []);
    let exported = export(&store).await;
    // Whoever collided may have the other's number: who comes first has it.
    let lost = make(Numbering::up_to(100));
    let turned = [texts[3], texts[2], texts[1], texts[0]];
    assert_eq!(lost.number(asked(turned), at(0)).await, Ok(vec![41, 50, 40, 42]));
    let restored = make(Numbering::up_to(100));
    for _ in 0..2 {
        assert_eq!(restored.import(exported.clone(), at(9)).await, Ok(Vec::new()));
        assert_eq!(restored.number(asked(turned), at(9)).await, Ok(vec![42, 60, 41, 40]));
    }
    let known = store.texts(HOST, vec![(KIND.to_owned(), 50)]).await;
    assert_eq!(restored.texts(HOST, vec![(KIND.to_owned(), 50)]).await, known);
    let sorted = |mut pairs: Vec<Pair>| {
        pairs.sort_by_key(|pair| pair.number);
        pairs
    };
    assert_eq!(sorted(export(&restored).await), sorted(exported));
}

async fn what_cannot_be_imported_is_told(store: &impl Store) {
    give(store, &["Olga"]).await;
    let pair = |text: &str, number| Pair { named: named(text), number, instance: None, is_former: false };
    let pairs = vec![pair("Oleg", 2), pair("Olga", 3), pair("Anna", 4), pair("Rita", 11), pair("Anna", 4)];
    let expected = vec![
        conflict("Oleg", 2, Why::StandsFor("Olga".to_owned())),
        conflict("Olga", 3, Why::Has(2)),
        conflict("Rita", 11, Why::NoNumber(Numbering::up_to(10))),
    ];
    assert_eq!(store.import(pairs, at(0)).await, Ok(expected));
    assert_eq!(store.numbers(["Anna", "Oleg"].map(named).to_vec()).await, Ok(vec![Some(4), None]));
}

async fn pages_are_stable_while_more_are_given(store: &impl Store) {
    let texts: Vec<String> = (0..25).map(|number| format!("user-{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    give(store, &texts).await;
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let look = Look { before, limit: 10, time: Duration::from_secs(10) };
        let page = store.all_numbers(NumberFilter::default(), look).await.expect("the store works");
        assert!(page.items.len() <= 10);
        seen.extend(page.items.into_iter().map(|row| row.pair.named.text));
        give(store, &[&format!("later-{}", seen.len())]).await;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, texts.iter().rev().copied().collect::<Vec<_>>());
    let only = |kind: Option<&str>, text: Option<&str>, number| NumberFilter {
        kind: kind.map(str::to_owned),
        text: text.map(str::to_owned),
        number,
    };
    for (filter, count) in [
        (only(Some("label"), None, None), 0),
        (only(Some(KIND), None, Some(2)), 1),
        (only(None, Some("user-7"), None), 1),
        (only(None, Some("user-"), None), 0),
        (only(Some(KIND), Some("user-7"), Some(2)), 0),
    ] {
        assert_eq!(all(store, filter.clone()).await.len(), count, "{filter:?}");
    }
}

async fn what_names_somebody_is_erased(store: &impl Store) {
    give(store, &["o.vetrova", "a.belova", "north/quay"]).await;
    let kinds = [("project", "7f3a"), ("label", "7f3a"), ("label", "by o.vetrova")];
    let kinds = kinds.map(|(kind, text)| Named { kind: kind.to_owned(), text: text.to_owned() });
    let asked = kinds.into_iter().map(|named| Wanted { named, first: 9, instance: None }).collect();
    store.number(asked, at(0)).await.expect("there are some");
    let erase = async |whose: Whose, is_dry_run| {
        let erasure = Erasure { whose, ends_pending: false, is_dry_run, now: at(1), at: at(1) };
        store.erase(erasure).await.expect("the store works").numbers
    };
    let olga = Whose::User("O.Vetrova".to_owned());
    assert_eq!((erase(olga.clone(), true).await, export(store).await.len()), (2, 6));
    assert_eq!((erase(olga.clone(), false).await, erase(olga, false).await), (2, 0));
    assert_eq!(erase(Whose::Project("7F3A".to_owned()), false).await, 1);
    let left: Vec<String> = export(store).await.into_iter().map(|pair| pair.named.text).collect();
    assert_eq!(left, ["7f3a", "north/quay", "a.belova"]);
}
