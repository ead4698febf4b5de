//! Parquet files in a folder and in a store, as DuckDB and pyarrow read them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sensor_tests::{Central, Siem, free_port};
use serde_json::Value;

use super::fill::{fill, ids};
use super::fine;
use super::python::python;
use super::receiver::Receiver;

const CONFIG: [&str; 2] = ["-c", "config.yaml"];
const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "hunter2/with+odd=characters";

/// What DuckDB and what pyarrow finds.
fn read(arguments: &[&str]) -> (Vec<Value>, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/siem_receivers/parquet.py");
    let said = Command::new(python()).arg(script).args(arguments).output().expect("Python runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).expect("text");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let rows = lines.next().expect("what DuckDB found");
    (rows.as_array().expect("rows").clone(), lines.next().expect("what pyarrow found"))
}

fn hold(rows: &[Value], expected: &[String]) {
    let found: Vec<&str> = rows.iter().map(|row| row["id"].as_str().expect("an id")).collect();
    assert_eq!(found, expected, "each once");
    for row in rows {
        let item: Value = serde_json::from_str(row["item"].as_str().expect("an item")).expect("JSON");
        assert_eq!(row["stream"], "alert");
        for name in ["id", "type", "severity", "location", "description"] {
            assert_eq!(row[name], item[name], "{name}: {row}");
        }
        assert!(row["created_at_us"].is_i64() && row["created_at_us"] == row["item_us"], "{row}");
        assert_eq!(row["created_at_type"], "TIMESTAMP WITH TIME ZONE");
    }
}

#[test]
fn each_item_is_a_row_in_a_folder() {
    let central = Central::start();
    fill(&central, 0, 1500);
    let siem = Siem::with_outputs(&central, "  - {type: parquet, path: \"@HOME@/lake\"}\n");
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    fine(&checked);
    assert!(!siem.file("lake").exists(), "a check moves nothing");
    fine(&siem.run(&CONFIG));
    let lake = siem.file("lake").display().to_string();
    let (rows, arrow) = read(&["folder", &lake]);
    hold(&rows, &ids(0, 1500));
    assert_eq!(rows[0]["tenant"], central.tenant());
    assert_eq!(arrow["rows"], 1500);
    assert_eq!(arrow["schema"]["created_at"], "timestamp[us, tz=UTC]");

    // Nothing new, no file; what is new later is a file of its own.
    let files = || {
        fs::read_dir(siem.file("lake/alerts"))
            .expect("days")
            .flatten()
            .map(|day| fs::read_dir(day.path()).expect("files").count())
            .sum::<usize>()
    };
    let before = files();
    fine(&siem.run(&CONFIG));
    assert_eq!(files(), before);
    fill(&central, 1500, 1502);
    // A folder that cannot be written: the position stays.
    let other = siem.file("elsewhere");
    fs::rename(siem.file("lake"), &other).expect("it can be moved");
    fs::write(siem.file("lake"), "in the way").expect("a file");
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("cannot write to") && said.stderr.contains("nothing is lost"), "{}", said.stderr);
    fs::remove_file(siem.file("lake")).expect("the file");
    fs::rename(&other, siem.file("lake")).expect("it can be moved");
    fine(&siem.run(&CONFIG));
    hold(&read(&["folder", &lake]).0, &ids(0, 1502));
}

#[test]
fn each_item_is_a_row_in_a_store_that_takes_the_key() {
    let central = Central::start();
    fill(&central, 0, 1200);
    let port = free_port();
    let output = |name: &str, secret: &str| {
        format!(
            "  - {{type: parquet, name: {name}, bucket: rows, prefix: a/{name}, endpoint: \"http://127.0.0.1:{port}\", \
             access_key_id: {KEY}, secret_access_key: \"{secret}\", timeout: 20s}}\n"
        )
    };
    let siem = Siem::with_outputs(&central, &(output("right", SECRET) + &output("wrong", "other")));
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    assert_eq!(checked.code, Some(1), "nobody is there yet");
    assert!(checked.stdout.contains("cannot be reached"), "{}", checked.stdout);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/s3.py");
    let mut serve = Command::new(python());
    let _store =
        Receiver::start(serve.arg(script).args(["serve", &port.to_string(), KEY, SECRET]).stdin(Stdio::piped()));
    fine(&siem.run(&["-c", "config.yaml", "check"]));

    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("SignatureDoesNotMatch"), "{}", said.stderr);
    let (rows, arrow) = read(&["store", &port.to_string(), KEY, SECRET, "a/right"]);
    hold(&rows, &ids(0, 1200));
    assert_eq!(arrow["rows"], 1200);
}
