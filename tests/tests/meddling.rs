//! Who has the rights to can make a sensor deaf while it runs. It must not go on calling itself healthy.

use std::fs;
use std::num::NonZero;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, SysconfVar, gettid, sysconf};
use sensor_tests::{Home, Mark, Sensor, of_kind, of_pid};
use serde_json::{Value, json};

/// A descriptor of the sensor's, as `fdinfo` shows it.
struct Descriptor {
    number: i32,
    info: String,
}

impl Descriptor {
    fn value(&self, key: &str) -> Option<&str> {
        self.info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
    }
}

fn descriptors(pid: u32) -> Vec<Descriptor> {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("the sensor's descriptors");
    let number = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries
        .filter_map(number)
        // One that was closed since the folder was read is none.
        .filter_map(|number: i32| {
            let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
            Some(Descriptor { number, info })
        })
        .collect()
}

/// The descriptors of what is attached.
fn attachments(pid: u32) -> Vec<i32> {
    let mut all = descriptors(pid);
    all.retain(|descriptor| descriptor.value("link_id").is_some());
    all.iter().map(|descriptor| descriptor.number).collect()
}

/// Has the process close descriptors, as a debugger would.
fn close_in(pid: u32, numbers: &[i32]) {
    /// `syscall` of x86-64.
    const SYSCALL: i64 = 0x050f;
    let pid = Pid::from_raw(pid.try_into().expect("a pid"));
    ptrace::attach(pid).expect("it can be traced");
    assert!(matches!(waitpid(pid, None), Ok(WaitStatus::Stopped(..))));
    let before = ptrace::getregs(pid).expect("its registers");
    let place = before.rip as ptrace::AddressType;
    let text = ptrace::read(pid, place).expect("its code");
    ptrace::write(pid, place, text & !0xffff | SYSCALL).expect("its code can be written");
    for number in numbers {
        let mut registers = before;
        registers.rax = libc::SYS_close as u64;
        registers.rdi = *number as u64;
        // It was not in a system call, so there is none to take up again.
        registers.orig_rax = u64::MAX;
        ptrace::setregs(pid, registers).expect("its registers can be set");
        // A signal can be there first, such as that of the attaching itself: then no step was made.
        loop {
            ptrace::step(pid, None).expect("a step");
            match waitpid(pid, None) {
                Ok(WaitStatus::Stopped(_, Signal::SIGTRAP)) => break,
                Ok(WaitStatus::Stopped(..)) => {}
                other => panic!("it is no step: {other:?}"),
            }
        }
        assert_eq!(ptrace::getregs(pid).expect("its registers").rax, 0, "closed");
    }
    ptrace::write(pid, place, text).expect("its code can be written");
    ptrace::setregs(pid, before).expect("its registers can be set");
    ptrace::detach(pid, None).expect("it goes on");
}

fn hook(status: &Value, name: &str) -> Value {
    let hooks = status["hooks"].as_array().expect("hooks");
    hooks.iter().find(|hook| hook["name"] == name).expect("the hook").clone()
}

fn alerts_named(sensor: &Sensor, name: &str) -> Vec<Value> {
    sensor.alerts().into_iter().filter(|alert| alert["strategy_name"] == name).collect()
}

