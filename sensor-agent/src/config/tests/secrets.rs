//! Where secrets come from, and that they are not shown.

use secrecy::ExposeSecret;

use super::{Files, main_alone};

#[test]
fn secrets_come_from_files_and_credentials_too() {
    let mut files = Files::new();
    files.write("main.yaml", "mcs: {token: SLS-main}\n");
    let secret = files.write("secret", "SLS-file\n");
    files.write("mcs.token", "SLS-credential\n");
    let token = |files: &Files| files.load().0.mcs.token.unwrap().expose_secret().to_owned();
    let folder = files.folder.path().to_owned();
    assert_eq!(token(&files), "SLS-main");
    files.environment = [("CREDENTIALS_DIRECTORY", folder.as_os_str())].into_iter().collect();
    assert_eq!(token(&files), "SLS-credential");
    files.environment =
        [("CREDENTIALS_DIRECTORY", folder.as_os_str()), ("MCS_TOKEN_FILE", secret.as_os_str())].into_iter().collect();
    assert_eq!(token(&files), "SLS-file");
    files.environment =
        [("CREDENTIALS_DIRECTORY", folder.to_str().unwrap()), ("MCS_TOKEN", "SLS-variable")].into_iter().collect();
    assert_eq!(token(&files), "SLS-variable");

    files.environment = [("MCS_TOKEN_FILE", "/nowhere/token")].into_iter().collect();
    assert!(files.load().1.to_string().contains("the secret /nowhere/token cannot be read: it is not there"));
    files.environment = [("MCS_TOKEN", "hunter2")].into_iter().collect();
    let report = files.load().1.to_string();
    assert!(report.contains("does not begin with `SLS-`") && !report.contains("hunter2"), "{report}");
}

#[test]
fn a_duplicate_secret_is_not_shown() {
    let (_, report) = main_alone("mcs:\n  token: hunter1\n  token: hunter2\n");
    assert!(report.has_errors());
    assert!(!report.to_string().contains("hunter"), "{report}");
}

