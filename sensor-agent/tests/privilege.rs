//! Whether giving up privileges really gives them up: each case in a process of its own, with a single thread.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::process::CommandExt,
    process::{Command, Stdio, exit},
    sync::mpsc,
    thread,
};

use sensor_agent::privilege::{Capability, DropError, Duty, drop_to_runtime, missing, threads_beyond};

/// The user `nobody` of Linux.
const NOBODY: u32 = 65_534;
const CAP_BPF: u64 = 1 << 39;

const CASES: &[(&str, fn())] = &[
    ("without_duties_nothing_is_left", without_duties_nothing_is_left),
    ("open_maps_can_be_used", open_maps_can_be_used),
    ("what_was_given_up_cannot_be_had_again", what_was_given_up_cannot_be_had_again),
    ("other_users_processes_are_out_of_reach", other_users_processes_are_out_of_reach),
    ("programs_started_later_have_nothing", programs_started_later_have_nothing),
    ("a_thread_that_came_too_early_is_found", a_thread_that_came_too_early_is_found),
    ("a_thread_that_comes_later_has_no_more", a_thread_that_comes_later_has_no_more),
    ("without_setpcap_the_rest_is_given_up", without_setpcap_the_rest_is_given_up),
];

fn main() {
    if let Some(name) = std::env::args().nth(1).filter(|arg| arg.starts_with("case:")) {
        let case = CASES.iter().find(|(known, _)| Some(*known) == name.strip_prefix("case:"));
        return case.expect("a known case").1();
    }
    let mut failed = 0;
    for (name, _) in CASES {
        let program = std::env::current_exe().expect("the test's own path");
        let status = Command::new(program).arg(format!("case:{name}")).status().expect("the test runs itself");
        println!("{name}: {}", if status.success() { "ok" } else { "FAILED" });
        failed += i32::from(!status.success());
    }
    exit(failed.min(1));
}

fn without_duties_nothing_is_left() {
    let kept = drop_to_runtime(&[]).unwrap();
    assert_eq!(kept.names(), Vec::<String>::new());
    let status = own_status();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(bits(&status, set), 0, "{set}");
    }
    if kept.bounding {
        assert_eq!(bits(&status, "CapBnd"), 0);
    }
    assert_eq!(status["NoNewPrivs"], "1");
    assert_eq!(missing(&Capability::ALL).len(), Capability::ALL.len());
}

fn open_maps_can_be_used() {
    let had = bits(&own_status(), "CapPrm");
    // An array of one 8-byte value.
    let map = bpf(BPF_MAP_CREATE, [2 | 4 << 32, 8 | 1 << 32, 0, 0]);
    let kept = drop_to_runtime(&[Duty::UseMaps]).unwrap();
    println!("kept for open maps: {:?}", kept.names());
    // Either this kernel wants CAP_BPF for it and it was kept, or the kernel does not and it was not.
    assert_eq!(bits(&own_status(), "CapPrm") & !(had & CAP_BPF), 0);
    let map = map.and_then(|map| u64::try_from(map).map_err(io::Error::other)).expect("the tests run as root: CAP_BPF");
    let (key, mut read, written) = (0_u32, 0_u64, 42_u64);
    let address = |of: *const u64| of.addr() as u64;
    let key = address((&raw const key).cast());
    bpf(BPF_MAP_UPDATE_ELEM, [map, key, address(&raw const written), 0]).unwrap();
    bpf(BPF_MAP_LOOKUP_ELEM, [map, key, address((&raw mut read).cast_const()), 0]).unwrap();
    assert_eq!(std::hint::black_box(read), 42);
    assert!(bpf(BPF_MAP_CREATE, [2 | 4 << 32, 8 | 1 << 32, 0, 0]).is_err() || bits(&own_status(), "CapPrm") != 0);
}

fn what_was_given_up_cannot_be_had_again() {
    needs_root();
    drop_to_runtime(&[]).unwrap();
    // A second call can only take away.
    let kept = drop_to_runtime(&[Duty::UseMaps]).unwrap();
    assert_eq!(kept.names(), Vec::<String>::new());
}

fn other_users_processes_are_out_of_reach() {
    needs_root();
    // It ends with its input, since it cannot be signalled any more.
    let mut other = Command::new("/bin/cat").stdin(Stdio::piped()).uid(NOBODY).gid(NOBODY).spawn().unwrap();
    let link = format!("/proc/{}/exe", other.id());
    assert!(fs::read_link(&link).is_ok(), "root sees it to begin with");
    let pid = libc::pid_t::try_from(other.id()).unwrap();
    drop_to_runtime(&[]).unwrap();
    let looked = fs::read_link(&link);
    // SAFETY: kill(2) takes no pointers, and the child has not been waited for, so the pid is still its own.
    let signalled = unsafe { libc::kill(pid, libc::SIGKILL) };
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    assert_eq!(signalled, -1);
    assert_eq!(looked.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

fn programs_started_later_have_nothing() {
    drop_to_runtime(&[]).unwrap();
    let output = Command::new("/bin/cat").arg("/proc/self/status").output().unwrap();
    let status = parse(&String::from_utf8(output.stdout).unwrap());
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(bits(&status, set), 0, "{set}");
    }
    assert_eq!(status["NoNewPrivs"], "1");
}

fn a_thread_that_came_too_early_is_found() {
    needs_root();
    let (end, until) = mpsc::channel::<()>();
    let early = thread::Builder::new().name("early".to_owned()).spawn(move || until.recv()).unwrap();
    let error = drop_to_runtime(&[]).unwrap_err();
    drop(end);
    let _ = early.join().unwrap();
    assert!(error.to_string().contains("CAP_BPF"), "{error}");
    let DropError::Threads(beyond) = error else { panic!("{error}") };
    assert_eq!(beyond.len(), 1);
    assert!(beyond[0].new_privileges);
}

fn a_thread_that_comes_later_has_no_more() {
    let kept = drop_to_runtime(&[]).unwrap();
    let (end, until) = mpsc::channel::<()>();
    let late = thread::spawn(move || until.recv());
    assert_eq!(threads_beyond(&kept).unwrap(), []);
    drop(end);
    let _ = late.join().unwrap();
}

fn without_setpcap_the_rest_is_given_up() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    let mut sets = capabilities(None).unwrap();
    sets.permitted -= CapabilitySet::SETPCAP;
    sets.effective -= CapabilitySet::SETPCAP;
    set_capabilities(None, sets).unwrap();
    let kept = drop_to_runtime(&[]).unwrap();
    assert!(!kept.bounding);
    assert_eq!(bits(&own_status(), "CapPrm"), 0);
    programs_started_later_have_nothing();
}

/// Without its rights a case shows nothing.
fn needs_root() {
    let missing = missing(&Capability::ALL[..4]);
    assert!(missing.is_empty(), "the tests run as root: {missing:?}");
}

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;

/// `bpf(2)` with the first 32 bytes of its attributes.
fn bpf(command: libc::c_long, attributes: [u64; 4]) -> io::Result<i64> {
    // SAFETY: the kernel reads 32 bytes from `attributes`, and what these point to lives in the caller.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), 32) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn own_status() -> BTreeMap<String, String> {
    parse(&fs::read_to_string("/proc/thread-self/status").unwrap())
}

fn parse(status: &str) -> BTreeMap<String, String> {
    let fields = status.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn bits(status: &BTreeMap<String, String>, set: &str) -> u64 {
    u64::from_str_radix(&status[set], 16).unwrap()
}
