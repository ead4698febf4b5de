//! What is the same of all that is sent as HTTP requests: times, and TLS.

use std::process::Command;

use delivery::ledger::OutputStatus;
use sensor_agent::output::{Dispatcher, Sinks};
use sensor_tests::until;

use super::super::authority::certificates;
use super::super::collector::{Came, Collector, Reply};
use super::{Place, alert, rows, status};

/// Tries that come within the patience of a test only if waits and time-outs are as short as they are set.
const MANY: usize = 25;

/// The entry of an output or a sink of such a type that sends to this collector, with further settings. What it needs is
/// there, unless these say it.
pub(super) fn entry(kind: &str, collector: &Collector, more: &str) -> String {
    let unless_given = |key: &str, settings: String| if more.contains(key) { String::new() } else { settings + "," };
    let url = collector.url();
    match kind {
        "webhook" => format!("{{type: webhook, url: '{url}/in?a=b', {more}}}"),
        "splunk_hec" => {
            let token = unless_given("token", "token: t".into());
            format!("{{type: splunk_hec, url: '{url}', batch_delay: 1ms, {token} {more}}}")
        }
        "parquet" => {
            let endpoint = unless_given("endpoint", format!("endpoint: '{url}'"));
            let key = unless_given("access_key", "access_key_id: AKIA, secret_access_key: s".into());
            format!(
                "{{backend: parquet, name: '@HERE@/lake', roll_interval: 100ms, bucket: buck, {endpoint} {key} {more}}}"
            )
        }
        other => panic!("{other} sends no requests"),
    }
}

/// An output that has got an alert, or a sink that has got a row.
enum Sending {
    Alert(Dispatcher),
    Row(Sinks),
}

impl Sending {
    fn start(place: &Place, entry: &str) -> Self {
        if entry.contains("backend:") {
            let sinks = place.sinks(entry);
            sinks.send(rows(1));
            Self::Row(sinks)
        } else {
            let outputs = place.outputs(entry);
            outputs.send(alert());
            Self::Alert(outputs)
        }
    }

    fn status(&self) -> OutputStatus {
        match self {
            Self::Alert(outputs) => status(outputs),
            Self::Row(sinks) => sinks.status().remove(0),
        }
    }

    fn until_confirmed(&self) {
        until("it to be confirmed", || (self.status().confirmed == Some(1)).then_some(()));
    }
}

/// The first request with these settings, once it is confirmed, and where it was sent from: a secret is there in a file.
pub(super) fn first(kind: &str, more: &str) -> (Came, Place) {
    let (place, collector) = (Place::new(), Collector::start());
    std::fs::write(place.path("secret"), "of-a-file\n").expect("a file");
    private(&place.path(""));
    Sending::start(&place, &entry(kind, &collector, more)).until_confirmed();
    (collector.came().remove(0), place)
}

fn many_tries(kind: &str, reply: impl Fn() -> Reply, more: &str) {
    let (place, collector) = (Place::new(), Collector::start());
    collector.script((0..1000).map(|_| reply()));
    let sending = Sending::start(&place, &entry(kind, &collector, more));
    until("many tries", || (collector.came().len() >= MANY).then_some(()));
    assert_eq!(sending.status().sent, 0);
}

/// A reply that does not come is waited for so long.
pub(super) fn timeout(kind: &str) {
    many_tries(kind, || Reply::Hang, "timeout: 100ms, retry_min: 10ms, retry_max: 20ms");
}

/// From the first wait on to the longest.
pub(super) fn retries(kind: &str) {
    let busy = || Reply::Say(503, &[], String::new());
    many_tries(kind, busy, "retry_min: 10ms, retry_max: 20ms");
    let told = Place::new().told(&entry(kind, &Collector::start(), "retry_min: 2s, retry_max: 1s"));
    assert!(told.contains("`retry_min` is longer than `retry_max`"), "{told}");
}

/// An alert waits for another one to go with it.
pub(super) fn batches(kind: &str, events_in: fn(&str) -> usize) {
    let (place, collector) = (Place::new(), Collector::start());
    let token = if kind == "splunk_hec" { "token: t, ack: false," } else { "" };
    let settings = "batch_size: 2, batch_delay: 1h";
    let outputs = place.outputs(&format!("{{type: {kind}, url: '{}', {token} {settings}}}", collector.url()));
    for _ in 0..5 {
        outputs.send(alert());
        // Longer than one waits by default.
        std::thread::sleep(std::time::Duration::from_millis(1500));
    }
    until("four to be confirmed", || (status(&outputs).confirmed >= Some(4)).then_some(()));
    let came = collector.came();
    let mut sizes: Vec<usize> = came.iter().map(|came| events_in(&came.text())).collect();
    // One that is there before the first look at what waits goes by itself.
    if sizes[0] == 1 {
        sizes.remove(0);
    }
    assert_eq!(sizes, [2, 2]);
}

