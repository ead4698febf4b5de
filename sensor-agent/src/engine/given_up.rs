//! Tells by an alert what an output had to give up, once it works again.
//!
//! Raised at the time of the loss, such an alert would make the full spool fuller, and come once for each loss of a long
//! outage. So what is given up adds up until the output works, also over restarts of the sensor: the spool keeps the
//! account until it is told, and [`Unreported`] that of what did not come so far.
//!
//! An output without a receiver gives up that alert too. To tell of that would lose the next one, and so on without end: it
//! waits until there is more to tell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use delivery::{cause::Cause, ledger::OutputStatus};
use foldhash::HashMap;

use super::accounts::Unreported;
use crate::event::Lost;
use crate::policy::{Confidence, Policy, Priority};

/// An output that loses and works by turns is told of this often.
const AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// What was told already, by output.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    told: HashMap<String, Reported>,
    /// Such alerts so far.
    raised: u64,
    /// What outputs gave up in the run before this one.
    before: Unreported,
}

#[derive(Debug, Default)]
struct Reported {
    by_cause: Vec<(&'static str, u64)>,
    at: Option<Instant>,
    /// [`GivenUp::raised`] and [`OutputStatus::sent`] just before.
    raised: u64,
    sent: u64,
}

/// What one output gave up since it was last told of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) output: String,
    /// By cause.
    pub(super) news: Vec<(&'static str, u64)>,
    /// For an alert's matched rule: the output, and how many for which cause.
    pub(super) rule: String,
    /// All of it, under its main cause.
    pub(super) lost: Lost,
}

impl GivenUp {
    /// One that tells what the run before has left, too.
    pub(super) fn after(before: Unreported) -> Self {
        Self { before, ..Self::default() }
    }

    /// What is yet to be told and no spool keeps, by output and cause. What an output that is configured no more left is
    /// kept for when it is configured again.
    pub(super) fn unreported(&self, outputs: &[OutputStatus]) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut all = self.before.given_up.clone();
        for output in outputs {
            let told = self.told.get(&output.name);
            let of_cause = |cause| told.and_then(|told| told.by_cause.iter().find(|(known, _)| *known == cause));
            let dropped = output.dropped.iter().map(|(&cause, &count)| (cause, count));
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for (cause, count) in dropped.chain(self.before.of_output(&output.name)) {
                *counts.entry(cause.to_owned()).or_default() += count;
            }
            for (cause, count) in &mut counts {
                *count = count.saturating_sub(of_cause(cause).map_or(0, |(_, count)| *count));
            }
            counts.retain(|_, count| *count > 0);
            match counts.is_empty() {
                true => all.remove(&output.name),
                false => all.insert(output.name.clone(), counts),
            };
        }
        all
    }

    /// What outputs that work gave up since this was last called.
    pub(super) fn news(&mut self, outputs: &[OutputStatus]) -> Vec<Loss> {
        let news: Vec<Loss> =
            outputs.iter().filter(|output| works(output)).filter_map(|output| self.of(output)).collect();
        self.raised += news.len() as u64;
        news
    }

