//! No secret of any output or sink is ever told: not by the log, the status, metrics, messages about the configuration,
//! what the sensor writes, nor in the bundle for support.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sensor_tests::{Home, Mark, Said, Sensor, until};

use super::collector::{Collector, Reply};
use super::{output, raise, sink, with_outputs, with_sinks};

/// Every secret begins with this.
const SECRET: &str = "hunter2-";

/// `user:hunter2-basic` as it is sent.
const BASIC: &str = "dXNlcjpodW50ZXIyLWJhc2lj";

/// A receiver that says again and again what it was told.
fn echo(words: &str) -> Collector {
    let collector = Collector::start();
    collector.script((0..1000).map(|_| Reply::Say(403, &[], format!("{{\"code\":4,\"text\":\"not {words}\"}}"))));
    collector
}

fn config(mark: &Mark, [hook, one, other, lake, pond, basic]: &[Collector; 6]) -> String {
    const QUICK: &str = "timeout: 2s, retry_min: 50ms, retry_max: 300ms";
    let keys = format!(
        "customer_id: 1a2345b6-78c9-012d-ef34-5a6b789c0de1\n\
         endpoint_telemetry_enabled: true\n\
         mcs: {{enabled: true, url: \"https://127.0.0.1:1\", token: \"SLS-{SECRET}mcs\", certs_dir: \"@HOME@\", \
         proxy: \"http://user:{SECRET}proxy@127.0.0.1:1\", tokne: \"{SECRET}typo\"}}\n\
         MCS_TOKEN: \"{SECRET}variable\"\n"
    );
    let outputs = format!(
        "    - {{type: webhook, url: \"{}/{SECRET}path-0123456789?key={SECRET}query\", {QUICK}, header: {{X: {SECRET}typo}}, \
         headers: {{Authorization: \"Bearer {SECRET}bearer\", X-Key: \"{SECRET}header\"}}}}\n    \
         - {{type: splunk_hec, name: one, url: \"{}\", token: \"{SECRET}token\", batch_delay: 10ms, {QUICK}}}\n    \
         - {{type: splunk_hec, name: other, url: \"{}\", token_file: \"@HOME@/splunk.token\", batch_delay: 10ms, {QUICK}}}\n    \
         - {{type: webhook, name: basic, url: \"{}\", {QUICK}}}\n    \
         - {{type: mcs}}",
        hook.url(),
        one.url(),
        other.url(),
        basic.url().replace("://", &format!("://user:{SECRET}basic@")),
    );
    let parquet = |name: &str, store: &Collector, secret: &str| {
        format!(
            "    - {{backend: parquet, name: \"@HOME@/{name}\", roll_interval: 100ms, bucket: rows, endpoint: \"{}\", \
             access_key_id: AKIAEXAMPLE, {secret}, {QUICK}}}\n",
            store.url()
        )
    };
    let sinks = parquet("lake", lake, &format!("secret_access_key: \"{SECRET}store\""))
        + &parquet("pond", pond, "secret_access_key_file: \"@HOME@/s3.secret\"")
        + "    - {backend: mcs}";
    with_sinks(&with_outputs(&mark.config_with(&keys), &outputs), &sinks)
}

fn words(said: Said) -> String {
    said.stdout + &said.stderr
}

fn metrics(sensor: &Sensor) -> String {
    let answer = sensor.page("/metrics");
    assert!(answer.contains("sophoslinuxsensor_delivery"), "{answer}");
    answer
}

