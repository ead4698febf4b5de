//! `sensor-central user`, and where there are pages at all.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use crate::program::Central;

fn run(central: &Central, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sensor-central"));
    command.arg("user").args(words).arg("--data-dir").arg(central.dir.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses at once reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn users_are_made_listed_and_removed() {
    let central = Central::start();
    let add =
        ["add", "--tenant", &central.tenant, "--name", "Anna@Example.org", "--role", "reader", "--password-stdin"];
    let refused = |output: Output, why: &str| {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused(run(&central, &add, "too short\n"), "has 9 characters; it must have 15 at least");
    let password = " correct horse battery staple";
    let added = run(&central, &add, &format!("{password}\n"));
    assert!(added.status.success() && added.stdout.is_empty());
    refused(run(&central, &add, password), "there is a user anna@example.org already");
    refused(run(&central, &["remove", "--name", "berta"], ""), "there is no user berta");
    refused(run(&central, &["remove", "--name", "<b>"], ""), "1 to 64 letters");
    let mut browser = central.browser();
    browser.get("/login").await;
    assert_eq!(browser.log_in("ANNA@example.org", password).await.status, 303);
    let listed = central.run_command(&["user", "list"]);
    let names: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["NAME", "admin", "anna@example.org"], "{listed}");
    central.run_command(&["user", "remove", "--name", "anna@example.org"]);
    assert_eq!(central.run_command(&["user", "list"]).lines().count(), 2);
    let log = central.browse().await.get("/audit").await.text;
    for entry in ["user added", "user removed", "command line"] {
        assert!(log.contains(entry), "{entry}: {log}");
    }
}

#[tokio::test]
async fn pages_are_where_it_is_said_and_nowhere_else() {
    let dir = Central::start().kill();
    let central = Central::serve(std::sync::Arc::clone(&dir), "");
    assert_eq!(central.client.get(format!("{}/login", central.url)).send().await.unwrap().status(), 404);
    drop(central);
    let central = Central::serve(dir, "web: {listen: '127.0.0.1:0'}");
    let at = |url: &str, path: &str| central.client.get(format!("{url}{path}")).send();
    assert_eq!(at(&central.web_url, "/login").await.unwrap().status(), 200);
    assert_eq!(at(&central.url, "/login").await.unwrap().status(), 404);
    for path in ["/healthz", "/metrics", "/whoami/v1", "/sensor/v1/hello"] {
        assert_eq!(at(&central.web_url, path).await.unwrap().status(), 404, "{path}");
    }
}
