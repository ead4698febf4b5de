//! The demonstrations, as `make run` and `make demo` run them: that they show alerts, and that no way out of them leaves a
//! process or a file.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use sensor_tests::{Said, delivery, parse_lines, programs, until};

/// The targets of the Makefile and their scripts.
const DEMOS: [(&str, &str); 2] = [("run", "setup/demo.sh"), ("demo", "setup/demo-central.sh")];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A command with the programs under test, of the content what the self check and the demonstration need, and a folder for temporary files of its own.
fn with_demo(folder: &Path, program: &str) -> Command {
    let content = folder.join("content.yaml");
    let list = "lists: {Package_Managers: {type: paths, values: [/usr/bin/apt]}}";
    fs::write(&content, format!("{}\n{list}\n", delivery::alert_tester())).unwrap();
    let temporary = folder.join("tmp");
    fs::create_dir(&temporary).unwrap();
    // A shell cannot trap what was ignored when it started, as some signals are in the background of another.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP,INT,QUIT,TERM,PIPE", program]).current_dir(ROOT);
    command.env("BIN_DIR", programs::central().parent().unwrap()).env("CONTENT", content);
    command.env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

/// One that runs and has checked itself.
struct Running {
    child: Child,
    folder: tempfile::TempDir,
    stdout: Option<ChildStdout>,
    _stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = with_demo(folder.path(), program);
        command.args(arguments).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C ends.") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended early: {said}");
        }
        Self { child, folder, stdout, _stderr: stderr }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Whether nothing runs that has this demonstration's folder on its command line, and no file is left there.
    fn is_gone(&self) -> bool {
        let temporary = self.folder.path().join("tmp");
        let runs = |pid: &str| {
            let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command_line).contains(temporary.to_str().unwrap())
        };
        let mut pids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
        fs::read_dir(&temporary).unwrap().next().is_none() && !pids.any(|pid| runs(&pid.to_string_lossy()))
    }

    /// Waits until it has ended and nothing of it is left; returns its exit code.
    fn until_gone(mut self, way: &str) -> Option<i32> {
        until(&format!("{way}: nothing to be left"), || self.is_gone().then_some(()));
        until(&format!("{way}: the end"), || self.child.try_wait().unwrap()).code()
    }
}

#[test]
fn an_alert_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let said = Said::of(with_demo(folder.path(), "setup/demo-central.sh").arg("--once"));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let (_, alerts) = said.stdout.split_once("Alerts at Central:\n").expect("the list of alerts");
    let (alerts, lines) = alerts.split_once("Lines in the file of sensor-siem:\n").expect("those of the file");
    assert!(alerts.lines().any(|line| line.contains("Alert Tester")), "{alerts}");
    let items = parse_lines(lines.as_bytes());
    assert!(items.iter().any(|item| item["data"]["policy"] == "Alert Tester"), "{lines}");
    assert!(said.stderr.contains("output mcs"), "{}", said.stderr);
}

#[test]
fn later_ones_are_shown_too() {
    let mut running = Running::start("setup/demo-central.sh", &[]);
    let place = fs::read_dir(running.folder.path().join("tmp")).unwrap().next().expect("its folder").unwrap().path();
    let mut raise = Command::new(programs::sensor());
    let said = Said::of(raise.args(["-test-alert", "-run-dir"]).arg(place.join("run")));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let (_, id) = said.stderr.split_once("raised alert ").expect("its id");
    let id = id.lines().next().expect("a line");
    // In the list of Central, and in a line of the file.
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map(Result::unwrap);
    let found = lines.by_ref().filter(|line| line.contains(id)).take(2).collect::<Vec<_>>();
    let is_item = |line: &String| line.starts_with('{');
    assert!(found.iter().any(|line| line.ends_with(id)) && found.iter().any(is_item), "{found:?}");
    killpg(running.pid(), Signal::SIGINT).unwrap();
    assert_eq!(running.until_gone("the end"), Some(0));
}

#[test]
fn signals_of_the_terminal_end_all_of_it() {
    for (_, script) in DEMOS {
        for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP] {
            let running = Running::start(script, &[]);
            killpg(running.pid(), signal).unwrap();
            assert_eq!(running.until_gone(&format!("{script}, {signal}")), Some(0));
        }
    }
}

#[test]
fn signals_to_the_script_alone_end_all_of_it() {
    for (_, script) in DEMOS {
        for (signal, code) in [(Signal::SIGHUP, Some(0)), (Signal::SIGKILL, None)] {
            let running = Running::start(script, &[]);
            kill(running.pid(), signal).unwrap();
            assert_eq!(running.until_gone(&format!("{script}, {signal} to it alone")), code);
        }
    }
}

#[test]
fn it_ends_when_nobody_reads_it() {
    for (_, script) in DEMOS {
        let mut running = Running::start(script, &[]);
        drop(running.stdout.take());
        assert_eq!(running.until_gone(&format!("{script} | head")), Some(0));
    }
}

#[test]
fn it_ends_with_make() {
    for (target, script) in DEMOS {
        for signal in [Signal::SIGKILL, Signal::SIGTERM] {
            // Nothing is built: the programs are those under test.
            let running = Running::start("make", &["--silent", "--old-file=build", "CARGO=true", target]);
            kill(running.pid(), signal).unwrap();
            running.until_gone(&format!("make {target}, {signal}; {script}"));
        }
    }
}
