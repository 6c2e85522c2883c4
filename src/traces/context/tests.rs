use super::*;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const RULES: Rules = Rules { accept: true, pass: true, ratio: 1.0 };

fn hook() -> Uuid {
    Uuid::parse_str("01a21770-50dd-710a-b94f-afcbae0c3e2f").expect("an id")
}

fn trace(headers: &[(&str, &str)], rules: Rules) -> Trace {
    Trace::of(hook(), headers.iter().copied(), rules)
}

#[test]
fn a_request_that_names_a_trace_goes_on_in_it() {
    let parent = format!("00-{ID}-{SPAN}-01");
    let headers = [("traceparent", &*parent), ("tracestate", "a=1"), ("x", "y"), ("tracestate", " b=2 ,, c@d=e ")];
    let own = trace(&headers, Rules { ratio: 0.0, ..RULES });
    assert_eq!((own.name(), own.parent, own.is_sampled()), (ID.to_owned(), unhex(SPAN), true));
    let begun = Begun::now();
    let passed = own.headers(begun).map(|(name, value)| (name, value.expect("said")));
    assert_eq!(passed[0], ("traceparent", format!("00-{ID}-{}-01", hex(&begun.id))));
    assert_eq!(passed[1], ("tracestate", "a=1,b=2,c@d=e".to_owned()));
    // Whoever asks later gets the same.
    assert_eq!(own, trace(&headers, Rules { ratio: 1.0, ..RULES }));
    let other = trace(&headers, Rules { accept: false, ..RULES });
    assert_eq!((other.name(), other.parent, other.is_malformed()), (hook().simple().to_string(), None, false));
    assert_eq!(other.request, own.request);
}

#[test]
fn a_list_that_is_none_is_left_out() {
    let parent = format!("00-{ID}-{SPAN}-00");
    let own = trace(&[("traceparent", &parent), ("tracestate", "A B=1")], RULES);
    assert_eq!((own.name(), own.is_sampled(), &*own.state), (ID.to_owned(), false, ""));
    assert_eq!(own.headers(Begun::now())[1].1, None);
    // A header could not carry it, or not everywhere.
    assert_eq!((list(&["a=ё"]), list(&["a=1\t2"]), list(&["a"]), list(&["", ","])), Default::default());
    let (long, short) = (format!("a={}", "x".repeat(250)), format!("b={}", "y".repeat(250)));
    assert_eq!(list(&[&long, &short, "c=1,d=2"]), format!("{long},{short},c=1"));
    assert_eq!(list(&["a=1", &"z".repeat(600)]), "");
}

#[test]
fn only_what_the_w3c_has_names_a_trace() {
    let good = [
        (format!("00-{ID}-{SPAN}-01"), 1),
        (format!(" 00-{ID}-{SPAN}-00\t"), 0),
        // The flag of a random id is handed on, one that nobody knows is not.
        (format!("00-{ID}-{SPAN}-ff"), 3),
        (format!("01-{ID}-{SPAN}-01"), 1),
        (format!("cc-{ID}-{SPAN}-01-what-the-future-brings"), 1),
    ];
    for (text, flags) in good {
        let read = Parent::read(&text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((Some(read.id), Some(read.span), read.flags), (unhex(ID), unhex(SPAN), flags), "{text}");
    }
    let zeros = "0".repeat(32);
    for text in [
        String::new(),
        "00".to_owned(),
        format!("00-{ID}-{SPAN}"),
        format!("00-{ID}-{SPAN}-1"),
        format!("00-{ID}-{SPAN}-01-more"),
        format!("00-{ID}-{SPAN}-01-"),
        format!("ff-{ID}-{SPAN}-01"),
        format!("cc-{ID}-{SPAN}-01.more"),
        format!("0-{ID}-{SPAN}-01"),
        format!("00-{}-{SPAN}-01", ID.to_uppercase()),
        format!("00-{zeros}-{SPAN}-01"),
        format!("00-{ID}-{}-01", &zeros[..16]),
        format!("00-{ID}é-{SPAN}-01"),
        format!("00-{}é-{SPAN}-01", &ID[..30]),
        format!("00_{ID}_{SPAN}_01"),
    ] {
        assert_eq!(Parent::read(&text), None, "{text}");
        let own = trace(&[("traceparent", &text)], RULES);
        assert_eq!((own.name(), own.is_malformed()), (hook().simple().to_string(), true), "{text}");
    }
    // Two of them contradict each other, or may.
    let parent = format!("00-{ID}-{SPAN}-01");
    assert!(trace(&[("traceparent", &parent), ("traceparent", &parent)], RULES).is_malformed());
}

#[test]
fn a_share_of_the_traces_is_exported() {
    let chosen = |ratio| {
        let all =
            (0..2_000).filter(|_| Trace::of(Uuid::now_v7(), std::iter::empty(), Rules { ratio, ..RULES }).is_sampled());
        all.count()
    };
    assert_eq!((chosen(0.0), chosen(1.0)), (0, 2_000));
    // Those of one moment have much in common, and are still told apart.
    for (ratio, least, most) in [(0.25, 300, 700), (0.75, 1_300, 1_700)] {
        let count = (0..2_000).filter(|_| is_chosen(Uuid::new_v4(), ratio)).count();
        assert!((least..most).contains(&count), "{ratio}: {count}");
    }
}
