//! Where a process is: dead ancestors, namespaces, roots, layers, depths.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::{Value, json};

/// Runs `act` with these words to its end; its pid and the words that it printed.
fn act(words: &[&str]) -> (u32, Vec<String>) {
    let child = Command::new(programs::act()).args(words).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "act {words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    (pid, text.split_whitespace().map(str::to_owned).collect())
}

fn pid(word: &str) -> u32 {
    word.parse().expect("a pid")
}

/// Stands where the beginning of a path that is too long is left out.
const CUT_PATH: &str = "…/";

#[test]
fn lineage_outlives_dead_parents() {
    let mark = Mark::new("orphan");
    let sensor = Sensor::start(&mark.config());
    let tiny = programs::tiny();
    let (first, words) = act(&["double-fork", tiny.to_str().unwrap(), mark.word()]);
    let (second, third) = (pid(&words[0]), pid(&words[1]));

    let rows = sensor.until_exit(third);
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["event_type"]).collect();
    assert_eq!(kinds, ["PROCESS_EVENT_TYPE_FORK", "PROCESS_EVENT_TYPE_EXEC", "PROCESS_EVENT_TYPE_EXIT"]);
    let exec = &rows[1];
    assert_eq!(exec["path"], json!(tiny));
    for row in &rows {
        assert_eq!(row["ppid"], second, "{row:#}");
        let parents = row["parents"].as_array().unwrap();
        assert_eq!(parents[..3], [json!(second), json!(first), json!(std::process::id())], "{row:#}");
        assert_eq!(parents.last(), Some(&json!(1)));
    }
    // The parents had ended before.
    for dead in [first, second] {
        let exit = &of_kind(&sensor.until_exit(dead), "_EXIT")[0];
        assert!(exit["unix_nano_timestamp"].as_u64() < exec["unix_nano_timestamp"].as_u64());
    }
    let lineage = sensor.alerts_about(third, 1)[0]["lineage"].clone();
    let act = json!(programs::act().canonicalize().unwrap());
    for (ancestor, pid) in [(0, second), (1, first)] {
        assert_eq!((&lineage[ancestor]["pid"], &lineage[ancestor]["name"]), (&json!(pid), &act));
        assert_eq!(lineage[ancestor]["args"][1], "double-fork");
    }
}

#[test]
fn a_pid_namespace_has_pids_of_its_own() {
    let mark = Mark::new("pidns");
    let first = format!(
        "First In Namespace:\n  policy: program\n  rules: ['match {} and namespacePid == 1', default ignore]",
        mark.rule()
    );
    let sensor = Sensor::start(&mark.config_with(&first));
    let (parent, words) = act(&["pid-namespace", programs::tiny().to_str().unwrap(), mark.word()]);
    let child = pid(&words[0]);
    let exec = sensor.exec_of(child);
    assert_eq!((&exec["pid"], &exec["ppid"]), (&json!(child), &json!(parent)));
    let alerts = sensor.alerts_about(child, 2);
    assert!(alerts.iter().any(|alert| alert["strategy_name"] == "First In Namespace"));
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    let inside = home.alerts().iter().filter(|alert| alert["strategy_name"] == "First In Namespace").count();
    assert_eq!(inside, 1, "the parent is not in the namespace");
}

#[test]
fn the_path_within_a_chroot_is_the_hosts() {
    let mark = Mark::new("chroot");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    let program = programs::copy(&programs::tiny(), root.join("usr/bin/tiny"));
    let pid =
        sensor.finish(Command::new(programs::act()).arg("chroot").arg(&root).args(["/usr/bin/tiny", mark.word()]));
    let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
    assert_eq!(execs.len(), 2, "{execs:#?}");
    assert_eq!((&execs[1]["path"], &execs[1]["cwd"]), (&json!(program), &json!(root)));
    assert_eq!(execs[1]["args"], json!(["/usr/bin/tiny", mark.word()]));
}

#[test]
fn a_program_written_into_an_overlay_is_told_from_the_images_own() {
    let mark = Mark::new("overlay");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let (_, words) = act(&["overlay", folder.to_str().unwrap(), programs::tiny().to_str().unwrap(), mark.word()]);
    assert_eq!((words[0].as_str(), words[2].as_str()), ("low", "up"));
    for (layer, pid, upper) in [("low", pid(&words[1]), false), ("up", pid(&words[3]), true)] {
        let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
        let path = folder.join("merged").join(format!("{}-{layer}", mark.word()));
        assert_eq!((&execs[0]["path"], &execs[0]["is_upper_layer"]), (&json!(path), &json!(upper)), "{execs:#?}");
    }
}

