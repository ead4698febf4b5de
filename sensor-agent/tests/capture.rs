//! Capture on the running kernel, end to end: what children of the test do, and what is recorded of it.
//!
//! Needs root, and fails without. Each test marks its processes in their arguments or paths, and looks at no
//! others.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sensor_agent::capture::{Capture, FailedExecs, Options, Preempted, ProgramStatus, State, preflight};
use sensor_ebpf::classes::{Class, Classes, Source};
use sensor_ebpf::record::exec::{ARGS_HEAD, ARGS_TAIL};
use sensor_ebpf::record::{ProcessKey, exec_flags};
use sensor_ebpf::rings::Ring;

#[path = "support/programs.rs"]
mod programs;
#[path = "support/tiny_elf.rs"]
mod tiny_elf;
#[path = "support/watch.rs"]
mod watch;

use programs::{executable, tiny};
use watch::Watch;

/// A word that no other process has in its arguments.
fn marker(test: &str) -> String {
    format!("capture-{test}-{}", std::process::id())
}

/// Runs a command to its end and returns its pid and wait status.
fn finish(command: &mut Command) -> u32 {
    let mut child = command.spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn an_exec_tells_who_what_and_where() {
    let mut watch = Watch::start();
    let marker = marker("plain");
    let dir = tempfile::tempdir().unwrap();
    let program = tiny(dir.path().join(&marker));
    let pid = finish(Command::new(&program).args(["", "two words", ""]).current_dir(dir.path()).uid(65534).gid(65533));
    let exec = watch.until_exit(pid, &marker);

    assert_eq!(exec.args(), [program.to_str().unwrap(), "", "two words", ""]);
    assert_eq!((exec.fixed.argc, exec.fixed.args_bytes), (4, exec.args_head.len() as u64));
    assert_eq!(Path::new(&exec.path), program.canonicalize().unwrap());
    assert_eq!(Path::new(&exec.cwd), dir.path().canonicalize().unwrap());
    assert_eq!(exec.filename, program.to_str().unwrap());
    let flags = exec.fixed.flags & !exec_flags::CGROUP_PATH;
    assert_eq!((exec.interpreter.as_str(), flags), ("", exec_flags::HOST_MOUNTS));

    let file = fs::metadata(&program).unwrap();
    assert_eq!((exec.fixed.inode, exec.fixed.mode, exec.fixed.file_uid), (file.ino(), file.mode(), file.uid()));
    let ctime = u64::try_from(file.ctime()).unwrap() * 1_000_000_000 + u64::try_from(file.ctime_nsec()).unwrap();
    assert_eq!(exec.fixed.ctime_ns, ctime);
    let device = (exec.fixed.device >> 20, exec.fixed.device & 0xf_ffff);
    assert_eq!(device, (rustix::fs::major(file.dev()), rustix::fs::minor(file.dev())));

    let ids = exec.fixed.ids;
    assert_eq!((ids.uid, ids.euid, ids.gid, ids.egid, ids.cap_effective), (65534, 65534, 65533, 65533, 0));
    assert_eq!(exec.fixed.parent.tgid, std::process::id());
    let namespace = |name: &str| fs::metadata(format!("/proc/self/ns/{name}")).unwrap().ino();
    let own = exec.fixed.namespaces;
    assert_eq!(
        [own.pid, own.mnt, own.net, own.user].map(u64::from),
        [namespace("pid"), namespace("mnt"), namespace("net"), namespace("user")]
    );

    // One process, told three times.
    let fork = watch.forks.iter().find(|fork| fork.process.tgid == pid).unwrap();
    let exit = watch.exits_by_tgid()[&pid];
    assert_eq!((fork.process, exit.process), (exec.fixed.process, exec.fixed.process));
    assert_eq!((fork.forker, fork.parent), (exec.fixed.parent, exec.fixed.parent));
    assert_eq!((exit.status, exec.fixed.old_tid), (0, pid));
    assert!(fork.header.time <= exec.fixed.header.time && exec.fixed.header.time <= exit.header.time);
}

#[test]
fn long_arguments_keep_both_ends() {
    let mut watch = Watch::start();
    let marker = marker("long");
    let dir = tempfile::tempdir().unwrap();
    let program = tiny(dir.path().join(&marker));
    let whole = "w".repeat(ARGS_HEAD + ARGS_TAIL - program.as_os_str().len() - 2);
    let many: Vec<String> = (0..100_000).map(|n| format!("{n:05}")).collect();
    let big: Vec<String> = (0..15).map(|n| char::from(b'a' + n).to_string().repeat(130_000)).collect();
    for args in [vec![], vec![whole], many, big] {
        let pid = finish(Command::new(&program).args(&args));
        let exec = watch.until_exit(pid, &marker);
        let mut sent = program.to_str().unwrap().to_owned();
        for arg in &args {
            sent.push('\0');
            sent.push_str(arg);
        }
        sent.push('\0');
        let sent = sent.as_bytes();
        assert_eq!(exec.fixed.args_bytes, sent.len() as u64);
        assert_eq!(exec.fixed.argc as usize, args.len() + 1);
        assert_eq!(exec.fixed.args_unreadable, 0);
        let cut = sent.len() > ARGS_HEAD + ARGS_TAIL;
        assert_eq!(exec.has(exec_flags::ARGS_CUT), cut);
        if cut {
            assert!(exec.args_head == sent[..ARGS_HEAD] && exec.args_tail == sent[sent.len() - ARGS_TAIL..]);
        } else {
            assert!(exec.args_head == sent && exec.args_tail.is_empty());
        }
    }
}

#[test]
fn a_memfd_is_told_by_its_name() {
    let mut watch = Watch::start();
    let marker = marker("memfd");
    let memfd = rustix::fs::memfd_create(marker.as_str(), rustix::fs::MemfdFlags::empty()).unwrap();
    rustix::io::write(&memfd, tiny_elf::PROGRAM).unwrap();
    let pid = finish(&mut Command::new(format!("/proc/self/fd/{}", memfd.as_raw_fd())));
    let exec = watch.until_exit(pid, &marker);
    assert!(exec.has(exec_flags::MEMFD) && !exec.has(exec_flags::DELETED), "{exec:?}");
    assert_eq!(exec.path, format!("/memfd:{marker}"));
}

#[test]
fn a_deleted_image_is_flagged() {
    let mut watch = Watch::start();
    let marker = marker("deleted");
    let dir = tempfile::tempdir().unwrap();
    let path = tiny(dir.path().join(&marker));
    let real = path.canonicalize().unwrap();
    let file = fs::File::open(&path).unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    fs::remove_file(&path).unwrap();
    let pid = finish(&mut Command::new(format!("/proc/self/fd/{}", file.as_raw_fd())));
    let exec = watch.until_exit(pid, &marker);
    assert!(exec.has(exec_flags::DELETED) && !exec.has(exec_flags::MEMFD), "{exec:?}");
    assert_eq!(Path::new(&exec.path), real);
}

#[test]
fn a_script_names_its_interpreter() {
    let mut watch = Watch::start();
    let marker = marker("script");
    let dir = tempfile::tempdir().unwrap();
    let script = executable(dir.path().join(&marker), b"#!/bin/sh -e\nexit 3\n");
    let pid = finish(Command::new(&script).arg("x"));
    let exec = watch.until_exit(pid, &marker);
    assert!(exec.has(exec_flags::SCRIPT));
    assert_eq!((exec.filename.as_str(), exec.interpreter.as_str()), (script.to_str().unwrap(), "/bin/sh"));
    assert_eq!(Path::new(&exec.path), Path::new("/bin/sh").canonicalize().unwrap());
    assert_eq!(Path::new(&exec.script), script.canonicalize().unwrap());
    assert!(exec.has(exec_flags::SCRIPT_PATH) && !exec.has(exec_flags::SCRIPT_CUT));
    assert_eq!(exec.args(), ["/bin/sh", "-e", script.to_str().unwrap(), "x"]);
    assert_eq!(watch.exits_by_tgid()[&pid].status, 3 << 8);
}

#[test]
fn a_script_is_found_behind_files_that_its_exec_closes() {
    let mut watch = Watch::start();
    let marker = marker("closing");
    let dir = tempfile::tempdir().unwrap();
    let script = executable(dir.path().join(&marker), b"#!/bin/sh\n");
    for (count, found) in [(300, true), (2500, false)] {
        // Each descriptor is the last of its file, and closed by the exec after the script's.
        let mut command = Command::new("python3");
        let code = format!(
            "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n\
             for n in range({count}): os.open(sys.argv[1], os.O_RDONLY | os.O_CLOEXEC)\n\
             os.execv(sys.argv[1], sys.argv[1:])"
        );
        let pid = finish(command.args(["-c", &code]).arg(&script));
        let exec = watch.until_exit(pid, &marker);
        assert!(exec.has(exec_flags::SCRIPT | exec_flags::SCRIPT_PATH), "{exec:?}");
        assert_eq!(exec.has(exec_flags::SCRIPT_CUT), !found, "{count} files: {:?}", exec.script);
        assert_eq!(Path::new(&exec.script) == script.canonicalize().unwrap(), found);
    }
}

#[test]
fn failed_execs_are_told_while_somebody_asks_and_there_is_room() {
    const RING: u32 = 65_536;
    const TRIES: u64 = 400;
    let options = Options { failed_execs: FailedExecs::None, ..Options::default() }.with_ring(Ring::Lifecycle, RING);
    // Nobody drains.
    let mut capture = Capture::start(&options).unwrap();
    let counted = |capture: &sensor_agent::capture::Capture| {
        let counted = capture.counters().unwrap().into_iter();
        let failed = [Source::ExecFailed, Source::ExecNotOpened];
        counted.filter(|counted| failed.contains(&counted.source)).map(|counted| counted.counters).fold(
            sensor_ebpf::counters::ProgramCounters::default(),
            |mut sum, one| {
                sum.submitted += one.submitted;
                sum.ring_full += one.ring_full;
                sum
            },
        )
    };
    if !capture.status().iter().any(|status| status.source == Source::ExecFailed && status.state == State::Attached) {
        // Not every kernel allows programs at functions; `tests/kernels` has those that do.
        return;
    }
    let fail = || drop(Command::new("/nonexistent/capture-test").spawn());
    fail();
    assert_eq!(counted(&capture).submitted + counted(&capture).ring_full, 0, "nobody asked");
    capture.ask_for_failed_execs(FailedExecs::All);
    for _ in 0..TRIES {
        fail();
    }
    let told = counted(&capture);
    // A record has more than two hundred bytes, and a quarter of the ring is for them.
    assert!(told.submitted <= u64::from(RING) / 4 / 200 && told.ring_full >= TRIES / 2, "{told:?}");
    capture.detach();
}

#[test]
fn a_signal_is_the_exit_status() {
    let mut watch = Watch::start();
    let marker = marker("signal");
    let mut child = Command::new("/bin/sh").args(["-c", "kill -KILL $$", &marker]).spawn().unwrap();
    child.wait().unwrap();
    watch.until_exit(child.id(), &marker);
    assert_eq!(watch.exits_by_tgid()[&child.id()].status & 0x7f, 9);
}

#[test]
fn a_thread_that_executes_becomes_the_leader() {
    let mut watch = Watch::start();
    let marker = marker("thread");
    let helper = ["--exact", "helper_exec_from_a_thread", "--ignored", "--test-threads=2"];
    let pid = finish(Command::new(std::env::current_exe().unwrap()).args(helper).env("CAPTURE_MARKER", &marker));
    let exec = watch.until_exit(pid, &marker);
    assert_eq!(exec.args(), ["/bin/true", marker.as_str()]);
    assert_ne!(exec.fixed.old_tid, pid);
    let fork = watch.forks.iter().find(|fork| fork.process.tgid == pid).unwrap();
    assert_eq!(fork.process, exec.fixed.process, "the start time stays the leader's");
}

#[test]
#[ignore = "run by a_thread_that_executes_becomes_the_leader"]
fn helper_exec_from_a_thread() {
    let Ok(marker) = std::env::var("CAPTURE_MARKER") else {
        return;
    };
    let exec = move || Command::new("/bin/true").arg(marker).exec();
    let error = std::thread::spawn(exec).join().unwrap();
    panic!("{error}");
}

#[test]
fn namespaces_mounts_and_roots_are_seen_through() {
    let mut watch = Watch::start();
    let marker = marker("nested");
    let dir = tempfile::tempdir().unwrap();
    for part in ["lower", "upper", "work", "merged"] {
        fs::create_dir(dir.path().join(part)).unwrap();
    }
    tiny(dir.path().join("lower").join(format!("{marker}-low")));
    // An overlay in a mount namespace of its own, on a tmpfs, for an overlay cannot lie on another.
    let script = "mount -t tmpfs t $1 && mkdir $1/l $1/u $1/w $1/m && cp $0/lower/* $1/l && \
                  mount -t overlay o -olowerdir=$1/l,upperdir=$1/u,workdir=$1/w $1/m && \
                  cp $1/l/$2-low $1/m/$2-up && $1/m/$2-low && $1/m/$2-up && chroot $1/m /$2-up rooted";
    let mount = dir.path().join("merged");
    let mut child = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "sh", "-c", script])
        .args([dir.path(), &mount])
        .arg(&marker)
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success(), "an overlay in a mount namespace of its own");
    watch.finish(&marker);
    let mount = mount.canonicalize().unwrap();
    let expect = |name: &str, upper: bool, last: &str| {
        let path = mount.join("m").join(format!("{marker}-{name}"));
        let exec = watch
            .execs
            .iter()
            .find(|exec| Path::new(&exec.path) == path && exec.args().last().is_some_and(|arg| arg.ends_with(last)))
            .unwrap_or_else(|| panic!("no exec of {}", path.display()));
        assert_eq!(exec.has(exec_flags::OVERLAY_UPPER), upper, "{exec:?}");
        // Root has made the namespace; the overlay is mounted whole.
        assert!(!exec.has(exec_flags::HOST_MOUNTS | exec_flags::USER_MOUNTS | exec_flags::PATH_CUT), "{exec:?}");
        assert_eq!(exec.root, "/");
        assert!(exec.fixed.ns_pid < 100 && exec.fixed.ns_pid != exec.fixed.process.tgid);
        let outer = fs::metadata("/proc/self/ns/pid").unwrap().ino();
        assert_ne!(u64::from(exec.fixed.namespaces.pid), outer);
    };
    expect("low", false, "-low");
    expect("up", true, "-up");
    // The path does not stop at a process's own root.
    expect("up", true, "rooted");
}

