//! The self check: a marked process goes the whole way, from its exec to the receivers of its alert.
//!
//! The process is the sensor's own program, run with an argument that makes it end at once and another that no other
//! process has. The shipped policy *Alert Tester* matches it. Others may as well, such as one on where programs lie or a
//! catch-all: their alerts are not what is followed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use uuid::Uuid;

use super::{NO_ANSWER, Shared, has_argument};
use crate::control::{Outcome, Stage};
use crate::engine::{Request, Sighting, Watch};
use crate::silent::NO_OUTPUT;

/// The argument that makes the program end at once.
pub const MARKER: &str = "-alert-tester-marker";
/// The policy whose alert is followed.
const POLICY: &str = "Alert Tester";
/// How long the exec may take to come out of the kernel, and the alert to be raised.
const KERNEL: Duration = Duration::from_secs(5);
/// How long the outputs may take to deliver.
const OUTPUTS: Duration = Duration::from_secs(15);

pub(super) fn run(shared: &Shared, report: &mut dyn FnMut(Stage)) {
    let begun = Instant::now();
    let mark = Uuid::new_v4().to_string().into_bytes();
    let wanted = mark.clone();
    let receipts = shared.outputs.watch(move |alert| alert.policy.name == POLICY && has_argument(alert, &wanted));
    let (sender, sightings) = bounded(16);
    let (kept, is_kept) = bounded(1);
    let asked = shared.engine.send(Request::Watch(Watch::new(mark.clone(), sender), kept));
    if asked.is_err() || is_kept.recv_timeout(KERNEL).is_err() {
        return report(failed("kernel", begun, NO_ANSWER.into()));
    }
    if let Err(error) = exec_marked(MARKER, &mark) {
        return report(failed("kernel", begun, format!("cannot run the marked process: {error}")));
    }
    let names = receipts.outputs.clone();
    if wait_for(&sightings, Instant::now() + KERNEL, |sighting| matches!(sighting, Sighting::Seen).then_some(()))
        .is_none()
    {
        report(failed("kernel", begun, "the exec of the marked process did not come out of the kernel".into()));
        return skip(&names, report);
    }
    report(passed("kernel", begun, "the exec of a marked process was captured".into()));
    let alerted = wait_for(&sightings, Instant::now() + KERNEL, |sighting| match sighting {
        Sighting::Alerted { uuid, policy } if policy == POLICY => Some(uuid),
        Sighting::Alerted { .. } | Sighting::Seen => None,
    });
    let Some(uuid) = alerted else {
        report(failed(
            "rules",
            begun,
            format!(
                "the policy `{POLICY}` raised no alert on the marked process: is the content package with it installed, \
                 and the policy enabled?"
            ),
        ));
        return skip(&names, report);
    };
    report(passed("rules", begun, format!("policy {POLICY} raised alert {uuid}")));
    if names.is_empty() {
        report(failed("outputs", begun, format!("{NO_OUTPUT}; see alert_output.outputs")));
    }
    for (name, receipt) in receipts.wait(Instant::now() + OUTPUTS) {
        report(of_output(&name, receipt, begun));
    }
}

fn of_output(name: &str, receipt: Option<delivery::outcome::Receipt>, begun: Instant) -> Stage {
    let stage = format!("output {name}");
    let Some(receipt) = receipt else {
        return failed(&stage, begun, "no word of it in time".into());
    };
    let took = u64::try_from(receipt.took.as_millis()).unwrap_or(u64::MAX);
    let (outcome, detail) = match receipt.outcome {
        delivery::outcome::Outcome::Confirmed => (Outcome::Passed, "confirmed by the receiver".into()),
        delivery::outcome::Outcome::HandedOver(known) => (Outcome::Passed, known.into()),
        delivery::outcome::Outcome::Empty => {
            (Outcome::Skipped, "the output's template makes nothing of this alert".into())
        }
        delivery::outcome::Outcome::NotTaken => {
            (Outcome::Skipped, "the output does not take such messages (message_types)".into())
        }
        delivery::outcome::Outcome::Retrying(reason) => (Outcome::Failed, reason),
        delivery::outcome::Outcome::Rejected(reason) => (Outcome::Failed, format!("refused by the receiver: {reason}")),
        delivery::outcome::Outcome::Dropped(cause) => (Outcome::Failed, format!("dropped: {}", cause.word())),
    };
    Stage { name: stage, outcome, millis: took, detail }
}

/// Runs the sensor's own program with a first argument that makes it end at once, and the mark; waits for its end.
pub(super) fn exec_marked(first: &str, mark: &[u8]) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut child = Command::new("/proc/self/exe")
        .arg(first)
        .arg(std::ffi::OsStr::from_bytes(mark))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    child.wait().map(drop)
}

fn wait_for<T>(sightings: &Receiver<Sighting>, until: Instant, pick: impl Fn(Sighting) -> Option<T>) -> Option<T> {
    loop {
        match sightings.recv_deadline(until) {
            Ok(sighting) => {
                if let Some(found) = pick(sighting) {
                    return Some(found);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn skip(outputs: &[String], report: &mut dyn FnMut(Stage)) {
    for name in outputs {
        let detail = String::from("an earlier stage failed");
        report(Stage { name: format!("output {name}"), outcome: Outcome::Skipped, millis: 0, detail });
    }
}

fn passed(name: &str, begun: Instant, detail: String) -> Stage {
    Stage { name: name.into(), outcome: Outcome::Passed, millis: millis(begun), detail }
}

fn failed(name: &str, begun: Instant, detail: String) -> Stage {
    Stage { name: name.into(), outcome: Outcome::Failed, millis: millis(begun), detail }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
