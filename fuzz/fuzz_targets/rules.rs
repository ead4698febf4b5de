//! Rules: any text is parsed, checked and compiled, or refused; and what is compiled can be evaluated.
#![no_main]

use diagnostic::{Report, Span, Spanned};
use libfuzzer_sys::fuzz_target;
use schema::{Class, EventType};
use sensor_agent::event::{Detail, Event, Host, Process};
use sensor_agent::rules::{Chain, Lists, MissingDefault, Scratch, Verdict, compile};

fuzz_target!(|text: &str| {
    let mut report = Report::default();
    let source = report.add_source("fuzz", text);
    let span = Span { source, bytes: 0..text.len() };
    let rules: Vec<_> =
        text.lines().map(|line| Spanned { value: line.to_owned(), span: span.clone(), verbatim: false }).collect();
    let on_missing_default = MissingDefault::Is(Verdict::Ignore);
    let chain = Chain { name: "fuzz", rules: &rules, span: &span, on_missing_default };
    let set = compile(Class::Process, &[chain], &Lists::default(), &mut report);
    let event = Event { kind: EventType::Exec, time: 0, process: Process::default().into(), detail: Detail::None };
    set.matches(&event, &Host::default(), &mut Scratch::default(), &mut |_, _| ());
});
