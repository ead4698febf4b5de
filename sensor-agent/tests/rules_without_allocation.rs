//! Holding an event against rules takes no memory from the system: not when nothing matches, nor when something does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use diagnostic::{Report, Span, Spanned};
use schema::Class;
use sensor_agent::control::Query;
use sensor_agent::event::Event;
use sensor_agent::event::build::build;
use sensor_agent::live::Filter;
use sensor_agent::redaction::Redaction;
use sensor_agent::rules::{Chain, Lists, MissingDefault, Scratch, compile};
use serde_json::json;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator; the counter is of a type without destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn evaluation_allocates_nothing() {
    let mut report = Report::default();
    let source = report.add_source("rules", "");
    let span = Span { source, bytes: 0..0 };
    let rules: Vec<_> = [
        "ignore any lineage.programName == \"/usr/bin/apt*\"",
        "match programName == \"/usr/bin/wget\" and args contains \"evil\"",
        "match sophosPid startswith \"7:\" or processUuid == \"x*\"",
        "match args in (\"a*b\", \"*c*\", \"*d*\", \"*e*f\", \"*g*\", \"?h\") and uid != 0",
        "match parents > 90000 or lineage[2].cwd exists or hostname endswith \"x\"",
        "match commandLine iglob (\"*EVIL*\", \"*x?z*Y\") and programName iglob \"*/WGET\"",
        "default ignore",
    ]
    .into_iter()
    .map(|rule| Spanned { value: rule.to_owned(), span: span.clone(), verbatim: false })
    .collect();
    let chains = [Chain { name: "c", rules: &rules, span: &span, on_missing_default: MissingDefault::Error }];
    let set = compile(Class::Process, &chains, &Lists::default(), &mut report);
    assert!(!report.has_errors());

    let event = |program: &str, arg: &str| {
        build(&json!({"programName": program, "args": [arg, "x"], "uid": 5, "lineage": [{"processPid": 3}, {"processPid": 1}]}))
            .expect("the fields exist")
    };
    let mut scratch = Scratch::default();
    let mut run = |(event, host): &(_, _)| {
        let before = ALLOCATIONS.get();
        let mut found = 0;
        set.matches(event, host, &mut scratch, &mut |_, _| found += 1);
        (found, ALLOCATIONS.get() - before)
    };
    let (first, _) = run(&event("/bin/true", "y"));
    assert_eq!(first, 0);
    for (program, arg, matches) in [
        ("/bin/false", "z", 0),
        ("/usr/bin/wget", "an evil thing", 1),
        ("/bin/cat", "occur", 1),
        ("/usr/bin/wget", "ill", 0),
    ] {
        let event = event(program, arg);
        assert_eq!(run(&event), (matches, 0), "{program} {arg}: matches, allocations");
    }
}

#[test]
fn a_filter_of_somebody_who_looks_on_allocates_nothing() {
    let query = Query {
        filter: Some("uid != 0 and programName == \"*/curl\"".into()),
        pid: Some(1),
        container: Some("web".into()),
        ..Query::default()
    };
    let (mut filter, _) = Filter::new(&query).expect("it is right");
    let event = |program: &str| {
        build(&json!({"programName": program, "uid": 5, "containerName": "web", "lineage": [{"processPid": 1}]}))
            .expect("the fields exist")
    };
    let mut run = |(event, host): &(_, _)| {
        let before = ALLOCATIONS.get();
        (filter.passes(event, host), ALLOCATIONS.get() - before)
    };
    run(&event("/bin/true"));
    assert_eq!(run(&event("/usr/bin/curl")), (true, 0));
    assert_eq!(run(&event("/usr/bin/wget")), (false, 0));
}

#[test]
fn an_event_without_secrets_is_told_without_allocation() {
    let redaction = Redaction::default();
    let event = |arg: &str| {
        let event =
            json!({"programName": "/bin/x", "args": ["x", arg], "lineage": [{"args": ["sh"]}, {"args": ["init"]}]});
        build(&event).expect("the fields exist").0
    };
    let run = |event: &Event| {
        let before = ALLOCATIONS.get();
        drop(redaction.event(event));
        ALLOCATIONS.get() - before
    };
    run(&event("of the first one the automaton makes its states"));
    assert_eq!(run(&event("of the first one the automaton makes its states")), 0);
    assert!(run(&event("--token=abc")) > 0);
}