#[test]
fn what_was_detached_is_attached_again_and_told() {
    let mark = Mark::new("detached");
    let sensor = Sensor::start(&mark.config());
    let attached = attachments(sensor.pid());
    assert!(attached.len() >= 3, "{attached:?}");
    close_in(sensor.pid(), &attached);
    let lost = attached.len();
    let mut meanwhile = Command::new("sh");
    let mut meanwhile = meanwhile.args(["-c", "read line", mark.word()]).stdin(Stdio::piped()).spawn().expect("sh");
    // One for each, and no more: what the sensor has opened since under these numbers stays open.
    sensor.until("an alert for each hook", || {
        (alerts_named(&sensor, "Sensor Hook Detached").len() >= lost).then_some(())
    });
    assert_eq!(attachments(sensor.pid()).len(), lost);
    sensor.until("each hook to be attached again, once", || {
        let status = sensor.status();
        let hooks = ["fork", "exec", "exit"].map(|name| hook(&status, name));
        hooks.iter().all(|hook| hook["attached"] == true && hook["reattached"] == 1).then_some(())
    });
    assert!(sensor.ask(&["status"]).stdout.contains("exec: detached from outside and attached again, 1 time"));

    // What started meanwhile is found as it still runs.
    sensor
        .until("what started meanwhile", || of_pid(&sensor.rows("process_events"), meanwhile.id()).first().map(|_| ()));
    meanwhile.kill().expect("it runs");
    meanwhile.wait().expect("it ends");
    let row = sensor.exec_of(meanwhile.id());
    assert_eq!(row["args"], json!(["sh", "-c", "read line", mark.word()]), "{row:#}");

    // And it sees programs from start to end.
    let pid = sensor.finish(Command::new("/bin/true").arg(mark.word()));
    let rows = sensor.until_exit(pid);
    assert_eq!(of_kind(&of_pid(&rows, pid), "_EXEC").len(), 1, "{rows:#?}");
    sensor.until("a sensor that hears", || (sensor.ask(&["health"]).code == Some(0)).then_some(()));
    assert_eq!(alerts_named(&sensor, "Sensor Hook Detached").len(), lost);
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn a_debugger_changed_files_and_a_kill_are_told() {
    let mark = Mark::new("meddled");
    let sensor = Sensor::start(&mark.config());
    let told = |sensor: &Sensor, name: &str| {
        let alerts = sensor.until(name, || Some(alerts_named(sensor, name)).filter(|alerts| !alerts.is_empty()));
        assert_eq!(alerts[0]["policy_type"], "sensor", "{alerts:#?}");
        alerts[0]["description"].to_string()
    };
    let pid = Pid::from_raw(sensor.pid().try_into().expect("a pid"));
    ptrace::seize(pid, ptrace::Options::empty()).expect("it can be traced");
    let text = told(&sensor, "Sensor Traced");
    assert!(text.contains(&format!("pid {}", gettid())), "{text}");
    ptrace::interrupt(pid).expect("it can be stopped");
    assert!(matches!(waitpid(pid, None), Ok(WaitStatus::PtraceEvent(..) | WaitStatus::Stopped(..))));
    ptrace::detach(pid, None).expect("it goes on");

    sensor.write_config(&mark.config_with("# changed\n"));
    assert!(told(&sensor, "Sensor File Changed").contains("config.yaml"));

    let home = sensor.home();
    sensor.kill();
    let next = Sensor::start_in(&home);
    let _ = told(&next, "Sensor Ended Unexpectedly");
    assert_eq!(next.stop(), Some(0));
}

#[test]
fn a_foreign_authority_and_a_changed_token_are_told() {
    let mark = Mark::new("trust");
    let home = Arc::new(Home::new(&mark.config_with(
        r#"
customer_id: 0f2c1f4e-9f0a-4f6e-8a51-3c3d6d1c9d10
mcs: {enabled: true, url: "https://127.0.0.1:9", token_file: "@HOME@/token", certs_dir: "@HOME@/certs"}
"#,
    )));
    let write_token = |token: &str| {
        fs::write(home.file("token"), token).expect("a token");
        fs::set_permissions(home.file("token"), fs::Permissions::from_mode(0o600)).expect("a private file");
    };
    write_token("SLS-one");
    fs::create_dir(home.file("certs")).expect("a folder");
    fs::write(home.file("certs/sophosca.crl"), "a list").expect("a trust file");
    let sensor = Sensor::start_in(&home);

    write_token("SLS-another");
    fs::write(home.file("certs/sophosca-foreign.crt"), "theirs").expect("a trust file");
    fs::remove_file(home.file("certs/sophosca.crl")).expect("it was there");
    for what in ["/token was changed", "/certs/sophosca-foreign.crt was added", "/certs/sophosca.crl was removed"] {
        sensor.until(what, || {
            let alerts = alerts_named(&sensor, "Sensor File Changed");
            alerts.iter().any(|alert| alert["description"].to_string().contains(what)).then_some(())
        });
    }
    assert_eq!(sensor.stop(), Some(0));
}

/// `BPF_MAP_UPDATE_ELEM` as whoever has the rights would use it; the error.
fn overwrite(map: &OwnedFd, value: &mut [u8]) -> std::io::Result<()> {
    const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
    #[repr(C)]
    struct Update {
        map: u64,
        key: u64,
        value: u64,
        flags: u64,
    }
    let key = 0_u32;
    let update = Update {
        map: std::os::fd::AsRawFd::as_raw_fd(map).try_into().expect("a descriptor"),
        key: (&raw const key) as u64,
        value: value.as_mut_ptr() as u64,
        flags: 0,
    };
    // SAFETY: the kernel reads a key of four bytes, and no more of the value than its size, which the caller has provided.
    let result = unsafe { libc::syscall(libc::SYS_bpf, BPF_MAP_UPDATE_ELEM, &raw const update, size_of::<Update>()) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[test]
fn counters_and_offsets_cannot_be_written_from_outside() {
    /// `BPF_MAP_TYPE_ARRAY` and its kind with a value for each CPU.
    const ARRAY: &str = "2";
    const PER_CPU: &str = "6";
    let sensor = Sensor::start(&Mark::new("frozen").config());
    let all = descriptors(sensor.pid());
    let frozen: Vec<_> = all.iter().filter(|descriptor| descriptor.value("frozen") == Some("1")).collect();
    for kind in [ARRAY, PER_CPU] {
        let map = frozen.iter().find(|map| map.value("map_type") == Some(kind));
        let map = map.unwrap_or_else(|| panic!("no frozen map of the type {kind}"));
        let size: usize = map.value("value_size").and_then(|size| size.parse().ok()).expect("its size");
        // Room for a value of each CPU that there may be.
        let mut value = vec![0xff; size.next_multiple_of(8) * 4096];
        let error = overwrite(&borrow(sensor.pid(), map.number), &mut value).expect_err("it was written to");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
    }
    assert_eq!(sensor.stop(), Some(0));
}

/// The positions of a ring buffer of the sensor's: where its reader is, and where the kernel is.
struct Positions {
    read: NonNull<AtomicU64>,
    written: NonNull<AtomicU64>,
    size: u64,
    page: NonZero<usize>,
}

impl Positions {
    /// Those of all its rings: which of them has the process events cannot be told from outside.
    fn of(sensor: &Sensor) -> Vec<Self> {
        /// `BPF_MAP_TYPE_RINGBUF`.
        const RING: &str = "27";
        let all = descriptors(sensor.pid());
        let rings = all.iter().filter(|descriptor| descriptor.value("map_type") == Some(RING));
        let positions: Vec<Self> = rings.map(|ring| Self::of_ring(sensor, ring)).collect();
        assert!(!positions.is_empty(), "it has no ring buffer");
        positions
    }

    fn of_ring(sensor: &Sensor, ring: &Descriptor) -> Self {
        let size = ring.value("max_entries").and_then(|size| size.parse().ok()).expect("its size");
        let fd = borrow(sensor.pid(), ring.number);
        let page =
            sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| NonZero::new(usize::try_from(size).ok()?));
        let page = page.expect("the size of a page");
        // The kernel lets the reader's page be written, and the other read.
        let map = |protection, page_number: usize| {
            let offset = i64::try_from(page_number * page.get()).expect("a small number");
            // SAFETY: a new mapping at a place of the kernel's choice; only whole words of it are accessed, as atomics.
            unsafe { mmap(None, page, protection, MapFlags::MAP_SHARED, fd.as_fd(), offset) }.expect("a mapping").cast()
        };
        let read = map(ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, 0);
        let written = map(ProtFlags::PROT_READ, 1);
        Self { read, written, size, page }
    }

    fn written(&self) -> u64 {
        // SAFETY: mapped until this is dropped.
        unsafe { self.written.as_ref() }.load(Ordering::Acquire)
    }

    /// Tells the kernel how far the reader has come.
    fn claim_read(&self, position: u64) {
        // SAFETY: as above.
        unsafe { self.read.as_ref() }.store(position, Ordering::Release);
    }
}

impl Drop for Positions {
    fn drop(&mut self) {
        for place in [self.read, self.written] {
            // SAFETY: mapped in `of`, and not used any more.
            let _ = unsafe { munmap(place.cast(), self.page.get()) };
        }
    }
}

/// Another process's descriptor.
fn borrow(pid: u32, number: i32) -> OwnedFd {
    // SAFETY: system calls that take and return numbers; what they return is this process's alone.
    unsafe {
        let process = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        assert!(process >= 0, "{}", std::io::Error::last_os_error());
        let process = OwnedFd::from_raw_fd(process.try_into().expect("a descriptor"));
        let copy = libc::syscall(libc::SYS_pidfd_getfd, std::os::fd::AsRawFd::as_raw_fd(&process), number, 0);
        assert!(copy >= 0, "{}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(copy.try_into().expect("a descriptor"))
    }
}

#[test]
fn attached_and_deaf_is_not_healthy() {
    let mark = Mark::new("deaf");
    let sensor = Sensor::start(&mark.config());
    sensor.until("a sensor that hears", || (sensor.ask(&["health"]).code == Some(0)).then_some(()));
    // For the kernel the rings are full from here on, so it drops what the programs have to tell.
    let rings = Positions::of(&sensor);
    sensor.until("a sensor that knows that it is deaf", || {
        rings.iter().for_each(|ring| ring.claim_read(ring.written().wrapping_sub(ring.size)));
        (sensor.ask(&["health"]).code == Some(1)).then_some(())
    });
    let status = sensor.status();
    for name in ["fork", "exec", "exit"] {
        assert_eq!(hook(&status, name)["attached"], true);
    }
    assert!(status["health"]["canary"]["failed_in_a_row"].as_u64() >= Some(1), "{status:#}");
    let told = sensor.ask(&["status"]).stdout;
    assert!(told.contains("the sensor is deaf"), "{told}");
    for path in ["/healthz", "/readyz"] {
        let answer = sensor.page(path);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("canary"), "{path}: {answer}");
    }
    assert!(sensor.page("/metrics").contains("\nsophoslinuxsensor_healthy 0"));

    // Once it is let, it hears again, and tells what it lost.
    sensor.until("a sensor that hears again", || {
        rings.iter().for_each(|ring| ring.claim_read(ring.written()));
        (sensor.ask(&["health"]).code == Some(0)).then_some(())
    });
    let pid = sensor.finish(Command::new("/bin/true").arg(mark.word()));
    assert_eq!(of_kind(&sensor.until_exit(pid), "_EXEC").len(), 1);
    let losses = sensor.status()["losses"].to_string();
    assert!(losses.contains("ring_full"), "{losses}");
    assert_eq!(sensor.stop(), Some(0));
}
