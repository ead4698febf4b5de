//! Real senders (sudo, su, useradd, passwd, auditctl, sshd) with the kernel's audit off, on, and on with auditd; what auditd's own log
//! shows is in the table, field by field, and nothing else.
//!
//! The accounts that are changed are in a copy of `/etc`, in a mount namespace of its own. The state of the kernel's audit
//! is put back.

mod daemon;
mod host;
mod ways;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use daemon::{Auditd, Line};
use host::{AuditState, alone, etc_copy};
use sensor_tests::{Mark, Sensor, assert_columns, of_kind, programs, until};
use serde_json::{Value, json};

/// Creates an account and a group, uses and deletes them. $1 is the account, $2 the copy of /etc.
const SENDERS: &str = r#"
set -eu
user=$1 etc=$2
mount --make-rprivate /
mount --bind "$etc" /etc
useradd -M -s /bin/sh "$user"
echo "$user:secret" | chpasswd
usermod -c 'A comment' "$user"
groupadd "${user}g"
groupdel "${user}g"
passwd -l "$user"
passwd -u "$user"
su "$user" -c true
sudo -u "$user" true 'a b'
su "$user" -c 'echo wrong | sudo -S -k true' || true
/usr/sbin/auditctl -m "a note about $user"
userdel "$user"
"#;

/// Records what descendants of a process with this argument do.
fn config(user: &str, more: &str) -> String {
    format!(
        r#"
alert_output:
  outputs: [{{type: file, name: "@HOME@/alerts.jsonl"}}]
investigations:
  reporting_interval: 200ms
  sinks: [{{backend: file, name: "@HOME@/rows.jsonl"}}]
  flight_recorder:
    enabled: true
    tables:
      - {{name: audit_user_msg, filter: ['match any lineage.args == "{user}"', default ignore]}}
      - {{name: process_events, filter: ['match any lineage.args == "{user}"', default ignore]}}
      - name: lost_records
{more}
"#
    )
}

/// The name of an account that is this test's alone.
fn account(topic: &str) -> String {
    format!("{topic}{}", std::process::id())
}

fn run_senders(user: &str) {
    let etc = etc_copy();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", SENDERS, "senders", user]).arg(etc.path()).current_dir("/");
    let output = command.stdin(Stdio::null()).output().expect("unshare runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the senders ({}): {said}; are the packages of `setup/install.sh test` there?",
        output.status
    );
}

/// The rows once the senders' last is there, and the pids of all that ran.
fn rows_of(sensor: &Sensor) -> (Vec<Value>, BTreeSet<u64>) {
    let rows = sensor.until("the rows of userdel", || {
        let rows = sensor.rows("audit_user_msg");
        let ended = of_kind(&sensor.rows("process_events"), "_EXIT");
        let last = rows.iter().find(|row| row["type_name"] == "DEL_USER")?;
        // What it sends after that comes before its end.
        ended.iter().any(|row| row["pid"] == last["pid"]).then_some(rows)
    });
    let pids = sensor.rows("process_events").iter().filter_map(|row| row["pid"].as_u64()).collect();
    (rows, pids)
}

/// What a message tells apart from pids, numbers of accounts and times.
fn gist(row: &Value, user: &str) -> Vec<String> {
    let message = row["message"].as_str().expect("a text").replace(user, "USER");
    let words: Vec<&str> =
        message.split(' ').filter(|word| !word.starts_with("id=") && !word.starts_with("cwd=")).collect();
    [words.join(" ").as_str(), row["type_name"].as_str().unwrap_or(""), row["path"].as_str().unwrap_or("")]
        .map(str::to_owned)
        .into()
}

