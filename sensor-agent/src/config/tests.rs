//! The configuration as a whole: files in, findings and values out.

mod mistakes;
mod outputs;
mod secrets;
mod trust;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use delivery::{receivers::syslog::SyslogAddress, receivers::webhook::WebhookMethod};
use diagnostic::{Report, Severity};
use secrecy::ExposeSecret;
use settings::{Environment, FromText, HostPort, Key, Section};

use crate::output::{Format, RowFormat};
use crate::policy::{Confidence, MessageType, Priority};

use super::*;

/// A folder with files of its own.
struct Files {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Environment::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only its owner can read.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn load(&self) -> (Config, Report) {
        let mut report = Report::default();
        let paths = Paths {
            main: Some(self.path("main.yaml")),
            content: Some(self.path("content.yaml"))
                .filter(|path| path.exists())
                .or_else(|| Some(self.write("content.yaml", ""))),
            ..Paths::default()
        };
        let config = load(&paths, &self.environment, &mut report);
        (config, report)
    }
}

/// Loads a main configuration alone.
fn main_alone(text: impl AsRef<[u8]>) -> (Config, Report) {
    let files = Files::new();
    files.write("main.yaml", text);
    files.load()
}

fn findings(text: &str) -> Vec<String> {
    let (_, report) = main_alone(text);
    report
        .diagnostics()
        .iter()
        .map(|finding| {
            let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
            let place = finding.span.as_ref().map(|span| report.line_and_column(span));
            let place = place.map_or(String::new(), |(line, column)| format!("{line}:{column}: "));
            let help = finding.help.as_deref().map_or(String::new(), |help| format!(" ({help})"));
            format!("{severity}: {place}{}{help}", finding.message)
        })
        .collect()
}

fn example(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)).unwrap()
}

/// The report of an example, with the folder taken out.
fn example_report(name: &str) -> String {
    let files = Files::new();
    files.write("main.yaml", example(name));
    let (_, report) = files.load();
    report.to_string().replace(files.folder.path().to_str().unwrap(), "/etc/sophos")
}

#[test]
fn printed_minimal() {
    insta::assert_snapshot!(example_report("printed-minimal.yaml"));
}

#[test]
fn printed_alerts() {
    insta::assert_snapshot!(example_report("printed-alerts.yaml"));
}

#[test]
fn printed_data_lake() {
    insta::assert_snapshot!(example_report("printed-data-lake.yaml"));
}

#[test]
fn what_was_meant_is_accepted() {
    insta::assert_snapshot!(example_report("meant.yaml"));
    let (config, report) = main_alone(example("meant.yaml"));
    assert!(!report.has_errors(), "{report}");
    assert!(config.send_labs_telemetry && config.endpoint_telemetry_enabled && config.mcs.enabled);
    assert_eq!(config.mcs.token.as_ref().unwrap().expose_secret(), "SLS-01234567");
    assert_eq!(config.mcs.url.as_ref().unwrap().as_str(), "https://mcs.example.test/");
    assert_eq!(config.cloud_meta, CloudMeta::Auto);
    let outputs = &config.alert_output.outputs;
    assert_eq!(outputs.len(), 2);
    assert_eq!(outputs[0].template.as_ref().unwrap().value, "Alert triggered: {{ .StrategyName}}");
    assert_eq!(outputs[1].target.kind(), "mcs");
    let investigations = &config.investigations;
    assert_eq!(investigations.reporting_interval, std::time::Duration::from_secs(5));
    assert_eq!(investigations.topics.len(), 2);
    assert_eq!(investigations.topics[0].topic.value, "running_processes_linux_events");
    let tables = &investigations.flight_recorder.tables;
    assert_eq!(
        tables.iter().map(|table| (table.table.name, table.rows)).collect::<Vec<_>>(),
        [("process_events", 1000), ("audit_user_msg", 1000)]
    );
    let rule = &tables[0].filter[1];
    assert_eq!(rule.value, "match eventType == \"BASELINE_TASK\"");
    assert!(rule.verbatim);
}

#[test]
fn the_shipped_configuration_is_accepted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/runtimedetections.yaml");
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(findings(&text), Vec::<String>::new());
    for table in keys::SCHEMA.tables() {
        for key in table {
            assert!(text.contains(&format!("{}:", key.name)), "the shipped configuration does not show `{}`", key.name);
        }
    }
}

