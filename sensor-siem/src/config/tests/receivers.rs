//! Keys of single receivers.

use super::*;

fn outputs(outputs: &str) -> Result<(Config, String), String> {
    plain(&format!("central: {{client_id: a, client_secret: b}}\noutputs:\n{outputs}"))
}

/// What is known of an output.
fn settings_of(config: &Config, at: usize) -> String {
    format!("{:?}", config.outputs[at].destination)
}

fn refused(text: &str, parts: &[&str]) {
    let shown = outputs(text).unwrap_err();
    for part in parts {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn zeromq() {
    let (config, shown) =
        outputs("- {type: zeromq, endpoint: 'tcp://*:5556', allow_plaintext: true, pattern: push, bind: true}\n")
            .unwrap();
    assert_eq!(shown, "");
    let zeromq = settings_of(&config, 0);
    assert!(zeromq.contains("pattern: Push") && zeromq.contains("topic: \"items\""), "{zeromq}");
    assert_eq!(config.outputs[0].destination.to_string(), "tcp://*:5556");
    refused("- {type: zeromq, endpoint: 'tcp://10.0.0.1:1'}\n", &["unencrypted TCP off this host"]);
    let two =
        "- {type: zeromq, endpoint: 'ipc:///a'}\n- {type: zeromq, name: b, endpoint: 'ipc:///a', pattern: push}\n";
    refused(two, &["share its socket, and differ in"]);
}

#[test]
fn parquet() {
    let (config, shown) = outputs(
        "- {type: parquet, path: /var/lib/lake}\n- {type: parquet, name: store, bucket: siem, region: eu-central-1, \
         access_key_id: a, secret_access_key: hunter2}\n",
    )
    .unwrap();
    assert_eq!(shown, "");
    assert_eq!(config.outputs[0].destination.to_string(), "/var/lib/lake");
    assert_eq!(config.outputs[1].destination.to_string(), "the bucket siem at https://s3.eu-central-1.amazonaws.com");
    refused("- {type: parquet}\n", &["needs a place"]);
    refused("- {type: parquet, path: /a, bucket: b}\n", &["`path` and `bucket` exclude each other"]);
    refused(
        "- {type: parquet, path: /a, format: cef, region: x, secret_access_key: hunter2}\n",
        &["`format` has no effect", "`region` is given and `bucket` is not", "`secret_access_key` is given"],
    );
    refused("- {type: parquet, bucket: b, endpoint: 'http://a'}\n", &["off this host unencrypted"]);
}

#[cfg(feature = "kafka")]
#[test]
fn kafka() {
    let (config, shown) = outputs(
        "- {type: kafka, brokers: [a, 'b:9093'], topic: siem, key: id, sasl_mechanism: scram-sha-512, sasl_username: u, \
         sasl_password: hunter2}\n",
    )
    .unwrap();
    assert_eq!(shown, "");
    assert_eq!(config.outputs[0].destination.to_string(), "the topic siem at a:9092, b:9093");
    let kafka = settings_of(&config, 0);
    assert!(kafka.contains("key: Id") && kafka.contains("tls: Some(") && kafka.contains("ScramSha512"), "{kafka}");
    assert!(!kafka.contains("hunter2"), "{kafka}");
    refused("- {type: kafka, topic: siem}\n", &["needs a `brokers`"]);
    refused(
        "- {type: kafka, brokers: [a], topic: siem, tls: false, ca_file: /a.pem, sasl_mechanism: plain, sasl_username: u, \
         sasl_password: hunter2}\n",
        &["`ca_file` has no effect: there is no TLS to brokers with `tls: false`", "the password off this host"],
    );
    refused("- {type: kafka, brokers: [a], topic: siem, sasl_username: u}\n", &["no effect without `sasl_mechanism`"]);
    refused("- {type: kafka, brokers: [a], topic: siem, sasl_mechanism: plain}\n", &["needs a user and a password"]);
    refused("- {type: kafka, brokers: ['a:b'], topic: siem}\n", &["this is not host:port"]);
}

#[test]
fn rounds_that_come_faster_than_they_may_ask_are_told() {
    let of = |more: &str| plain(&format!("{LEAST}{more}")).unwrap().1;
    assert!(of("poll: 1s\n").contains("rounds come no faster than every 1.2 s"), "{}", of("poll: 1s\n"));
    assert_eq!(of("poll: 1s\nstreams: alerts\n"), "");
    assert_eq!(of("poll: 2s\n"), "");
}