#[test]
fn messages_are_the_same_whether_audit_is_off_or_on_or_auditd_runs() {
    let _alone = alone();
    let state = AuditState::take();
    let mut gists = Vec::new();
    for (on, with_auditd) in [(false, false), (true, false), (true, true)] {
        state.set(on);
        let auditd = with_auditd.then(Auditd::start);
        let user = account("plain");
        let sensor = Sensor::start(&config(&user, ""));
        run_senders(&user);
        let (rows, _) = rows_of(&sensor);
        assert_eq!(sensor.status()["losses"], json!([]));
        gists.push(rows.iter().map(|row| gist(row, &user)).collect::<Vec<_>>());
        drop(auditd);
    }
    let [off, on, beside_auditd] = &gists[..] else { unreachable!("three states") };
    assert_eq!(off, on);
    assert_eq!(off, beside_auditd);
    for (type_name, path) in [
        ("ADD_USER", "/usr/sbin/useradd"),
        ("USER_CHAUTHTOK", "/usr/sbin/chpasswd"),
        ("DEL_GROUP", "/usr/sbin/groupdel"),
        ("USER_START", "/usr/bin/su"),
        ("USER_CMD", "/usr/bin/sudo"),
        ("USER_AUTH", "/usr/bin/sudo"),
        ("USER", "/usr/sbin/auditctl"),
        ("DEL_USER", "/usr/sbin/userdel"),
    ] {
        assert!(off.iter().any(|gist| gist[1] == type_name && gist[2] == path), "{type_name} of {path}: {off:#?}");
    }
}

#[test]
fn every_message_in_auditds_log_is_a_row_and_nothing_else_is() {
    let _alone = alone();
    let _state = AuditState::take();
    let user = account("logged");
    let sensor = Sensor::start(&config(&user, ""));
    let auditd = Auditd::start();
    run_senders(&user);
    let (rows, pids) = rows_of(&sensor);
    tell_each_type(&user);
    let all = rows.len() + TYPES.iter().map(|&(_, count)| usize::from(count)).sum::<usize>();
    let rows = sensor.until("the messages of each type", || {
        let now = sensor.rows("audit_user_msg");
        (now.len() >= all).then_some(now)
    });
    let pids: BTreeSet<u64> = pids.into_iter().chain(rows.iter().filter_map(|row| row["pid"].as_u64())).collect();
    let of_senders = |lines: Vec<Line>| lines.into_iter().filter(|line| pids.contains(&line.pid)).collect::<Vec<_>>();
    let logged = until("auditd's log to have as many lines", || {
        let lines = of_senders(auditd.lines());
        (lines.len() >= rows.len()).then_some(lines)
    });
    let told: Vec<Line> = rows.iter().map(Line::of_row).collect();
    // Within a process in order; between processes the log may have another.
    let sorted = |mut lines: Vec<Line>| {
        lines.sort_by_key(|line| line.pid);
        lines
    };
    assert_eq!(sorted(told), sorted(logged));
    // A failed attempt to become root.
    let failed =
        rows.iter().find(|row| row["type_name"] == "USER_AUTH" && row["result"] == "failed").expect("a failure");
    assert_eq!(
        (&failed["acct"], &failed["path"], &failed["address"]),
        (&json!(user), &json!("/usr/bin/sudo"), &json!("?"))
    );
}

/// Types with a name, but for USER_TTY, whose text the log has in another form.
const TYPES: &[(u16, u16)] =
    &[(1005, 1), (1100, 24), (1125, 14), (2100, 22), (2200, 16), (2300, 14), (2400, 10), (2500, 8)];

fn tell_each_type(user: &str) {
    let tell = programs::tell_audit();
    let commands: String = TYPES
        .iter()
        .flat_map(|&(first, count)| first..first + count)
        .map(|number| format!("{} sendto {number} 'op=type acct=\"{user}\" res=success' >/dev/null\n", tell.display()))
        .collect();
    let ran = Command::new("sh").args(["-ec", &commands, "types", user]).status().expect("a shell");
    assert!(ran.success(), "the messages of each type: {ran}");
}