#[test]
fn every_example_in_the_shipped_configuration_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/runtimedetections.yaml");
    // A `#` with no blank behind it begins an example, which goes on to the next empty line.
    let mut example = false;
    let mut text = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        example = !line.is_empty() && (example || (line.starts_with('#') && !line.starts_with("# ") && line != "#"));
        text.push_str(if example { line.strip_prefix('#').unwrap_or(line) } else { line });
        text.push('\n');
    }
    assert!(text.contains("\nmcs:\n"));
    let wrong: Vec<_> = findings(&text)
        .into_iter()
        // What is not there on this host, what is not built, and what is shown switched off.
        .filter(|finding| {
            !["is not there", "not built yet", "`mcs.enabled` is false"]
                .iter()
                .any(|expected| finding.contains(expected))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// A default stands in the table of keys; what the program takes where nobody asks is the same.
#[test]
fn defaults_of_the_table_are_those_of_the_program() {
    fn same<T: FromText + Default + PartialEq + std::fmt::Debug>(keys: &'static [Key], name: &str) {
        assert_eq!(Section::new(None, keys).value::<T>(name), T::default(), "{name}");
    }
    same::<Priority>(keys::POLICY, "priority");
    same::<Confidence>(keys::POLICY, "confidence");
    same::<Format>(keys::OUTPUTS.common, "format");
    let audit = Section::new(None, keys::TOP).section("audit");
    assert_eq!(audit.value::<AuditHooks>("hooks"), AuditHooks::default());
    let rows = keys::SINKS.variants.iter().flat_map(|variant| variant.keys).find(|key| key.name == "format");
    assert_eq!(RowFormat::from_text(rows.unwrap().default), Ok(RowFormat::default()));
    let types = keys::OUTPUTS.common.iter().find(|key| key.name == "message_types").unwrap().default;
    assert_eq!(types, format!("[{}]", MessageType::USUAL.map(MessageType::word).join(", ")));
}

#[test]
fn all_errors_are_in_one_report() {
    let text = "\
cloud_meta: aut
customer_id: '1234'
send_labs_telemetry: maybe
mcs: {url: 'http://mcs.example.test', tokne: x}
investigations:
  reporting_interval: 5
  flight_recorder:
    tables:
      - name: proces_events
        rows: '1000'
        filter: match x == 1
alert_output:
  outputs:
    - type: fiel
    - enabled: true
    - type: file
    - type: webhook
      url: https://hook.example
      methd: PUT
";
    insta::assert_snapshot!(findings(text).join("\n"));
}

#[test]
fn a_file_that_is_no_mapping_is_refused() {
    assert_eq!(findings("cloud_meta:auto\n"), ["error: 1:11: no space after the colon (write `cloud_meta: auto`)"]);
    assert!(findings("- a\n")[0].contains("a configuration is a mapping, not a list"));
    assert!(findings("hello\n")[0].starts_with("error: 1:1: a configuration is a mapping, not text"));
}

#[test]
fn nothing_is_the_same_as_no_keys() {
    for text in ["", "\n", "# only a comment\n", "---\n", "\u{feff}", "mcs:\nalert_output:\nlists:\n"] {
        assert_eq!(findings(text), Vec::<String>::new(), "{text:?}");
    }
    let (config, _) = main_alone("");
    assert!(!config.mcs.enabled && config.alert_output.outputs.is_empty());
    let tables = &config.investigations.flight_recorder.tables;
    assert!(tables.iter().any(|table| table.table.name == "process_events" && table.enabled && table.rows == 1000));
    assert_eq!(config.enabled_content_groups.len(), 3);
}

#[test]
fn later_files_win_key_by_key() {
    let mut files = Files::new();
    files.write(
        "content.yaml",
        "Wget: {policy: program, priority: Low, enabled: false, rules: [default match]}\n\
         lists:\n  A: {type: names, values: [a]}\nsend_labs_telemetry: true\n",
    );
    files.write(
        "main.yaml",
        "cloud_meta: off\nInvestigations:\n  reporting_interval: 5m\n  flight_recorder: {Tables: []}\n",
    );
    files.write(
        "runtimedetections-rules.yaml",
        "Wget: {enabled: true, responseAction: audit}\nlists:\n  A: {add: [b]}\n\
         investigations: {flight_recorder: {enabled: true}}\n",
    );
    files.environment =
        [("INVESTIGATIONS_REPORTING_INTERVAL", "10s"), ("SEND_LABS_TELEMETRY", "false")].into_iter().collect();
    let (config, report) = files.load();
    assert!(report.diagnostics().is_empty(), "{report}");
    assert!(!config.send_labs_telemetry);
    assert_eq!(config.investigations.reporting_interval, std::time::Duration::from_secs(10));
    assert!(config.investigations.flight_recorder.enabled && config.investigations.flight_recorder.tables.is_empty());
    let [policy] = config.policies.as_slice() else { panic!("{:?}", config.policies) };
    assert!(policy.enabled);
    assert_eq!((policy.priority, policy.policy_type.word), (Priority::Low, "program"));
    assert_eq!(policy.response_actions, [ResponseAction::Audit]);
    assert_eq!(policy.rules[0].value, "default match");
    let lists: Vec<_> = config.lists.iter().flatten().collect();
    assert_eq!(lists.len(), 2);
    assert_eq!(lists[0].values.as_ref().unwrap()[0].value, "a");
    assert_eq!(lists[1].add[0].value, "b");
}

#[test]
fn a_run_directory_of_its_own_means_a_state_directory_of_its_own() {
    let state_dir = |text: &str| main_alone(text).0.locations.state_dir;
    assert_eq!(state_dir(""), Path::new("/var/lib/sophos"));
    assert_eq!(state_dir("paths: {run_dir: /run/sophos}"), Path::new("/var/lib/sophos"));
    assert_eq!(state_dir("paths: {run_dir: /run/sophos/2}"), Path::new("/var/lib/sophos/of-run-sophos-2"));
    assert_eq!(state_dir("paths: {run_dir: /run/2, state_dir: /srv/2}"), Path::new("/srv/2"));
}

#[test]
fn content_groups_narrow_what_is_on() {
    let text = "\
enabled_content_groups: [Detection Analytics.System Exploitation, Smart Policy]
One: {policy: program, contentGroup: Detection Analytics.System Exploitation, rules: [default match]}
Two: {policy: program, contentGroup: Detection Analytics.Persistence, rules: [default match]}
Three: {policy: program, rules: [default match]}
Four: {policy: program, contentGroup: Smart Policy, enabled: false, rules: [default match]}
";
    let (config, report) = main_alone(text);
    assert!(report.diagnostics().is_empty(), "{report}");
    let on: Vec<_> =
        config.policies.iter().filter(|policy| policy.enabled).map(|policy| policy.name.value.as_str()).collect();
    assert_eq!(on, ["One", "Three"]);
}

#[test]
fn what_is_off_as_shipped_is_switched_on_by_its_type() {
    let files = Files::new();
    files.write(
        "content.yaml",
        "\
One: {policy: fileMonitor, enabled: false, contentGroup: Audit.Files, rules: [default ignore]}
Two: {policy: fileMonitor, enabled: false, contentGroup: Audit.Files, rules: [default ignore]}
Three: {policy: ptrace, enabled: false, contentGroup: Audit.Files, rules: [default ignore]}
Four: {policy: fileMonitor, enabled: false, contentGroup: Smart Policy, rules: [default ignore]}
",
    );
    files.write(
        "main.yaml",
        "\
enabled_policy_types: [filemonitor]
enabled_content_groups: [Audit]
Two: {enabled: false}
Five: {policy: fileMonitor, enabled: false, rules: [default ignore]}
",
    );
    let (config, report) = files.load();
    assert!(report.diagnostics().is_empty(), "{report}");
    let on: Vec<_> =
        config.policies.iter().filter(|policy| policy.enabled).map(|policy| policy.name.value.as_str()).collect();
    assert_eq!(on, ["One"], "what somebody else switched off, and what is in no group that is on, stays off");
    files.write("main.yaml", "enabled_policy_types: [bpfExec]\n");
    let (_, report) = files.load();
    let told: Vec<_> = report.diagnostics().iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(told, ["no shipped detection is of the type `bpfExec`"]);
}

#[test]
fn detections_are_told_from_mistyped_keys() {
    insta::assert_snapshot!(findings(
        "\
alert_outputs: {outputs: []}
cloud_mata: auto
Kernel Exploit: {responseActions: kill}
Wget Blocklist: {enabled: false}
Broken One: {rules: [default match]}
Broken Two: {policy: program}
Broken Three: {policy: progam, priority: Urgent, responseActions: [kil], throttle: {by: [programNam]}, rules: [default match]}
"
    )
    .join("\n")
    // Each class brings its own.
    .replace(&schema::PolicyType::WORDS.join(", "), "TYPES"));
}

#[test]
fn files_that_are_none_are_refused() {
    let files = Files::new();
    let refused = |paths: &Paths| {
        let mut report = Report::default();
        load(paths, &Environment::default(), &mut report);
        assert!(report.has_errors());
        report.to_string()
    };
    let named = |path: PathBuf| Paths { main: Some(path), ..Paths::default() };
    assert!(refused(&named(files.path("missing.yaml"))).contains("it is not there"));
    assert!(refused(&named(files.folder.path().to_owned())).contains("it is a directory"));
    assert!(refused(&named("/dev/zero".into())).contains("not a regular file"));
    let huge = files.path("huge.yaml");
    fs::File::create(&huge).unwrap().set_len(100 << 20).unwrap();
    assert!(refused(&named(huge)).contains("longer than 8192 KiB"));
    let wrong = refused(&named(files.write("wrong.yaml", b"mcs:\n  url: \xff\n")));
    assert!(wrong.contains("wrong.yaml:2:8") && wrong.contains("byte 12"), "{wrong}");
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("a: b".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert!(refused(&named(files.write("wide.yaml", wide))).contains("UTF-16"));
    let main = files.write("main.yaml", "paths: {content: /nowhere/content.yaml}\n");
    let report = refused(&named(main));
    assert!(report.contains("main.yaml:1:18") && report.contains("/nowhere/content.yaml"), "{report}");
}

#[test]
fn what_is_merged_can_be_loaded_again() {
    let files = Files::new();
    let text = format!(
        "{}{}",
        example("meant.yaml"),
        "\
use_supervisor: yes
mcs_note: 007
lists:
  A: {type: paths, values: ['/a: b', '#c', \"tab\\tand\\u00e9\", '1000', 'off', '* x', '']}
  B: {type: numbers, add: [1, 2], remove: [3]}
My Policy:
  policy: program
  alertMessage: \"two\\nlines\"
  alertLabels: {team: web, '1': 'yes'}
  responseAction: audit
  throttle: {count: 5, per: 1m, by: [programName]}
  rules: ['match programName == \"a: b\"', 'default ignore']
"
    );
    files.write("main.yaml", &text);
    let (config, report) = files.load();
    assert!(!report.has_errors(), "{report}");
    let path = config.write_merged(files.folder.path()).unwrap();
    assert_eq!(path, Config::merged_path(files.folder.path()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let written = fs::read_to_string(&path).unwrap();
    assert!(!written.contains("SLS-"), "{written}");
    assert!(written.contains("***"), "{written}");

    let (again, report) = main_alone(&written);
    assert!(!report.has_errors(), "{report}\n{written}");
    assert_eq!(again.merged_yaml(), config.merged_yaml());
    let values = |config: &Config| {
        let list = config.lists.iter().flatten().find(|list| list.name.value == "A").unwrap();
        list.values.as_ref().unwrap().iter().map(|text| text.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&config));
    assert_eq!(again.policies[0].alert_message.as_ref().unwrap().value, "two\nlines");
    assert!(again.use_supervisor);
    assert!(config.write_merged(Path::new("/nowhere")).is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_checked(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        check_text(&bytes).to_string();
    }

    #[test]
    fn any_text_like_a_configuration_is_checked(
        text in "((  ){0,3}(- )?(mcs|url|token|alert_output|outputs|type|file|sinks|rows|lists|rules|policy|x y|[a-z\"'{}\\[\\]&*]{1,4})[:：]?[ ]?(true|5秒|“a”|[0-9]{1,3}|\\[a, b\\]|\\{enabled: 1\\}|[|>]|[a-z#'\"]{0,6})\n){0,12}"
    ) {
        check_text(text.as_bytes()).to_string();
    }
}