#[test]
fn a_terminal_is_named() {
    let mut watch = Watch::start();
    let marker = marker("terminal");
    let command = format!("/bin/true {marker}");
    let mut script = Command::new("script");
    let mut child = script.args(["-qec", &command, "/dev/null"]).stdin(std::process::Stdio::null()).spawn().unwrap();
    child.wait().unwrap();
    watch.finish(&marker);
    let exec = watch.execs.iter().find(|exec| exec.args().last() == Some(&marker)).unwrap();
    assert!(exec.fixed.tty.starts_with(b"pts"), "{:?}", exec.fixed.tty.escape_ascii().to_string());
}

#[test]
fn nothing_is_lost_uncounted_in_a_storm() {
    const EACH: usize = 1000;
    const THREADS: usize = 4;
    let mut watch = Watch::start();
    let marker = marker("storm");
    let dir = tempfile::tempdir().unwrap();
    let program = tiny(dir.path().join(&marker));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for n in 0..EACH {
                    Command::new(&program).arg(n.to_string()).status().unwrap();
                }
            });
        }
    });
    watch.finish(&marker);
    balanced(&watch);
    assert_eq!(watch.execs.len(), EACH * THREADS);
    let exits: std::collections::HashSet<ProcessKey> = watch.exits.iter().map(|exit| exit.process).collect();
    assert!(watch.execs.iter().all(|exec| exits.contains(&exec.fixed.process)));
}

