//! What policies do about what they find, on real processes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use sensor_tests::{Home, Mark, Sensor, programs, until};
use serde_json::Value;

const NOBODY: u32 = 65_534;
const POLICY: &str = "Respond";

/// Policies may act, and one does so about each program with the mark.
fn config(mark: &Mark, response: &str, policy: &str) -> String {
    format!(
        r#"
alert_output: {{outputs: [{{type: file, name: "@HOME@/alerts.jsonl"}}]}}
enabled_content_groups: []
{response}
{POLICY}:
  policy: program
  {policy}
  rules: ['match {}', default ignore]
"#,
        mark.rule()
    )
}

const ON: &str = "response: {enabled: true}";

/// `act`, where another user can run it.
fn act(folder: &tempfile::TempDir) -> PathBuf {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the folder's mode");
    programs::copy(&programs::act(), folder.path().join("act"))
}

/// A process of another user with the mark that waits until its input ends.
fn hold(folder: &tempfile::TempDir, mark: &Mark) -> Child {
    let mut command = Command::new(act(folder));
    command.args(["hold", mark.word()]).stdin(Stdio::piped()).uid(NOBODY).gid(NOBODY);
    command.spawn().expect("it starts")
}

/// What the first alert about a process says was done: the result, and the details.
fn response_of(sensor: &Sensor, pid: u32, action: &str) -> (String, String) {
    let alert = &sensor.alerts_about(pid, 1)[0];
    let told: Vec<&Value> = alert["notifications"].as_array().expect("notifications").iter().collect();
    let responses: Vec<&Value> = told.into_iter().filter(|one| one["name"] == "response").collect();
    let [response] = responses[..] else { panic!("one response: {alert:#}") };
    let fields = &response["message_fields"];
    assert_eq!(fields["action_type"], action, "{alert:#}");
    let text = |key: &str| fields[key].as_str().expect("a text").to_owned();
    assert_eq!(response["message"], format!("{action}: {}", text("action_result_details")));
    (text("action_result"), text("action_result_details"))
}

/// Waits for a process to be killed, which goes on waiting as long as it is not.
fn until_killed(mut child: Child) {
    let input = child.stdin.take();
    assert_eq!(child.wait().expect("its end").signal(), Some(Signal::SIGKILL as i32));
    drop(input);
}

/// Lets a process that waits end, which it does by itself.
fn let_go(mut child: Child) {
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

fn count_of(sensor: &Sensor, action: &str, outcome: &str) -> u64 {
    let status = sensor.status();
    let responses = status["responses"].as_array().expect("responses");
    let one = responses.iter().find(|one| one["action"] == action && one["outcome"] == outcome);
    one.map_or(0, |one| one["count"].as_u64().expect("a count"))
}

#[test]
fn a_program_of_another_user_is_killed_before_it_does_harm() {
    let (mark, folder) = (Mark::new("kill"), tempfile::tempdir().unwrap());
    let sensor = Sensor::start(&config(&mark, ON, "responseActions: [alert, kill]"));
    assert_eq!(sensor.status()["capabilities"].as_array().unwrap().last(), Some(&"CAP_KILL".into()));
    let child = hold(&folder, &mark);
    let pid = child.id();
    until_killed(child);
    let (result, details) = response_of(&sensor, pid, "kill");
    assert_eq!(result, "success", "{details}");
    assert!(details.starts_with(&format!("SIGKILL was sent to process {pid} (")), "{details}");
    assert_eq!(count_of(&sensor, "kill", "success"), 1);
    let metrics = sensor.page("/metrics");
    for line in [r#"{action="kill",outcome="success"} 1"#, r#"{action="stop",outcome="failed"} 0"#] {
        assert!(metrics.contains(&format!("sophoslinuxsensor_responses_total{line}")), "{metrics}");
    }
    assert!(sensor.ask(&["status"]).stdout.contains("what policies did: 1 kill success"));
}

#[test]
fn a_program_is_stopped_and_can_be_continued() {
    let (mark, folder) = (Mark::new("stop"), tempfile::tempdir().unwrap());
    let sensor = Sensor::start(&config(&mark, ON, "responseActions: stop"));
    let child = hold(&folder, &mark);
    assert_eq!(response_of(&sensor, child.id(), "stop").0, "success");
    until("it to be stopped", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it is there");
        stat.contains(") T ").then_some(())
    });
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGCONT).unwrap();
    let_go(child);
}

/// How many processes run `sleep` with this argument.
fn sleepers(seconds: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let runs = |entry: &fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == seconds.as_bytes()) && line.starts_with(b"sleep\0")
    };
    processes.filter(runs).count()
}

