//! Keys of what policies may do.

use settings::{Key, Kind};

use super::kinds::PATH_GLOB;

/// Keys of `response`.
pub(super) static RESPONSE: &[Key] = &[
    Key::new(
        "enabled",
        Kind::Bool,
        "false",
        "Whether they may do anything. Read at the start: a sensor that was started without it has given up the right to act.",
    ),
    Key::new(
        "actions_per_minute",
        Kind::Count(1, 100_000),
        "60",
        "How often one policy acts in a minute, at most: what a rule that is too wide can do. Beyond, its alerts say that nothing was done.",
    ),
    Key::new(
        "protected",
        Kind::List(&Kind::Own(&PATH_GLOB)),
        "[/usr/lib/systemd/systemd*, /lib/systemd/systemd*, /usr/sbin/sshd, /usr/bin/sshd, /usr/bin/dbus-daemon, \
         /usr/bin/dbus-broker*, /usr/bin/containerd*, /usr/bin/dockerd, /usr/bin/crio, /usr/bin/kubelet]",
        "Programs of the host's that nothing is done to: globs of paths. A list of your own replaces this one.",
    ),
];
