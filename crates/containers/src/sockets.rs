//! Where runtimes listen.

use std::path::PathBuf;
use std::time::Duration;

use schema::process::Runtime;

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// This socket alone; without it, those of [`usual`] that are there.
    pub socket: Option<PathBuf>,
    /// How soon a container that no runtime knows is asked for again at first.
    pub again: Duration,
}

/// Where runtimes listen unless told otherwise.
#[must_use]
pub const fn usual() -> &'static [(Runtime, &'static str)] {
    &[
        (Runtime::Docker, "/run/docker.sock"),
        (Runtime::Podman, "/run/podman/podman.sock"),
        (Runtime::Containerd, "/run/containerd/containerd.sock"),
        // As k3s and RKE2 run it.
        (Runtime::Containerd, "/run/k3s/containerd/containerd.sock"),
        (Runtime::CriO, "/run/crio/crio.sock"),
    ]
}