#[test]
fn a_tree_is_killed_with_orphans_and_with_those_that_are_forked_meanwhile() {
    let mark = Mark::new("tree");
    let sensor = Sensor::start(&config(&mark, ON, "responseActions: [kill-tree]"));
    // Not whole, so that nobody else's has it; they end by themselves, if the sensor does nothing.
    let seconds = format!("300.{}", std::process::id());
    // A child, one in a session of its own, one whose parent has ended, and one that goes on to fork; then what they all
    // descend from runs the program with the mark.
    let script = r#"
sleep $1 &
setsid sleep $1 &
sh -c 'sleep $0 & exit 0' $1
sh -c 'count=0; while [ $count -lt 500 ]; do sleep $0 & sleep 0.01; count=$((count + 1)); done' $1 &
read go
exec "$0" hold "$MARK""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(programs::act()).arg(&seconds).env("MARK", mark.word()).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("it starts");
    until("its descendants", || (sleepers(&seconds) >= 5).then_some(()));
    std::io::Write::write_all(shell.stdin.as_mut().unwrap(), b"go\n").unwrap();
    let pid = shell.id();
    until_killed(shell);
    let (result, details) = response_of(&sensor, pid, "kill-tree");
    assert_eq!(result, "success", "{details}");
    assert!(details.contains(" descendants"), "{details}");
    until("all of them to be gone", || (sleepers(&seconds) == 0).then_some(()));
}

#[test]
fn what_a_process_has_left_behind_is_killed_though_it_has_ended() {
    let mark = Mark::new("left");
    let sensor = Sensor::start(&config(&mark, ON, "responseActions: [kill, kill-tree]"));
    // The mark comes when all are there, and then the first action kills what they descend from before the second one.
    let seconds = format!("301.{}", std::process::id());
    let script = r#"sleep $1 & setsid sleep $1 & read go; exec "$0" hold "$MARK""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(programs::act()).arg(&seconds).env("MARK", mark.word()).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("it starts");
    until("its descendants", || (sleepers(&seconds) == 2).then_some(()));
    std::io::Write::write_all(shell.stdin.as_mut().unwrap(), b"go\n").unwrap();
    let pid = shell.id();
    until_killed(shell);
    let alert = &sensor.alerts_about(pid, 1)[0];
    let told: Vec<&str> = alert["notifications"].as_array().unwrap()[1..]
        .iter()
        .map(|one| one["message_fields"]["action_result"].as_str().expect("a result"))
        .collect();
    assert_eq!(told, ["success", "success"], "{alert:#}");
    until("all of them to be gone", || (sleepers(&seconds) == 0).then_some(()));
}

/// A container's control group, as far as the sensor knows one from others; gone when this is dropped.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Self {
        let root = PathBuf::from("/sys/fs/cgroup");
        // In the unified hierarchy if it is the host's one, else in that of a controller.
        let hierarchy = if root.join("cgroup.procs").exists() { root } else { root.join("pids") };
        let path = hierarchy.join(name);
        fs::create_dir_all(path.join("below")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        until("the group to be gone", || {
            let _ = fs::remove_dir(self.0.join("below"));
            fs::remove_dir(&self.0).ok()
        });
    }
}

#[test]
fn all_of_a_container_is_killed_and_nobody_beside_it() {
    let (mark, folder) = (Mark::new("in"), tempfile::tempdir().unwrap());
    let sensor = Sensor::start(&config(&mark, ON, "responseActions: kill-container"));
    let random = || fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().replace('-', "");
    let id = random() + &random();
    let group = Group::new(&format!("docker-{id}.scope"));
    let within = |group: PathBuf, word: &str| {
        let mut command = Command::new(programs::act());
        command.arg("cgroup").arg(group).arg(programs::act()).args(["hold", word]).stdin(Stdio::piped());
        command.spawn().expect("it starts")
    };
    // Neither has the mark: one is in the container, one in a group below.
    let others = [within(group.0.clone(), "other"), within(group.0.join("below"), "other")];
    until("both to be in it", || {
        let in_it = |path: PathBuf| !fs::read_to_string(path.join("cgroup.procs")).expect("its processes").is_empty();
        (in_it(group.0.clone()) && in_it(group.0.join("below"))).then_some(())
    });
    // One with the mark is in no container, and so in none that could be killed.
    let outside = hold(&folder, &mark);
    let (result, details) = response_of(&sensor, outside.id(), "kill-container");
    assert_eq!((result.as_str(), details.contains("it is in no container")), ("refused", true), "{details}");
    // `act` matches before it has gone into the group, and again once it is in it.
    let hit = within(group.0.clone(), mark.word());
    let pid = hit.id();
    until_killed(hit);
    let told = sensor.alerts_about(pid, 2).remove(1)["notifications"][1]["message"].as_str().unwrap().to_owned();
    assert!(told.contains(&format!("and the others of container {id}, 3 in all")), "{told}");
    others.into_iter().for_each(until_killed);
    let_go(outside);
}

