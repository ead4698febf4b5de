//! Outputs and sinks, and what they need.

use std::any::Any;
use std::sync::Arc;

use delivery::receivers::{
    file::FileSettings, splunk::SplunkSettings, syslog::SyslogSettings, webhook::WebhookSettings,
};

use super::*;
use crate::output::{
    Target,
    target::zeromq::{Topics, ZeromqSettings},
};

/// The settings of a target.
fn of<T: 'static>(target: &Arc<dyn Target>) -> &T {
    let target: &dyn Any = &**target;
    target.downcast_ref().expect("settings of that sort")
}

#[test]
fn mcs_takes_two_tables_alone() {
    let topics = |sinks: &str| {
        findings(&format!(
            "investigations:\n  zeromq:\n    topics:\n      - process_events: a\n        connections: b\n  sinks: [{sinks}]\n"
        ))
    };
    let zeromq = "{backend: zeromq, endpoint: 'tcp://127.0.0.1:5556'}";
    assert!(topics("{backend: mcs}").iter().any(|finding| {
        finding.starts_with("error: 5:9: the table `connections` cannot go to MCS")
            && finding.contains("`process_events` and `audit_user_msg`")
    }));
    for sinks in [zeromq.to_owned(), format!("{{backend: mcs}}, {zeromq}"), String::new()] {
        assert!(!topics(&sinks).iter().any(|finding| finding.starts_with("error")), "{sinks}");
    }
}

#[test]
fn what_mcs_needs_must_be_there() {
    let errors = findings("mcs: {enabled: true}\n");
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        findings("alert_output: {outputs: [{type: mcs}]}\n")
            .iter()
            .any(|finding| finding.contains("`mcs.enabled` is false"))
    );
}

#[test]
fn a_part_of_a_url_that_is_never_sent_is_an_error() {
    let found = |url: &str| findings(&format!("alert_output:\n  outputs:\n    - {{type: webhook, url: '{url}'}}\n"));
    assert!(found("https://h.example/x%23y?a=b").is_empty());
    let errors = found("https://h.example/x#y");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("error: 3:") && errors[0].contains("what stands behind # in a URL is never sent"));
}

#[test]
fn every_output_and_sink_is_read() {
    let (config, report) = main_alone(
        "\
alert_output:
  template: '{{ .UUID }}'
  outputs:
    - {type: stdout, message_types: audit, format: json, max_bytes: 10kB}
    - {type: file, name: /tmp/a, max_size: 5, max_backups: 3}
    - {type: syslog, address: 'tls://log.example', facility: auth}
    - {type: webhook, url: 'https://hook.example/x', headers: {Authorization: Bearer hunter2}, method: put, batch_size: 5}
    - {type: mcs, enabled: false}
    - {type: zeromq, endpoint: 'tcp://10.0.0.1:5556', allow_plaintext: true, pattern: push}
    - {type: splunk_hec, url: 'https://splunk.example:8088', token: hunter3, index: main, gzip: false}
investigations:
  sinks:
    - {backend: zeromq, endpoint: 'ipc:///run/a.sock'}
    - {backend: file, name: /tmp/b, type: file}
    - {backend: stdout}
    - {backend: parquet, name: /tmp/c}
",
    );
    assert!(!report.has_errors(), "{report}");
    let outputs = &config.alert_output.outputs;
    assert_eq!(outputs[0].message_types, [MessageType::Audit]);
    assert_eq!(outputs[0].max_bytes, Some(10_000));
    let file: &FileSettings = of(&outputs[1].target);
    assert_eq!((file.max_bytes.get(), file.max_backups), (5_000_000, Some(3)));
    let syslog: &SyslogSettings = of(&outputs[2].target);
    assert_eq!(syslog.receiver.address, SyslogAddress::Tls(HostPort { host: "log.example".into(), port: 6514 }));
    let webhook: &WebhookSettings = of(&outputs[3].target);
    assert_eq!(webhook.headers[0].1.expose_secret(), "Bearer hunter2");
    assert_eq!((webhook.method, webhook.http.batch_size), (WebhookMethod::Put, 5));
    assert!(!outputs[4].enabled);
    let zeromq: &ZeromqSettings = of(&outputs[5].target);
    assert_eq!(
        (zeromq.socket.bind, &zeromq.topics, zeromq.socket.high_water_mark),
        (false, &Topics::One("alerts".into()), 1000)
    );
    let splunk: &SplunkSettings = of(&outputs[6].target);
    assert_eq!((splunk.token.expose_secret(), splunk.ack, splunk.gzip), ("hunter3", true, false));
    assert_eq!(config.investigations.sinks.len(), 4);
    assert!(!report.to_string().contains("hunter"), "{report}");
    assert!(!format!("{config:?}").contains("hunter"));
}

#[test]
fn outputs_are_checked_beyond_their_keys() {
    insta::assert_snapshot!(
        findings(
            "\
alert_output:
  outputs:
    - {type: file, name: /tmp/a}
    - {type: file, name: /tmp/a}
    - {type: file, address: udp://x, name: /tmp/b}
    - {type: zeromq, endpoint: 'tcp://10.0.0.1:5556'}
    - {type: webhook, url: 'https://x', cert_file: /nowhere/cert.pem}
    - {type: webhook, url: 'https://x', retry_min: 10m}
    - {type: splunk_hec, url: 'https://x'}
    - {type: splunk_hec, url: 'https://x', token: a, token_file: /b}
investigations:
  sinks:
    - {backend: file, type: stdout, name: /tmp/c}
    - {backend: file, name: /tmp/a}
  flight_recorder:
    tables: [{name: process_events}, {name: process_events}, {rows: 0}]
"
        )
        .join("\n")
    );
}

#[test]
fn a_supervisor_is_the_units_affair() {
    let warned = |environment: Environment| {
        let mut files = Files::new();
        files.write("main.yaml", "use_supervisor: true\n");
        files.environment = environment;
        let report = files.load().1;
        assert!(!report.has_errors());
        report.to_string().contains("nothing starts the sensor again here")
    };
    assert!(warned(Environment::default()));
    for name in ["NOTIFY_SOCKET", "INVOCATION_ID"] {
        assert!(!warned([(name, "x")].into_iter().collect()));
    }
}

#[test]
fn an_alert_is_not_cut_below_what_identifies_it() {
    let findings = |bytes| findings(&format!("alert_output: {{outputs: [{{type: stdout, max_bytes: {bytes}}}]}}\n"));
    assert!(findings(1023)[0].contains("the least is 1024"), "{:?}", findings(1023));
    assert_eq!(findings(1024), Vec::<String>::new());
}
