//! The exporter, as a process of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{Central, Said, parse_lines, programs};

/// An exporter's folder.
#[derive(Debug)]
pub struct Siem {
    folder: tempfile::TempDir,
}

impl Siem {
    /// With a configuration of the script's form, and these lines besides.
    ///
    /// # Panics
    /// There can be no folder.
    #[must_use]
    pub fn new(central: &Central, more: &str) -> Self {
        let (id, secret) = central.credentials();
        Self::with(central, &format!("client_id = {id}\nclient_secret = {secret}\n{more}"))
    }

    /// The same with other credentials, which the lines have.
    ///
    /// # Panics
    /// There can be no folder.
    #[must_use]
    pub fn with(central: &Central, lines: &str) -> Self {
        let at = format!("127.0.0.1:{}", central.port());
        let ca = central.path().join("sophosca1.crt");
        let text = format!(
            "[login]\nauth_url = https://{at}/api/v2/oauth2/token\napi_host = {at}\nca_file = {}\n\
             state_file_path = state/siem_sophos.json\n{lines}",
            ca.display()
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("config.ini"), text).expect("its configuration");
        Self { folder }
    }

    /// With a `config.yaml` of these outputs, items of a list. `@HOME@` in them is the folder.
    ///
    /// # Panics
    /// There can be no folder.
    #[must_use]
    pub fn with_outputs(central: &Central, outputs: &str) -> Self {
        Self::with_outputs_as(central, central.credentials(), outputs)
    }

    /// The same with other credentials, an id and its secret.
    ///
    /// # Panics
    /// There can be no folder.
    #[must_use]
    pub fn with_outputs_as(central: &Central, (id, secret): (String, String), outputs: &str) -> Self {
        let at = format!("https://127.0.0.1:{}", central.port());
        let ca = central.path().join("sophosca1.crt");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().display();
        let text = format!(
            "central:\n  client_id: {id}\n  client_secret: {secret}\n  auth_url: {at}/api/v2/oauth2/token\n  \
             api_host: {at}\n  ca_file: {}\n  requests_per_second: null\n  requests_per_minute: null\n\
             state: {home}/state/own.jsonl\noutputs:\n{}",
            ca.display(),
            outputs.replace("@HOME@", &home.to_string())
        );
        let path = folder.path().join("config.yaml");
        fs::write(&path, text).expect("its configuration");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        Self { folder }
    }

    /// A file in its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its command line.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::siem());
        command.args(arguments).env_clear().env("SOPHOS_SIEM_HOME", self.folder.path());
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&mut self.command(arguments))
    }

    /// What is in the script's file.
    #[must_use]
    pub fn result(&self) -> Vec<u8> {
        fs::read(self.file("log/result.txt")).unwrap_or_default()
    }

    /// The uuids that sensors gave, of the alerts in the file.
    ///
    /// # Panics
    /// A line is none of an alert.
    #[must_use]
    pub fn alerts(&self) -> Vec<String> {
        let mut lines = parse_lines(&self.result());
        lines.retain(|line| line["datastream"] == "alert");
        lines.iter().map(|line| line["data"]["uuid"].as_str().expect("the sensor's uuid").to_owned()).collect()
    }

    /// Runs a round that is killed before its call of this number that changes a file; false if it ended before it.
    ///
    /// # Panics
    /// It cannot be traced, or fails.
    #[must_use]
    pub fn run_killed(&self, arguments: &[&str], number: usize) -> bool {
        let mut left = number;
        self.trace(arguments, |call| {
            left -= usize::from(CHANGES.contains(&call));
            left == 0
        })
    }

    /// Runs a round, and counts how often it waits for a disk.
    ///
    /// # Panics
    /// It cannot be traced, or fails.
    #[must_use]
    pub fn syncs(&self, arguments: &[&str]) -> usize {
        let mut count = 0;
        let is_killed = self.trace(arguments, |call| {
            count += usize::from(WAITS.contains(&call));
            false
        });
        assert!(!is_killed);
        count
    }

    /// Runs a round, and asks before each of its system calls whether it is to be killed; false if it ended before it.
    #[expect(clippy::zombie_processes, reason = "waitpid(2) waits for each of its threads")]
    fn trace(&self, arguments: &[&str], mut is_to_end: impl FnMut(libc::c_long) -> bool) -> bool {
        let mut command = self.command(arguments);
        // SAFETY: ptrace(2) is a system call and nothing else.
        unsafe {
            command.pre_exec(|| ptrace::traceme().map_err(Into::into));
        }
        let mut child = command.spawn().expect("the exporter starts");
        let main = Pid::from_raw(child.id().try_into().expect("a pid"));
        // It stops at its exec, then each of its threads at each call's begin and end.
        assert!(matches!(waitpid(main, None), Ok(WaitStatus::Stopped(_, Signal::SIGTRAP))));
        let options = ptrace::Options::PTRACE_O_TRACESYSGOOD | ptrace::Options::PTRACE_O_TRACECLONE;
        ptrace::setoptions(main, options).expect("it is stopped");
        ptrace::syscall(main, None).expect("it goes on");
        // Other tests have children too.
        let ours = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            let mut deliver = None;
            let thread = match waitpid(None, Some(ours)).expect("it is a child") {
                WaitStatus::PtraceSyscall(thread) => {
                    if call(thread).is_some_and(&mut is_to_end) {
                        child.kill().expect("it is there");
                        while !matches!(waitpid(None, Some(ours)), Ok(WaitStatus::Signaled(pid, ..)) if pid == main) {}
                        return true;
                    }
                    thread
                }
                WaitStatus::PtraceEvent(thread, ..) => thread,
                // A thread begins.
                WaitStatus::Stopped(thread, Signal::SIGSTOP) => thread,
                WaitStatus::Stopped(thread, signal) => {
                    deliver = Some(signal);
                    thread
                }
                WaitStatus::Exited(pid, code) if pid == main => {
                    assert_eq!(code, 0);
                    return false;
                }
                WaitStatus::Exited(..) => continue,
                ended => panic!("it ended: {ended:?}"),
            };
            // One that was ended by another is not there any more.
            let _ = ptrace::syscall(thread, deliver);
        }
    }

    /// What is in the folders of the output and the state.
    ///
    /// # Panics
    /// It cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folders = ["log", "state"].map(|name| self.file(name));
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
    }

    /// Puts back what was there.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn put_back(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, content) in files {
            fs::write(path, content).expect("a file of ours");
        }
    }
}

/// Calls that wait for a disk, and those that change a file.
const WAITS: [libc::c_long; 4] = [libc::SYS_fdatasync, libc::SYS_fsync, libc::SYS_syncfs, libc::SYS_sync];
const CHANGES: [libc::c_long; 5] =
    [libc::SYS_write, libc::SYS_fdatasync, libc::SYS_fsync, libc::SYS_ftruncate, libc::SYS_rename];

/// The call that a thread is about to make; none if it has made one.
fn call(thread: Pid) -> Option<libc::c_long> {
    let call = ptrace::syscall_info(thread).ok().filter(|call| call.op == libc::PTRACE_SYSCALL_INFO_ENTRY)?;
    // SAFETY: this member is filled at the begin of a call.
    let number = unsafe { call.u.entry.nr };
    number.try_into().ok()
}
