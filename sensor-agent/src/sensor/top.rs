//! What keeps the sensor busy, round by round, for somebody who looks on.

use std::fs;
use std::time::{Duration, Instant};

use budget::Budget;
use foldhash::HashMap;
use schema::Class;

use super::Shared;
use crate::control::top::{Count, OfClass, OfPolicy, OfThread, Top};
use crate::control::{Query, Update};
use crate::engine::{Counts, Request, Search};
use crate::event::json::lossless;
use crate::event::{Container, Event};
use crate::live::feed::{Item, Next, feed};
use crate::live::{Filter, Subject};

/// How long a round is.
const ROUND: Duration = Duration::from_secs(2);
/// How often it is looked whether anybody is still there.
const LOOK: Duration = Duration::from_millis(200);
/// How many of each sort are told.
const SHOWN: usize = 8;
/// How many are told apart; the others are one.
const TOLD_APART: usize = 4096;
/// What the others are called, and what is in no container.
const OTHERS: &str = "(others)";
const HOST: &str = "(host)";

/// Tells rounds: one, or with `follow` one after another.
///
/// # Errors
/// The query is wrong, or the engine does not answer.
pub(super) fn show(shared: &Shared, query: &Query, tell: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
    if *query != (Query { follow: query.follow, ..Query::default() }) {
        return Err("of what keeps the sensor busy nothing can be left out".to_owned());
    }
    let (filter, _) = Filter::new(query).map_err(|report| report.to_string())?;
    let (feeder, mut coming) = feed(Budget::of_sensor());
    shared.ask(|reply| Request::Show(Box::new(Search::new(Subject::Events, filter, None, Some(feeder))), reply))?;
    if !tell(Update::Notes(Vec::new())) {
        return Ok(());
    }
    let mut before = Totals::now(shared)?;
    loop {
        let (mut programs, mut containers, mut uncounted) = (Tally::default(), Tally::default(), 0);
        let until = before.at + ROUND;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match coming.next(left.min(LOOK)) {
                Next::Item(Item::Event(event, _)) => {
                    programs.count(&lossless(&event.process.image.path));
                    containers.count(container(&event));
                }
                Next::Item(Item::Alert(_)) => {}
                Next::Lost(count) => uncounted += count,
                Next::Nothing if !tell(Update::Pause) => return Ok(()),
                Next::Nothing => {}
                Next::End => return Ok(()),
            }
            if left.is_zero() {
                break;
            }
        }
        let now = Totals::now(shared)?;
        let top = Top { uncounted, programs: programs.most(), containers: containers.most(), ..now.since(&before) };
        if !tell(Update::Top(top)) || !query.follow {
            tell(Update::End);
            return Ok(());
        }
        before = now;
    }
}

fn container(event: &Event) -> &str {
    event.process.container.as_deref().map_or(HOST, Container::shown)
}

/// How often each name came.
#[derive(Debug, Default)]
struct Tally(HashMap<String, u64>);

impl Tally {
    fn count(&mut self, name: &str) {
        let name = if self.0.len() < TOLD_APART || self.0.contains_key(name) { name } else { OTHERS };
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }

    fn most(self) -> Vec<Count> {
        let mut counts: Vec<Count> = self.0.into_iter().map(|(name, events)| Count { name, events }).collect();
        counts.sort_unstable_by(|one, other| (other.events, &one.name).cmp(&(one.events, &other.name)));
        counts.truncate(SHOWN);
        counts
    }
}

/// What had come about at one moment.
struct Totals {
    at: Instant,
    events: Vec<u64>,
    /// Nanoseconds of kernel programs; none of those that the kernel does not count.
    kernel: Vec<Option<u64>>,
    policies: Counts,
    /// Nanoseconds by the name of threads.
    threads: HashMap<String, u64>,
}

impl Totals {
    fn now(shared: &Shared) -> Result<Self, String> {
        let status = shared.ask(Request::Status)?;
        let policies = shared.ask(Request::Counts)?;
        let events = Class::ALL
            .map(|class| status.events.iter().filter(|(kind, _)| kind.class() == class).map(|(_, count)| count).sum());
        let programs = shared.capture().status();
        let kernel = Class::ALL.map(|class| {
            let of_class = programs.iter().filter(|it| it.source.class().name() == class.name() && it.run_count > 0);
            of_class.map(|it| it.run_time_ns).reduce(|one, other| one + other)
        });
        Ok(Self { at: Instant::now(), events: events.into(), kernel: kernel.into(), policies, threads: threads() })
    }

    fn since(&self, before: &Self) -> Top {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        let percent = |nanos: u64| nanos as f64 / 1e7 / seconds.max(f64::EPSILON);
        let classes = Class::ALL.into_iter().enumerate().map(|(at, class)| OfClass {
            name: class.name().to_owned(),
            events: self.events[at].saturating_sub(before.events[at]),
            cpu_percent: self.kernel[at].map(|now| percent(now.saturating_sub(before.kernel[at].unwrap_or(0)))),
        });
        let counted: HashMap<_, _> = before.policies.policies.iter().map(|(name, counts)| (name, counts)).collect();
        let mut policies: Vec<OfPolicy> = self
            .policies
            .policies
            .iter()
            .map(|(name, now)| {
                let (alerts, held_back) = counted.get(name).map_or((0, 0), |it| (it.alerts, it.held_back));
                OfPolicy {
                    name: name.clone(),
                    alerts: now.alerts.saturating_sub(alerts),
                    held_back: now.held_back.saturating_sub(held_back),
                }
            })
            .filter(|policy| policy.alerts + policy.held_back > 0)
            .collect();
        policies.sort_by_key(|policy| std::cmp::Reverse(policy.alerts + policy.held_back));
        policies.truncate(SHOWN);
        let mut threads: Vec<OfThread> = self
            .threads
            .iter()
            .map(|(name, now)| {
                let before = before.threads.get(name).copied().unwrap_or(0);
                OfThread { name: name.clone(), cpu_percent: percent(now.saturating_sub(before)) }
            })
            .collect();
        threads.sort_by(|one, other| other.cpu_percent.total_cmp(&one.cpu_percent).then(one.name.cmp(&other.name)));
        Top { seconds, classes: classes.collect(), policies, threads, ..Top::default() }
    }
}

/// The CPU time of the sensor's own threads, nanoseconds by name.
fn threads() -> HashMap<String, u64> {
    let mut threads = HashMap::default();
    for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        // One that has just ended took what it took.
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((name, nanos)) = of_stat(&stat) else { continue };
        *threads.entry(name.to_owned()).or_default() += nanos;
    }
    threads
}

/// The name and the CPU time of a thread (proc_pid_stat(5)).
fn of_stat(stat: &str) -> Option<(&str, u64)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    // After the name come the fields from the third on; utime and stime are the 14th and 15th.
    let mut times = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = times.next()?.ok()? + times.next()?.ok()?;
    Some((name, ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second().max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_are_told_and_the_others_are_one() {
        let mut tally = Tally::default();
        for at in 0..TOLD_APART + 10 {
            tally.count(&format!("name {at}"));
        }
        (0..3).for_each(|_| tally.count("name 7"));
        let most = tally.most();
        assert_eq!((most[0].name.as_str(), most[0].events), (OTHERS, 10));
        assert_eq!((most[1].name.as_str(), most[1].events, most.len()), ("name 7", 4, SHOWN));
    }

    #[test]
    fn times_of_threads_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 30 12 0 0 20 0 3 0 100";
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(of_stat(stat), Some(("a) b", 42 * tick)));
        assert_eq!(of_stat("7 (x"), None);
        assert!(!threads().is_empty());
    }
}
