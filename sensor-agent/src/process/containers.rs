//! Which container a control group is, by the names that runtimes give their groups.
//!
//! A name is a hint and not the fact: [`super::groups`] holds it against the process's namespaces and against who made
//! the group. A form that is not known here is no proof of the host.
//!
//! | form | by |
//! | --- | --- |
//! | `PREFIX-ID.scope`, `SLICE:PREFIX:ID`, `PREFIX-ID` | OCI runtimes: told systemd, with systemd's form but told no systemd, as a folder |
//! | `docker/ID`, `kubepods/…/podUID/ID`, `NAMESPACE/ID`, `ecs/TASK/ID` | OCI runtimes without systemd, below the parent that they are given |
//! | `buildkit/ID`, `buildah-…` | build steps |
//! | `lxc.payload.NAME`, `lxc/NAME` | LXC, LXD, Incus, Proxmox VE |
//! | `machine-NAME.scope`, `systemd-nspawn@NAME.service` | systemd-machined; virtual machines have scopes of the same form, see [`super::machines`] |
//! | `garden/HANDLE` | Garden (Cloud Foundry) |
//! | `nomad.slice/…/ALLOC.TASK.scope` | Nomad, for programs with and without namespaces of their own |

use std::borrow::Cow;

use schema::process::Runtime;

/// A container's runtime and id, as its cgroup names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerName<'a> {
    pub runtime: Runtime,
    pub id: Cow<'a, str>,
}

/// What an id of a runtime looks like.
#[derive(Clone, Copy)]
enum Ids {
    /// 64 hexadecimal digits, or a build step's 25 letters and digits.
    Random,
    /// Whatever the user called it.
    Names,
}

/// What OCI runtimes and those who call them put before an id.
const PREFIXES: &[(&str, Runtime, Ids)] = &[
    ("docker", Runtime::Docker, Ids::Random),
    ("cri-containerd", Runtime::Containerd, Ids::Random),
    ("nerdctl", Runtime::Containerd, Ids::Random),
    ("crio", Runtime::CriO, Ids::Random),
    ("libpod", Runtime::Podman, Ids::Random),
    // podman --cgroups=split, which is what each Quadlet unit has.
    ("libpod-payload", Runtime::Podman, Ids::Random),
    ("podman", Runtime::Podman, Ids::Random),
    ("buildkit", Runtime::Buildkit, Ids::Random),
    ("runc", Runtime::Runc, Ids::Names),
    ("crun", Runtime::Crun, Ids::Names),
    ("youki", Runtime::Youki, Ids::Names),
    ("apptainer", Runtime::Apptainer, Ids::Names),
    ("singularity", Runtime::Apptainer, Ids::Names),
];

/// Namespaces of containerd, which gives its containers `/NAMESPACE/ID`: that of `ctr` and nerdctl, of the CRI, of Docker.
const NAMESPACES: &[&str] = &["default", "k8s.io", "moby"];

/// libvirt's drivers for virtual machines: it registers them as `DRIVER-NUMBER-NAME`.
const VIRTUAL_MACHINES: &[&str] = &["qemu", "ch", "xen", "libxl", "vz", "bhyve"];

/// The container that the group at this place of a path is, if its name says so.
#[must_use]
pub fn container_at<'a>(path: &[&'a str], at: usize) -> Option<ContainerName<'a>> {
    let (part, above) = (*path.get(at)?, path.get(..at)?);
    let (parent, grandparent) = (above.last().copied().unwrap_or_default(), above.iter().rev().nth(1).copied());
    let name = |runtime, id: &'a str| (!id.is_empty()).then_some(ContainerName { runtime, id: Cow::Borrowed(id) });
    if let Some((slice, rest)) = part.split_once(':')
        && let Some((prefix, id)) = rest.split_once(':')
        && (slice.is_empty() || slice.ends_with(".slice"))
    {
        return prefixed(prefix, id).or_else(|| name(Runtime::Unknown, id));
    }
    if let Some(found) = machine(part) {
        // The process that runs a container for systemd-nspawn is not in it.
        return found.filter(|_| path.get(at + 1) != Some(&"supervisor"));
    }
    if let Some(stem) = part.strip_suffix(".scope") {
        return split_prefix(stem);
    }
    if let Some(id) = part.strip_prefix("lxc.payload.").or_else(|| part.strip_prefix("lxc.payload-")) {
        return name(Runtime::Lxc, id);
    }
    if part.starts_with("buildah-") {
        return name(Runtime::Buildah, part);
    }
    match (grandparent, parent) {
        (_, "lxc" | "lxc.payload") => name(Runtime::Lxc, part),
        (_, "buildkit") => name(Runtime::Buildkit, part),
        (_, "docker") if part != "buildkit" => name(Runtime::Docker, part).filter(|_| is_random(part)),
        (Some("ecs"), _) => name(if is_hex(part) { Runtime::Docker } else { Runtime::Containerd }, part),
        (_, "garden") if !matches!(part, "good" | "bad") => name(Runtime::Garden, part),
        (Some("garden"), "good" | "bad") => name(Runtime::Garden, part),
        (None, _) if NAMESPACES.contains(&parent) => name(Runtime::Containerd, part),
        _ if is_hex(part) => {
            let of_pod = parent.starts_with("pod") || parent.starts_with("kubepods") || NAMESPACES.contains(&parent);
            name(if of_pod { Runtime::Containerd } else { Runtime::Unknown }, part)
        }
        // Folders are called like this by others too, if no random id follows.
        _ => split_prefix(part).filter(|found| is_random(&found.id) || found.runtime == Runtime::Buildah),
    }
}

