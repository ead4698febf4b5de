//! The state of the host that these tests change, and how it is put back.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// These tests change one thing of the whole host, so they run one after the other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kernel's audit, as it was.
pub(crate) struct AuditState {
    enabled: String,
}

impl AuditState {
    /// Remembers it.
    ///
    /// # Panics
    /// auditctl is missing, or an audit daemon runs here already, whose state these tests must not touch.
    pub(crate) fn take() -> Self {
        let status = auditctl(&["-s"]);
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("auditctl -s says nothing of {key}: {status}")).to_owned()
        };
        assert_eq!(value("pid"), "0", "an audit daemon runs here already; run these tests where none does");
        let enabled = value("enabled");
        assert_ne!(enabled, "2", "the audit configuration is locked until the next boot; run these tests elsewhere");
        Self { enabled }
    }

    pub(crate) fn set(&self, on: bool) {
        auditctl(&["-e", if on { "1" } else { "0" }]);
    }
}

impl Drop for AuditState {
    fn drop(&mut self) {
        auditctl(&["-e", &self.enabled]);
    }
}

fn auditctl(arguments: &[&str]) -> String {
    let output = Command::new("/usr/sbin/auditctl").args(arguments).output();
    let output = output.expect("auditctl; install the packages of `setup/install.sh test`");
    assert!(output.status.success(), "auditctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A copy of `/etc` to mount over it.
pub(crate) fn etc_copy() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let copied = Command::new("cp").args(["-a", "/etc/."]).arg(folder.path()).status().expect("cp");
    assert!(copied.success(), "copying /etc: {copied}");
    folder
}
