//! What is tried with any bytes at all: each function must come to its end, whatever it is given.
//!
//! `scripts/fuzz.sh` runs them under a fuzzer; the tests run them over their seeds and over everything that was found.
#![allow(dead_code, reason = "a fuzzer's binary uses one of them")]

use hookglot::capture::{Original, Uncaptured, capture};
use hookglot::config::{self, BranchFilter, Flags, Format, ForwardedHeader, Forwarding, Network};
use hookglot::delivery::{self, Refused, Wanted};
use hookglot::forge::signature::{SigningKey, SigningKeys};
use hookglot::forge::{FilterKind, Forges, Header};
use hookglot::ingest::{Frames, caller_address};
use hookglot::mapping::json::Document;
use hookglot::mapping::{Files, Mappings, NoKnowledge, Surroundings};
use hookglot::mapping_files;
use hookglot::metrics::Metrics;
use hookglot::rules::Rules;
use hookglot::store::Hook;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::load(&mapping_files::built_in()).expect("the built-in files have no faults").0);

/// A hook for mappings that nobody has written yet.
const HOOK: &str = r#"{"action": "TIDE", "x": {"t": "Tide", "n": 41, "f": -1.5e3, "b": true, "l": [1, "two", {"k": "v"}]},
    "at": "2021-03-04T07:16:00+03:00", "u": "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71", "e": "", "o": {}}"#;

/// An expression in a field and in a condition: it is compiled, and where it compiles it runs and is explained.
pub(crate) fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (hole, condition) = (Value::from(format!("${{{text}}}")), Value::from(text));
    mapping_of(&format!(
        "mapping: 1\nname: tide\nevent: TIDE\nlet: {{l: {hole}}}\nbody: {{made: {hole}, text: {}, l: '${{l}}', \
         case: {{$case: [{{when: {condition}, then: yes}}, {{else: no}}]}}}}\n\
         examples: [{{name: any, input: {{action: TIDE}}, expect: {{}}}}]\n",
        Value::from(format!("a ${{{text}}} b")),
    ));
}

/// A mapping file as it stands.
pub(crate) fn mapping_file(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        mapping_of(text);
    }
}

fn mapping_of(text: &str) {
    let mut files = Files::default();
    files.insert("tide/tide.yaml", "tide.yaml", text.to_owned());
    match Mappings::load(&files, "tide", true) {
        Ok((set, warnings)) => {
            drop(warnings.to_string());
            run(&set, HOOK.as_bytes());
        }
        Err(faults) => drop(faults.to_string()),
    }
}

fn run(set: &Mappings, body: &[u8]) {
    let hook = Document::parse(body).expect("JSON");
    let beside = Surroundings { instance: "git.example.org", ..Surroundings::new(&NoKnowledge) };
    for description in set.descriptions() {
        for event in description.events {
            if let Ok(made) = set.translate(event, hook.root(), &beside) {
                serde_json::from_slice::<Value>(&made.body).expect("what is made of a hook is JSON");
                set.explain(event, hook.root(), &beside).expect("what can be translated can be explained");
            }
        }
    }
}

/// A forge file as it stands.
pub(crate) fn forge_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut files = Files::default();
    files.insert("tide/forge.yaml", "forge.yaml", text.to_owned());
    match Forges::load(&files) {
        Ok(forges) => {
            let hook = Document::parse(HOOK.as_bytes()).expect("JSON");
            for forge in forges.iter() {
                let _ = forge.recognises(hook.root(), &[]);
                let _ = forge.identify(hook.root(), &[]);
            }
        }
        Err(faults) => drop(faults.to_string()),
    }
}

/// A request: lines of headers, an empty line, a body. It is recognised and named as `serve` does it.
pub(crate) fn recognition(data: &[u8]) {
    let (headers, body) = request(data);
    let Ok(document) = Document::parse(body) else { return };
    // What is JSON to us is JSON to everybody: hardly anything is worse than to read another hook than others do.
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok(), "only we take it for JSON");
    let accepted = ["gitlab".to_owned(), "gitflic".to_owned()];
    if let Some(forge) = RULES.forges.recognise(&accepted, document.root(), &headers) {
        let _ = forge.identify(document.root(), &headers);
    }
}

/// A request as [`recognition`] has it, translated into the other forge's format, and made an example of.
pub(crate) fn translation(data: &[u8]) {
    let (headers, body) = request(data);
    let Some(hook) = stored(headers, body) else { return };
    example(&hook);
    let (settings, overlays) = (Map::new(), ["atlantis".to_owned()]);
    let wanted = Wanted { format: &Format::Other, settings: &settings, overlays: &overlays };
    match delivery::outgoing(&hook, wanted, &RULES, &NoKnowledge) {
        Ok((outgoing, _)) => {
            serde_json::from_slice::<Value>(&outgoing.body).expect("what is made of a hook is JSON");
            delivery::explain(&hook, wanted, &RULES, &NoKnowledge).expect("what can be translated can be explained");
        }
        Err(Refused::Ignored(reason)) => assert!(!reason.is_empty()),
        Err(Refused::Failed(message)) => assert!(message.starts_with("mappings/"), "{message} names no line"),
    }
}

