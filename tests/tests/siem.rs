//! Central's alerts in a SIEM's file: each once and in order, through restarts of Central and kills of the exporter.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use sensor_tests::delivery::{config, run_marked, until_arrived, until_written, uuids};
use sensor_tests::{Central, Ended, Mark, Said, Sensor, Siem, parse_lines, programs, until};

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
    let files = siem.files();
    let (mut killed, mut cut_off) = (0, 0);
    while siem.run_killed(&["-q"], killed + 1) {
        killed += 1;
        let said = siem.run(&[]);
        fine(&said);
        cut_off += usize::from(said.stderr.contains("of a page that was not confirmed"));
        assert_eq!(siem.alerts(), all(&central), "killed before its call {killed}");
        assert_eq!(siem.result()[..before.len()], before);
        siem.put_back(&files);
    }
    assert!(killed > 5 && cut_off > 0, "{killed} kills, {cut_off} of them within a page");
    assert_eq!(siem.alerts(), all(&central));
    assert!(siem.alerts().len() >= lines + 5);

    // Central is away when the pass begins.
    central.kill();
    let log = fs::File::create(siem.file("stderr")).expect("a file");
    let mut waiting = Ended(siem.command(&[]).stderr(log).spawn().expect("the exporter starts"));
    until("its first try to fail", || {
        let log = fs::read_to_string(siem.file("stderr")).expect("its log");
        log.contains("the next try is in").then_some(())
    });
    central.resume(&[]);
    assert_eq!(waiting.0.wait().expect("it ends").code(), Some(0));
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
    let state = fs::read_to_string(siem.file("state/siem_sophos.sensor-siem.jsonl")).expect("the state");
    let kept = parse_lines(state.as_bytes()).pop().expect("a line");
    assert_eq!(kept["moved"]["tenant"], central.tenant(), "{state}");
    assert!(kept["moved"]["cursor"].is_string(), "{state}");
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
    let state = fs::read_to_string(old.file("state/siem_sophos.sensor-siem.jsonl")).expect("the state");
    assert!(!state.contains(&basic) && !state.contains(&secret), "{state}");
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn a_service_serves_several_outputs_and_is_seen_from_outside() {
    let central = Central::start();
    let mark = Mark::new("siem-service");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 3);
    until_arrived(&central, &until_written(&sensor, 3));
    // What a config.ini says goes on as YAML.
    let siem = Siem::new(&central, "endpoint = all\n");
    fine(&siem.run(&[]));
    assert_eq!(siem.alerts(), all(&central));
    let (ini, yaml) = (siem.file("config.ini"), siem.file("config.yaml"));
    let paths = [ini.to_str().expect("UTF-8"), yaml.to_str().expect("UTF-8")];
    fine(&siem.run(&["migrate", paths[0], paths[1]]));
    let text = fs::read_to_string(&yaml).expect("the configuration");
    let socket = siem.file("metrics.sock");
    let write = |more: &str| {
        let service = format!("poll: 1s\nmetrics: {{listen: 'unix://{}'}}\n", socket.display());
        fs::write(&yaml, format!("{service}{text}{more}")).expect("the configuration");
    };
    write("");
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    fine(&checked);
    assert!(checked.stdout.contains(&format!("ok  Central: the tenant {}", central.tenant())), "{}", checked.stdout);
    let dry = siem.run(&["-c", "config.yaml", "--dry-run"]);
    fine(&dry);
    assert!(dry.stderr.contains("nothing was written; there is: 0 events and 0 alerts"), "{}", dry.stderr);

    let log = fs::File::create(siem.file("stderr")).expect("a file");
    let service = siem.command(&["-c", "config.yaml", "run"]).stderr(log).spawn().expect("the service starts");
    let mut service = Ended(service);
    let pid = Pid::from_raw(service.0.id().try_into().expect("a pid"));
    run_marked(&sensor, &mark, 2);
    until_arrived(&central, &until_written(&sensor, 5));
    until("the service to write them", || (siem.alerts() == all(&central)).then_some(()));
    let page = |path: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nconnection: close\r\n\r\n").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it replies");
        text
    };
    let pages = page("/");
    assert!(pages.contains("\n/metrics ") && pages.contains("\n/healthz "), "{pages}");
    let text_now = page("/metrics");
    let wanted = "sensor_siem_items_total{output=\"main\",stream=\"alert\",outcome=\"handed_over\"}";
    assert!(text_now.contains(wanted), "{text_now}");

    // Another output is added, and begins twelve hours ago.
    write(&format!("  - {{type: file, name: other, path: {}, format: keyvalue}}\n", siem.file("other.txt").display()));
    nix::sys::signal::kill(pid, Signal::SIGHUP).expect("it is there");
    let other = || fs::read_to_string(siem.file("other.txt")).unwrap_or_default();
    let count = |text: &str| text.lines().filter(|line| line.contains("datastream=\"alert\"")).count();
    until("the new output to have all", || (count(&other()) == all(&central).len()).then_some(()));
    // What is refused changes nothing.
    write("  - {type: nothing}\n");
    nix::sys::signal::kill(pid, Signal::SIGHUP).expect("it is there");
    until("it to be refused", || {
        let log = fs::read_to_string(siem.file("stderr")).expect("its log");
        log.contains("the one of before stays").then_some(())
    });
    run_marked(&sensor, &mark, 1);
    until_arrived(&central, &until_written(&sensor, 6));
    until("both to have it", || {
        (siem.alerts() == all(&central) && count(&other()) == all(&central).len()).then_some(())
    });
    write("");
    let status = siem.run(&["-c", "config.yaml", "status"]);
    fine(&status);
    assert!(status.stdout.contains(&format!("{} alerts: whole as of ", central.tenant())), "{}", status.stdout);
    let second = siem.run(&["-c", "config.yaml"]);
    assert_eq!(second.code, Some(1), "two with one state: {}", second.stderr);
    assert!(second.stderr.contains("another sensor-siem is running"), "{}", second.stderr);
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("it is there");
    assert_eq!(service.0.wait().expect("it ends").code(), Some(0));
    assert_eq!(sensor.stop(), Some(0));
}
