//! What a container's runtime says of it, in rules and alerts. The runtimes are of the tests' own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sensor_tests::{Home, Mark, Sensor, programs};
use serde_json::{Value, json};

use super::{Group, container_id};

/// A runtime with Docker's API that says this of each container, and takes some time for it; with none it never answers.
fn runtime(socket: &Path, container: Value, takes: Option<Duration>) {
    let listener = UnixListener::bind(socket).expect("a socket");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let container = container.clone();
            std::thread::spawn(move || answer(connection, container, takes));
        }
    });
}

fn answer(mut connection: UnixStream, mut container: Value, takes: Option<Duration>) {
    let mut line = String::new();
    let _ = BufReader::new(connection.try_clone().expect("a second one")).read_line(&mut line);
    let Some(takes) = takes else {
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
        return;
    };
    let path = line.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path.strip_prefix("/containers/").and_then(|path| path.strip_suffix("/json")) {
        _ if path == "/_ping" => ("200 OK", json!("OK")),
        Some(id) => {
            container["Id"] = id.into();
            ("200 OK", container)
        }
        None => ("404 Not Found", json!({})),
    };
    std::thread::sleep(takes);
    let body = body.to_string();
    let _ = write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

fn policies(mark: &Mark) -> String {
    let marked = mark.rule();
    format!(
        r#"
crisensor: {{enabled: true, addr: "unix://@HOME@/engine.sock"}}
Named:
  policy: program
  rules:
    - 'match {marked} and containerName == "web" and containerLabels == "app=web" and imageName == "registry.example.test/web" and imageTag == "1.2" and isPrivileged == true and kubernetesNamespace == "shop"'
    - default ignore
Nameless:
  policy: program
  rules:
    - 'match {marked} and isContainer == true and not containerName exists'
    - default ignore
"#
    )
}

/// Runs a marked program as the first one of a new container; the alert of one of these policies on it, and the container.
fn first_program(sensor: &Sensor, mark: &Mark, policies: &[&str]) -> (Value, String) {
    let id = container_id();
    let group = Group::new(&format!("docker-{id}.scope"));
    let mut command = Command::new(programs::act());
    let pid = sensor.finish(command.arg("cgroup").arg(&group.0).arg(programs::tiny()).arg(mark.word()));
    let alert = sensor.until("the alert", || {
        sensor.alerts().into_iter().find(|alert| {
            let is_one = policies.iter().any(|policy| alert["strategy_name"] == *policy);
            is_one && alert["process_info"]["pid"] == pid && alert["location"]["container_id"] == id.as_str()
        })
    });
    (alert, id)
}

#[test]
fn the_first_program_of_a_container_has_its_names() {
    let mark = Mark::new("named");
    let home = Arc::new(Home::new(&mark.config_with(&policies(&mark))));
    let image = format!("sha256:{}", container_id());
    let container = json!({
        "Name": "/web", "Image": image,
        "Config": {
            "Image": "registry.example.test/web:1.2",
            "Labels": {
                "app": "web", "hostile": "\u{1b}[2J\n\u{202e}",
                "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop",
            },
        },
        "HostConfig": {"Privileged": true},
    });
    runtime(&home.file("engine.sock"), container, Some(Duration::from_millis(20)));
    let sensor = Sensor::start_in(&home);
    // A machine that has a lot else to do may be too late for one of them.
    let (alert, id) = sensor.until("a container whose names were there in time", || {
        Some(first_program(&sensor, &mark, &["Named", "Nameless"]))
            .filter(|(alert, _)| alert["strategy_name"] == "Named")
    });
    let location = &alert["location"];
    for (key, value) in [
        ("container_id", json!(id)),
        ("container_runtime", json!("docker")),
        ("container_name", json!("web")),
        ("is_privileged", json!(true)),
        ("image_id", json!(image)),
        ("image_name", json!("registry.example.test/web")),
        ("image_tag", json!("1.2")),
        ("kubernetes_pod", json!("web-0")),
        ("kubernetes_namespace", json!("shop")),
    ] {
        assert_eq!(location[key], value, "{key}");
    }
    assert_eq!(location["container_labels"]["hostile"], "\u{1b}[2J\n\u{202e}");
    let raw = std::fs::read_to_string(sensor.file("alerts.jsonl")).expect("alerts");
    assert!(!raw.contains('\u{1b}'), "control characters are escaped");
    let status = sensor.status();
    let runtime = &status["containers"]["runtimes"][0];
    assert_eq!((&runtime["name"], &runtime["answers"]), (&json!("docker"), &json!(true)), "{status}");
    assert!(sensor.page("/metrics").contains("sophoslinuxsensor_container_questions_total{runtime=\"docker\""));
    let row = sensor
        .until("its row", || sensor.rows("process_events").into_iter().find(|row| row["container_name"] == "web"));
    assert_eq!(row["image_name"], "registry.example.test/web");
}

#[test]
fn an_alert_has_the_names_whether_or_not_its_policy_asks_for_them() {
    let mark = Mark::new("told");
    let home =
        Arc::new(Home::new(&mark.config_with(r#"crisensor: {enabled: true, addr: "unix://@HOME@/engine.sock"}"#)));
    runtime(&home.file("engine.sock"), json!({"Name": "/web"}), Some(Duration::from_millis(50)));
    let sensor = Sensor::start_in(&home);
    sensor.until("an alert that has waited for the names", || {
        let (alert, _) = first_program(&sensor, &mark, &["Marked Program"]);
        (alert["location"]["container_name"] == "web").then_some(())
    });
}

#[test]
fn without_an_answer_rules_run_all_the_same_and_the_alert_says_so() {
    let mark = Mark::new("nameless");
    let home = Arc::new(Home::new(&mark.config_with(&policies(&mark))));
    runtime(&home.file("engine.sock"), Value::Null, None);
    let sensor = Sensor::start_in(&home);
    let (alert, id) = first_program(&sensor, &mark, &["Named", "Nameless"]);
    assert_eq!(alert["strategy_name"], "Nameless");
    let notifications = alert["notifications"].as_array().expect("notifications");
    assert!(notifications.iter().any(|one| one["name"] == "container"), "{alert}");
    // Who does not ask is not told that there is nothing.
    let other = sensor.until("the other alert", || {
        sensor.alerts().into_iter().find(|alert| {
            alert["strategy_name"] == "Marked Program" && alert["location"]["container_id"].as_str() == Some(&id)
        })
    });
    assert_eq!(other["notifications"].as_array().map(Vec::len), Some(1), "{other}");
    let failing = sensor.until("the runtime's state", || {
        let status = sensor.status();
        (status["containers"]["runtimes"][0]["answers"] == false).then_some(status)
    });
    assert!(failing["containers"]["runtimes"][0]["last_error"].as_str().is_some_and(|error| !error.is_empty()));
}
