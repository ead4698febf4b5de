//! Which container a control group belongs to, by the names that runtimes give their groups.

/// A container's runtime and id, as its cgroup names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerName<'a> {
    pub runtime: &'static str,
    pub id: &'a str,
}

/// Finds the innermost container in a cgroup path (`/system.slice/docker-….scope`).
///
/// Known are the names that Docker, containerd (CRI and nerdctl), CRI-O, podman, systemd-nspawn and LXC give with
/// either cgroup driver. Bare ids of 64 hexadecimal digits are Docker's below `docker`, else a pod's (containerd).
#[must_use]
pub fn container_of(cgroup: &str) -> Option<ContainerName<'_>> {
    let mut parts = cgroup.rsplit('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        let parent = parts.peek().copied().unwrap_or_default();
        if let Some(found) = scope(part).or_else(|| folder(part, parent)) {
            return Some(found);
        }
    }
    None
}

/// The systemd cgroup driver: `<prefix>-<id>.scope`, and units of nspawn.
fn scope(part: &str) -> Option<ContainerName<'_>> {
    const PREFIXES: [(&str, &str); 6] = [
        ("docker-", "docker"),
        ("cri-containerd-", "containerd"),
        ("nerdctl-", "containerd"),
        ("crio-", "cri-o"),
        ("libpod-", "podman"),
        ("machine-", "systemd-nspawn"),
    ];
    if let Some(name) = part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service")) {
        return Some(ContainerName { runtime: "systemd-nspawn", id: name });
    }
    let stem = part.strip_suffix(".scope")?;
    let (prefix, runtime) = *PREFIXES.iter().find(|(prefix, _)| stem.starts_with(prefix))?;
    let id = &stem[prefix.len()..];
    // podman's and CRI-O's monitors (conmon) live in groups of their own and are no container.
    let known = runtime == "systemd-nspawn" || is_id(id);
    known.then_some(ContainerName { runtime, id })
}

/// The cgroupfs driver: `<parent>/<id>`.
fn folder<'a>(part: &'a str, parent: &str) -> Option<ContainerName<'a>> {
    if let Some(id) = part.strip_prefix("libpod-").filter(|id| is_id(id)) {
        return Some(ContainerName { runtime: "podman", id });
    }
    if let Some(id) = part.strip_prefix("crio-").filter(|id| is_id(id)) {
        return Some(ContainerName { runtime: "cri-o", id });
    }
    if let Some(id) = part.strip_prefix("lxc.payload.") {
        return Some(ContainerName { runtime: "lxc", id });
    }
    if parent == "lxc" {
        return Some(ContainerName { runtime: "lxc", id: part });
    }
    if !is_id(part) {
        return None;
    }
    let runtime = if parent == "docker" { "docker" } else { "containerd" };
    Some(ContainerName { runtime, id: part })
}

/// Whether this is a runtime's id: 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn known_layouts() {
        for (cgroup, runtime) in [
            (format!("/docker/{ID}"), "docker"),
            (format!("/system.slice/docker-{ID}.scope"), "docker"),
            (
                format!(
                    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{ID}.scope"
                ),
                "containerd",
            ),
            (format!("/kubepods/besteffort/pod1-2/{ID}"), "containerd"),
            (format!("/default/{ID}"), "containerd"),
            (format!("/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope"), "cri-o"),
            (format!("/machine.slice/libpod-{ID}.scope/container"), "podman"),
            (format!("/libpod_parent/libpod-{ID}"), "podman"),
            (format!("/user.slice/user-0.slice/user@0.service/user.slice/libpod-{ID}.scope/container"), "podman"),
        ] {
            assert_eq!(container_of(&cgroup), Some(ContainerName { runtime, id: ID }), "{cgroup}");
        }
        assert_eq!(
            container_of("/machine.slice/systemd-nspawn@web.service/payload/init.scope"),
            Some(ContainerName { runtime: "systemd-nspawn", id: "web" })
        );
        assert_eq!(
            container_of("/machine.slice/machine-web.scope"),
            Some(ContainerName { runtime: "systemd-nspawn", id: "web" })
        );
        assert_eq!(container_of("/lxc.payload.box/init.scope"), Some(ContainerName { runtime: "lxc", id: "box" }));
    }

    #[test]
    fn the_innermost_container_counts() {
        let inner = ID.replace('0', "f");
        assert_eq!(container_of(&format!("/docker/{ID}/docker/{inner}")).unwrap().id, inner);
    }

    #[test]
    fn the_host_is_no_container() {
        for cgroup in
            ["", "/", "/init.scope", "/user.slice/user-0.slice/session-1.scope", "/system.slice/docker.service"]
        {
            assert_eq!(container_of(cgroup), None, "{cgroup}");
        }
        assert_eq!(container_of(&format!("/machine.slice/libpod-conmon-{ID}.scope")), None);
    }
}