#[test]
fn a_dry_run_says_what_would_be_done() {
    let (mark, folder) = (Mark::new("dry"), tempfile::tempdir().unwrap());
    for action in ["kill", "kill-tree"] {
        let sensor = Sensor::start(&config(&mark, ON, &format!("dryRun: true\n  responseActions: [{action}]")));
        let child = hold(&folder, &mark);
        let (result, details) = response_of(&sensor, child.id(), action);
        assert_eq!(result, "dry_run", "{details}");
        assert!(details.starts_with("dry run: SIGKILL would have been sent to process"), "{details}");
        let_go(child);
    }
}

#[test]
fn while_responses_are_off_nothing_is_done_and_the_check_says_so() {
    let (mark, folder) = (Mark::new("off"), tempfile::tempdir().unwrap());
    let off = config(&mark, "", "responseActions: [kill]");
    let said = Home::new(&off).run(&["-check"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("asks for `kill`, and responses are off: it will only alert"), "{}", said.stderr);
    let sensor = Sensor::start(&off);
    assert!(!sensor.status()["capabilities"].as_array().unwrap().contains(&"CAP_KILL".into()));
    let told = |child: &Child| sensor.alerts_about(child.id(), 1).remove(0)["notifications"].as_array().unwrap().len();
    let child = hold(&folder, &mark);
    assert_eq!(told(&child), 1);
    let_go(child);
    // The right to act is gone: only a restart brings it back, and both the reload and the alerts say so.
    sensor.write_config(&config(&mark, ON, "responseActions: [kill]"));
    let said = sensor.reload();
    assert!(said.stdout.contains("Restart it: systemctl restart sophoslinuxsensor"), "{said:?}");
    let child = hold(&folder, &mark);
    let (result, details) = response_of(&sensor, child.id(), "kill");
    assert_eq!(result, "refused");
    assert!(details.contains("without `response.enabled`"), "{details}");
    let_go(child);
}

#[test]
fn what_the_sensor_hangs_from_and_what_is_protected_is_spared() {
    let (mark, folder) = (Mark::new("spared"), tempfile::tempdir().unwrap());
    let response = format!("response: {{enabled: true, protected: [\"{}/*\"]}}", folder.path().display());
    let more = format!(
        "{}\nOf Files: {{policy: fileMonitor, responseActions: [kill, kill-tree], rules: ['match filePath == \"*/{}*\"', \
         default ignore]}}\n",
        config(&mark, &response, "responseActions: [kill-tree]"),
        mark.word()
    );
    let sensor = Sensor::start(&more);
    let child = hold(&folder, &mark);
    let (result, details) = response_of(&sensor, child.id(), "kill-tree");
    assert_eq!(
        (result.as_str(), details.contains("`response.protected` names its program")),
        ("refused", true),
        "{details}"
    );
    let_go(child);
    // This test is the sensor's parent, and would not get any further.
    let alert = sensor.until("the alert on this test", || {
        fs::write(folder.path().join(mark.word()), "").unwrap();
        sensor.alerts().into_iter().find(|alert| alert["strategy_name"] == "Of Files")
    });
    assert_eq!(alert["process_info"]["pid"], std::process::id());
    for response in &alert["notifications"].as_array().unwrap()[1..] {
        assert_eq!(response["message_fields"]["action_result"], "refused", "{alert:#}");
        assert!(response["message"].as_str().unwrap().contains("the sensor is a descendant of it"), "{alert:#}");
    }
}

#[test]
fn a_policy_acts_no_more_often_than_it_may() {
    let (mark, folder) = (Mark::new("rate"), tempfile::tempdir().unwrap());
    let response = "response: {enabled: true, actions_per_minute: 1}";
    let sensor = Sensor::start(&config(&mark, response, "responseActions: [kill]"));
    until_killed(hold(&folder, &mark));
    let second = hold(&folder, &mark);
    let (result, details) = response_of(&sensor, second.id(), "kill");
    assert_eq!((result.as_str(), details.contains("response.actions_per_minute")), ("refused", true), "{details}");
    let_go(second);
}

#[test]
fn what_a_throttle_holds_back_is_acted_upon_all_the_same() {
    let (mark, folder) = (Mark::new("throttle"), tempfile::tempdir().unwrap());
    let policy = "throttle: {count: 1, per: 1h}\n  responseActions: [kill]";
    let sensor = Sensor::start(&config(&mark, ON, policy));
    for _ in 0..3 {
        until_killed(hold(&folder, &mark));
    }
    sensor.until("the counts", || (count_of(&sensor, "kill", "success") == 3).then_some(()));
    assert_eq!((sensor.alerts().len(), &sensor.status()["held_back"]), (1, &2.into()));
}

#[test]
fn a_policy_on_messages_cannot_act_on_the_messenger() {
    let config = "enabled_content_groups: []\nresponse: {enabled: true}\nLogins: {policy: auditUserMessage, responseActions: \
                  [kill], rules: [default match]}\n";
    let said = Home::new(config).run(&["-check"]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("`kill` would be done to the program that sent them"), "{}", said.stderr);
}
