//! rsyslog and syslog-ng, over TLS.

use std::path::Path;

use sensor_tests::{Central, Siem, free_port, listens, until};
use serde_json::Value;

use super::fill::{fill, ids};
use super::rsyslog::Rsyslog;
use super::syslog_ng::SyslogNg;
use super::{authority, counted, fine};

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

/// The files of the certificates there, as keys of an output.
fn files(folder: &Path) -> String {
    let at = folder.display();
    format!("ca_file: {at}/ca.pem, cert_file: {at}/client.pem, key_file: {at}/client.key")
}

/// rsyslog that wants to know who sends, with the certificates there.
fn rsyslog(folder: &Path, port: u16) -> Rsyslog {
    let at = folder.display();
    let inputs = format!(
        "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{at}/ca.pem\" \
         DefaultNetstreamDriverCertFile=\"{at}/server.pem\" DefaultNetstreamDriverKeyFile=\"{at}/server.key\")\n\
         module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"x509/name\" \
         PermittedPeer=[\"localhost\"])\n\
         input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")"
    );
    Rsyslog::start(folder, &inputs, listens(port))
}

fn item(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn rsyslog_has_all_once_it_is_trusted() {
    let central = Central::start();
    fill(&central, 0, 1500);
    let (folder, stranger) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    authority::certificates(folder.path());
    authority::certificates(stranger.path());
    let port = free_port();
    let output = format!("  - {{type: syslog, address: \"tls://localhost:{port}\", facility: local3, ");
    let siem = Siem::with_outputs(&central, &format!("{output}{}}}\n", files(folder.path())));
    let receiver = rsyslog(folder.path(), port);
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    fine(&siem.run(&CONFIG));
    let lines = until("all to arrive", || Some(receiver.lines()).filter(|lines| lines.len() >= 1500));
    let items: Vec<Value> = lines.iter().map(|line| item(&line[6])).collect();
    assert_eq!(counted(&items).into_keys().collect::<Vec<_>>(), ids(0, 1500));
    assert_eq!(items.len(), 1500, "each once");
    for (line, item) in lines.iter().zip(&items) {
        let [facility, time, _, program, kind, data, _] = &line[..] else { panic!("{line:?}") };
        assert_eq!((facility.as_str(), program.as_str(), kind.as_str()), ("local3.info", "sensor-siem", "alert"));
        assert_eq!(data, "-");
        // Up to the second: rsyslog writes the fraction its own way.
        assert_eq!(time[..19], item["rt"].as_str().expect("a time")[..19]);
    }

    // It is gone: the position stays, and all comes once it is back.
    drop(receiver);
    fill(&central, 1500, 1510);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("nothing is lost"), "{}", said.stderr);
    let receiver = rsyslog(folder.path(), port);
    fine(&siem.run(&CONFIG));
    let arrived = || counted(&receiver.lines().iter().map(|line| item(&line[6])).collect::<Vec<_>>());
    until("what it missed", || ids(1500, 1510).iter().all(|id| arrived().contains_key(id)).then_some(()));

    // Who is of another authority is sent nothing, and who is takes nothing: not even a few, which a socket would hold.
    let central = Central::start();
    fill(&central, 0, 3);
    for (trusts, is, words) in [
        (stranger.path(), folder.path(), "invalid peer certificate"),
        (folder.path(), stranger.path(), "nothing is lost"),
    ] {
        let at = is.display();
        let own = format!("cert_file: {at}/client.pem, key_file: {at}/client.key");
        let other = Siem::with_outputs(&central, &format!("{output}ca_file: {}/ca.pem, {own}}}\n", trusts.display()));
        let before = receiver.lines().len();
        let said = other.run(&CONFIG);
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        assert!(said.stderr.contains(words), "{}", said.stderr);
        assert_eq!(receiver.lines().len(), before);
        assert_eq!(other.run(&["-c", "config.yaml", "check"]).code, Some(1));
    }
}

#[test]
fn syslog_ng_has_all_in_either_form() {
    let central = Central::start();
    fill(&central, 0, 1200);
    let folder = tempfile::tempdir().expect("a folder");
    authority::certificates(folder.path());
    let (new, old) = (free_port(), free_port());
    let at = folder.path().display();
    let tls = format!(
        "transport(tls) ip(127.0.0.1) tls(key-file(\"{at}/server.key\") cert-file(\"{at}/server.pem\") \
         ca-file(\"{at}/ca.pem\") peer-verify(required-trusted))"
    );
    let source = format!("syslog({tls} port({new})); network({tls} port({old}));");
    let receiver = SyslogNg::start(folder.path(), &source, || listens(new)() && listens(old)());
    let files = files(folder.path());
    let outputs = format!(
        "  - {{type: syslog, name: new, address: \"tls://localhost:{new}\", {files}}}\n  \
         - {{type: syslog, name: old, address: \"tls://localhost:{old}\", protocol: rfc3164, framing: lf, format: cef, {files}}}\n"
    );
    let siem = Siem::with_outputs(&central, &outputs);
    fine(&siem.run(&CONFIG));
    let lines = until("all to arrive", || Some(receiver.lines()).filter(|lines| lines.len() >= 2400));
    assert!(lines.iter().all(|line| line[0] == "daemon.info" && line[2] == "sensor-siem"), "{:?}", lines[0]);
    let (new, old): (Vec<_>, Vec<_>) =
        lines.iter().map(|line| line[3].as_str()).partition(|text| text.starts_with('{'));
    assert_eq!(new.len(), 1200);
    assert_eq!(counted(&new.into_iter().map(item).collect::<Vec<_>>()).into_keys().collect::<Vec<_>>(), ids(0, 1200));
    let mut known: Vec<&str> = old
        .iter()
        .map(|text| {
            assert!(text.starts_with("CEF:0|sophos|sophos central|1.0|"), "{text}");
            text.split(' ').find_map(|word| word.strip_prefix("id=")).expect("an id")
        })
        .collect();
    known.sort_unstable();
    assert_eq!(known, ids(0, 1200));
}
