//! What is configured, in columns for people. `now` is in nanoseconds since the Unix epoch. `width` is that of the terminal;
//! none for a file or a pipe, where nothing is wrapped.

use diagnostic::terminal::{
    Align::{Left, Right},
    columns_within, counted,
};

use super::elapsed::duration;
use super::inventory::{List, Output, Policy, Table};
use super::render::known;

/// Policies, a line each.
#[must_use]
pub fn policies(policies: &[Policy], now: u64, width: Option<usize>) -> String {
    columns_within(
        width,
        [
            ("NAME", Left),
            ("TYPE", Left),
            ("PRIORITY", Left),
            ("GROUP", Left),
            ("ALERTS", Right),
            ("HELD BACK", Right),
            ("EXCEPTED", Right),
            ("LAST", Left),
            ("STATE", Left),
        ],
        policies.iter().map(|policy| {
            [
                policy.name.clone(),
                policy.policy_type.clone(),
                policy.priority.clone(),
                or_none(&policy.group),
                policy.alerts.to_string(),
                policy.held_back.to_string(),
                policy.excepted.to_string(),
                ago(policy.last, now),
                state(policy.on, policy.why_off.as_deref()) + &expired(policy, now),
            ]
        }),
    )
}

/// Tables, a line each.
#[must_use]
pub fn tables(tables: &[Table], now: u64, width: Option<usize>) -> String {
    columns_within(
        width,
        [
            ("NAME", Left),
            ("ROWS", Right),
            ("CAPACITY", Right),
            ("OLDEST", Left),
            ("COLUMNS", Right),
            ("FILTER", Left),
            ("SINKS", Left),
            ("STATE", Left),
        ],
        tables.iter().map(|table| {
            [
                table.name.clone(),
                table.rows.to_string(),
                table.capacity.to_string(),
                ago(table.oldest, now),
                table.columns.len().to_string(),
                or_none(&table.filter.join("; ")),
                or_none(&table.sinks.join(", ")),
                state(table.on, table.why_off.as_deref()),
            ]
        }),
    )
}

/// Lists, a line each.
#[must_use]
pub fn lists(lists: &[List], width: Option<usize>) -> String {
    columns_within(
        width,
        [("NAME", Left), ("TYPE", Left), ("ENTRIES", Right), ("USED BY", Left)],
        lists.iter().map(|list| {
            let used_by = match list.used_by.as_slice() {
                [] => "no rule".to_owned(),
                [one] => one.clone(),
                [first, more @ ..] => format!("{first} and {} more", more.len()),
            };
            [list.name.clone(), list.kind.clone(), list.entries.to_string(), used_by]
        }),
    )
}

/// Outputs and sinks, a line each.
#[must_use]
pub fn outputs(outputs: &[Output], width: Option<usize>) -> String {
    columns_within(
        width,
        [
            ("NAME", Left),
            ("KIND", Left),
            ("TAKES", Left),
            ("FORMAT", Left),
            ("STATE", Left),
            ("QUEUED", Right),
            ("SENT", Right),
            ("CONFIRMED", Right),
            ("DROPPED", Right),
            ("LAST ERROR", Left),
        ],
        outputs.iter().map(|output| {
            let to = &output.delivery;
            [
                to.name.clone(),
                to.kind.clone(),
                output.takes.join(", "),
                output.format.clone(),
                if to.failing { "FAILING" } else { "ok" }.to_owned(),
                to.queued.to_string(),
                to.sent.to_string(),
                known(to.confirmed),
                to.dropped.to_string(),
                or_none(to.last_error.as_deref().unwrap_or_default()),
            ]
        }),
    )
}

fn state(on: bool, why_off: Option<&str>) -> String {
    if on { "on".to_owned() } else { format!("off: {}", why_off.unwrap_or("?")) }
}

/// How many of its exceptions have expired.
fn expired(policy: &Policy, now: u64) -> String {
    match policy.exceptions.iter().filter(|it| it.ends.is_some_and(|end| end <= now)).count() {
        0 => String::new(),
        count => format!("; {} expired", counted(count, "exception", "exceptions")),
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

fn ago(time: Option<u64>, now: u64) -> String {
    let text = |time: u64| format!("{} ago", duration(now.saturating_sub(time) / 1_000_000_000));
    time.map_or_else(|| "-".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control::Inventory;
    use crate::control::inventory::Exception;

    fn sample() -> Vec<Policy> {
        let policy = Policy {
            name: "Bad Curl".into(),
            policy_type: "program".into(),
            priority: "High".into(),
            alerts: 2,
            excepted: 3,
            exceptions: vec![Exception { ends: Some(1_700_000_000_000_000_000), ..Exception::default() }],
            last: Some(1_700_000_001_900_000_000),
            on: true,
            ..Policy::default()
        };
        let off = Policy {
            name: "Quiet".into(),
            group: "Audit.Sigma".into(),
            on: false,
            why_off: Some("switched off: `enabled: false`".into()),
            last: None,
            excepted: 0,
            exceptions: Vec::new(),
            ..policy.clone()
        };
        vec![policy, off]
    }

    #[test]
    fn policies_tell_what_came_of_them_and_why_they_are_off() {
        assert_eq!(
            policies(&sample(), 1_700_000_064_900_000_000, None),
            "NAME      TYPE     PRIORITY  GROUP        ALERTS  HELD BACK  EXCEPTED  LAST           STATE\n\
             Bad Curl  program  High      -                 2          0         3  1 min 3 s ago  on; 1 exception expired\n\
             Quiet     program  High      Audit.Sigma       2          0         0  -              off: switched off: \
             `enabled: false`\n"
        );
    }

    #[test]
    fn columns_fit_the_terminal() {
        let text = policies(&sample(), 0, Some(100));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(words(&text).iter().any(|word| word == "`enabled:"), "{text}");
    }

    proptest! {
        #[test]
        fn any_inventory_is_shown_harmless(name: String, why_off: Option<String>, width in prop::option::of(0_usize..200)) {
            let policy = Policy { name, why_off, ..Policy::default() };
            let text = policies(&[policy], 0, width);
            prop_assert!(!text.contains(|char: char| char != '\n' && char.is_control()));
        }

        #[test]
        fn any_bytes_are_an_inventory_or_refused(bytes: Vec<u8>) {
            let _ = serde_json::from_slice::<Inventory>(&bytes);
        }
    }
}
