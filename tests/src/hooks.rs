//! What is the same for every class of events: where it is attached, what its hooks account for, and what a flood of it
//! costs others.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{Mark, Sensor, programs};

/// Held by a test of a file in which one makes a flood: that is one for every sensor of the host, beside which what the others
/// wait for can be beyond their budget.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the status says of a hook: of a ladder, of the rung that is in use.
///
/// # Panics
/// There is none of this name.
#[must_use]
#[track_caller]
pub fn hook(sensor: &Sensor, name: &str) -> Value {
    let status = sensor.status();
    let hooks: Vec<_> =
        status["hooks"].as_array().expect("hooks").iter().filter(|hook| hook["name"] == name).cloned().collect();
    hooks.iter().find(|hook| hook["attached"] == true).unwrap_or(&hooks[0]).clone()
}

/// What alerts of a policy tell of what a process did, the first one first.
#[must_use]
pub fn told_of(sensor: &Sensor, policy: &str, pid: u32) -> Vec<Value> {
    let is_one = |alert: &Value| alert["strategy_name"] == policy && alert["process_info"]["pid"] == pid;
    let alerts = sensor.alerts().into_iter().filter(is_one);
    alerts.map(|alert| alert["notifications"][0]["message_fields"].clone()).collect()
}

/// All that a hook saw is accounted for.
///
/// # Panics
/// It is not.
#[track_caller]
pub fn assert_accounted(hook: &Value) {
    let count = |name: &str| hook[name].as_u64().unwrap_or_else(|| panic!("no {name} in {hook:#}"));
    assert_eq!(
        count("seen"),
        ["submitted", "ring_full", "over_budget", "filtered", "failed"].into_iter().map(count).sum::<u64>(),
        "{hook:#}"
    );
}

/// These are attached while the sensor's configuration asks for them, and no longer after a reload of one that asks for nothing.
///
/// # Panics
/// They are not.
#[track_caller]
pub fn assert_attached_while_asked_for(sensor: &Sensor, mark: &Mark, names: &[&str]) {
    let is_attached = |name: &&str| {
        let hook = hook(sensor, name);
        assert!(hook["attached"].is_boolean(), "{hook:#}");
        hook["attached"] == true
    };
    assert!(names.iter().all(is_attached), "{names:?}");
    sensor.write_config(&mark.config());
    let said = sensor.reload();
    assert!(said.code == Some(0), "{said:?}");
    assert!(!names.iter().any(is_attached), "{names:?}");
}

/// After the flood that this process made, processes are told as if there were none, and what is lost is of that class alone.
///
/// # Panics
/// Something else was lost.
#[track_caller]
pub fn assert_flood_costs_others_nothing(sensor: &Sensor, mark: &Mark, flooding: u32, class: &str) {
    processes_are_told_after(sensor, mark, flooding);
    assert_lost_alone(&losses(sensor), class);
}

/// The same, of a flood of which some must be beyond the budget.
///
/// # Panics
/// None was, or something else was lost.
#[track_caller]
pub fn assert_flood_is_counted(sensor: &Sensor, mark: &Mark, flooding: u32, class: &str) {
    processes_are_told_after(sensor, mark, flooding);
    let losses = sensor.until("what is lost", || {
        let is_it = |loss: &Value| loss["class"] == class && loss["cause"] == "over_budget";
        Some(losses(sensor)).filter(|losses| losses.iter().any(is_it))
    });
    assert_lost_alone(&losses, class);
}

fn processes_are_told_after(sensor: &Sensor, mark: &Mark, flooding: u32) {
    sensor.until_exit(flooding);
    let after = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    sensor.until_exit(after);
}

fn losses(sensor: &Sensor) -> Vec<Value> {
    sensor.status()["losses"].as_array().expect("losses").clone()
}

#[track_caller]
fn assert_lost_alone(losses: &[Value], class: &str) {
    assert!(losses.iter().all(|loss| loss["class"] == class), "{losses:#?}");
}
