//! `/metrics` of both programs, in both forms, as readers of metrics take them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sensor_tests::{Central, Mark, Sensor};

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// The metrics, asked for with this header `Accept`; and the type that they are said to be of.
fn ask(place: &[&str], accept: &str) -> (String, String) {
    let said = Command::new("curl")
        .args(["-sS", "--fail", "--max-time", "20", "-H", &format!("Accept: {accept}"), "-w", "\n%{content_type}"])
        .args(place)
        .output()
        .expect("curl runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).expect("text");
    let (metrics, kind) = text.rsplit_once('\n').expect("a type");
    (metrics.to_owned(), kind.to_owned())
}

fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(name)
}

/// What a program says that reads from its standard input, which must be content.
fn told(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs it"));
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let said = child.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && errors.is_empty(), "{command:?}: {errors}\n{input}");
    String::from_utf8(said.stdout).expect("text")
}

fn read(form: &str, metrics: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics.py");
    told(Command::new(target("python/bin/python")).arg(script).arg(form), metrics)
}

/// Both forms are right by strict readers and tell the same counters; `promtool` has nothing to say against the names.
fn readers_are_content(place: &[&str]) {
    // A first time, so that Central has a request to count.
    ask(place, OPEN_METRICS);
    let (metrics, kind) = ask(place, OPEN_METRICS);
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let counters = read("openmetrics", &metrics);
    assert!(counters.lines().count() >= 3, "{metrics}");
    for accept in ["*/*", "text/plain"] {
        let (metrics, kind) = ask(place, accept);
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(read("text", &metrics), counters, "{metrics}");
        told(Command::new(target("promtool")).args(["check", "metrics"]), &metrics);
    }
}

/// With a policy on audit messages, whose hook is a ladder: its rungs are programs of one name.
#[test]
fn those_of_the_sensor() {
    let mark = Mark::new("promtool");
    let sensor = Sensor::start(&mark.audit_config(""));
    let socket = sensor.metrics_socket().display().to_string();
    readers_are_content(&["--unix-socket", &socket, "http://sensor/metrics"]);
}

/// Each alerting rule fires on what it is for and on nothing else, and is about metrics that there are.
#[test]
fn alerting_rules_fire_on_what_there_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/prometheus");
    for arguments in [["check", "rules", "sophoslinuxsensor.rules.yaml"], ["test", "rules", "rules-test.yaml"]] {
        let said = Command::new(target("promtool")).args(arguments).current_dir(&folder).output();
        let said = said.unwrap_or_else(|error| panic!("promtool: {error}; `make setup` installs it"));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
    let mark = Mark::new("rules");
    let sensor = Sensor::start(&mark.config());
    let socket = sensor.metrics_socket().display().to_string();
    let (metrics, _) = ask(&["--unix-socket", &socket, "http://sensor/metrics"], "text/plain");
    let rules = fs::read_to_string(folder.join("sophoslinuxsensor.rules.yaml")).expect("the rules");
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("expr:")).flat_map(|expression| {
        expression.split(|char| !is_part(char)).filter(|word| word.starts_with("sophoslinuxsensor_"))
    });
    let mut count = 0;
    for name in named {
        assert!(
            metrics.lines().any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn those_of_central() {
    let central = Central::start();
    readers_are_content(&["--insecure", &format!("https://127.0.0.1:{}/metrics", central.port())]);
}