fn bundle(sensor: &Sensor, name: &str) -> String {
    let file = sensor.file(name);
    let said = sensor.run(&["support-bundle", file.to_str().expect("a path")]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let unpack = Command::new("sh").args(["-c", "zstd -dc \"$1\" | tar -xO", "sh"]).arg(&file).output();
    let unpacked = unpack.expect("tar and zstd");
    assert!(unpacked.status.success(), "{unpacked:?}");
    let text = String::from_utf8_lossy(&unpacked.stdout).into_owned();
    assert!(text.contains("webhook") && text.contains("last_error"), "{text}");
    text
}

/// What every file below a folder holds, but for those that the test wrote.
fn files(folder: &Path, told: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let own = ["config.yaml", "splunk.token", "s3.secret"].iter().any(|name| path.ends_with(name));
        if path.is_dir() {
            files(&path, told);
        } else if path.is_file() && !own {
            let bytes = fs::read(&path).unwrap_or_default();
            told.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

#[test]
fn no_secret_of_any_kind_is_told_anywhere() {
    let mark = Mark::new("secrets");
    let receivers = [
        echo(&format!("{SECRET}bearer, {SECRET}header, {SECRET}path-0123456789, {SECRET}query")),
        echo(&format!("{SECRET}token")),
        echo(&format!("{SECRET}file")),
        echo(&format!("{SECRET}store")),
        echo(&format!("{SECRET}stored")),
        // In plain and as it was sent, and cut in the middle by who reads the beginning alone.
        echo(&format!("{SECRET}basic {BASIC} {}{SECRET}basic", " ".repeat(700))),
    ];
    let home = Arc::new(Home::new(&config(&mark, &receivers)));
    home.write("splunk.token", &format!("{SECRET}file\n"));
    home.write("s3.secret", &format!("{SECRET}stored\n"));
    let sensor = Sensor::start_in(&home);
    raise(&sensor, &mark);
    // Every one of them has failed, and says how.
    let failed = |status: serde_json::Value| status["last_error"].as_str().map(str::to_owned);
    for name in ["webhook", "one", "other", "basic", "mcs"] {
        until(&format!("an error of {name}"), || failed(output(&sensor, name)));
    }
    for name in ["mcs".to_owned(), home.file("lake").display().to_string(), home.file("pond").display().to_string()] {
        until(&format!("an error of {name}"), || failed(sink(&sensor, &name)));
    }
    assert!(failed(output(&sensor, "webhook")).expect("an error").contains("***"), "the receiver's words are told");
    // They were sent where they belong.
    let came: Vec<_> = receivers.iter().flat_map(Collector::came).collect();
    let sent = |name: &str, value: &str| came.iter().any(|came| came.header(name) == value);
    assert!(sent("authorization", &format!("Bearer {SECRET}bearer")) && sent("x-key", &format!("{SECRET}header")));
    assert!(sent("authorization", &format!("Splunk {SECRET}token")));
    assert!(sent("authorization", &format!("Splunk {SECRET}file")));
    assert!(sent("authorization", &format!("Basic {BASIC}")));

    let mut told: Vec<(String, String)> = Vec::new();
    let mut listen = |what: &str| {
        let mut tell = |who: &str, text: String| told.push((format!("{who}, {what}"), text));
        tell("status", words(sensor.ask(&["status"])));
        tell("status -json", words(sensor.ask(&["status", "-json"])));
        tell("-check", words(sensor.run(&["-check"])));
        tell("doctor", words(sensor.run(&["doctor"])));
        tell("-test-alert", words(sensor.run(&["-test-alert"])));
        tell("metrics", metrics(&sensor));
        tell("bundle", bundle(&sensor, &format!("{}.tar.zst", what.replace(' ', "-"))));
        let process = format!("/proc/{}", sensor.pid());
        tell("the command line", fs::read_to_string(process + "/cmdline").expect("it runs"));
    };
    listen("as it is");
    // Configurations that are refused name what is wrong with them.
    for (what, right, wrong) in [
        ("headers that are none", format!("Bearer {SECRET}bearer"), format!("Bearer {SECRET}bearer\\u0007")),
        ("a header twice", "X-Key:".to_owned(), format!("X-Key: {SECRET}twice, X-Key:")),
        ("a token that is a list", format!("token: \"{SECRET}token\""), format!("token: [\"{SECRET}token\"]")),
        ("a key that is a map", format!("\"{SECRET}store\""), format!("{{a: \"{SECRET}store\"}}")),
        ("a proxy that is none", "http://user".to_owned(), "gopher://user".to_owned()),
        ("a url with a password", "\"http://127".to_owned(), format!("\"http://user:{SECRET}url@127")),
        ("a url of another scheme", "\"http://127".to_owned(), "\"htps://127".to_owned()),
    ] {
        let text = config(&mark, &receivers).replace(&right, &wrong);
        assert_ne!(text, config(&mark, &receivers), "{what}");
        home.write_config(&text);
        told_of(&sensor, what, &mut told);
    }
    assert_eq!(sensor.stop(), Some(0));
    files(home.path(), &mut told);
    told.push(("the log".to_owned(), home.log()));
    told.push(("standard output".to_owned(), home.stdout()));
    for (who, text) in told {
        let leaks: Vec<&str> = text.lines().filter(|line| line.contains(SECRET) || line.contains(BASIC)).collect();
        assert!(leaks.is_empty(), "{who}:\n{}", leaks.join("\n"));
    }
}

/// What is said of a configuration, and of a reload that takes it or does not.
fn told_of(sensor: &Sensor, what: &str, told: &mut Vec<(String, String)>) {
    for (who, said) in [("reload", sensor.reload()), ("-check", sensor.run(&["-check"]))] {
        told.push((format!("{who}, {what}"), words(said)));
    }
}
