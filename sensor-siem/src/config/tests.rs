use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use diagnostic::Report;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use settings::Environment;

use super::*;
use crate::{
    config_ini,
    destination::{FileOutput, file::Bound},
    format::Format,
    source::Rates,
};

mod receivers;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const LEAST: &str =
    "central: {client_id: a, client_secret: hunter2}\noutputs: [{type: file, path: /var/log/siem/a.json}]\n";

/// The configuration and its findings; the report alone if it is refused.
fn of(text: &str, environment: &Environment) -> Result<(Config, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut report = Report::default();
    let config = load(&path, environment, &mut report);
    assert_eq!(config.is_none(), report.has_errors(), "{report}");
    match config {
        Some(config) => Ok((config, report.to_string())),
        None => Err(report.to_string()),
    }
}

fn plain(text: &str) -> Result<(Config, String), String> {
    of(text, &Environment::default())
}

#[test]
fn a_short_file_gets_the_defaults() {
    let (config, shown) = plain(LEAST).unwrap();
    assert_eq!(shown, "");
    let Credentials::Client { id, secret, tenants, auth_url, api_host } = &config.credentials else { panic!() };
    assert_eq!((id.as_str(), secret.expose_secret(), tenants.len()), ("a", "hunter2", 0));
    assert_eq!(auth_url.as_str(), "https://id.sophos.com/api/v2/oauth2/token");
    assert_eq!(api_host.as_str(), "https://api.central.sophos.com/");
    assert_eq!(config.streams, Stream::ALL);
    assert_eq!((config.poll.as_secs(), config.overlap.as_secs()), (60, 300));
    assert_eq!(config.state, Path::new("/var/lib/sensor-siem/state.jsonl"));
    assert_eq!(config.dead_letters, Path::new("/var/lib/sensor-siem/dead-letters.jsonl"));
    let layout = Layout { format: Format::Json, compat: false, fqdn: true };
    let destination = Destination::File(FileOutput::new("/var/log/siem/a.json".into()));
    let start = Start::Ago(12 * 3600);
    let [output] = &config.outputs[..] else { panic!() };
    assert_eq!(output.destination.to_string(), destination.to_string());
    assert_eq!((output.name.as_str(), output.layout, output.start, output.max_bytes), ("file", layout, start, None));
}

#[test]
fn all_can_be_said() {
    let (config, shown) = plain(
        "central:\n  gateway: https://a.example/gateway\n  api_key: k\n  authorization: Basic eA==\n  requests_per_minute: null\n\
         streams: events\nlight: yes\npoll: 5s\noverlap: 1h\nstate: /s/a.jsonl\nscript_state: /s/script.json\n\
         dead_letters: /s/dead\nmetrics: {listen: '127.0.0.1:9465'}\nlog_level: debug\noutputs:\n\
         - {type: stdout, name: out, format: cef, compat: true, fqdn: false, start: now, max_bytes: 64KiB}\n\
         - {type: file, path: /b, start: script}\n- {type: file, name: c, path: /c, start: 90m}\n"
    )
    .unwrap();
    assert_eq!(shown, "");
    assert!(matches!(config.credentials, Credentials::Legacy { .. }));
    assert_eq!((config.connection.rates.per_second, config.connection.rates.per_minute), (Some(10), None));
    assert_eq!(
        (config.streams.as_slice(), config.light, config.overlap.as_secs()),
        (&[Stream::Events][..], true, 3600)
    );
    assert_eq!(config.metrics, Some(ListenAddress::Tcp("127.0.0.1:9465".parse().unwrap())));
    let starts: Vec<_> = config.outputs.iter().map(|output| (output.name.as_str(), output.start)).collect();
    assert_eq!(starts, [("out", Start::Now), ("file", Start::Script), ("c", Start::Ago(5400))]);
    assert_eq!(config.outputs[0].max_bytes, Some(65536));
    let (config, _) = plain(&format!("{LEAST}tenants: [{TENANT}, {TENANT}]\n")).unwrap();
    assert!(matches!(config.credentials, Credentials::Client { tenants, .. } if tenants == [TENANT]));
}