#[test]
fn later_programs_tell_what_the_first_missed_and_nothing_else() {
    let mut watch = Watch::with(&Options { preempted: Preempted::Everywhere, ..Options::default() });
    let marker = marker("turns");
    let dir = tempfile::tempdir().unwrap();
    let program = tiny(dir.path().join(&marker));
    for n in 0..200 {
        Command::new(&program).arg(n.to_string()).status().unwrap();
    }
    watch.finish(&marker);
    balanced(&watch);
    assert_eq!(watch.execs.len(), 200);
    let at_tracepoint = |source| matches!(source, Source::Exec | Source::Fork | Source::Exit);
    let status = watch.capture.status().into_iter().filter(|status| at_tracepoint(status.source));
    let missed: u64 = status.map(|status| status.recursion_misses).sum();
    let counted = watch.capture.counters().unwrap().into_iter().filter(|counted| at_tracepoint(counted.source));
    let told: u64 = counted.map(|counted| counted.counters.made_good).sum();
    // Where tasks are not preempted at tracepoints nothing is missed.
    if preflight::preempted(&preflight::release(), &preflight::build()) != Preempted::Everywhere {
        assert_eq!((missed, told), (0, 0));
    }
}

#[test]
fn a_full_ring_is_counted() {
    let options = Options::default().with_ring(Ring::Lifecycle, 4096);
    // Nobody drains.
    let mut capture = Capture::start(&options).unwrap();
    for _ in 0..100 {
        Command::new("/bin/true").status().unwrap();
    }
    capture.detach();
    let exec = capture.counters().unwrap().into_iter().find(|counted| counted.source == Source::Exec).unwrap().counters;
    assert!(exec.ring_full >= 80 && exec.submitted > 0, "{exec:?}");
    assert_eq!(exec.seen, exec.submitted + exec.ring_full + exec.over_budget + exec.filtered + exec.failed);
}

