//! Captures what the test's own children do, and nothing else.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sensor_agent::capture::{Capture, Drain, DrainOptions, Options};
use sensor_ebpf::record::{ExecRecord, ExitRecord, ForkRecord, Header, kind};

/// Longest wait for a record.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An exec record, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Exec {
    pub(crate) fixed: ExecRecord,
    pub(crate) path: String,
    /// The path of the file's mount on its own file system.
    pub(crate) root: String,
    pub(crate) cwd: String,
    pub(crate) script: String,
    pub(crate) filename: String,
    pub(crate) interpreter: String,
    pub(crate) args_head: Vec<u8>,
    pub(crate) args_tail: Vec<u8>,
}

impl Exec {
    pub(crate) fn has(&self, flag: u32) -> bool {
        self.fixed.flags & flag != 0
    }

    pub(crate) fn args(&self) -> Vec<String> {
        assert!(self.args_tail.is_empty());
        let text = String::from_utf8(self.args_head.clone()).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }
}

/// What is known of the processes of interest.
pub(crate) struct Watch {
    pub(crate) capture: Capture,
    drain: Drain,
    pub(crate) execs: Vec<Exec>,
    pub(crate) forks: Vec<ForkRecord>,
    pub(crate) exits: Vec<ExitRecord>,
}

impl Watch {
    /// Loads and attaches the kernel programs, which takes root.
    pub(crate) fn start() -> Self {
        Self::with(&Options::default())
    }

    pub(crate) fn with(options: &Options) -> Self {
        assert!(rustix::process::geteuid().is_root(), "kernel programs are loaded by root: run the tests as root");
        let mut capture = Capture::start(options).unwrap();
        let drain = capture.drain(&DrainOptions::default()).unwrap();
        Self { capture, drain, execs: Vec::new(), forks: Vec::new(), exits: Vec::new() }
    }

    /// Collects until the process has exited. Keeps the records of processes whose arguments or path hold the marker,
    /// and the keys of all forks and exits.
    pub(crate) fn until_exit(&mut self, pid: u32, marker: &str) -> Exec {
        let begun = Instant::now();
        while !self.exits.iter().any(|exit| exit.process.tgid == pid) {
            assert!(begun.elapsed() < PATIENCE, "no exit of {pid} within {PATIENCE:?}");
            self.collect(Duration::from_millis(50), marker);
        }
        let exec = self.execs.iter().rev().find(|exec| exec.fixed.process.tgid == pid);
        exec.expect("an exec record of the child").clone()
    }

    /// Collects what is there, waiting at most so long for the first batch. False at the end.
    pub(crate) fn collect(&mut self, wait: Duration, marker: &str) -> bool {
        let batch = match self.drain.next(wait) {
            Ok(Some(batch)) => batch,
            Ok(None) => return true,
            Err(_) => return false,
        };
        for record in &batch {
            let header: Header = fixed(record);
            assert_eq!(usize::try_from(header.len).unwrap(), record.len());
            match header.kind {
                kind::EXEC => self.execs.extend(Some(exec(record)).filter(|exec| is_marked(exec, marker))),
                kind::FORK => self.forks.push(fixed(record)),
                kind::EXIT => self.exits.push(fixed(record)),
                // Of others on the host, say.
                kind::EXEC_FAILED => {}
                other => panic!("a record of kind {other}"),
            }
        }
        self.drain.recycle(batch);
        true
    }

    /// Detaches, and collects the rest.
    pub(crate) fn finish(&mut self, marker: &str) {
        self.capture.detach();
        self.drain.stop();
        while self.collect(PATIENCE, marker) {}
    }

    /// Exits by thread group.
    pub(crate) fn exits_by_tgid(&self) -> HashMap<u32, ExitRecord> {
        self.exits.iter().map(|exit| (exit.process.tgid, *exit)).collect()
    }
}

fn is_marked(exec: &Exec, marker: &str) -> bool {
    assert!(!marker.is_empty(), "everything would be kept");
    let in_args = |args: &[u8]| args.windows(marker.len()).any(|window| window == marker.as_bytes());
    in_args(&exec.args_head) || in_args(&exec.args_tail) || exec.filename.contains(marker) || exec.path.contains(marker)
}

pub(crate) fn exec(record: &[u8]) -> Exec {
    let head: ExecRecord = fixed(record);
    let mut rest = &record[size_of::<ExecRecord>()..];
    let mut section = |len: u16| {
        let (section, left) = rest.split_at(usize::from(len));
        rest = left;
        section.to_vec()
    };
    let exec = Exec {
        path: rooted(&section(head.path_len)),
        root: rooted(&section(head.root_len)),
        cwd: rooted(&section(head.cwd_len)),
        script: rooted(&section(head.script_len)),
        filename: text(section(head.filename_len)),
        interpreter: text(section(head.interpreter_len)),
        args_head: {
            section(head.cgroup_len);
            section(head.args_head_len)
        },
        args_tail: section(head.args_tail_len),
        fixed: head,
    };
    assert!(rest.is_empty(), "{} bytes behind the last section", rest.len());
    exec
}

/// Turns a leaf-first path round.
fn rooted(path: &[u8]) -> String {
    let mut names: Vec<String> = text(path.to_vec()).split('/').map(str::to_owned).collect();
    names.reverse();
    format!("/{}", names.join("/"))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The fixed part of a record.
pub(crate) fn fixed<T: Copy>(record: &[u8]) -> T {
    assert!(record.len() >= size_of::<T>());
    // SAFETY: as long as `T`, and the record types are valid for any bits.
    unsafe { record.as_ptr().cast::<T>().read_unaligned() }
}
