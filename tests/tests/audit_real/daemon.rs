//! auditd, with a log of its own.

use std::fs;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sensor_tests::until;
use serde_json::Value;
use tempfile::TempDir;

/// A running audit daemon; it ends when this is dropped.
pub(crate) struct Auditd {
    child: Child,
    folder: TempDir,
}

impl Auditd {
    /// Starts one, which switches the kernel's audit on.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().display();
        fs::create_dir(folder.path().join("plugins.d")).expect("a folder without plugins");
        let config = format!(
            "log_file = {path}/audit.log\nlog_format = RAW\nlog_group = root\nflush = NONE\nlocal_events = yes\nwrite_logs = yes\n\
             max_log_file_action = IGNORE\nspace_left = 2\nspace_left_action = IGNORE\nadmin_space_left = 1\n\
             admin_space_left_action = IGNORE\n\
             disk_full_action = IGNORE\ndisk_error_action = IGNORE\nplugin_dir = {path}/plugins.d\n"
        );
        fs::write(folder.path().join("auditd.conf"), config).expect("its configuration");
        let mut command = Command::new("/usr/sbin/auditd");
        command.args(["-n", "-s", "enable", "-c"]).arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let child =
            command.stderr(Stdio::null()).spawn().expect("auditd; install the packages of `setup/install.sh test`");
        let mut auditd = Self { child, folder };
        until("auditd to log its start", || {
            if let Some(ended) = auditd.child.try_wait().expect("its state") {
                panic!("auditd does not run here: {ended}");
            }
            auditd.log().contains("type=DAEMON_START").then_some(())
        });
        auditd
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("audit.log")).unwrap_or_default()
    }

    /// The user messages in its log.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let log = self.log();
        let complete = log.rfind('\n').map_or("", |end| &log[..end]);
        complete.lines().filter_map(Line::of_log).collect()
    }
}

impl Drop for Auditd {
    fn drop(&mut self) {
        if let Ok(pid) = self.child.id().try_into() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

/// A user message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) pid: u64,
    pub(crate) type_name: String,
    pub(crate) uid: u64,
    pub(crate) login_uid: u64,
    pub(crate) session: u64,
    pub(crate) text: String,
}

/// What stands for no login.
const UNSET: u64 = u32::MAX as u64;

impl Line {
    /// `type=USER_START msg=audit(1795311645.139:11): pid=606 uid=0 auid=1000 ses=3 subj=… msg='op=…'`
    fn of_log(line: &str) -> Option<Self> {
        let (head, text) = line.split_once(" msg='")?;
        let value = |key: &str| {
            let found = head.split(' ').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {key} in {line}"))
        };
        let number = |key: &str| value(key).parse().unwrap_or_else(|_| panic!("{key} is no number in {line}"));
        Some(Self {
            pid: number("pid"),
            type_name: value("type").to_owned(),
            uid: number("uid"),
            login_uid: number("auid"),
            session: number("ses"),
            text: text.strip_suffix('\'').unwrap_or(text).to_owned(),
        })
    }

    pub(crate) fn of_row(row: &Value) -> Self {
        let text = |column: &str| row[column].as_str().unwrap_or_else(|| panic!("no {column} in {row:#}")).to_owned();
        Self {
            pid: row["pid"].as_u64().expect("a pid"),
            type_name: text("type_name"),
            uid: row["uid"].as_u64().expect("a uid"),
            login_uid: row["loginuid"].as_u64().unwrap_or(UNSET),
            session: row["session_id"].as_u64().unwrap_or(UNSET),
            text: text("message"),
        }
    }
}