/// What is captured of a hook is JSON, and the same each time.
fn example(hook: &Hook) {
    let forge = RULES.forges.named(&hook.forge).expect("a hook of a forge");
    let original = Original {
        forge,
        event: &hook.event,
        instance: hook.instance.as_deref(),
        headers: &hook.headers,
        body: &hook.body,
        seen: None,
    };
    match capture(&original) {
        Ok(captured) => {
            serde_json::from_str::<Value>(&captured.body).expect("an example is JSON");
            assert_eq!(capture(&original), Ok(captured), "it is the same each time");
        }
        Err(uncaptured) => assert!(matches!(uncaptured, Uncaptured::OtherEvent { .. }), "{uncaptured}"),
    }
}

/// The clock of the forge and ours, and a key that everybody knows.
const NOW: i64 = 1_764_000_000;
const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A request as [`recognition`] has it, whose signature is looked at; and its body signed by us, with whatever id it has.
pub(crate) fn signature(data: &[u8]) {
    let (headers, body) = request(data);
    let forge = RULES.forges.iter().find_map(|forge| forge.signature());
    let Some(signature) = forge else { return };
    let keys = SigningKeys::new(vec![SigningKey::new(KEY).expect("a key")]);
    let named = |name: &str| headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_bytes()).collect();
    let fits = signature.read(named, NOW).map(|signed| signed.fits(&keys, body));
    if let Err(unsigned) = &fits {
        assert!(!unsigned.to_string().is_empty());
    }
    let [_, id, timestamp] = signature.headers();
    let value = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let at = value(timestamp).and_then(|text| text.parse::<i64>().ok());
    let (Some(id), Some(at)) = (value(id).filter(|id| !id.is_empty()), at) else {
        assert!(!fits.unwrap_or(false), "a signature fits without an id and a time");
        return;
    };
    // What is ours fits, and a byte more does not.
    let ours = signature.sign(&keys, id, at, body);
    let named = |name: &str| ours.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_bytes()).collect();
    if let Ok(signed) = signature.read(named, at) {
        assert!(signed.fits(&keys, body), "a signature of ours does not fit");
        assert!(!signed.fits(&keys, &[body, b" "].concat()), "a signature of ours fits another body");
    }
    // What fits was made with the key: nobody finds such a one by trying.
    if fits.unwrap_or(false) {
        let made = ours.iter().find(|(name, _)| name == signature.header()).map(|(_, made)| made.as_str());
        let given = headers.iter().filter(|(name, _)| name == signature.header());
        let mut given = given.flat_map(|(_, list)| list.split_ascii_whitespace());
        assert!(given.any(|one| Some(one) == made), "a signature fits that was not made with the key");
    }
}

/// A configuration file. What names other files is left out: they are read, and may be any file of this machine.
pub(crate) fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("file") || text.contains("mappings_dir") || text.contains('\\') {
        return;
    }
    let thread = format!("{:?}", std::thread::current().id());
    let number: String = thread.chars().filter(char::is_ascii_digit).collect();
    let path = std::env::temp_dir().join(format!("hookglot-fuzz-{}-{number}.toml", std::process::id()));
    std::fs::write(&path, text).expect("written");
    let loaded = config::load(&Flags { config: Some(path.clone()), ..Flags::default() }, &HashMap::new());
    let _ = std::fs::remove_file(&path);
    match loaded {
        Ok(settings) => drop(format!("{settings:?}")),
        Err(refused) => {
            assert!(!refused.faults.0.is_empty());
            let begin = path.display().to_string();
            assert!(refused.faults.0.iter().all(|fault| fault.starts_with(&begin)), "a fault names no place");
        }
    }
}

/// A branch filter: a letter for its kind, a pattern, an end of line, and the name of a branch.
pub(crate) fn branch_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pattern, name) = text.get(1..).unwrap_or_default().split_once('\n').unwrap_or_default();
    let kind = match text.as_bytes().first() {
        Some(b'w') => FilterKind::Wildcard,
        Some(b'l') => FilterKind::List,
        Some(b'r') => FilterKind::Regex,
        _ => return,
    };
    match BranchFilter::new(kind, pattern) {
        Ok(Some(filter)) => {
            let takes = filter.takes(name);
            let _ = (filter.impossible(), filter.whole_ref(), filter.to_string());
            if kind == FilterKind::Wildcard {
                assert_eq!(takes, fits(pattern, name), "{pattern:?} on {name:?}");
            }
        }
        Ok(None) => assert!(pattern.trim_matches(|one: char| one == ':' || one.is_whitespace()).is_empty()),
        Err(message) => assert!(!message.contains('\n') || pattern.contains('\n'), "{message}"),
    }
}

/// Whether a name fits a pattern with stars: the pieces between them follow each other in it.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(first) else { return false };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut name) = name.strip_suffix(last) else { return false };
    between.split('*').all(|piece| {
        let found = name.find(piece);
        name = found.and_then(|at| name.get(at + piece.len()..)).unwrap_or_default();
        found.is_some()
    })
}