#[test]
fn secrets_come_from_files_the_environment_and_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let found = |central: &str, environment: &Environment| {
        let text = format!("central: {central}\noutputs: [{{type: stdout}}]\n");
        let (config, shown) = of(&text, environment).unwrap();
        assert_eq!(shown, "");
        let Credentials::Client { secret, .. } = config.credentials else { panic!() };
        secret.expose_secret().to_owned()
    };
    let path = secret("own", "of-a-file\n");
    let in_file = format!("{{client_id: a, client_secret_file: {}}}", path.display());
    assert_eq!(found(&in_file, &Environment::default()), "of-a-file");
    let variable = Environment::from_iter([("SIEM_CENTRAL_CLIENT_SECRET", "of-a-variable")]);
    assert_eq!(found(&in_file, &variable), "of-a-variable");
    secret("central.client_secret", "of-a-credential");
    let credentials = Environment::from_iter([("CREDENTIALS_DIRECTORY", folder.path())]);
    assert_eq!(found("{client_id: a}", &credentials), "of-a-credential");
}

#[test]
fn receivers_over_http_have_keys_of_their_own() {
    let (config, shown) = plain(
        "central: {client_id: a, client_secret: b}\noutputs:\n\
         - {type: splunk_hec, url: 'https://splunk.example:8088', token: hunter2, index: main}\n\
         - {type: webhook, url: 'https://a.example/b', headers: {Authorization: Bearer hunter2}, batch_size: 1}\n",
    )
    .unwrap();
    assert_eq!(shown, "");
    let [splunk, webhook] = &config.outputs[..] else { panic!() };
    assert_eq!((splunk.name.as_str(), webhook.name.as_str()), ("splunk_hec", "webhook"));
    assert_eq!(splunk.destination.to_string(), "https://splunk.example:8088");
    let [splunk, webhook] = [splunk, webhook].map(|output| format!("{:?}", output.destination));
    for part in ["index: Some(\"main\")", "ack: true", "gzip: true", "batch_size: 1000"] {
        assert!(splunk.contains(part), "{part} in {splunk}");
    }
    assert!(webhook.contains("batch_size: 1,") && webhook.contains("Authorization"), "{webhook}");
    let shown = plain(
        "central: {client_id: a, client_secret: b}\noutputs:\n\
         - {type: splunk_hec, name: a, url: 'https://a'}\n\
         - {type: splunk_hec, name: b, url: 'http://a', token: 'hunter\\n2', ca_file: /etc/ssl/a.pem}\n\
         - {type: splunk_hec, name: c, url: 'ftp://a', token: hunter2, tokn: hunter2}\n\
         - {type: webhook, url: 'https://a', headers: {Host: b, 'a b': c, Idempotency-Key: d}, timeout: 1ms}\n",
    )
    .unwrap_err();
    for part in [
        "needs a token",
        "`ca_file` has no effect: there is no TLS to http://",
        "https://",
        "did you mean `token`?",
        "the header `Host` cannot be set",
        "is no name of a header",
        "the header `Idempotency-Key` cannot be set",
        "the least is 100ms",
    ] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    let shown = plain(&format!(
        "central: {{client_id: a, client_secret: b}}\noutputs: [{{type: splunk_hec, url: 'https://a', token: \"{}\"}}]\n",
        "hunter\\n2"
    ))
    .unwrap_err();
    assert!(shown.contains("the token has characters that none can have"), "{shown}");
}

