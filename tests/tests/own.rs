//! What the sensor says of itself that nobody else can claim, and what it says when it has nothing to tell, or nobody.

use std::process::Command;

use sensor_tests::{Mark, Sensor, programs};

#[test]
fn an_argument_does_not_make_a_program_the_sensors_own() {
    let mark = Mark::new("own");
    let sensor = Sensor::start(&format!(
        r#"
alert_output: {{outputs: [{{type: file, name: "@HOME@/alerts.jsonl"}}]}}
enabled_content_groups: []
Own:
  policy: program
  rules: [match isOwn == true, default ignore]
Claimed:
  policy: program
  rules: ['match args == "-canary" and isOwn == false and {}', default ignore]
"#,
        mark.rule()
    ));
    let own = sensor.until("the canary", || {
        let mut alerts = sensor.alerts().into_iter();
        alerts.find(|alert| alert["strategy_name"] == "Own")
    });
    assert_eq!(own["process_info"]["args"][1], "-canary", "{own:#}");
    assert_eq!(own["process_info"]["ppid"], sensor.pid(), "{own:#}");
    // Its own program, with all arguments of a canary, run by somebody else.
    let path = programs::sensor();
    for program in [programs::tiny().as_path(), path.as_path()] {
        let pid = sensor.finish(Command::new(program).args(["-canary", mark.word()]));
        let alerts = sensor.alerts_about(pid, 1);
        assert_eq!(alerts[0]["strategy_name"], "Claimed", "{alerts:#?}");
    }
    assert!(
        sensor
            .alerts()
            .iter()
            .all(|alert| { alert["strategy_name"] != "Own" || alert["process_info"]["ppid"] == sensor.pid() })
    );
}

#[test]
fn a_sensor_without_policies_and_outputs_never_says_that_all_is_well() {
    let sensor = Sensor::start("enabled_content_groups: []\n").answering();
    let sentences = ["no policy is on: there will be no alerts", "no output is enabled: alerts go nowhere"];
    let status = sensor.ask(&["status"]).stdout;
    assert!(!status.contains("No problems."), "{status}");
    let health = sensor.until("its health", || {
        let page = sensor.page("/healthz");
        page.contains("200 OK").then_some(page)
    });
    for sentence in sentences {
        assert!(status.contains(sentence) && health.contains(sentence), "{sentence}: {status}{health}");
        sensor.until(sentence, || sensor.log().contains(sentence).then_some(()));
        let doctor = sensor.run(&["doctor"]).stdout;
        assert_eq!(doctor.matches(sentence).count(), 1, "{doctor}");
    }
}

#[test]
fn who_lacks_rights_is_told_so_before_anything_of_folders() {
    let home = sensor_tests::Home::new("enabled_content_groups: []\n");
    // Another user's folder, as of a sensor that root ran here.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--"]).arg(programs::sensor());
    for (flag, name) in [("-config", "config.yaml"), ("-content", "content.yaml"), ("-rules", "rules.yaml")] {
        command.arg(flag).arg(home.file(name));
    }
    // A file where the folders should be: neither can be made.
    home.write("file", "");
    command.arg("-run-dir").arg(home.file("file/run")).arg("-state-dir").arg(home.file("file/state"));
    let said = sensor_tests::Said::of(&mut command);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("CAP_BPF") && !said.stderr.contains("run directory"), "{}", said.stderr);
}
