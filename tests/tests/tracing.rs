//! A process gets at another one, in every way that there is, and is told with the one that it got at.

use std::process::Command;

use sensor_tests::hooks::{
    alone, assert_accounted, assert_attached_while_asked_for, assert_flood_is_counted, hook, told_of,
};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const POLICY: &str = "Other Process";

/// A sensor that alerts on whatever the marked processes do to others.
fn sensor(mark: &Mark) -> Sensor {
    Sensor::start(&mark.config_with(&format!(
        "{POLICY}:\n  policy: ptrace\n  rules:\n    - 'match {}'\n    - default ignore\n",
        mark.rule()
    )))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.args(words).arg(mark.word());
    command
}

#[test]
fn every_way_is_told_with_the_process_that_it_is_done_to() {
    let _alone = alone();
    let mark = Mark::new("tracing");
    let sensor = sensor(&mark);
    let act = programs::act().to_string_lossy().into_owned();
    for (way, request, errno) in [
        ("attach", "attach", None),
        ("seize", "seize", None),
        ("compat-attach", "attach", None),
        ("process_vm_writev", "process_vm_writev", None),
        ("mem_write", "mem_write", None),
        ("thread-mem_write", "mem_write", None),
        ("pidfd_getfd", "pidfd_getfd", None),
        ("refused", "attach", Some("1")),
    ] {
        let (pid, said) = sensor.finish_saying(&mut acts(&mark, &["trace", way]));
        let traces = sensor.until(way, || Some(told_of(&sensor, POLICY, pid)).filter(|traces| !traces.is_empty()));
        let expected = json!({
            "trace_request": request, "trace_errno": errno, "target_pid": said.trim(), "target_program": act,
            "target_cmdline": format!("{act} hold {}", mark.word()), "target_uid": "0", "is_target_descendant": "true",
        });
        assert_eq!(traces.len(), 1, "{way}: {traces:#?}");
        for (part, value) in expected.as_object().expect("a map") {
            assert_eq!(traces[0].get(part).unwrap_or(&Value::Null), value, "{way}: {part} of {:#}", traces[0]);
        }
    }
    // By the id that the child has in the namespace; the target has its own of the host.
    let (inner, _) = sensor.finish_saying(&mut acts(&mark, &["pid-namespace", &act, "trace", "attach"]));
    let all = || sensor.alerts().into_iter().filter(|alert| alert["strategy_name"] == POLICY);
    let inside = sensor.until("the namespace", || {
        all().find(|alert| alert["lineage"].as_array().is_some_and(|line| line.iter().any(|of| of["pid"] == inner)))
    });
    let parts = &inside["notifications"][0]["message_fields"];
    assert_eq!(parts["target_cmdline"], format!("{act} hold {}", mark.word()), "{parts:#}");
    // To itself, to nobody, and by its parent: this program.
    let (pid, _) = sensor.finish_saying(&mut acts(&mark, &["trace", "own-mem_write"]));
    let own = sensor.until("itself", || told_of(&sensor, POLICY, pid).into_iter().next());
    assert_eq!(
        (&own["target_pid"], &own["is_target_descendant"]),
        (&pid.to_string().into(), &"false".into()),
        "{own:#}"
    );
    let (pid, _) = sensor.finish_saying(&mut acts(&mark, &["trace", "nobody"]));
    let nobody = sensor.until("nobody", || told_of(&sensor, POLICY, pid).into_iter().next());
    assert_eq!((&nobody["trace_errno"], nobody.get("target_pid")), (&"3".into(), None), "{nobody:#}");
    let (pid, _) = sensor.finish_saying(&mut acts(&mark, &["trace", "nothing"]));
    let last = sensor.finish(&mut acts(&mark, &["trace", "traceme"]));
    let traceme = sensor.until("traceme", || told_of(&sensor, POLICY, last).into_iter().next());
    let this = std::process::id().to_string();
    assert_eq!((&traceme["trace_request"], &traceme["target_pid"]), (&"traceme".into(), &this.into()), "{traceme:#}");
    assert_eq!(told_of(&sensor, POLICY, pid), [Value::Null; 0]);
    assert_accounted(&hook(&sensor, "trace"));
}

#[test]
fn nothing_is_attached_for_it_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["trace"]);
}

/// Beyond the budget it is counted as lost, and processes are told as if there were none.
#[test]
fn a_flood_of_it_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood");
    let rule = mark.rule();
    let sensor = Sensor::start(&mark.config_with(&format!(
        "{POLICY}:\n  policy: ptrace\n  rules:\n    - 'match traceRequest == \"seize\" and {rule}'\n    - default ignore\n"
    )));
    let (flooding, _) = sensor.finish_saying(&mut acts(&mark, &["trace", "flood", "30000"]));
    assert_flood_is_counted(&sensor, &mark, flooding, "tracing");
}
