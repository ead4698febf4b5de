//! The status and the outcomes of requests as text for people.

use std::fmt::Write as _;

use diagnostic::{
    printable, printable_json,
    terminal::{
        Align::{Left, Right},
        columns, counted,
    },
};

use super::{
    Outcome, Reload, Stage, Status,
    elapsed::duration,
    problems::problems,
    status::{Canary, Configuration, Delivery, Hook, Runtime, Table},
};

/// The status for people: what is wrong first, then everything else in columns.
#[must_use]
pub fn status(status: &Status) -> String {
    let mut out = String::new();
    match problems(status).as_slice() {
        [] => out.push_str("No problems.\n"),
        [one] => push_line(&mut out, &format!("1 problem: {one}")),
        many => {
            push_line(&mut out, &format!("{} problems:", many.len()));
            for problem in many {
                push_line(&mut out, &format!("- {problem}"));
            }
        }
    }
    out.push('\n');
    push_line(&mut out, &format!("{}, pid {}, up {}", status.version, status.pid, duration(status.uptime_seconds)));
    push_line(&mut out, &format!("kernel {}, capabilities: {}", status.kernel, list(&status.capabilities)));
    let limit = status.processes.limit;
    push_line(&mut out, &format!("{} of at most {limit} processes held", status.processes.held));
    for (count, what) in [
        (status.processes.lineages_cut, "lineages were too long to be told whole (lineageTruncated)"),
        (status.processes.containers_unknown, "programs run in containers of an unknown runtime"),
        (status.containers.unnamed, "containers that no runtime has named so far"),
        (status.containers.overflowed, "containers not asked for, as too many waited"),
        (status.processes.containers_undecided, "programs run of which it could not be told whether in a container"),
    ] {
        if count > 0 {
            push_line(&mut out, &format!("{count} {what}"));
        }
    }
    let memory = &status.memory;
    let (taken, budget) = (memory.sum() >> 20, memory.budget >> 20);
    push_line(&mut out, &format!("{taken} of {budget} MiB taken by what is remembered and what waits"));
    let held_back = match status.held_back {
        0 => String::new(),
        count => format!(", {count} held back by throttles"),
    };
    let policies = counted(usize::try_from(status.policies).unwrap_or(usize::MAX), "policy", "policies");
    push_line(&mut out, &format!("{policies} enabled, {} alerts raised{held_back}", status.alerts));
    let done = status.responses.iter().filter(|response| response.count > 0);
    let done: Vec<_> =
        done.map(|response| format!("{} {} {}", response.count, response.action, response.outcome)).collect();
    if !done.is_empty() {
        push_line(&mut out, &format!("what policies did: {}", done.join(", ")));
    }
    push_line(&mut out, &canary(&status.health.canary, status.time));
    for rate in &status.rates {
        let class = if rate.class == "all" { String::new() } else { format!("{} ", rate.class) };
        push_line(&mut out, &format!("{:.1} {class}events per second", rate.per_second));
    }
    push_section(&mut out, "Hooks", &hooks(&status.hooks));
    push_section(&mut out, "Container runtimes", &runtimes(&status.containers.runtimes));
    push_section(&mut out, "Tables", &tables(&status.tables));
    push_section(&mut out, "Outputs", &deliveries(&status.outputs));
    push_section(&mut out, "Sinks", &deliveries(&status.sinks));
    push_section(&mut out, "Losses", &losses(status));
    push_section(&mut out, "Configuration", &configuration(&status.configuration, status.time));
    out
}

/// The status for programs: one JSON object over several lines.
#[must_use]
pub fn status_json(status: &Status) -> String {
    // Text and numbers always have a JSON form.
    let json = serde_json::to_string_pretty(status).unwrap_or_default();
    printable_json(&json).into_owned() + "\n"
}

/// One stage of the self check, one line.
#[must_use]
pub fn stage(stage: &Stage) -> String {
    let outcome = match stage.outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
    };
    let colon = if stage.detail.is_empty() { "" } else { ": " };
    let line = format!("{outcome:<8}{:>6} ms  {}{colon}{}", stage.millis, stage.name, stage.detail);
    printable(&line).into_owned() + "\n"
}

/// The outcome of a reload, with what was found.
#[must_use]
pub fn reload(reload: &Reload) -> String {
    let mut out = String::new();
    for finding in &reload.findings {
        // Findings have lines: the source, and the caret under it.
        for line in finding.lines() {
            push_line(&mut out, line);
        }
    }
    out.push_str(if reload.accepted {
        "The configuration was read again and is in force.\n"
    } else {
        "The configuration was refused; the one before it stays in force.\n"
    });
    out
}

/// Whether the sensor hears what happens.
fn canary(canary: &Canary, now: u64) -> String {
    match canary.last_seen {
        Some(time) => {
            format!("canary program last seen {} ago, after {} ms", duration(now.saturating_sub(time)), canary.millis)
        }
        None => "no canary program seen yet".to_owned(),
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(&printable(line));
    out.push('\n');
}

fn push_section(out: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        // Writing to a string does not fail.
        let _ = write!(out, "\n{title}\n{body}");
    }
}

