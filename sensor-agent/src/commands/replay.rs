//! `replay` and `rules bench`: recorded events through the configured policies.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use diagnostic::terminal::{
    Align::{Left, Right},
    columns_within, counted,
};
use diagnostic::{Report, printable};
use serde_json::json;
use settings::Environment;

use super::{fail, paths, print, show, width};
use crate::alert::rfc3339;
use crate::cli::{Exit, Options, PROGRAM};
use crate::event::{Event, Host};
use crate::plan::{InForce, in_force_apart};
use crate::tuning::bench::{Cost, MOST, cost};
use crate::tuning::replay::Replay;
use crate::tuning::stream::{self, Line};

/// Says which policies fire.
pub(super) fn replay(options: &Options, json: bool, file: &Path) -> Exit {
    let mut report = Report::default();
    let config = crate::config::load(&paths(options), &Environment::of_process(), &mut report);
    let plan = crate::plan::plan(&config, &mut report);
    show(&report);
    if report.has_errors() {
        return Exit::Config;
    }
    let mut replay = Replay::new(plan.setup.detection);
    if let Err(error) = read(file, |line| replay.line(line)) {
        return fail(&error);
    }
    if let Some(why) = &replay.first_wrong {
        eprintln!(
            "{PROGRAM}: {} no events; the first: {}",
            counted(replay.wrong, "line is", "lines are"),
            printable(why)
        );
    }
    if replay.events == 0 {
        return fail(&format!("{}: there is no event in it", file.display()));
    }
    let mut counts: Vec<_> = replay.counts().filter(|(_, counts)| counts.last.is_some() || json).collect();
    counts.sort_by_key(|(name, counts)| (std::cmp::Reverse(counts.alerts), *name));
    if json {
        let policies: Vec<_> = counts
            .iter()
            .map(|(name, counts)| {
                json!({"policy": name, "alerts": counts.alerts, "held_back": counts.held_back,
                       "excepted": counts.excepted.iter().sum::<u64>(), "last": counts.last})
            })
            .collect();
        let told = json!({"events": replay.events, "lost": replay.lost, "wrong": replay.wrong, "policies": policies});
        return print(&format!("{told}\n"));
    }
    let (first, last) = replay.span.unwrap_or_default();
    let lost = if replay.lost == 0 { String::new() } else { format!("; {} are missing", replay.lost) };
    let fired = counts.iter().map(|(_, counts)| usize::try_from(counts.alerts).unwrap_or(usize::MAX)).sum();
    let head = format!(
        "{} from {} to {}{lost}: {}\n",
        counted(replay.events, "event", "events"),
        rfc3339(first),
        rfc3339(last),
        counted(fired, "alert", "alerts")
    );
    let lines = counts.iter().map(|(name, counts)| {
        let excepted: u64 = counts.excepted.iter().sum();
        [(*name).to_owned(), counts.alerts.to_string(), counts.held_back.to_string(), excepted.to_string()]
    });
    let table = [("POLICY", Left), ("ALERTS", Right), ("HELD BACK", Right), ("EXCEPTED", Right)];
    print(&if counts.is_empty() { head } else { head + &columns_within(width(), table, lines) })
}

/// Says what policies cost.
pub(super) fn bench(options: &Options, policy: Option<&str>, json: bool, file: &Path) -> Exit {
    let mut report = Report::default();
    let config = crate::config::load(&paths(options), &Environment::of_process(), &mut report);
    let InForce { mut each, together } = in_force_apart(&config, &mut report);
    show(&report);
    if report.has_errors() {
        return Exit::Config;
    }
    if let Some(name) = policy {
        each.retain(|(known, _)| known == name);
        if each.is_empty() {
            return fail(&format!("there is no policy `{name}` that is on"));
        }
    }
    let (mut events, mut more): (Vec<(Event, Host)>, usize) = (Vec::new(), 0);
    let taken = read(file, |line| match line {
        Line::Event(event) if events.len() < MOST => events.push(*event),
        Line::Event(_) => more += 1,
        Line::Lost(_) | Line::Wrong(_) => {}
    });
    if let Err(error) = taken {
        return fail(&error);
    }
    if events.is_empty() {
        return fail(&format!("{}: there is no event in it", file.display()));
    }
    if more > 0 {
        eprintln!("{PROGRAM}: measured with the first {MOST} events; {more} more are left out");
    }
    let mut costs: Vec<Cost> = each.iter().map(|(name, rules)| cost(name, rules, &events)).collect();
    costs.sort_by(|one, other| other.nanoseconds.total_cmp(&one.nanoseconds));
    if policy.is_none() {
        let all = together.iter().map(|(name, rules)| cost(&format!("all of type {name}, together"), rules, &events));
        costs.extend(all.filter(|cost| cost.events > 0));
    }
    if json {
        let costs: Vec<_> = costs
            .iter()
            .map(|cost| {
                json!({"policy": cost.name, "events": cost.events, "matched": cost.matched,
                       "nanoseconds_per_event": cost.nanoseconds})
            })
            .collect();
        return print(&format!("{}\n", json!({"events": events.len(), "costs": costs})));
    }
    let lines = costs.iter().map(|cost| {
        [cost.name.clone(), cost.events.to_string(), cost.matched.to_string(), format!("{:.0}", cost.nanoseconds)]
    });
    let table = [("POLICY", Left), ("EVENTS", Right), ("MATCHED", Right), ("NS PER EVENT", Right)];
    print(&columns_within(width(), table, lines))
}

fn read(file: &Path, line: impl FnMut(Line)) -> Result<(), String> {
    let read = if file == Path::new("-") {
        stream::read(&mut io::stdin().lock(), line)
    } else {
        File::open(file).and_then(|file| stream::read(&mut BufReader::new(file), line))
    };
    read.map_err(|error| format!("{}: {error}", file.display()))
}