/// Where changes of credentials are seen at the ends of system calls.
#[test]
fn threads_beyond_those_that_are_known_are_counted() {
    const KNOWN: u32 = 2000;
    let classes = Classes::NONE.with(Class::Credentials);
    let options = Options { known_threads: KNOWN, classes, ..Options::default() };
    let capture = Capture::start(&options).unwrap();
    let status = capture.status();
    let serves = |rung| {
        let is_one = |status: &&ProgramStatus| status.source == Source::CredentialChange && status.rung == rung;
        status.iter().find(is_one).is_some_and(|status| status.state == State::Attached)
    };
    if serves(1) {
        return;
    }
    assert!(serves(2), "{status:#?}");
    let failed = || {
        let counted = capture.counters().unwrap();
        counted.into_iter().find(|counted| counted.source == Source::CredentialChange).unwrap().counters.failed
    };
    // Those that have ended leave room.
    for _ in 0..2 * KNOWN {
        std::thread::spawn(rustix::process::getppid).join().unwrap();
    }
    assert_eq!(failed(), 0);
    let all = std::sync::Barrier::new(KNOWN as usize);
    std::thread::scope(|scope| {
        for _ in 0..KNOWN {
            let small = std::thread::Builder::new().stack_size(16 * 1024);
            small.spawn_scoped(scope, || all.wait()).unwrap();
        }
    });
    assert!(failed() > 0);
}