/// Proxies whose word is taken, and the header that they write.
static FORWARDING: LazyLock<[Forwarding; 2]> = LazyLock::new(|| {
    [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded].map(|header| {
        let proxies = ["10.0.0.0/8", "fd00::/8"].map(|range| Network::parse(range).expect("a range"));
        Forwarding { proxies: proxies.into(), header }
    })
});
static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::new().expect("no two names are the same"));

/// A letter for the header, `f` for `Forwarded`, and its values, one a line: where a request came from that has passed a
/// trusted proxy. What that wrote itself counts, whatever a stranger wrote in front of it.
pub(crate) fn caller(data: &[u8]) {
    let is_forwarded = data.first() == Some(&b'f');
    let forwarding = &FORWARDING[usize::from(is_forwarded)];
    let values: Vec<&[u8]> = data.get(1..).unwrap_or_default().split(|byte| *byte == b'\n').collect();
    let [proxy, other, stranger] = [[10, 1, 1, 1], [192, 0, 2, 1], [203, 0, 113, 7]].map(IpAddr::from);
    let address = |connection: IpAddr, values: &[&[u8]]| {
        caller_address(Some(connection), forwarding, values.iter().copied(), &METRICS).expect("there is a connection")
    };
    assert_eq!(address(stranger, &values), stranger, "a stranger's word is taken");
    let said = address(proxy, &values);
    assert_eq!(said, address(proxy, &[&values.join(&b',')]), "several headers are not one list");
    let (before, after) =
        if is_forwarded { ("for=", ";proto=https, for=\"10.2.2.2:80\"") } else { ("", " , 10.2.2.2:80") };
    for written in [format!("{before}192.0.2.1"), format!("{before}192.0.2.1{after}")] {
        let mut values = values.clone();
        values.push(written.as_bytes());
        assert_eq!(address(proxy, &values), other, "what a proxy wrote is not read");
        let behind = [values[..values.len() - 1].join(&b','), written.into_bytes()].join(&b',');
        assert_eq!(address(proxy, &[&behind]), other, "what a proxy wrote is not read behind what was there");
    }
}

/// What comes over a connection, behind a line whose characters say how it is cut: however that is, it comes to the same.
pub(crate) fn frames(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (sizes, sent) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let whole = passed(sent, &[sent.len()]);
    // A digit says itself, so that seeds can be read; others say up to 47. Nothing may come as well, but not for ever.
    let mut sizes: Vec<usize> = sizes.iter().map(|byte| usize::from(*byte) % 48).collect();
    sizes.push(1);
    for sizes in [&*sizes, &[1]] {
        assert_eq!(passed(sent, sizes), whole, "cut in pieces of {sizes:?}: {}", sent.escape_ascii());
    }
    let (frames, bytes) = whole;
    assert!(frames.head() <= sent.len() && frames.ended() <= sent.len() as u64);
    // What cannot be read, and all behind it, is changed, and nothing else.
    let changed = sent.iter().zip(&bytes).position(|(before, now)| before != now).unwrap_or(sent.len());
    assert!(bytes.iter().skip(changed + 1).all(|byte| *byte == 0), "{}", sent.escape_ascii());
}

fn passed(bytes: &[u8], sizes: &[usize]) -> (Frames, Vec<u8>) {
    let (mut frames, mut bytes) = (Frames::default(), bytes.to_vec());
    let mut rest = &mut *bytes;
    for size in sizes.iter().cycle() {
        let (mut piece, behind) = rest.split_at_mut(rest.len().min(*size));
        while !piece.is_empty() {
            let (ended, passed) = (frames.ended(), frames.pass(piece));
            assert!(passed == piece.len() || frames.ended() == ended + 1, "it stops where a request ends");
            piece = &mut piece[passed..];
        }
        if behind.is_empty() {
            break;
        }
        rest = behind;
    }
    (frames, bytes)
}

fn request(data: &[u8]) -> (Vec<Header>, &[u8]) {
    let (mut headers, mut rest) = (Vec::new(), data);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, behind) = rest.split_at(end);
        rest = &behind[1..];
        let Ok(line) = std::str::from_utf8(line) else { break };
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    (headers, rest)
}

fn stored(headers: Vec<Header>, body: &[u8]) -> Option<Hook> {
    let document = Document::parse(body).ok()?;
    let accepted = ["gitlab".to_owned(), "gitflic".to_owned()];
    let forge = RULES.forges.recognise(&accepted, document.root(), &headers)?;
    let identity = forge.identify(document.root(), &headers).ok()?;
    Some(Hook {
        id: uuid::Uuid::nil(),
        route: "/".to_owned(),
        forge: forge.name().to_owned(),
        event: identity.event,
        project: identity.project,
        instance: identity.instance,
        delivery_key: identity.delivery_key,
        hops: 0,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        headers,
        body: body.to_vec().into(),
        seen: None,
        known: None,
    })
}