/// What the container is called that a process is in by its namespaces: by its group's name where that says nothing alone. The
/// depth is that of the cgroup namespace's root.
#[must_use]
pub fn unproven<'a>(path: &[&'a str], cgroup_root: usize) -> ContainerName<'a> {
    if let Some((at, task)) = path.iter().enumerate().find_map(|(at, part)| Some((at, part.strip_suffix(".scope")?)))
        && path[..at].first() == Some(&"nomad.slice")
    {
        return ContainerName { runtime: Runtime::Nomad, id: Cow::Borrowed(task) };
    }
    // Bare runc, crun and youki call the group like the container and put it at the root.
    let own = if cgroup_root > 0 { cgroup_root - 1 } else { 0 };
    let id = path.get(own).filter(|_| cgroup_root > 0 || path.len() == 1).copied().unwrap_or_default();
    ContainerName { runtime: Runtime::Unknown, id: Cow::Borrowed(id) }
}

/// What stands before the last `-` that an id can follow: a known prefix with its ids, or any with a long one.
fn split_prefix(stem: &str) -> Option<ContainerName<'_>> {
    let mut known = PREFIXES.iter().filter_map(|(prefix, ..)| {
        let id = stem.strip_prefix(prefix)?.strip_prefix('-')?;
        prefixed(prefix, id)
    });
    known.next_back().or_else(|| {
        let (prefix, id) = stem.rsplit_once('-')?;
        // The monitors of podman and CRI-O have groups of their own and are no container.
        (is_hex(id) && !prefix.ends_with("conmon"))
            .then_some(ContainerName { runtime: Runtime::Unknown, id: Cow::Borrowed(id) })
    })
}

fn prefixed<'a>(prefix: &str, id: &'a str) -> Option<ContainerName<'a>> {
    let (_, runtime, ids) = *PREFIXES.iter().find(|(known, ..)| *known == prefix)?;
    let fits = match ids {
        Ids::Random => is_random(id),
        Ids::Names => !id.is_empty(),
    };
    // buildah has a runtime run its steps.
    let runtime = if id.starts_with("buildah-") { Runtime::Buildah } else { runtime };
    fits.then_some(ContainerName { runtime, id: Cow::Borrowed(id) })
}

/// What systemd-machined or libvirt has registered; `Some(None)` for a virtual machine.
#[expect(clippy::option_option, reason = "a machine that is no container is not the same as no machine")]
fn machine<'a>(part: &'a str) -> Option<Option<ContainerName<'a>>> {
    let found = |runtime, id: Cow<'a, str>| (!id.is_empty()).then_some(Some(ContainerName { runtime, id }));
    if let Some(name) = part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service")) {
        return found(Runtime::SystemdNspawn, unescaped(name));
    }
    // libvirt without systemd.
    if let Some(name) = part.strip_suffix(".libvirt-lxc") {
        return found(Runtime::LibvirtLxc, Cow::Borrowed(name));
    }
    let name = unescaped(part.strip_prefix("machine-")?.strip_suffix(".scope")?);
    let driver = name.split_once('-').filter(|(_, rest)| rest.starts_with(|next: char| next.is_ascii_digit()));
    match driver.map(|(driver, _)| driver) {
        Some("lxc") => found(Runtime::LibvirtLxc, name),
        Some(driver) if VIRTUAL_MACHINES.contains(&driver) => Some(None),
        _ if name.starts_with("qemu-") => Some(None),
        _ => found(Runtime::SystemdNspawn, name),
    }
}

