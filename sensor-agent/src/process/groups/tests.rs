use sensor_ebpf::record::{ExecRecord, ProcessKey};

use super::*;
use crate::event::decode::{Exec, Record};
use crate::process::host_place::{INIT_CGROUP, INIT_PID};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HOST: Namespaces = Namespaces { pid: INIT_PID, mnt: 10, net: 1, user: 2, cgroup: INIT_CGROUP, cgroup_root: 0 };
const HOST_ROOT: Place = Place { cgroup_id: 0, root_inode: 2, root_device: 8, cgroup_owned: 0 };

fn groups() -> Groups {
    let mut groups = Groups::new();
    let fixed =
        ExecRecord { process: ProcessKey::new(1, 1), namespaces: HOST, place: HOST_ROOT, ..ExecRecord::default() };
    let first = Exec { path: b"x", ..Exec::bare(fixed) };
    groups.host = HostPlace::find([Record::Baseline(first)].into_iter());
    groups
}

/// What is told of a process in this group.
fn found(namespaces: Namespaces, root_inode: u64, path: &str, owned: u32, flags: u32) -> String {
    let place = Place { cgroup_id: 7, root_inode, cgroup_owned: owned, ..HOST_ROOT };
    let flags = flags | exec_flags::CGROUP_PATH;
    let at = Where { namespaces: &namespaces, place: &place, cgroup: path.as_bytes(), flags, before: None };
    words(&groups().find(&at))
}

fn words(found: &Found) -> String {
    match found {
        Found::In(container) => format!("{} {}", container.runtime.map_or("", Runtime::word), container.id),
        Found::Outside => "outside".into(),
        Found::Unknown => "unknown".into(),
    }
}

#[test]
fn a_name_that_a_user_gave_is_none_on_the_host() {
    let path = format!("user.slice/user-1000.slice/user@1000.service/docker-{ID}.scope");
    assert_eq!(found(HOST, 2, &path, 0b1100, 0), "outside");
    assert_eq!(found(HOST, 2, &path, 0b0100, 0), format!("docker {ID}"));
    // Rootless containers have namespaces of their own, the pid namespace not always.
    assert_eq!(found(Namespaces { mnt: 11, ..HOST }, 3, &path, 0b1100, 0), format!("docker {ID}"));
    // What is made up within a container does not lead out of it.
    let made_up = format!("docker-{ID}.scope/libpod-{}.scope", ID.replace('0', "f"));
    assert_eq!(found(HOST, 2, &made_up, 0b10, 0), format!("docker {ID}"));
}

#[test]
fn what_is_on_the_host_and_what_is_not() {
    let service = "system.slice/web.service";
    for (what, namespaces, root, expected) in [
        ("a service", HOST, 2, "outside"),
        ("PrivateTmp=", Namespaces { mnt: 11, ..HOST }, 2, "outside"),
        ("RootDirectory=", Namespaces { mnt: 11, ..HOST }, 3, "outside"),
        ("unshare --mount --pid", Namespaces { mnt: 11, pid: 12, ..HOST }, 2, "outside"),
        ("a browser's sandbox", Namespaces { pid: 12, user: 13, ..HOST }, 9, "outside"),
        ("chroot", HOST, 3, "outside"),
        ("a container", Namespaces { mnt: 11, pid: 12, ..HOST }, 3, "unknown "),
        (
            "one with the host's pids",
            Namespaces { mnt: 11, cgroup: 12, cgroup_root: 2, ..HOST },
            3,
            "unknown web.service",
        ),
    ] {
        assert_eq!(found(namespaces, root, service, 0, 0), expected, "{what}");
    }
    let own = Namespaces { mnt: 11, pid: 12, ..HOST };
    assert_eq!(found(own, 3, "web", 0, 0), "unknown web");
}

#[test]
fn what_was_cut_is_not_known_unless_the_beginning_says_it() {
    let deep = format!("docker-{ID}.scope/a/b");
    assert_eq!(found(HOST, 2, &deep, 0, exec_flags::CGROUP_CUT), format!("docker {ID}"));
    let deep = "user.slice/a/b";
    assert_eq!(found(HOST, 2, deep, 0, exec_flags::CGROUP_CUT), "outside");
    assert_eq!(found(Namespaces { mnt: 11, ..HOST }, 2, deep, 0, exec_flags::CGROUP_CUT), "unknown");
    assert_eq!(found(Namespaces { mnt: 11, pid: 12, ..HOST }, 3, deep, 0, exec_flags::CGROUP_CUT), "unknown ");
}

#[test]
fn a_group_without_a_name_is_what_its_process_was_in() {
    let container = Arc::new(Container { id: "box".into(), runtime: Some(Runtime::Lxc), ..Container::default() });
    let namespaces = Namespaces { mnt: 11, pid: 12, ..HOST };
    let before = Process { namespaces, container: Some(container), cgroup_id: 8, ..Process::default() };
    let place = Place { cgroup_id: 9, root_inode: 3, ..HOST_ROOT };
    let at = Where { namespaces: &namespaces, place: &place, cgroup: b"", flags: 0, before: Some(&before) };
    assert_eq!(words(&groups().find(&at)), "lxc box");
    let elsewhere = Namespaces { mnt: 99, ..namespaces };
    assert_eq!(words(&groups().find(&Where { namespaces: &elsewhere, ..at })), "unknown ");
}

#[test]
fn where_the_host_is_not_known_names_count() {
    let mut groups = Groups::new();
    let path = format!("docker-{ID}.scope");
    let place = Place { cgroup_id: 7, cgroup_owned: 1, ..HOST_ROOT };
    let flags = exec_flags::CGROUP_PATH;
    let at = Where { namespaces: &HOST, place: &place, cgroup: path.as_bytes(), flags, before: None };
    assert_eq!(words(&groups.find(&at)), format!("docker {ID}"));
}

#[test]
fn a_virtual_machine_is_no_container_as_soon_as_it_is_registered() {
    let folder = tempfile::tempdir().unwrap();
    let mut groups = groups();
    groups.machines = Machines::of(folder.path().into());
    let place = Place { cgroup_id: 7, ..HOST_ROOT };
    let cgroup = br"machine.slice/machine-my\x2dvm.scope";
    let at = Where { namespaces: &HOST, place: &place, cgroup, flags: exec_flags::CGROUP_PATH, before: None };
    assert_eq!(words(&groups.find(&at)), "systemd-nspawn my-vm");
    let later = Where { cgroup: b"", flags: 0, ..at };
    assert_eq!(words(&groups.find(&later)), "systemd-nspawn my-vm");
    std::fs::write(folder.path().join("my-vm"), "CLASS=vm\n").unwrap();
    assert_eq!(words(&groups.find(&later)), "outside");
    // What has the namespaces of one is one all the same.
    let namespaces = Namespaces { mnt: 11, pid: 12, ..HOST };
    let place = Place { root_inode: 3, ..place };
    assert!(words(&groups.find(&Where { namespaces: &namespaces, place: &place, ..later })).starts_with("unknown"));
}