#[test]
fn a_login_over_ssh_is_known_in_all_that_it_runs() {
    let _alone = alone();
    let state = AuditState::take();
    state.set(false);
    let (user, mark) = (account("remote"), Mark::new("ssh"));
    let word = mark.word();
    let sensor = Sensor::start(&config(
        &user,
        &format!(
            r#"
Run Over Ssh:
  policy: program
  rules:
    - match loginAddress == "127.0.0.0/8" and loginAccount == "{user}" and loginProgram == "sshd" and args == "{word}"
    - default ignore
Login Over Ssh:
  policy: auditUserMessage
  rules:
    - match messageTypeName == "USER_START" and result == "success" and address == "127.0.0.1" and programName == "/usr/sbin/sshd"
    - default ignore
"#
        ),
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let etc = etc_copy();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let script = include_str!("ssh.sh");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "ssh", &user]).arg(etc.path()).arg(folder.path());
    command.args([&port.to_string(), word]).current_dir("/");
    let output = command.stdin(Stdio::null()).output().expect("unshare runs");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));

    let alert = |policy: &str| {
        sensor.until(&format!("the alert {policy}"), || {
            sensor.alerts().into_iter().find(|alert| alert["strategy_name"] == policy)
        })
    };
    alert("Login Over Ssh");
    let run = alert("Run Over Ssh");
    assert_eq!(run["process_info"]["name"], "/usr/bin/env", "{:#}", run["process_info"]);
    // The session that the login opened is the one of what ran in it.
    let started = sensor.until("the row of the session", || {
        let rows = sensor.rows("audit_user_msg");
        rows.into_iter().find(|row| row["type_name"] == "USER_START" && row["session_id"].is_u64())
    });
    let ran = sensor.until("the row of the program that ran over ssh", || {
        let is_it = |row: &Value| {
            row["args"].as_array().is_some_and(|args| args.contains(&json!(word))) && row["name"] == "env"
        };
        of_kind(&sensor.rows("process_events"), "_EXEC").into_iter().find(is_it)
    });
    assert_eq!((&ran["session_id"], &ran["loginuid"]), (&started["session_id"], &started["loginuid"]));
    assert_eq!((&started["acct"], &started["address"]), (&json!(user), &json!("127.0.0.1")));
}

#[test]
fn the_multicast_group_tells_what_the_kernel_logs_and_says_that_it_is_the_last_rung() {
    let _alone = alone();
    let state = AuditState::take();
    state.set(true);
    let mark = Mark::new("multicast");
    let sensor = Sensor::start(&mark.audit_config("audit: {hooks: \"off\", multicast_fallback: true}"));
    let status = sensor.status();
    let serving: Vec<&Value> = status["hooks"]
        .as_array()
        .expect("hooks")
        .iter()
        .filter(|hook| hook["name"] == "audit" && hook["attached"] == true)
        .collect();
    assert_eq!(serving.iter().map(|hook| hook["rung"].as_u64()).collect::<Vec<_>>(), [Some(3)], "{status:#}");
    assert!(status["warnings"].to_string().contains("multicast"), "{status:#}");

    let text = format!("op=login acct=\"{}\" addr=203.0.113.9 terminal=ssh res=success", mark.word());
    let tell = |words: &[&str]| {
        let output = Command::new(programs::tell_audit()).args(words).output().expect("the sender runs");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).split_whitespace().next().and_then(|pid| pid.parse::<u64>().ok())
    };
    tell(&["unprivileged", "sendto", "1112", &text]);
    let pid = tell(&["sendto", "1112", &text]).expect("a pid");
    let row = sensor.until("the row", || sensor.rows("audit_user_msg").into_iter().next());
    assert_columns(
        &row,
        [
            ("pid", json!(pid)),
            ("type_name", json!("USER_LOGIN")),
            ("message", json!(text)),
            ("address", json!("203.0.113.9")),
            ("path", json!(programs::tell_audit().canonicalize().expect("its path"))),
        ],
    );
    assert_eq!(sensor.rows("audit_user_msg").len(), 1);
}