    fn of(&mut self, output: &OutputStatus) -> Option<Loss> {
        let before = output.spool.iter().flat_map(|spool| &spool.given_up_before);
        let before = before.map(|(&cause, &count)| (cause, count)).chain(self.before.of_output(&output.name));
        let mut now: Vec<(&'static str, u64)> = output.lost_by_cause().collect();
        for (cause, count) in before {
            match now.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, all)) => *all += count,
                None => now.push((cause, count)),
            }
        }
        if now.is_empty() {
            return None;
        }
        let told = self.told.entry(output.name.clone()).or_default();
        if told.at.is_some_and(|at| at.elapsed() < AT_MOST_EVERY) {
            return None;
        }
        let before = |cause| told.by_cause.iter().find(|(known, _)| *known == cause).map_or(0, |(_, count)| *count);
        // A counter that starts anew (an output that was configured anew) counts from zero.
        let news: Vec<(&'static str, u64)> = now
            .iter()
            .map(|&(cause, count)| (cause, count.checked_sub(before(cause)).unwrap_or(count)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let count = news.iter().map(|(_, count)| count).sum();
        // Nothing has come through since, so these alerts have not either, and there is no more than that.
        if told.at.is_some() && output.sent == told.sent && count <= self.raised - told.raised {
            return None;
        }
        told.by_cause = now;
        let (cause, _) = *news.iter().max_by_key(|(_, count)| *count)?;
        (told.at, told.raised, told.sent) = (Some(Instant::now()), self.raised, output.sent);
        let words: Vec<String> = news.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
        let at_output = Cause::ALL.iter().any(|known| known.word() == cause);
        let stage = if at_output { "output" } else { "spool" };
        Some(Loss {
            rule: format!("output {:?} gave up alerts: {}", output.name, words.join(", ")),
            lost: Lost { stage, class: "alerts", cause, count },
            output: output.name.clone(),
            news,
        })
    }
}

/// One that has not been tried yet, with something to send, may be as dead as it was before the start.
fn works(output: &OutputStatus) -> bool {
    let untried = output.sent == 0 && output.queued > 0;
    output.last_error.as_ref().map_or(!untried, |error| error.over)
}

/// The policy of the alert.
pub(super) fn policy() -> Policy {
    Policy {
        name: "Alerts Given Up".into(),
        policy_type: "sensor".into(),
        priority: Priority::High,
        confidence: Confidence::High,
        description: "An output could not deliver alerts and had to give them up.".into(),
        comments: "The matched rule tells which output, how many alerts and why; other outputs may have them. \
                   `sophoslinuxsensor status` and the table lost_records tell more."
            .into(),
        categories: vec!["MITRE.Defense Evasion.Impair Defenses".into()],
        ..Policy::default()
    }
}

#[cfg(test)]
mod tests {
    use delivery::ledger::{LastError, SpoolStatus};

    use super::*;

    fn output(given_up: u64, works: bool) -> OutputStatus {
        let spool = SpoolStatus { given_up: [("spool_full", given_up)].into(), ..SpoolStatus::default() };
        let last_error = Some(LastError { message: "no line".into(), time: 1, over: works });
        OutputStatus { name: "mcs".into(), spool: Some(spool), last_error, ..OutputStatus::default() }
    }

    #[test]
    fn it_is_told_once_and_not_before_the_output_works() {
        let mut given_up = GivenUp::default();
        assert_eq!(given_up.news(&[output(0, true)]), []);
        assert_eq!(given_up.news(&[output(7, false)]), []);
        let news = given_up.news(&[output(9, true)]);
        assert_eq!(news[0].rule, "output \"mcs\" gave up alerts: spool_full 9");
        assert_eq!(news[0].lost, Lost { stage: "spool", class: "alerts", cause: "spool_full", count: 9 });
        // Not again for the same, nor at once for more.
        assert_eq!(given_up.news(&[output(9, true)]), []);
        assert_eq!(given_up.news(&[output(10, true)]), []);
    }

    #[test]
    fn that_the_alert_about_it_is_given_up_as_well_is_no_news() {
        let mut given_up = GivenUp::default();
        let outputs = |one, other, sent| {
            [("one", one), ("other", other)].map(|(name, count)| OutputStatus {
                name: name.into(),
                dropped: [("no_receiver", count)].into(),
                sent,
                ..OutputStatus::default()
            })
        };
        let long_ago = |given_up: &mut GivenUp| {
            for told in given_up.told.values_mut() {
                told.at = told.at.and_then(|at| at.checked_sub(AT_MOST_EVERY));
            }
        };
        let rules = |news: Vec<Loss>| news.into_iter().map(|loss| loss.rule).collect::<Vec<_>>();
        assert_eq!(given_up.news(&outputs(5, 5, 0)).len(), 2);
        long_ago(&mut given_up);
        // Each has lost both alerts.
        assert_eq!(given_up.news(&outputs(7, 7, 0)), []);
        // One has lost another alert since.
        assert_eq!(rules(given_up.news(&outputs(8, 7, 0))), ["output \"one\" gave up alerts: no_receiver 3"]);
        long_ago(&mut given_up);
        assert_eq!(given_up.news(&outputs(9, 8, 0)), []);
        // What comes through may be those alerts: then it is others that are lost.
        assert_eq!(given_up.news(&outputs(9, 8, 1)).len(), 2);
    }

    #[test]
    fn what_never_came_to_a_spool_is_kept_until_it_is_told() {
        let stdout = |dropped: &[(&'static str, u64)], works| OutputStatus {
            name: "stdout".into(),
            dropped: dropped.iter().copied().collect(),
            last_error: Some(LastError { message: "full".into(), time: 1, over: works }),
            ..OutputStatus::default()
        };
        let first = GivenUp::default();
        let left = first.unreported(&[stdout(&[("queue_full", 5), ("stopped", 2)], false)]);
        assert_eq!(left["stdout"], [("queue_full".to_owned(), 5), ("stopped".to_owned(), 2)].into());
        let unreported = Unreported { given_up: left.clone(), ..Unreported::default() };
        let mut next = GivenUp::after(unreported);
        assert_eq!(next.unreported(&[stdout(&[], false)]), left, "not told yet");
        assert_eq!(next.unreported(&[]), left, "nor without the output");
        let news = next.news(&[stdout(&[("queue_full", 1)], true)]);
        assert_eq!((news[0].lost.count, news[0].lost.stage), (8, "output"));
        assert_eq!(next.unreported(&[stdout(&[("queue_full", 1)], true)]), BTreeMap::new());
    }

    #[test]
    fn what_an_earlier_run_gave_up_is_told_with_the_rest() {
        let mut given_up = GivenUp::default();
        let mut status = OutputStatus { last_error: None, queued: 1, ..output(2, true) };
        status.spool.as_mut().unwrap().given_up_before = [("spool_full", 1600), ("rejected", 1)].into();
        assert_eq!(given_up.news(std::slice::from_ref(&status)), [], "it has not been tried yet");
        status.sent = 1;
        let news = given_up.news(std::slice::from_ref(&status));
        assert_eq!(news[0].rule, "output \"mcs\" gave up alerts: spool_full 1602, rejected 1");
        assert_eq!((news[0].output.as_str(), news[0].lost.count), ("mcs", 1603));
    }
}
