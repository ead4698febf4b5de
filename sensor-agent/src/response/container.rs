//! All processes of a container: those in its control group, and in the groups below.
//!
//! Who is in it, each process says itself in `/proc/PID/cgroup`. So it is the same with both versions of control groups, and
//! nothing of their file system need be reached; where the kernel can kill a whole group (`cgroup.kill`), it is asked to do that
//! first, and what is left is looked for all the same.

use std::fs;
use std::time::{Duration, Instant};

use super::identity::Held;
use super::tally::{HELD, Tally};
use super::worker::named;
use super::{Deed, OffLimits, Order, Outcome};
use crate::process::containers::container_at;

/// Most time that it may take.
const LONGEST: Duration = Duration::from_millis(500);

/// A control group.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    /// Which hierarchy it is in, as a line of `/proc/PID/cgroup` begins: `0::`, `8:pids:`.
    hierarchy: String,
    path: String,
}

/// Kills all that is in the container of the process that is held.
pub(super) fn kill(root: &Held, order: &Order, off_limits: &OffLimits) -> Deed {
    let who = named(&order.process);
    let nothing = |outcome, why: &str| Deed { outcome, details: format!("nothing was done to {who}: {why}") };
    let container = match &order.process.container {
        Some(container) => container,
        None if order.process.container_unknown => {
            return nothing(Outcome::Refused, "it could not be told whether it is in a container");
        }
        None => return nothing(Outcome::Refused, "it is in no container"),
    };
    let group = fs::read_to_string(format!("/proc/{}/cgroup", root.pid)).ok();
    // Whose groups these are is certain as long as the process that is held runs.
    let Some(group) = group.filter(|_| !root.has_ended()).and_then(|text| Group::of(&text, &container.id)) else {
        return nothing(Outcome::Failed, "the control group of its container is not known, or it has ended");
    };
    if group.members().any(|pid| off_limits.is_own(pid)) {
        return nothing(Outcome::Refused, "the sensor, or what it hangs from, is in that container");
    }
    let (began, is_dry, mut tally, mut held) = (Instant::now(), order.is_dry(), Tally::default(), Vec::new());
    if !is_dry && group.hierarchy == "0::" {
        // Since Linux 5.14, and where the file system may be written; what it has not killed is killed below.
        let _ = fs::write(format!("/sys/fs/cgroup{}/cgroup.kill", group.path), "1");
    }
    let mut is_whole = false;
    while began.elapsed() < LONGEST && !is_whole {
        let mut new = 0;
        for pid in group.members() {
            let Ok(one) = Held::hold_if(pid, |_| true) else { continue };
            // Asked again under the descriptor: now it is the held one that says so.
            if tally.has_seen(&one) || !group.has(pid) {
                continue;
            }
            new += 1;
            tally.take(one, is_dry, &mut held);
            if held.len() >= HELD {
                break;
            }
        }
        is_whole = new == 0 && held.is_empty();
        if new == 0 || held.len() >= HELD {
            tally.kill(&mut held, is_dry);
        }
    }
    tally.kill(&mut held, is_dry);
    tally.deed(order, is_whole, |count| match count {
        0 => format!("{who} and all others of container {} had ended", container.id),
        1 => format!("{who}, the only one of container {}", container.id),
        more => format!("{who} and the others of container {}, {more} in all", container.id),
    })
}

impl Group {
    /// The innermost that is the container's of this id, out of `/proc/PID/cgroup`.
    fn of(text: &str, id: &str) -> Option<Self> {
        lines(text).filter(|_| !id.is_empty()).find_map(|(hierarchy, path)| {
            let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            let is_it =
                |at: &usize| parts[*at] == id || container_at(&parts, *at).is_some_and(|container| container.id == id);
            let at = (0..parts.len()).rev().find(is_it)?;
            Some(Self { hierarchy: hierarchy.to_owned(), path: format!("/{}", parts[..=at].join("/")) })
        })
    }

    /// Whether one that this is said of is in it.
    fn contains(&self, text: &str) -> bool {
        lines(text).any(|(hierarchy, path)| {
            let below = path.strip_prefix(self.path.as_str()).filter(|_| hierarchy == self.hierarchy);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        })
    }

    fn has(&self, pid: u32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|text| self.contains(&text))
    }

    /// The pids of all that are in it.
    fn members(&self) -> impl Iterator<Item = u32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| self.has(*pid))
    }
}

/// Each line's hierarchy, with the colon behind it, and path.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| Some(line.split_at(line.match_indices(':').nth(1)?.0 + 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_containers_group_is_the_one_that_is_called_like_it() {
        let of = |text: &str| Group::of(text, ID).map(|group| (group.hierarchy, group.path));
        let docker = format!("/system.slice/docker-{ID}.scope");
        let found = |hierarchy: &str| Some((hierarchy.to_owned(), docker.clone()));
        assert_eq!(of(&format!("0::{docker}/init.scope\n")), found("0::"));
        assert_eq!(of(&format!("9:name=systemd:/\n8:pids:{docker}\n0::/\n")), found("8:pids:"));
        assert_eq!(of("0::/user.slice/user-0.slice/session-1.scope\n"), None);
        assert_eq!(of("0::/\n"), None);
        assert_eq!(Group::of(&format!("0::{docker}\n"), ""), None);
    }

    #[test]
    fn who_is_in_it_or_below_is_a_member_and_nobody_beside_it() {
        let group = Group { hierarchy: "0::".into(), path: "/docker/a".into() };
        assert!(["0::/docker/a\n", "0::/docker/a/b\n"].iter().all(|text| group.contains(text)));
        let others = ["0::/docker/ab\n", "0::/docker\n", "0::/\n", "3:pids:/docker/a\n", "", "0:/docker/a"];
        assert!(others.iter().all(|text| !group.contains(text)));
    }

    proptest! {
        #[test]
        fn a_group_is_never_the_root_and_holds_who_it_was_found_by(text in "[0-9a-z:/.\n-]{0,60}", id in "[0-9a-z.-]{0,4}") {
            if let Some(group) = Group::of(&text, &id) {
                prop_assert!(group.path.len() > 1);
            }
        }
    }
}
