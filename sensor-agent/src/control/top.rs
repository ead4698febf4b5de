//! What keeps the sensor busy, over the last few seconds.

use diagnostic::terminal::{
    Align::{Left, Right},
    columns_within,
};
use serde::{Deserialize, Serialize};

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Top {
    /// How long was counted.
    pub seconds: f64,
    /// Events that came too fast to be counted by program and container.
    pub uncounted: u64,
    /// Of each class.
    pub classes: Vec<OfClass>,
    /// The most violated policies, most first.
    pub policies: Vec<OfPolicy>,
    /// Events by the program that did it, and by its container; most first.
    pub programs: Vec<Count>,
    pub containers: Vec<Count>,
    /// The sensor's own threads, busiest first.
    pub threads: Vec<OfThread>,
}

/// Events of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfClass {
    pub name: String,
    pub events: u64,
    /// How much of one CPU the kernel programs took; none unless the kernel counts it (`kernel.bpf_stats_enabled`).
    pub cpu_percent: Option<f64>,
}

/// Violations of one policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfPolicy {
    pub name: String,
    pub alerts: u64,
    pub held_back: u64,
}

/// Events of one program or container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Count {
    pub name: String,
    pub events: u64,
}

/// Threads of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfThread {
    pub name: String,
    /// Of one CPU.
    pub cpu_percent: f64,
}

/// A round for people.
#[must_use]
pub fn render(top: &Top, width: Option<usize>) -> String {
    let per_second = |count: u64| format!("{:.1}", count as f64 / top.seconds.max(f64::EPSILON));
    let percent = |part: f64| format!("{part:.1}");
    let all: f64 = top.threads.iter().map(|thread| thread.cpu_percent).sum();
    let events: u64 = top.classes.iter().map(|class| class.events).sum();
    let mut text = format!("{} events/s, the sensor takes {} % of one CPU\n", per_second(events), percent(all));
    if top.uncounted > 0 {
        text.push_str(&format!("{} events came too fast to be counted by program and container\n", top.uncounted));
    }
    let classes = top
        .classes
        .iter()
        .map(|it| [it.name.clone(), per_second(it.events), it.cpu_percent.map_or_else(|| "-".to_owned(), percent)]);
    let counts = |title, counts: &[Count]| {
        let rows = counts.iter().map(|it| [it.name.clone(), per_second(it.events)]);
        columns_within(width, [(title, Left), ("EVENTS/S", Right)], rows)
    };
    let policies = top.policies.iter().map(|it| [it.name.clone(), it.alerts.to_string(), it.held_back.to_string()]);
    let threads = top.threads.iter().map(|it| [it.name.clone(), percent(it.cpu_percent)]);
    for section in [
        columns_within(width, [("CLASS", Left), ("EVENTS/S", Right), ("% CPU IN THE KERNEL", Right)], classes),
        columns_within(width, [("POLICY", Left), ("ALERTS", Right), ("HELD BACK", Right)], policies),
        counts("PROGRAM", &top.programs),
        counts("CONTAINER", &top.containers),
        columns_within(width, [("THREADS", Left), ("% CPU", Right)], threads),
    ] {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&section);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_round_says_what_is_busy() {
        let top = Top {
            seconds: 2.0,
            uncounted: 3,
            classes: vec![
                OfClass { name: "process".into(), events: 10, cpu_percent: Some(0.25) },
                OfClass { name: "audit".into(), events: 1, cpu_percent: None },
            ],
            programs: vec![Count { name: "/usr/bin/make\n".into(), events: 9 }],
            threads: vec![OfThread { name: "engine".into(), cpu_percent: 1.5 }],
            ..Top::default()
        };
        assert_eq!(
            render(&top, None),
            "5.5 events/s, the sensor takes 1.5 % of one CPU\n\
             3 events came too fast to be counted by program and container\n\n\
             CLASS    EVENTS/S  % CPU IN THE KERNEL\nprocess       5.0                  0.2\naudit         0.5                    -\n\n\
             PROGRAM          EVENTS/S\n/usr/bin/make\\n       4.5\n\n\
             THREADS  % CPU\nengine     1.5\n"
        );
    }

    proptest! {
        #[test]
        fn any_round_is_shown_harmless(bytes: Vec<u8>, name: String, seconds: f64) {
            let _ = serde_json::from_slice::<Top>(&bytes);
            let top = Top { seconds, containers: vec![Count { name, events: u64::MAX }], ..Top::default() };
            prop_assert!(!render(&top, Some(40)).contains(|char: char| char != '\n' && char.is_control()));
        }
    }
}
