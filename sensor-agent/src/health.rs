//! Whether the sensor does what it is for, as opposed to merely running.
//!
//! Programs can be attached and deaf: detached behind the sensor's back, or caught in a queue. So the sensor runs a
//! program of its own every now and then, the *canary*, and waits for its exec to come out of the kernel, through the
//! ring buffer and the engine. Nothing else counts as hearing.

use crate::control::Status;

/// After so many canaries in a row that were not heard the sensor asks to be started anew.
pub const DEAF_AFTER: u64 = 3;

/// What is wrong with the sensor's hearing. Empty: it is healthy.
#[must_use]
pub fn ailments(status: &Status) -> Vec<String> {
    let mut found = Vec::new();
    if !status.health.engine_answers {
        found.push("the engine does not answer".to_owned());
    }
    let canary = &status.health.canary;
    if canary.failed_in_a_row > 0 {
        let error = canary.last_error.as_deref().unwrap_or("no reason given");
        found.push(format!("{} canary programs in a row were not seen: {error}", canary.failed_in_a_row));
    }
    let lost = status.hooks.iter().filter_map(|hook| Some((hook, hook.lost.as_ref()?)));
    found.extend(lost.map(|(hook, why)| format!("hook {} ({}): {why}", hook.name, hook.hook)));
    found
}

/// What is lacking for the sensor to be on guard. Empty: it is ready.
#[must_use]
pub fn lacking(status: &Status) -> Vec<String> {
    let mut found = ailments(status);
    if status.health.canary.passed == 0 && found.is_empty() {
        found.push("no canary program was seen yet".to_owned());
    }
    let gone = status.hooks.iter().filter(|hook| !hook.attached && hook.absent.is_none() && hook.lost.is_none());
    found.extend(gone.map(|hook| format!("hook {} ({}) is not attached", hook.name, hook.hook)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::{Canary, Health, Hook};

    fn well() -> Status {
        let canary = Canary { passed: 1, ..Canary::default() };
        let hook = Hook { name: "exec".into(), attached: true, ..Hook::default() };
        Status { health: Health { engine_answers: true, canary }, hooks: vec![hook], ..Status::default() }
    }

    #[test]
    fn a_sensor_that_hears_is_healthy_and_ready() {
        assert!(ailments(&well()).is_empty());
        assert!(lacking(&well()).is_empty());
    }

    #[test]
    fn attached_and_deaf_is_not_healthy() {
        let mut status = well();
        status.health.canary.failed_in_a_row = 1;
        assert_eq!(ailments(&status).len(), 1);
        assert_eq!(lacking(&status).len(), 1);
    }

    #[test]
    fn before_the_first_canary_it_is_healthy_but_not_ready() {
        let mut status = well();
        status.health.canary.passed = 0;
        assert!(ailments(&status).is_empty());
        assert_eq!(lacking(&status), ["no canary program was seen yet"]);
    }

    #[test]
    fn a_hook_that_fell_off_and_an_engine_that_hangs_are_told() {
        let mut status = well();
        status.hooks[0].attached = false;
        assert_eq!(lacking(&status).len(), 1);
        // One that cannot be attached again is worse.
        status.hooks[0].lost = Some("detached from outside".into());
        assert_eq!(ailments(&status).len(), 1);
        assert_eq!(lacking(&status).len(), 1);
        status.hooks[0].lost = None;
        // What the kernel does not offer is no fault.
        status.hooks[0].absent = Some("not here".into());
        assert!(lacking(&status).is_empty());
        status.health.engine_answers = false;
        assert_eq!(ailments(&status), ["the engine does not answer"]);
    }
}