/// Mistyped keys are warnings, so the sensor runs with them: what stands under one is in no text for people.
#[test]
fn what_stands_under_an_unknown_key_is_not_told() {
    for text in [
        "mcs: {tokne: SLS-hunter2}\n",
        "mcs: {tokne: hunter2}\n",
        "mcs_token: SLS-hunter2\n",
        "MCS_TOKEN: hunter2\n",
        "mcs:\n  tokens:\n    - hunter2\n    - {a: hunter2}\n",
        "mcs:\n  notes: >-\n    one\n    hunter2\n",
        "alert_output:\n  outputs:\n    - {type: webhook, url: 'https://x', header: {Authorization: Bearer hunter2}}\n",
        "alert_output:\n  outputs:\n    - {type: webhook, url: 'https://x', Headers: {X: hunter2}, batch: [hunter2]}\n",
        "alert_output:\n  outputs:\n    - {type: splunk_hec, url: 'https://x', token: a, tokens: hunter2}\n",
        "Some Detection: {policy: program, rules: [default match], auth: hunter2}\n",
        "Some Other: {login: hunter2}\n",
        // What looks like a secret in a value that is none.
        "Some Detection: {policy: program, rules: [default match], alertMessage: 'with SLS-hunter2'}\n",
        "Some Detection: {policy: program, rules: [default match], alertLabels: {note: 'password: hunter2'}}\n",
        "mcs: {certs_dir: 'https://user:hunter2@x'}\n",
        "mcs: {proxy: 'http://hunter2@127.0.0.1'}\n",
        "alert_output: {outputs: [{type: webhook, url: 'https:/x/hunter2-hunter2-hunter2?token=hunter2'}]}\n",
        "alert_output: {outputs: [{type: webhook, url: 'https:/u:hunter2@x/in'}]}\n",
        "mcs:\n  -token: hunter2\n",
        "lists: {A: {type: names, values: ['http://u:hunter2@x', SLS-hunter2]}}\n",
        // What stands in a key.
        "mcs: {'SLS-hunter2': x}\n",
        "'token: hunter2': x\n",
    ] {
        let (config, report) = main_alone(text);
        assert!(!report.has_errors(), "{report}");
        let merged = config.merged_yaml();
        assert!(!merged.contains("hunter2") && merged.contains("***"), "{text}{merged}");
        // What there is to warn of shows the line.
        let report = report.to_string();
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[test]
fn what_stands_under_a_key_of_another_type_is_not_told() {
    let text = "alert_output: {outputs: [{type: stdout, url: 'https://x/y?token=hunter2', token: hunter2}]}\n";
    let (_, report) = main_alone(text);
    assert!(report.has_errors() && !report.to_string().contains("hunter2"), "{report}");
}

#[test]
fn what_is_known_is_told() {
    let text = "\
cloud_meta: off
endpoint_telemetry_enabled: yes
mcs: {url: 'https://mcs.example.test/in', token_file: /etc/token}
alert_output:
  outputs:
    - {type: webhook, enabled: false, url: 'https://hook.example.test/in', batch_size: 5}
    - {type: splunk_hec, url: 'https://splunk.example.test', token_file: /etc/splunk, index: security, ack: off}
investigations:
  zeromq: {topics: [{process_events: rows}]}
  flight_recorder: {tables: [{name: process_events, rows: 2000, filter: ['ignore programName == \"/bin/true\"']}]}
  sinks: [{backend: parquet, name: /tmp/rows, bucket: b, access_key_id: AKIA, secret_access_key_file: /etc/s3}]
Shells: {policy: program, rules: ['default match'], alertLabels: {team: web}, throttle: {count: 3, by: programName}}
Wget Blocklist: {enabled: false}
";
    let (config, _) = main_alone(text);
    let merged = config.merged_yaml();
    assert!(!merged.contains("***"), "{merged}");
    for shown in
        ["/etc/token", "security", "rows: 2000", "/bin/true", "AKIA", "/etc/s3", "team: web", "count: 3", "/in"]
    {
        assert!(merged.contains(shown), "{shown}: {merged}");
    }
}

#[test]
fn the_shipped_content_is_told_whole() {
    let mut files = Files::new();
    let shipped =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/content/runtimedetections-content.yaml");
    files.write("content.yaml", std::fs::read(shipped).unwrap());
    files.write("main.yaml", "");
    files.environment = [("CLOUD_META", "off")].into_iter().collect();
    let (config, _) = files.load();
    let masked: Vec<&str> = config.merged_yaml().lines().filter(|line| line.contains("***")).collect();
    assert!(masked.is_empty() && config.policies.len() > 10, "{masked:?}");
}

#[test]
fn advice_does_not_repeat_secrets() {
    for text in [
        "alert_output: {outputs: [{type: webhook, url: 'htps://u:hunter2@x/hunter2-hunter2-hunter2?token=hunter2'}]}\n",
        "mcs:\n  url: http://mcs.example/hunter2-hunter2-hunter2?token=hunter2\n",
        "mcs: {url: 'mcs.example/hunter2-hunter2-hunter2?token=hunter2'}\n",
        "mcs:\n  token:\u{ff1a}hunter2\n  url\u{ff1a}https://x/?token=hunter2\n",
        "mcs:\n  tokne\u{ff1a}SLS-hunter2\n",
        "mcs:\n  - token:hunter2\n",
        "mcs: token:hunter2\n",
        "mcs:\n  proxy: \u{201c}http://u:hunter2@x\u{201d}\n",
        "mcs:\n  -token: hunter2\nx: [\n",
        "mcs:\n  url: https://u:hunter2/@x\n",
        "spool: {max_age: SLS-hunter2}\n",
        "cloud_meta: SLS-hunter2\n",
        "alert_output: {outputs: [{type: file, name: /x, message_types: 'alert, SLS-hunter2'}, SLS-hunter2]}\n",
        "alert_output: {outputs: SLS-hunter2}\n",
    ] {
        let (_, report) = main_alone(text);
        assert!(report.has_errors(), "{text}");
        let report = report.to_string();
        assert!(!report.contains("hunter2"), "{report}");
    }
    let (_, report) = main_alone("mcs: {url: 'http://mcs.example.test'}\n");
    assert!(report.to_string().contains("https://"), "{report}");
}