/// A name as it was before systemd made it part of a unit's (systemd.unit(5): `\x2d` for a dash).
fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains("\\x") {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .strip_prefix(b"x")
            .and_then(|digits| digits.get(..2))
            .and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        match code {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether this is a runtime's id or a build step's: 64 hexadecimal digits, or 25 letters and digits (BuildKit).
fn is_random(text: &str) -> bool {
    is_hex(text) || text.len() == 25 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Whether this is a runtime's id: 64 hexadecimal digits.
fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const BUILD: &str = "zf9k2mx41qw8e7rtyu0op5asd";

    /// The innermost container of a path.
    fn container_of(path: &str) -> Option<(&'static str, String)> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let found = (0..parts.len()).rev().find_map(|at| container_at(&parts, at))?;
        Some((found.runtime.word(), found.id.into_owned()))
    }

    #[test]
    fn forms_of_runtimes_with_random_ids() {
        for (cgroup, runtime) in [
            ("/docker/ID", "docker"),
            ("/system.slice/docker-ID.scope", "docker"),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope", "docker"),
            ("/ecs/f0e1d2c3-0000-4000-8000-000000000000/ID", "docker"),
            ("/ecstasks.slice/ecstasks-f0e1d2c3.slice/docker-ID.scope", "docker"),
            ("/system.slice:docker:ID", "docker"),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-ID.scope",
                "containerd",
            ),
            (
                "/system.slice/containerd.service/kubepods-burstable-pod019c1fe8_0d92.slice:cri-containerd:ID",
                "containerd",
            ),
            ("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-ID.scope", "containerd"),
            ("/kubepods/besteffort/pod1-2/ID", "containerd"),
            ("/default/ID", "containerd"),
            ("/k8s.io/ID", "containerd"),
            ("/system.slice/nerdctl-ID.scope", "containerd"),
            ("/kubepods.slice/kubepods-pod1.slice/crio-ID.scope/container", "cri-o"),
            ("/kubepods/pod1/crio-ID", "cri-o"),
            ("/machine.slice/libpod-ID.scope/container", "podman"),
            ("/libpod_parent/libpod-ID", "podman"),
            ("/system.slice/web.service/libpod-payload-ID", "podman"),
            ("/system.slice/web.service/libpod-payload-ID/init.scope", "podman"),
            ("/machine.slice/machine-libpod_pod_ID.slice/libpod-ID.scope/container", "podman"),
            ("/user.slice/user-0.slice/user@0.service/user.slice/libpod-ID.scope/container", "podman"),
            ("/system.slice/balena-ID.scope", "unknown"),
            ("/custom/ID", "unknown"),
            ("/ID", "unknown"),
        ] {
            let cgroup = cgroup.replace("ID", ID);
            assert_eq!(container_of(&cgroup), Some((runtime, ID.to_owned())), "{cgroup}");
        }
    }

    #[test]
    fn forms_with_names() {
        for (cgroup, runtime, id) in [
            ("/system.slice/crun-web.scope", "crun", "web"),
            ("/system.slice/runc-my-web.scope", "runc", "my-web"),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/youki-web.scope", "youki", "web"),
            ("/:youki:web", "youki", "web"),
            ("/machine.slice:other:web", "unknown", "web"),
            ("/default/web", "containerd", "web"),
            ("/system.slice/crun-buildah-buildah2365838308.scope", "buildah", "buildah-buildah2365838308"),
            ("/buildah-buildah2365838308", "buildah", "buildah-buildah2365838308"),
            ("/buildkit/zf9k2mx41qw8e7rtyu0op5asd", "buildkit", BUILD),
            ("/docker/buildkit/zf9k2mx41qw8e7rtyu0op5asd", "buildkit", BUILD),
            ("/system.slice/docker-zf9k2mx41qw8e7rtyu0op5asd.scope", "docker", BUILD),
            (
                "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890",
                "containerd",
                "0123456789abcdef0123456789abcdef-1234567890",
            ),
            ("/garden/3f1c0b9e-7d52-4e7a-5d0c-1c2d", "garden", "3f1c0b9e-7d52-4e7a-5d0c-1c2d"),
            ("/system.slice/garden/good/3f1c0b9e", "garden", "3f1c0b9e"),
            ("/machine.slice/systemd-nspawn@web.service/payload/init.scope", "systemd-nspawn", "web"),
            ("/machine.slice/machine-web.scope", "systemd-nspawn", "web"),
            ("/machine.slice/machine-my\\x2dweb.scope/payload", "systemd-nspawn", "my-web"),
            ("/machine.slice/machine-lxc\\x2d4711\\x2dbox.scope", "libvirt-lxc", "lxc-4711-box"),
            ("/machine/lxc-1-box.libvirt-lxc", "libvirt-lxc", "lxc-1-box"),
            ("/lxc.payload.box/init.scope", "lxc", "box"),
            ("/lxc.payload-101/system.slice/cron.service", "lxc", "101"),
            ("/lxc.payload/box", "lxc", "box"),
            ("/lxc/101/ns/system.slice/ssh.service", "lxc", "101"),
        ] {
            assert_eq!(container_of(cgroup), Some((runtime, id.to_owned())), "{cgroup}");
        }
    }

    #[test]
    fn the_innermost_container_counts() {
        let inner = ID.replace('0', "f");
        assert_eq!(container_of(&format!("/docker/{ID}/docker/{inner}")).unwrap().1, inner);
    }

    #[test]
    fn virtual_machines_are_no_containers() {
        for cgroup in [
            "/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt/emulator",
            "/machine.slice/machine-qemu\\x2d12\\x2dwin10\\x2dgpu.scope/libvirt/vcpu0",
            "/machine.slice/machine-qemu-9004.scope",
            "/machine.slice/machine-qemu\\x2dembed\\x2d1234.scope",
            "/machine.slice/machine-ch\\x2d3\\x2dvm.scope",
            "/machine.slice/machine-xen\\x2d2\\x2ddom.scope",
            "/machine/qemu-1-vm1.libvirt-qemu/emulator",
        ] {
            assert_eq!(container_of(cgroup), None, "{cgroup}");
        }
    }

    #[test]
    fn the_host_is_no_container() {
        for cgroup in [
            "/machine.slice/systemd-nspawn@.service/payload",
            "/machine.slice/machine-.scope",
            "/machine/.libvirt-lxc",
            "",
            "/",
            "/init.scope",
            "/user.slice/user-0.slice/session-1.scope",
            "/system.slice/docker.service",
            "/system.slice/docker-volumes.scope",
            "/system.slice/system-getty.slice/getty@tty1.service",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-1234.scope",
            "/machine.slice/libpod-conmon-ID.scope",
            "/kubepods.slice/kubepods-pod1.slice/crio-conmon-ID.scope",
            "/lxc.monitor.box",
            "/machine.slice/systemd-nspawn@web.service/supervisor",
            "/system.slice/web.service/runtime",
            "/nomad.slice/share.slice/3f1c0b9e-7d52-4e7a-5d0c-1c2d3e4f5a6b.web.scope",
            "/runc-x",
            "/garden/good",
        ] {
            let cgroup = cgroup.replace("ID", ID);
            assert_eq!(container_of(&cgroup), None, "{cgroup}");
        }
    }

    #[test]
    fn what_namespaces_prove_is_called_like_its_group() {
        let called = |path: &[&'static str], root| {
            let name = unproven(path, root);
            (name.runtime.word(), name.id.into_owned())
        };
        assert_eq!(called(&["web"], 0), ("unknown", "web".into()));
        assert_eq!(called(&["a", "web", "inner"], 2), ("unknown", "web".into()));
        assert_eq!(called(&["a", "web"], 0), ("unknown", String::new()));
        assert_eq!(called(&[], 0), ("unknown", String::new()));
        assert_eq!(called(&["nomad.slice", "share.slice", "a.b.scope"], 0), ("nomad", "a.b".into()));
    }

    proptest! {
        #[test]
        fn names_never_panic(path in "[-:a-z0-9./@\\\\é]{0,80}", root in 0usize..9) {
            prop_assert!(container_of(&path).is_none_or(|(_, id)| !id.is_empty()));
            let parts: Vec<&str> = path.split('/').collect();
            let _ = unproven(&parts, root);
        }

        #[test]
        fn what_systemd_escaped_is_undone(name in "[a-z\\\\x.é-]{1,20}") {
            let escaped: String = name.bytes().map(|byte| if byte.is_ascii_lowercase() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }).collect();
            prop_assert_eq!(unescaped(&escaped), name);
        }
    }
}
