use std::time::Duration;

use diagnostic::{Report, Span, Spanned};

use super::*;
use crate::event::{Detail, Image, Process};
use crate::rules::{self, Chain, Lists, MissingDefault};

/// A policy that matches what runs one of these programs.
struct Wanted {
    name: &'static str,
    message_type: MessageType,
    programs: &'static str,
    throttle: Option<ThrottleSettings>,
}

fn wanted(name: &'static str, message_type: MessageType, programs: &'static str) -> Wanted {
    Wanted { name, message_type, programs, throttle: None }
}

fn detection(policies: Vec<Wanted>) -> Detection {
    let mut report = Report::default();
    let span = Span { source: report.add_source("test", ""), bytes: 0..0 };
    let rules: Vec<Vec<Spanned<String>>> = policies
        .iter()
        .map(|policy| {
            let texts = [format!("match programName in ({})", policy.programs), "default ignore".to_owned()];
            texts.into_iter().map(|value| Spanned { value, span: span.clone(), verbatim: false }).collect()
        })
        .collect();
    let chains: Vec<Chain<'_>> = policies
        .iter()
        .zip(&rules)
        .map(|(policy, rules)| Chain {
            name: policy.name,
            rules,
            span: &span,
            on_missing_default: MissingDefault::Error,
        })
        .collect();
    let rules = rules::compile(Seen::only(EventType::Exec), &chains, &Lists::default(), &mut report);
    assert!(report.diagnostics().is_empty());
    let policies = policies
        .into_iter()
        .map(|Wanted { name, message_type, throttle, .. }| {
            let policy = PolicyInForce::new(Policy { name: name.into(), message_type, ..Policy::default() }, throttle);
            if message_type == MessageType::SmartPolicy { policy.in_incidents_alone() } else { policy }
        })
        .collect();
    Detection::new(vec![Group { sees: Seen::only(EventType::Exec), rules, policies }])
}

fn exec(program: &str, incident: Option<uuid::Uuid>, seconds: u64) -> Event {
    let image = Arc::new(Image { path: program.into(), ..Image::default() });
    let process = Arc::new(Process { image, incident, ..Process::default() });
    Event { kind: EventType::Exec, time: seconds * 1_000_000_000, process, detail: Detail::None }
}

fn found(detection: &mut Detection, event: &Event) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    detection.evaluate(event, event.time, &Host::default(), &mut |finding| {
        all.push((finding.policy.name.clone(), finding.held_back));
    });
    all
}

