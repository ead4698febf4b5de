//! Central's alerts in a SIEM's file: each once and in order, through restarts of Central and kills of the exporter.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use sensor_tests::delivery::{config, run_marked, until_arrived, until_written, uuids};
use sensor_tests::{Central, Mark, Said, Sensor, parse_lines, programs, until};
use serde_json::Value;

/// An exporter's folder.
struct Siem {
    folder: tempfile::TempDir,
}

impl Siem {
    /// With a configuration of the script's form, and these lines in place of some of it.
    fn new(central: &Central, more: &str) -> Self {
        let (id, secret) = central.credentials();
        Self::with(central, &format!("client_id = {id}\nclient_secret = {secret}\n{more}"))
    }

    /// The same with other credentials, which the lines have.
    fn with(central: &Central, lines: &str) -> Self {
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

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::siem());
        command.args(arguments).env_clear().env("SOPHOS_SIEM_HOME", self.folder.path());
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&mut self.command(arguments))
    }

    fn result(&self) -> Vec<u8> {
        fs::read(self.file("log/result.txt")).unwrap_or_default()
    }

    /// The uuids that sensors gave, of the alerts in the file.
    fn alerts(&self) -> Vec<String> {
        let mut lines = parse_lines(&self.result());
        lines.retain(|line| line["datastream"] == "alert");
        lines.iter().map(|line| line["data"]["uuid"].as_str().expect("the sensor's uuid").to_owned()).collect()
    }

    /// Runs a pass that is killed once the disk has the page and the state does not say so yet.
    fn run_killed(&self) {
        let mut command = self.command(&["-q"]);
        // SAFETY: ptrace(2) is a system call and nothing else.
        unsafe {
            command.pre_exec(|| ptrace::traceme().map_err(Into::into));
        }
        let mut child = command.spawn().expect("the exporter starts");
        let pid = Pid::from_raw(child.id().try_into().expect("a pid"));
        // It stops at its exec, then at each call's begin and end.
        assert!(matches!(waitpid(pid, None), Ok(WaitStatus::Stopped(_, Signal::SIGTRAP))));
        ptrace::setoptions(pid, ptrace::Options::PTRACE_O_TRACESYSGOOD).expect("it is stopped");
        let mut deliver = None;
        let mut is_synced = false;
        loop {
            ptrace::syscall(pid, deliver.take()).expect("it goes on");
            match waitpid(pid, None).expect("it is a child") {
                WaitStatus::PtraceSyscall(_) => {
                    let call = ptrace::syscall_info(pid).expect("it is at a call");
                    if is_synced && call.op == libc::PTRACE_SYSCALL_INFO_EXIT {
                        break;
                    }
                    // SAFETY: this member is filled at the begin of a call.
                    is_synced = call.op == libc::PTRACE_SYSCALL_INFO_ENTRY
                        && unsafe { call.u.entry.nr } == u64::try_from(libc::SYS_fdatasync).expect("a number");
                }
                WaitStatus::Stopped(_, signal) => deliver = Some(signal),
                ended => panic!("it ended before it wrote: {ended:?}"),
            }
        }
        child.kill().expect("it is there");
        child.wait().expect("it ends");
    }
}