#[test]
fn a_deep_folder_is_told_whole_or_marked_as_cut() {
    let mark = Mark::new("deep");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let name = "n".repeat(60);
    let place = |depth: usize, name: &str| {
        let kind = folder.join(format!("{depth}-{}", name.len()));
        fs::create_dir(&kind).unwrap();
        let tiny = programs::tiny();
        let words = ["deep-cwd", kind.to_str().unwrap(), &depth.to_string(), name, tiny.to_str().unwrap(), mark.word()];
        let (pid, _) = act(&words);
        let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
        let cwd = execs[1]["cwd"].as_str().unwrap().to_owned();
        (kind, cwd)
    };

    // Many folders, then many bytes.
    for (fitting, name) in [(70, "d"), (1500, "d"), (60, name.as_str())] {
        let (top, cwd) = place(fitting, name);
        let whole: PathBuf =
            std::iter::once(top.as_path()).chain(std::iter::repeat_n(Path::new(name), fitting)).collect();
        assert_eq!(Path::new(&cwd), whole);
    }

    // Too deep, then too long.
    for (depth, name) in [(100, name.as_str()), (30, &"l".repeat(250))] {
        let (top, cwd) = place(depth, name);
        let rest = cwd.strip_prefix(CUT_PATH).unwrap_or_else(|| panic!("{cwd} begins with the mark of a cut"));
        assert!(rest.split('/').count() > 10 && rest.split('/').all(|part| part == name), "{cwd}");
        assert!(cwd.len() < top.as_os_str().len() + depth * (name.len() + 1));
    }
}

#[test]
fn a_program_of_many_folders_is_where_it_is() {
    let mark = Mark::new("many");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    for depth in [50, 70, 200, 1000] {
        let deep: PathBuf = folder.join(["u/"].repeat(depth).concat());
        fs::create_dir_all(&deep).unwrap();
        let program = programs::copy(&programs::tiny(), deep.join(mark.word()));
        let pid = sensor.finish(&mut Command::new(&program));
        let exec = sensor.exec_of(pid);
        assert_eq!((&exec["path"], &exec["path_truncated"]), (&json!(program), &json!(false)));
    }
}

#[test]
fn a_program_too_deep_for_its_path_does_not_pass_for_another() {
    let mark = Mark::new("disguise");
    // Whatever is cut off: what is left may be what is looked for, and is nothing that is permitted.
    let rules = |name: &str, rules: &str| format!("{name}:\n  policy: program\n  rules: [{rules}, default ignore]\n");
    let own = mark.rule();
    let more = [
        rules(
            "Looked For",
            &format!("'match {own} and programName in (\"/tmp/*\", \"/dev/shm/*\") and pathTruncated == true'"),
        ),
        rules("Not That", &format!("'match {own} and programName == \"/usr/bin/env\"'")),
        rules("Permitted", &format!("'ignore programName == \"/*\"', 'match {own}'")),
    ];
    let sensor = Sensor::start(&mark.config_with(&more.concat()));
    let dir = tempfile::tempdir().unwrap();
    let name = "n".repeat(100);
    let (pid, _) = act(&[
        "deep-program",
        dir.path().to_str().unwrap(),
        "50",
        &name,
        programs::tiny().to_str().unwrap(),
        mark.word(),
    ]);
    let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
    let path = execs.last().unwrap()["path"].as_str().unwrap();
    assert!(path.starts_with(CUT_PATH) && path.ends_with(&format!("/{name}/{name}/{}", mark.word())), "{path}");
    assert_eq!(execs.last().unwrap()["name"], mark.word());
    let alerts = sensor.alerts_about(pid, 3);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert!(alerts.iter().any(|alert| alert["process_info"]["name_truncated"] == true), "{alerts:#?}");
    let mut names: Vec<_> = home
        .alerts()
        .iter()
        .filter(|alert| alert["process_info"]["args"].as_array().unwrap().len() == 1)
        .map(|alert| alert["strategy_name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["Looked For", "Marked Program", "Permitted"]);
}