#[test]
fn all_faults_are_told_at_once_with_what_to_do() {
    let shown = plain(
        "central: {client_id: a, api_key: hunter2, client_secert: hunter2}\nouputs: []\npoll: 5\noverlap: 13h\nscript_state: /a\n\
         outputs:\n- {type: fle}\n- {type: file}\n- {type: file, path: /a, start: yesterday}\n\
         - {type: file, path: /a, start: 25h}\n- {type: stdout, name: 'a b'}\n",
    )
    .unwrap_err();
    for part in [
        "unknown key `ouputs`",
        "did you mean `client_secret`?",
        "`api_key` has no effect without `central.gateway`",
        "write 5s for seconds",
        "`overlap` is too long",
        "unknown word `fle`",
        "needs a `path`",
        "or `now`, or `script`",
        "24 hours and no further",
        "two outputs are called `file`",
        "two outputs write to /a",
        "this cannot be a name",
        "`script_state` has no effect",
        "`central` needs a `client_secret`",
    ] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    for (text, part) in [
        ("", "there are no credentials for Central"),
        ("", "there is no output"),
        (
            "central: {client_id: a, client_secret: b}\noutputs: [{type: stdout, start: script}]\n",
            "needs `script_state`",
        ),
        ("central: {gateway: 'https://a', client_id: x}\noutputs: []\n", "`client_id` has no effect"),
        ("central: {gateway: 'http://a'}\noutputs: []\n", "https://"),
        (
            "central: {client_id: a, client_secret: b}\noutputs: [{type: file, path: /a, max_backups: 2}]\n",
            "`max_backups` has no effect without `max_size`",
        ),
    ] {
        let shown = plain(text).unwrap_err();
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
}

#[test]
fn what_a_config_ini_says_is_said_by_its_yaml() {
    let golden = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config.ini")).unwrap();
    let token: String =
        golden.lines().filter(|line| !line.starts_with("client_")).map(|line| line.to_owned() + "\n").collect();
    for text in [golden, token, "[login]\nclient_id = a\nclient_secret = b\nfilename = stdout\ncompat = yes\n".into()] {
        let mut report = Report::default();
        let before = config_ini::read("config.ini", &text, Path::new("/home"), &mut report).unwrap();
        let yaml = write(&before);
        let (after, shown) = plain(&yaml).unwrap_or_else(|shown| panic!("{shown}\n{yaml}"));
        assert_eq!(shown, "", "{yaml}");
        let all = |config: &Config| {
            let secrets = match &config.credentials {
                Credentials::Client { secret, .. } => vec![secret.expose_secret().to_owned()],
                Credentials::Legacy { api_key, authorization, .. } => {
                    vec![api_key.expose_secret().to_owned(), authorization.expose_secret().to_owned()]
                }
            };
            let places = (config.state.clone(), config.script_state.clone(), config.dead_letters.clone());
            let rates = config.connection.rates;
            format!(
                "{:?} {secrets:?} {rates:?} {:?} {places:?} {:?}",
                config.credentials, config.streams, config.outputs
            )
        };
        assert_eq!(all(&after), all(&before));
        assert_eq!(after.connection.rates, Rates::USUAL);
    }
}

#[test]
fn a_file_has_a_bound_if_one_is_said() {
    let bounded = "central: {client_id: a, client_secret: b}\n\
                   outputs: [{type: file, path: /a, max_size: 100MiB, max_backups: 9}]\n";
    let (config, _) = plain(bounded).unwrap();
    let Destination::File(FileOutput { bound, .. }) = &config.outputs[0].destination else { panic!() };
    assert_eq!(*bound, Some(Bound { max_size: 100 << 20, max_backups: Some(9) }));
}

#[test]
fn what_yaml_does_not_say_of_a_config_ini_stands_in_it_as_a_comment() {
    let text = "[login]\nclient_id = a\nclient_secret = b\nalerts_from_date_offset_minutes = 30\n";
    let config = config_ini::read("config.ini", text, Path::new("/home"), &mut Report::default()).unwrap();
    let yaml = write(&config);
    assert!(yaml.contains("# Left out: alerts_from_date_offset_minutes = 30."), "{yaml}");
    assert!(!yaml.contains("events_from_date_offset_minutes"), "{yaml}");
    plain(&yaml).unwrap();
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(central: |outputs:|client_id|type: file|start: |[a-z0-9:{}\\[\\], '\n-]){0,60}") {
        let _ = plain(&text);
    }

    #[test]
    fn values_are_written_so_that_they_are_read_back(value in "[ -~äöü\u{2028}\"']{1,40}") {
        let value = value.trim();
        prop_assume!(!value.is_empty());
        let text = format!("[login]\nclient_id = {0}\nclient_secret = {0}\nfilename = a\n", value.replace('%', "%%"));
        let config = config_ini::read("config.ini", &text, Path::new("/home"), &mut Report::default()).unwrap();
        let (after, _) = plain(&write(&config)).unwrap();
        let Credentials::Client { id, secret, .. } = &after.credentials else { panic!() };
        prop_assert_eq!((id.as_str(), secret.expose_secret()), (value, value));
    }
}

#[test]
fn authorities_that_are_not_trusted_are_told_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let good = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
    let of_file = |text: &str| {
        fs::write(&path, text).unwrap();
        let file = path.display();
        plain(&format!(
            "central: {{client_id: a, client_secret: b, ca_file: {file}}}\noutputs:\n\
             - {{type: webhook, url: 'https://a.example/b', ca_file: {file}}}\n"
        ))
    };
    assert_eq!(of_file(&good).unwrap().1, "");
    let (_, shown) = of_file(&format!("{}{good}", good.replacen("MII", "!!!", 1))).unwrap();
    assert_eq!(shown.matches("only the others in the file are trusted").count(), 2, "{shown}");
    let shown = of_file("no certificate").unwrap_err();
    assert_eq!(shown.matches("holds no certificate").count(), 2, "{shown}");
    fs::remove_file(&path).unwrap();
    let missing = "central: {client_id: a, client_secret: b, ca_file: /no/such.pem}\noutputs: [{type: stdout}]\n";
    assert!(plain(missing).unwrap_err().contains("/no/such.pem cannot be read"));
}