#[track_caller]
fn fine(said: &Said) {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

fn all(central: &Central) -> Vec<String> {
    uuids(&central.alerts())
}

#[test]
fn alerts_come_once_and_in_order_through_kills_and_restarts() {
    let mut central = Central::start();
    let mark = Mark::new("siem");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    let siem = Siem::new(&central, "endpoint = all\n");
    let more = |central: &Central, count, total| {
        run_marked(&sensor, &mark, count);
        until_arrived(central, &until_written(&sensor, total));
    };

    more(&central, 12, 12);
    fine(&siem.run(&[]));
    assert_eq!(siem.alerts(), all(&central));
    assert!(siem.alerts().len() >= 12);
    let (before, lines) = (siem.result(), siem.alerts().len());
    fine(&siem.run(&["-q"]));
    assert_eq!(siem.result(), before, "nothing is new");

    more(&central, 5, 17);
    siem.run_killed();
    assert_eq!(siem.alerts().len(), lines + 5, "what is ahead of the cursor");
    let said = siem.run(&[]);
    fine(&said);
    assert!(said.stderr.contains("of a page that was not confirmed"), "{}", said.stderr);
    assert_eq!(siem.alerts(), all(&central));
    assert_eq!(siem.result()[..before.len()], before);

    // Central is away when the pass begins.
    central.kill();
    let log = fs::File::create(siem.file("stderr")).expect("a file");
    let mut waiting = siem.command(&[]).stderr(log).spawn().expect("the exporter starts");
    until("its first try to fail", || {
        let log = fs::read_to_string(siem.file("stderr")).expect("its log");
        log.contains("the next try is in").then_some(())
    });
    central.resume(&[]);
    assert_eq!(waiting.wait().expect("it ends").code(), Some(0));
    more(&central, 3, 20);
    fine(&siem.run(&[]));
    assert_eq!(siem.alerts(), all(&central));

    // A fault of a page's end point in the middle.
    central.stop();
    central.resume(&[
        "--fault",
        "cut,endpoint=/siem/v1/alerts",
        "--fault",
        "status=429,retry-after=1,endpoint=/siem/v1/alerts",
    ]);
    more(&central, 2, 22);
    let said = siem.run(&[]);
    fine(&said);
    assert!(said.stderr.contains("broke off") && said.stderr.contains("replied 429"), "{}", said.stderr);
    assert_eq!(siem.alerts(), all(&central));
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn formats_flags_and_exit_codes() {
    let central = Central::start();
    let mark = Mark::new("siem-formats");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 3);
    until_arrived(&central, &until_written(&sensor, 3));
    let (_, secret) = central.credentials();

    let siem = Siem::new(&central, "endpoint = alert\nformat = cef\nfilename = stdout\n");
    let said = siem.run(&["-d"]);
    fine(&said);
    assert_eq!(said.stdout.lines().count(), all(&central).len());
    let head = "CEF:0|sophos|sophos central|1.0|Event::Endpoint::CoreDetection|";
    assert!(said.stdout.lines().all(|line| line.starts_with(head)), "{}", said.stdout);
    assert!(said.stderr.contains("DEBUG") && !said.stderr.contains(&secret), "{}", said.stderr);
    let state = fs::read_to_string(siem.file("state/siem_sophos.sensor-siem.json")).expect("the state");
    let kept: Value = serde_json::from_str(&state).expect("JSON");
    assert!(kept["streams"][central.tenant()]["alert"]["cursor"].is_string(), "{state}");
    assert!(!state.contains(&secret) && !state.contains("Bearer"), "{state}");

    // From the beginning once more, as people ask.
    let since = siem.run(&["-q", "-s", "1"]);
    fine(&since);
    assert_eq!((since.stdout, since.stderr.as_str()), (said.stdout, ""));
    assert_eq!(siem.run(&["-s", "99999999999"]).code, Some(2));
    assert_eq!(siem.run(&["--nothing"]).code, Some(2));
    assert_eq!(siem.run(&["-c", "nowhere.ini"]).code, Some(78));

    let wrong = Siem::new(&central, "client_secret = wrong\n");
    let said = wrong.run(&[]);
    assert_eq!(said.code, Some(78), "a key that stands twice: {}", said.stderr);
    assert!(!said.stderr.contains(&secret), "{}", said.stderr);
    let text = fs::read_to_string(siem.file("config.ini")).expect("the configuration");
    fs::write(siem.file("config.ini"), text.replace(&secret, "wrong0secret")).expect("another");
    let said = siem.run(&[]);
    assert_eq!(said.code, Some(77), "{}", said.stderr);
    assert!(said.stderr.contains("check `client_id` and `client_secret`"), "{}", said.stderr);
    assert!(!said.stderr.contains("wrong0secret"), "{}", said.stderr);
    assert_eq!(sensor.stop(), Some(0));
}

/// Runs a command of Central on its database.
fn administer(central: &Central, arguments: &[&str]) -> String {
    let said = Said::of(Command::new(programs::central()).args(arguments).arg("--data-dir").arg(central.path()));
    fine(&said);
    said.stdout
}

#[test]
fn partners_and_old_tokens_are_let_in_too() {
    let central = Central::start();
    let mark = Mark::new("siem-partner");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 2);
    until_arrived(&central, &until_written(&sensor, 2));

    let (partner, tenant) = ("22222222-2222-4333-8444-555555555555", central.tenant());
    administer(&central, &["set-tenant", "--tenant", &tenant, "--name", "Example", "--partner", partner]);
    // Another tenant of theirs, which has nothing.
    let other = "33333333-2222-4333-8444-555555555555";
    administer(&central, &["set-tenant", "--tenant", other, "--name", "Other", "--partner", partner]);
    let said = administer(&central, &["create-client", "--partner", partner, "--label", "export"]);
    let lines = said.replace(": ", " = ");
    let siem = Siem::with(&central, &format!("{lines}endpoint = all\n"));
    let said = siem.run(&[]);
    fine(&said);
    assert!(said.stderr.contains("of 2 tenants"), "{}", said.stderr);
    assert_eq!(siem.alerts(), all(&central));
    let one = Siem::with(&central, &format!("{lines}endpoint = all\ntenant_id = {other}\n"));
    fine(&one.run(&[]));
    assert_eq!(one.alerts(), Vec::<String>::new());

    let (id, secret) = central.credentials();
    let basic =
        Command::new("sh").args(["-c", "printf %s \"$0:$1\" | base64 -w0", &id, &secret]).output().expect("base64");
    let basic = String::from_utf8(basic.stdout).expect("text");
    let token = format!(
        "token_info = url: https://127.0.0.1:{}/gateway, x-api-key: {id}, Authorization: Basic {basic}\nendpoint = alert\n",
        central.port()
    );
    let old = Siem::with(&central, &token);
    fine(&old.run(&["-d"]));
    assert_eq!(old.alerts(), all(&central));
    let state = fs::read_to_string(old.file("state/siem_sophos.sensor-siem.json")).expect("the state");
    assert!(!state.contains(&basic) && !state.contains(&secret), "{state}");
    assert_eq!(sensor.stop(), Some(0));
}
