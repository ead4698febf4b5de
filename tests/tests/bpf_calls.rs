//! BPF programs that are attached, and who gets at those of the sensor, its maps and its attachments.

use std::fs;
use std::process::Command;

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const ATTACHED: &str = "BPF Program Attached";
const TOUCHED: &str = "Sensor Touched";

fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    Sensor::start(&mark.config_with(&[policy(ATTACHED, "bpfAttach"), policy(TOUCHED, "sensorTampering")].concat()))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.arg("bpf").args(words).arg(mark.word());
    command
}

/// What is told of it, one part of it after the other.
fn told<const N: usize>(
    sensor: &Sensor,
    mark: &Mark,
    policy: &str,
    words: &[&str],
    names: [&str; N],
) -> Vec<[Value; N]> {
    let pid = sensor.finish_saying(&mut acts(mark, words)).0;
    let told = sensor.until(policy, || Some(told_of(sensor, policy, pid)).filter(|told| !told.is_empty()));
    told.iter().map(|told| names.map(|name| told.get(name).cloned().unwrap_or(Value::Null))).collect()
}

#[test]
fn programs_that_are_attached_are_told_as_the_kernel_has_them() {
    let _alone = alone();
    let mark = Mark::new("attached");
    let sensor = sensor(&mark);
    let names = ["bpf_call", "bpf_program_name", "bpf_program_type", "bpf_function", "bpf_call_errno"];
    for (way, call, kind, function, errno) in [
        ("tracepoint", "raw_tracepoint_open", "raw_tracepoint", json!("oom_score_adj_update"), Value::Null),
        ("no-tracepoint", "raw_tracepoint_open", "raw_tracepoint", Value::Null, json!("2")),
        ("probe", "perf_event_set_bpf", "perf_event", Value::Null, Value::Null),
        ("nowhere", "prog_attach", "raw_tracepoint", Value::Null, json!("22")),
    ] {
        let told = told(&sensor, &mark, ATTACHED, &[way], names);
        assert_eq!(told, [[json!(call), json!("marked"), json!(kind), function, errno]], "{way}");
    }
    assert_accounted(&hook(&sensor, "bpf_call"));
}

/// The kernel's id of one of the sensor's objects, whose description has a line that begins so.
fn id_of(sensor: &Sensor, what: &str, line: &str) -> String {
    let folder = format!("/proc/{}/fdinfo", sensor.pid());
    let texts =
        fs::read_dir(folder).expect("descriptors").filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let is_it = |text: &String| text.lines().any(|one| one.starts_with(line));
    let text = texts.into_iter().find(is_it).unwrap_or_else(|| panic!("nothing of the sensor's has {line}"));
    let id = text.lines().find_map(|line| line.strip_prefix(what)).expect("an id");
    id.trim_start_matches(':').trim().to_owned()
}

#[test]
fn who_gets_at_what_is_the_sensors_is_told() {
    let _alone = alone();
    let mark = Mark::new("touched");
    let sensor = sensor(&mark);
    // The counters are an array for each processor, and closed to writers.
    let map = id_of(&sensor, "map_id", "frozen:\t1");
    let program = id_of(&sensor, "prog_id", "prog_type:\t26");
    let link = id_of(&sensor, "link_id", "link_type:");
    let names = ["bpf_call", "sensor_object", "sensor_object_id", "bpf_call_errno"];
    let by_id = |sort: &str, id: &str| [json!("get_fd_by_id"), json!(sort), json!(id), Value::Null];
    for (way, sort, id) in [("map", "map", &map), ("program", "program", &program), ("link", "link", &link)] {
        assert_eq!(told(&sensor, &mark, TOUCHED, &[way, id], names), [by_id(sort, id)], "{way}");
    }
    let refused = [json!("get_fd_by_id"), json!("map"), json!(map), json!("1")];
    assert_eq!(told(&sensor, &mark, TOUCHED, &["refused", &map], names), [refused]);
    for (way, sort, id, call, errno) in
        [("update", "map", &map, "map_update", "1"), ("detach", "link", &link, "link_detach", "95")]
    {
        let done = [json!(call), json!(sort), json!(id), json!(errno)];
        let told =
            sensor.until(way, || Some(told(&sensor, &mark, TOUCHED, &[way, id], names)).filter(|told| told.len() == 2));
        assert_eq!(told, [by_id(sort, id), done], "{way}");
    }

    // What is anybody else's is none: what comes after is told.
    let own = sensor.finish(&mut acts(&mark, &["own"]));
    assert_eq!(told(&sensor, &mark, TOUCHED, &["program", &program], names), [by_id("program", &program)]);
    assert_eq!(told_of(&sensor, TOUCHED, own), [Value::Null; 0]);
    assert_accounted(&hook(&sensor, "bpf_call"));
}

/// What it attaches itself at a reload is no event, and from then on told of like the rest.
#[test]
fn the_sensor_is_told_from_others() {
    let _alone = alone();
    let mark = Mark::new("itself");
    let sensor = sensor(&mark);
    let more = "Module:\n  policy: loadKernelModule\n  rules: [match programName exists, default ignore]\n\
                Itself:\n  policy: bpfAttach\n  rules: [match programName exists, default ignore]\n";
    sensor.write_config(&mark.config_with(
        &[more, "Touched:\n  policy: sensorTampering\n  rules: [match programName exists, default ignore]\n"].concat(),
    ));
    let said = sensor.reload();
    assert!(said.code == Some(0), "{said:?}");
    let before = hook(&sensor, "bpf_call")["filtered"].as_u64().expect("a count");
    assert!(before > 0, "nothing was attached");
    let is_sensors = |alert: &Value| alert["process_info"]["pid"] == sensor.pid();
    assert!(!sensor.alerts().iter().any(is_sensors), "{:#?}", sensor.alerts());
}

#[test]
fn nothing_is_attached_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["bpf_call"]);
}