#[test]
fn a_smart_policy_alerts_inside_an_incident_alone() {
    let mut detection = detection(vec![wanted("smart", MessageType::SmartPolicy, r#""id""#)]);
    assert_eq!(found(&mut detection, &exec("/usr/bin/id", None, 0)), []);
    let incident = Some(uuid::Uuid::from_u128(7));
    assert_eq!(found(&mut detection, &exec("/usr/bin/id", incident, 0)), [("smart".to_owned(), 0)]);
}

#[test]
fn an_alert_on_the_same_event_counts_in_either_order_and_an_audit_message_does_not() {
    let alert = || wanted("alert", MessageType::Alert, r#""sh", "id""#);
    let smart = || wanted("smart", MessageType::SmartPolicy, r#""id", "w""#);
    let audit = || wanted("audit", MessageType::Audit, r#""sh", "id", "w""#);
    for policies in [vec![alert(), smart(), audit()], vec![smart(), audit(), alert()]] {
        let mut detection = detection(policies);
        let mut names = |program| -> Vec<String> {
            found(&mut detection, &exec(program, None, 0)).into_iter().map(|(name, _)| name).collect()
        };
        let both = names("/usr/bin/id");
        assert_eq!(both.last().map(String::as_str), Some("smart"), "the alert whose incident it takes goes before it");
        assert_eq!(both.len(), 3);
        assert_eq!(names("/usr/bin/w"), ["audit"]);
        assert!(!names("/usr/bin/sh").contains(&"smart".to_owned()));
    }
}

#[test]
fn a_smart_policys_throttle_counts_what_fires_alone() {
    let throttle = ThrottleSettings { count: 1, per: Duration::from_secs(60), by: Vec::new() };
    let smart = Wanted { throttle: Some(throttle), ..wanted("smart", MessageType::SmartPolicy, r#""id""#) };
    let mut detection = detection(vec![smart]);
    for _ in 0..5 {
        assert_eq!(found(&mut detection, &exec("/usr/bin/id", None, 0)), []);
    }
    let incident = Some(uuid::Uuid::from_u128(7));
    assert_eq!(found(&mut detection, &exec("/usr/bin/id", incident, 1)), [("smart".to_owned(), 0)]);
    assert_eq!(found(&mut detection, &exec("/usr/bin/id", incident, 2)), []);
    assert_eq!(found(&mut detection, &exec("/usr/bin/id", incident, 61)), [("smart".to_owned(), 1)]);
}

#[test]
fn what_throttles_hold_back_is_counted_and_outlives_a_reload() {
    let throttle = |count| ThrottleSettings { count, per: Duration::from_secs(60), by: Vec::new() };
    let of = |name, count| Wanted { throttle: Some(throttle(count)), ..wanted(name, MessageType::Alert, r#""id""#) };
    let mut first = detection(vec![of("same", 1), of("gone", 1)]);
    for seconds in 0..4 {
        found(&mut first, &exec("/usr/bin/id", None, seconds));
    }
    assert_eq!(first.held_back(), 6);
    let mut second = detection(vec![of("new", 1), of("same", 1)]).after(first);
    assert_eq!(second.held_back(), 6);
    assert_eq!(found(&mut second, &exec("/usr/bin/id", None, 5)), [("new".to_owned(), 0)]);
    assert_eq!(found(&mut second, &exec("/usr/bin/id", None, 65)), [("new".to_owned(), 0), ("same".to_owned(), 4)]);
    assert_eq!(second.held_back(), 7);
}

#[test]
fn what_throttles_hold_back_outlives_the_sensor() {
    let throttle = ThrottleSettings { count: 1, per: Duration::from_secs(60), by: Vec::new() };
    let of = || vec![Wanted { throttle: Some(throttle.clone()), ..wanted("same", MessageType::Alert, r#""id""#) }];
    let mut first = detection(of());
    for seconds in 0..4 {
        found(&mut first, &exec("/usr/bin/id", None, seconds));
    }
    let unreported = first.unreported().map(|(policy, count)| (policy.to_owned(), count)).collect();
    let mut next = detection(of());
    next.owe(&unreported);
    assert_eq!(next.unreported().collect::<Vec<_>>(), [("same", 3)]);
    assert_eq!(found(&mut next, &exec("/usr/bin/id", None, 0)), [("same".to_owned(), 3)]);
    assert_eq!(next.unreported().count(), 0);
}

#[test]
fn a_file_that_is_no_program_is_for_those_who_ask_for_it() {
    let mut report = Report::default();
    let span = Span { source: report.add_source("test", ""), bytes: 0..0 };
    const NAMES: [&str; 3] = ["Shell", "Script", "File"];
    let conditions = ["name == \"bash\"", "scriptPath == \"/tmp/*\"", "filePath == \"*/x\""];
    let rules = conditions.map(|condition| {
        [format!("match {condition}"), "default ignore".into()].map(|value| Spanned {
            value,
            span: span.clone(),
            verbatim: false,
        })
    });
    let of = |names: &[usize]| {
        let chains: Vec<_> = names
            .iter()
            .map(|&n| Chain {
                name: NAMES[n],
                rules: &rules[n],
                span: &span,
                on_missing_default: MissingDefault::Error,
            })
            .collect();
        let mut report = Report::default();
        let rules = rules::compile(Seen::only(EventType::Exec), &chains, &Lists::default(), &mut report);
        let policies = names
            .iter()
            .map(|&n| PolicyInForce::new(Policy { name: NAMES[n].into(), ..Policy::default() }, None))
            .collect();
        Detection::new(vec![Group { sees: Seen::only(EventType::Exec), rules, policies }])
    };
    let image = Image {
        path: b"/usr/bin/bash".to_vec(),
        filename: b"./x".to_vec(),
        script: b"/tmp/x".to_vec(),
        flags: sensor_ebpf::record::exec_flags::SCRIPT,
        ..Image::default()
    };
    let process = Arc::new(Process { image: Arc::new(image), ..Process::default() });
    let tried = |errno| Event {
        kind: EventType::ExecFailed,
        time: 1,
        process: Arc::clone(&process),
        detail: Detail::ExecFailed { errno },
    };
    let mut all = of(&[0, 1, 2]);
    assert!(all.sees_unformatted());
    let names = |found: Vec<(String, u64)>| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(found(&mut all, &tried(libc::ENOEXEC))), ["Script", "File"]);
    assert!(found(&mut all, &tried(libc::EACCES)).is_empty());
    assert!(!of(&[0]).sees_unformatted());
}
