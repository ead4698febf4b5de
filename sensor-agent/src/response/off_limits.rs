//! What nothing is ever done to: the first process, the kernel's threads, the sensor and what it hangs from, and the programs
//! that the configuration protects.

use super::Limits;
use super::identity::{Held, Stat};
use crate::event::{Process, ProcessKey};

/// Which process the sensor is, and what started it.
#[derive(Debug)]
pub struct OffLimits {
    sensor: Option<ProcessKey>,
    above: Vec<ProcessKey>,
}

impl OffLimits {
    /// `sensor` is none when it is not known beyond doubt which process that is.
    #[must_use]
    pub fn new(sensor: Option<ProcessKey>, own: &Process) -> Self {
        Self { sensor, above: own.ancestors().map(|ancestor| ancestor.key).collect() }
    }

    /// Why nothing may be done to this process, or to the descendants of one that has ended and so is not held; none if it may.
    pub(super) fn why(&self, process: &Process, held: Option<&Held>, limits: &Limits) -> Option<&'static str> {
        let Some(sensor) = self.sensor else {
            return Some("the sensor does not run in the host's pid namespace, and its pids are others there");
        };
        if process.key.tgid == 1 {
            Some("the first process of the host is never acted on")
        } else if held.is_some_and(|held| held.stat.is_kernel_thread()) {
            Some("threads of the kernel are never acted on")
        } else if process.key == sensor {
            Some("it is the sensor itself")
        } else if process.ancestors().any(|ancestor| ancestor.key == sensor) {
            Some("the sensor started it, to see whether it is seen")
        } else if self.above.contains(&process.key)
            || held.is_some_and(|held| above(std::process::id()).any(|pid| pid == held.pid))
        {
            Some("the sensor is a descendant of it")
        } else if limits.protects(&process.image) {
            Some("`response.protected` names its program")
        } else {
            None
        }
    }

    /// The same of a process that only its pid is known of: a child, just forked, of one that may be hit.
    pub(super) fn is_own(&self, pid: u32) -> bool {
        pid <= 1 || self.sensor.is_none_or(|sensor| sensor.tgid == pid) || above(std::process::id()).any(|it| it == pid)
    }
}

/// The pids from the parent up, as they are now.
fn above(pid: u32) -> impl Iterator<Item = u32> {
    let parent = |pid: u32| Stat::of(pid).map(|stat| stat.parent).filter(|parent| *parent != 0);
    std::iter::successors(parent(pid), move |pid| parent(*pid))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::Image;

    /// This test's own process as an event has it, and held.
    fn own() -> (Process, Held) {
        let pid = std::process::id();
        let held = Held::hold_if(pid, |_| true).expect("this process runs");
        (Process { key: ProcessKey::new(pid, 5), ..Process::default() }, held)
    }

    fn why(sensor: Option<ProcessKey>, above: &Process, process: &Process, held: &Held) -> Option<&'static str> {
        OffLimits::new(sensor, above).why(process, Some(held), &Limits::default())
    }

    #[test]
    fn the_sensor_what_it_hangs_from_and_what_it_starts_are_told() {
        let (process, held) = own();
        let (nobody, sensor) = (Process::default(), ProcessKey::new(1 << 22, 7));
        assert_eq!(why(Some(sensor), &nobody, &process, &held), None);
        assert!(why(None, &nobody, &process, &held).unwrap().contains("pid namespace"));
        assert_eq!(why(Some(process.key), &nobody, &process, &held), Some("it is the sensor itself"));
        let first = Process { key: ProcessKey::new(1, 1), ..Process::default() };
        assert!(why(Some(sensor), &nobody, &first, &held).unwrap().contains("first process"));
        let below = |key| {
            let parent = Some(Arc::new(Process { key, ..Process::default() }));
            Process { key: process.key, parent, ..Process::default() }
        };
        assert!(why(Some(sensor), &nobody, &below(sensor), &held).unwrap().contains("the sensor started it"));
        assert!(why(Some(sensor), &below(process.key), &process, &held).unwrap().contains("a descendant of it"));
    }

    #[test]
    fn the_parents_of_this_process_are_above_it_as_it_is_now() {
        let parent = std::os::unix::process::parent_id();
        let Ok(held) = Held::hold_if(parent, |_| true) else { return };
        let process = Process { key: ProcessKey::new(parent, 5), ..Process::default() };
        let why = why(Some(ProcessKey::new(1 << 22, 7)), &Process::default(), &process, &held);
        assert!(why.is_some_and(|why| why.contains("descendant") || why.contains("first process")), "{why:?}");
        let off_limits = OffLimits::new(Some(ProcessKey::new(1 << 22, 7)), &Process::default());
        assert!([1, parent, 1 << 22].into_iter().all(|pid| off_limits.is_own(pid)));
        assert!(!off_limits.is_own((1 << 22) - 1));
    }

    #[test]
    fn a_protected_program_is_told() {
        let (process, held) = own();
        let flags = sensor_ebpf::record::exec_flags::HOST_MOUNTS;
        let image = Arc::new(Image { path: b"/usr/sbin/sshd".into(), flags, ..Image::default() });
        let process = Process { image, ..process };
        let off_limits = OffLimits::new(Some(ProcessKey::new(1 << 22, 7)), &Process::default());
        let limits = Limits::new(1, &["/usr/sbin/sshd".into()]);
        assert!(off_limits.why(&process, Some(&held), &limits).unwrap().contains("`response.protected`"));
    }
}
