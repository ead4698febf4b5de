//! A C program for each system call that can send a message, as a 64-bit and as a 32-bit program, with the rights for it
//! and without, in each state of the kernel's audit.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Mark, Sensor, assert_columns, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::daemon::{Auditd, Line};
use crate::host::{AuditState, alone};

const WAYS: &[&str] =
    &["sendto", "sendmsg", "sendmmsg", "write", "writev", "uring-send", "uring-sendmsg", "uring-write"];
const USER_LOGIN: &str = "1112";
/// A user that no system gives rights.
const NOBODY: u32 = 65534;
const EPERM: i32 = 1;

/// The program, compiled for both sizes of word, where everyone may run it.
struct Senders(TempDir);

impl Senders {
    fn compile() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its mode");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit_real/send.c");
        for bits in ["64", "32"] {
            let mut cc = Command::new("cc");
            cc.arg(format!("-m{bits}")).arg(&source).arg("-o").arg(folder.path().join(format!("send{bits}")));
            cc.args(["-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-no-pie", "-nostdlib", "-static"]);
            let output = cc.output().expect("cc; install the packages of `setup/install.sh test`");
            assert!(output.status.success(), "cc -m{bits}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Self(folder)
    }

    fn all(&self) -> [PathBuf; 2] {
        ["send64", "send32"].map(|name| self.0.path().join(name))
    }
}

/// Runs a sender; gives its pid and the kernel's answer.
fn send(program: &Path, privileged: bool, way: &str, text: &str) -> (u32, i32) {
    let mut command = Command::new(program);
    command.args([way, USER_LOGIN, text]);
    if !privileged {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn().expect("the sender runs");
    let ended = child.wait().expect("the sender ends");
    (child.id(), ended.code().unwrap_or_else(|| panic!("{way}: {ended}")))
}

/// Sends in all ways; what the kernel takes is in the table, field by field, and nothing else is. Gives the rows.
fn every_way(senders: &Senders) -> Vec<Value> {
    let mark = Mark::new("states");
    let sensor = Sensor::start(&mark.audit_config(""));
    let mut sent = Vec::new();
    let mut forged = Vec::new();
    for program in senders.all() {
        for way in WAYS {
            let text = format!("op=login way={way} acct=\"{}\" addr=203.0.113.9 terminal=ssh res=success", mark.word());
            let (pid, answer) = send(&program, false, way, &text);
            assert_eq!(answer, EPERM, "{}, {way}, without rights", program.display());
            forged.push(pid);
            let (pid, answer) = send(&program, true, way, &text);
            assert_eq!(answer, 0, "{}, {way}", program.display());
            sent.push((pid, program.clone(), text));
        }
    }
    let alerts = sensor.until("an alert for each message", || {
        Some(sensor.alerts()).filter(|alerts| alerts.len() >= sent.len() + forged.len())
    });
    let of_policy = |policy: &str| -> Vec<Value> {
        let of_it = alerts.iter().filter(|alert| alert["strategy_name"] == policy);
        of_it.map(|alert| alert["process_info"]["pid"].clone()).collect()
    };
    assert_eq!(of_policy("Forged Message"), forged);
    assert_eq!(of_policy("Marked Message"), sent.iter().map(|(pid, ..)| json!(pid)).collect::<Vec<_>>());
    let rows = sensor.until("a row for each message", || {
        Some(sensor.rows("audit_user_msg")).filter(|rows| rows.len() >= sent.len())
    });
    assert_eq!(rows.len(), sent.len(), "{rows:#?}");
    for (row, (pid, program, text)) in rows.iter().zip(&sent) {
        assert_columns(
            row,
            [
                ("pid", json!(pid)),
                ("uid", json!(0)),
                ("type", json!(1112)),
                ("type_name", json!("USER_LOGIN")),
                ("message", json!(text)),
                ("acct", json!(mark.word())),
                ("address", json!("203.0.113.9")),
                ("terminal", json!("ssh")),
                ("result", json!("success")),
                ("path", json!(program)),
            ],
        );
    }
    assert_eq!(sensor.status()["losses"], json!([]));
    rows
}

#[test]
fn every_way_to_send_is_told_with_audit_off() {
    let _alone = alone();
    let state = AuditState::take();
    state.set(false);
    every_way(&Senders::compile());
}

#[test]
fn every_way_to_send_is_told_with_audit_on() {
    let _alone = alone();
    let state = AuditState::take();
    state.set(true);
    every_way(&Senders::compile());
}

#[test]
fn every_way_to_send_is_told_beside_auditd_and_as_its_log_has_it() {
    let _alone = alone();
    let _state = AuditState::take();
    let auditd = Auditd::start();
    let rows = every_way(&Senders::compile());
    let told: Vec<Line> = rows.iter().map(Line::of_row).collect();
    let of_senders = |lines: Vec<Line>| -> Vec<Line> {
        lines.into_iter().filter(|line| told.iter().any(|row| row.text == line.text)).collect()
    };
    let logged = until("auditd's log to have as many lines", || {
        Some(of_senders(auditd.lines())).filter(|lines| lines.len() >= told.len())
    });
    assert_eq!(told, logged);
}