#[test]
fn the_baseline_has_the_test_itself() {
    let mut watch = Watch::start();
    let baseline = watch.capture.baseline().unwrap();
    let again = watch.capture.baseline().unwrap();
    assert!(baseline.started <= baseline.finished && baseline.finished <= again.started);
    let own = baseline
        .tasks
        .records()
        .map(watch::exec)
        .find(|task| task.fixed.process.tgid == std::process::id())
        .expect("the test is running");
    assert_eq!(Path::new(&own.path), std::env::current_exe().unwrap());
    assert_eq!(Path::new(&own.cwd), std::env::current_dir().unwrap());
    let kernel_threads =
        baseline.tasks.records().filter(|record| watch::exec(record).has(exec_flags::KERNEL_THREAD)).count();
    assert!(kernel_threads > 0);
    watch.finish(&marker("nobody"));
    balanced(&watch);
}

#[test]
fn a_thread_without_records_sleeps_until_the_first_one() {
    let mut watch = Watch::start();
    // The host is never quiet, but nothing is told of it now.
    watch.capture.detach_class(Class::Process);
    watch.capture.detach_class(Class::Audit);
    let marker = marker("idle");
    let begun = Instant::now();
    while !watch.capture.is_idle() {
        assert!(begun.elapsed() < watch::PATIENCE, "the thread goes on looking");
        watch.collect(Duration::from_millis(10), &marker);
    }
    watch.capture.attach_class(Class::Process).unwrap();
    let pid = finish(Command::new("/bin/true").arg(&marker));
    watch.until_exit(pid, &marker);
}

#[test]
fn the_status_names_every_hook() {
    let mut watch = Watch::start();
    let attached =
        |watch: &Watch| watch.capture.status().iter().filter(|status| status.state == State::Attached).count();
    assert!(attached(&watch) >= 3);
    assert!(watch.capture.status().iter().all(|status| !status.hook.is_empty()));
    watch.finish(&marker("nobody"));
    assert_eq!(attached(&watch), 0);
}

#[test]
fn what_nobody_asks_for_is_not_attached() {
    let processes = Classes::default().with(Class::Process);
    let mut watch = Watch::with(&Options { classes: processes, ..Options::default() });
    let states = |watch: &Watch, class| -> Vec<State> {
        let of_class = watch.capture.status().into_iter().filter(|status| status.source.class() == class);
        of_class.map(|status| status.state).filter(|state| !matches!(state, State::NotAvailable(_))).collect()
    };
    let attached = |watch: &Watch| states(watch, Class::Audit).contains(&State::Attached);
    let unwanted = |watch: &Watch| states(watch, Class::Audit).iter().all(|state| *state == State::Unwanted);
    assert!(unwanted(&watch) && states(&watch, Class::Bpf).iter().all(|state| *state == State::Unwanted));
    watch.capture.ask_for(processes.with(Class::Audit)).unwrap();
    assert!(attached(&watch));
    watch.capture.ask_for(processes).unwrap();
    assert!(!attached(&watch));
    // Processes are told all along.
    let marker = marker("unwanted");
    let pid = finish(Command::new("/bin/true").arg(&marker));
    watch.until_exit(pid, &marker);
}

/// Each program's counters add up.
fn balanced(watch: &Watch) {
    for counted in watch.capture.counters().unwrap() {
        let c = counted.counters;
        assert_eq!(c.seen, c.submitted + c.ring_full + c.over_budget + c.filtered + c.failed, "{counted:?}");
        assert_eq!((c.ring_full, c.over_budget, c.failed), (0, 0, 0), "{counted:?}");
    }
}
