//! How far policies may go: what a rule that is too wide can do.

use std::time::{Duration, Instant};

use foldhash::HashMap;
use sensor_ebpf::record::exec_flags;

use crate::event::Image;
use crate::rules::Glob;

/// What the configuration says of it.
#[derive(Debug, Default)]
pub struct Limits {
    /// How often one policy acts in a minute, at most.
    per_minute: u32,
    protected: Vec<Glob>,
}

impl Limits {
    /// Globs that are none, which the configuration has reported, protect nothing.
    #[must_use]
    pub fn new(per_minute: u32, protected: &[String]) -> Self {
        let protected = protected.iter().filter_map(|glob| Glob::new(glob.as_bytes()).ok()).collect();
        Self { per_minute, protected }
    }

    /// Whether nothing may be done to who runs this.
    ///
    /// Only in the host's own mounts is a path what it says: in a container, or in mounts that a user could make, anything
    /// can be called `/usr/sbin/sshd`.
    #[must_use]
    pub fn protects(&self, image: &Image) -> bool {
        image.is(exec_flags::HOST_MOUNTS)
            && !image.is(exec_flags::USER_MOUNTS)
            && self.protected.iter().any(|glob| glob.matches(&image.path))
    }
}

/// How often policies acted of late.
///
/// Each policy has a measure of its own, so that who sets one off at will does not use up what another has.
#[derive(Debug, Default)]
pub(super) struct Rate(HashMap<String, (Instant, u32)>);

impl Rate {
    /// Whether this policy may act once more; then that is counted.
    pub(super) fn may_act(&mut self, policy: &str, limits: &Limits, now: Instant) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        self.0.retain(|_, (began, _)| now.duration_since(*began) < MINUTE);
        let (_, acted) = self.0.entry(policy.to_owned()).or_insert((now, 0));
        let may = *acted < limits.per_minute;
        *acted += u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_protects_in_the_hosts_mounts_alone() {
        let limits = Limits::new(1, &["/usr/sbin/sshd".into(), "/usr/lib/systemd/*".into()]);
        let image = |path: &str, flags| Image { path: path.into(), flags, ..Image::default() };
        assert!(limits.protects(&image("/usr/sbin/sshd", exec_flags::HOST_MOUNTS)));
        assert!(limits.protects(&image("/usr/lib/systemd/systemd-logind", exec_flags::HOST_MOUNTS)));
        assert!(!limits.protects(&image("/usr/sbin/sshd", 0)));
        assert!(!limits.protects(&image("/usr/sbin/sshd", exec_flags::HOST_MOUNTS | exec_flags::USER_MOUNTS)));
        assert!(!limits.protects(&image("/tmp/sshd", exec_flags::HOST_MOUNTS)));
    }

    #[test]
    fn each_policy_has_a_measure_that_is_full_again_after_a_minute() {
        let (mut rate, limits, now) = (Rate::default(), Limits::new(2, &[]), Instant::now());
        let mut may = |policy, seconds| rate.may_act(policy, &limits, now + Duration::from_secs(seconds));
        assert_eq!([may("one", 0), may("one", 59), may("one", 59)], [true, true, false]);
        assert!(may("two", 59));
        assert!(may("one", 60));
    }
}