/// Whom it trusts, and who it is.
pub(super) fn tls(kind: &str) {
    let (place, folder) = (Place::new(), tempfile::tempdir().expect("a folder"));
    certificates(folder.path());
    private(folder.path());
    let collector = Collector::start_tls(folder.path());
    let at = folder.path().display();
    let files = format!("ca_file: {at}/ca.pem, cert_file: {at}/client.pem, key_file: {at}/client.key");
    Sending::start(&place, &entry(kind, &collector, &files)).until_confirmed();
    // Without them: neither end trusts the other. Who is refused hears of it, or that the connection broke.
    for files in [format!("ca_file: {at}/ca.pem"), format!("cert_file: {at}/client.pem, key_file: {at}/client.key")] {
        let often = format!("{files}, retry_min: 50ms, retry_max: 200ms");
        let place = Place::new();
        let sending = Sending::start(&place, &entry(kind, &collector, &often));
        until("some tries", || (sending.status().retried > 3).then_some(()));
        assert_eq!(sending.status().confirmed, Some(0), "{files}");
    }
    wrong_files(|files| entry(kind, &collector, files));
    let plain = Collector::start();
    let told = place.told(&entry(kind, &plain, &format!("ca_file: {at}/ca.pem")));
    assert!(told.contains("`ca_file` has no effect: there is no TLS to http://"), "{told}");
}

/// Files that no connection could be made with are errors, at their keys.
pub(super) fn wrong_files(output: impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, others) = (folder.path().join("ours"), folder.path().join("others"));
    for folder in [&ours, &others] {
        std::fs::create_dir(folder).expect("a folder");
        certificates(folder);
        private(folder);
    }
    let (ours, others) = (ours.display(), others.display());
    std::fs::write(folder.path().join("text"), "no certificate\n").expect("a file");
    std::fs::write(folder.path().join("bad"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .expect("a file");
    private(folder.path());
    let folder = folder.path().display();
    for (files, words) in [
        (format!("ca_file: {folder}/missing"), "cannot be read"),
        (format!("ca_file: {folder}/text"), "holds no certificate"),
        (format!("ca_file: {ours}/client.key"), "holds no certificate"),
        (format!("ca_file: {folder}/bad"), "holds no certificate to trust"),
        (format!("cert_file: {ours}/client.pem"), "`cert_file` and `key_file` belong together"),
        (format!("key_file: {ours}/client.key"), "`cert_file` and `key_file` belong together"),
        (format!("cert_file: {folder}/text, key_file: {ours}/client.key"), "cannot be used"),
        (format!("cert_file: {ours}/client.pem, key_file: {folder}/text"), "holds no private key"),
        (format!("cert_file: {ours}/client.pem, key_file: {others}/client.key"), "do not go together"),
    ] {
        let told = Place::new().told(&output(&files));
        assert!(told.contains(words), "{files}: {told}");
        // With its place: the file, and a line of it.
        assert!(told.contains("main.yaml:"), "{told}");
    }
    // Of a bundle a part is damaged: the others are trusted, so it is no error, but is told before a receiver is refused.
    let pem = std::fs::read_to_string(format!("{ours}/ca.pem")).expect("an authority");
    std::fs::write(format!("{folder}/bundle"), format!("{pem}{}", pem.replacen("MII", "!!!", 1))).expect("a file");
    let entry = output(&format!("ca_file: {folder}/bundle"));
    let list = if entry.contains("backend:") { super::sinks(&entry) } else { super::outputs(&entry) };
    let (_, report) = Place::new().plan(&list);
    let told = report.to_string();
    assert!(!report.has_errors(), "{told}");
    for words in
        ["warning: ", "bundle: an entry in it is left aside", "main.yaml:", "only the others in it are trusted"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

/// Keys are for their owner alone.
pub(super) fn private(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_file() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o600)).expect("its mode");
        }
    }
}

/// Without TLS nobody needs certificates, not even where the system has none.
#[test]
fn plain_requests_need_no_certificates() {
    let child = "settings::requests::plain_requests_without_certificates";
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", child, "--ignored"])
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent")
        .status()
        .expect("it runs");
    assert!(ended.success());
}

#[test]
#[ignore = "started by plain_requests_need_no_certificates, in an environment without certificates"]
fn plain_requests_without_certificates() {
    assert!(std::env::var_os("SSL_CERT_FILE").is_some(), "this is to be started by its parent");
    for kind in ["webhook", "splunk_hec", "parquet"] {
        let (place, collector) = (Place::new(), Collector::start());
        Sending::start(&place, &entry(kind, &collector, "")).until_confirmed();
        let place = Place::new();
        let sending = Sending::start(&place, &entry(kind, &collector, "").replace("http://", "https://"));
        until("the lack to be told", || {
            sending.status().last_error.filter(|error| error.message.contains("no certificates to trust"))
        });
    }
}