fn list(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn runtimes(runtimes: &[Runtime]) -> String {
    let answers = |runtime: &Runtime| match runtime.answers {
        None => "-",
        Some(true) => "yes",
        Some(false) => "NO",
    };
    let columns_of = [
        ("RUNTIME", Left),
        ("SOCKET", Left),
        ("ANSWERS", Left),
        ("ASKED", Right),
        ("NAMED", Right),
        ("NOT KNOWN", Right),
        ("FAILED", Right),
        ("LAST ms", Right),
        ("LONGEST ms", Right),
    ];
    if runtimes.is_empty() {
        return String::new();
    }
    columns(
        columns_of,
        runtimes.iter().map(|runtime| {
            [
                runtime.name.clone(),
                runtime.socket.clone(),
                answers(runtime).into(),
                runtime.asked.to_string(),
                runtime.named.to_string(),
                runtime.not_known.to_string(),
                runtime.failed.to_string(),
                runtime.last_ms.to_string(),
                runtime.longest_ms.to_string(),
            ]
        }),
    )
}

fn hooks(hooks: &[Hook]) -> String {
    let mut out = columns(
        [
            ("NAME", Left),
            ("HOOK", Left),
            ("RUNG", Right),
            ("ATTACHED", Left),
            ("SEEN", Right),
            ("SUBMITTED", Right),
            ("FILTERED", Right),
            ("RING FULL", Right),
            ("FAILED", Right),
            ("MISSED", Right),
            ("PARTIAL", Right),
            ("RUNS", Right),
            ("NS/RUN", Right),
        ],
        hooks.iter().map(|hook| {
            [
                hook.name.clone(),
                hook.hook.clone(),
                hook.rung.to_string(),
                match (hook.attached, &hook.absent) {
                    (true, _) => "yes",
                    (false, Some(_)) => "no",
                    (false, None) => "NO",
                }
                .to_owned(),
                hook.seen.to_string(),
                hook.submitted.to_string(),
                hook.filtered.to_string(),
                hook.ring_full.to_string(),
                hook.failed.to_string(),
                hook.recursion_misses.to_string(),
                hook.partial.to_string(),
                known(hook.runs),
                known(hook.avg_ns),
            ]
        }),
    );
    for hook in hooks {
        for why in [&hook.absent, &hook.lost].into_iter().flatten() {
            out.push_str(&format!("{}: {}\n", hook.name, printable(why)));
        }
        if let Some(missed) = &hook.missed {
            out.push_str(&format!("{}: so {}\n", hook.name, printable(missed)));
        }
        if hook.reattached > 0 {
            let times = counted(usize::try_from(hook.reattached).unwrap_or(usize::MAX), "time", "times");
            out.push_str(&format!("{}: detached from outside and attached again, {times}\n", hook.name));
        }
    }
    out
}

fn tables(tables: &[Table]) -> String {
    columns(
        [("NAME", Left), ("ROWS", Right), ("CAPACITY", Right), ("OVERWRITTEN", Right)],
        tables.iter().map(|table| {
            [table.name.clone(), table.rows.to_string(), table.capacity.to_string(), table.overwritten.to_string()]
        }),
    )
}

fn deliveries(deliveries: &[Delivery]) -> String {
    columns(
        [
            ("NAME", Left),
            ("KIND", Left),
            ("STATE", Left),
            ("QUEUED", Right),
            ("SENT", Right),
            ("CONFIRMED", Right),
            ("RETRIED", Right),
            ("DROPPED", Right),
            ("OLDEST", Right),
            ("LAST ERROR", Left),
        ],
        deliveries.iter().map(|to| {
            [
                to.name.clone(),
                to.kind.clone(),
                if to.failing { "FAILING" } else { "ok" }.to_owned(),
                to.queued.to_string(),
                to.sent.to_string(),
                known(to.confirmed),
                to.retried.to_string(),
                to.dropped.to_string(),
                to.oldest_age_seconds.map_or_else(|| "-".to_owned(), duration),
                to.last_error.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        }),
    )
}

fn losses(status: &Status) -> String {
    columns(
        [("STAGE", Left), ("CLASS", Left), ("CAUSE", Left), ("COUNT", Right)],
        status
            .losses
            .iter()
            .filter(|loss| loss.count > 0)
            .map(|loss| [loss.stage.clone(), loss.class.clone(), loss.cause.clone(), loss.count.to_string()]),
    )
}

fn configuration(configuration: &Configuration, now: u64) -> String {
    let mut out = String::new();
    for file in &configuration.files {
        push_line(&mut out, &format!("{}{}", file.path, if file.found { "" } else { " (not there)" }));
    }
    push_line(&mut out, &format!("in force for {}", duration(now.saturating_sub(configuration.loaded))));
    if let Some(reload) = &configuration.last_reload {
        let age = duration(now.saturating_sub(reload.time));
        let outcome = if reload.accepted { "accepted" } else { "REFUSED" };
        push_line(&mut out, &format!("last reload {age} ago: {outcome}"));
        for finding in &reload.findings {
            push_line(&mut out, &format!("  {}", finding.lines().next().unwrap_or_default()));
        }
    }
    out
}

pub(super) fn known(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
