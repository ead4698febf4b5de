//! System loggers of this host, by their sockets.

use sensor_tests::{Central, Siem, until};
use serde_json::Value;

use super::fill::{fill, ids};
use super::rsyslog::Rsyslog;
use super::syslog_ng::SyslogNg;
use super::{counted, fine};

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

/// What is in the texts of messages.
fn items(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))).collect()
}

#[test]
fn system_loggers_have_all_by_datagrams_and_by_a_stream() {
    let central = Central::start();
    fill(&central, 0, 1200);
    let folder = tempfile::tempdir().expect("a folder");
    let (datagrams, stream) = (folder.path().join("log"), folder.path().join("stream"));
    let input = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{}\" RateLimit.Interval=\"0\")",
        datagrams.display()
    );
    let start = || Rsyslog::start(folder.path(), &input, || datagrams.exists());
    let rsyslog = start();
    let syslog_ng =
        SyslogNg::start(folder.path(), &format!("unix-stream(\"{}\");", stream.display()), || stream.exists());
    let outputs = format!(
        "  - {{type: syslog, name: rsyslog, address: {}, facility: local5}}\n  \
         - {{type: syslog, name: syslog-ng, address: {}}}\n",
        datagrams.display(),
        stream.display()
    );
    let siem = Siem::with_outputs(&central, &outputs);
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    fine(&siem.run(&CONFIG));
    let of_rsyslog = || rsyslog.lines().into_iter().map(|line| line[6].trim().to_owned()).collect::<Vec<_>>();
    let texts = until("rsyslog to have all", || Some(of_rsyslog()).filter(|texts| texts.len() >= 1200));
    assert_eq!(counted(&items(&texts)).into_keys().collect::<Vec<_>>(), ids(0, 1200));
    assert_eq!(texts.len(), 1200, "each once");
    let line = rsyslog.lines().remove(0);
    assert_eq!((line[0].as_str(), line[3].as_str()), ("local5.info", "sensor-siem"));
    let of_ng = || syslog_ng.lines().into_iter().map(|line| line[3].clone()).collect::<Vec<_>>();
    let texts = until("syslog-ng to have all", || Some(of_ng()).filter(|texts| texts.len() >= 1200));
    assert_eq!(counted(&items(&texts)).into_keys().collect::<Vec<_>>(), ids(0, 1200));
    assert_eq!(syslog_ng.lines()[0][0], "daemon.info");

    // One of them is gone: it alone gets what it misses later.
    drop(rsyslog);
    fill(&central, 1200, 1210);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("output rsyslog: "), "{}", said.stderr);
    until("syslog-ng to have those", || (of_ng().len() == 1210).then_some(()));
    std::fs::remove_file(&datagrams).expect("what it left");
    let rsyslog = start();
    fine(&siem.run(&CONFIG));
    let has_all = || {
        let texts: Vec<String> = rsyslog.lines().into_iter().map(|line| line[6].trim().to_owned()).collect();
        let counts = counted(&items(&texts));
        ids(1200, 1210).iter().all(|id| counts.contains_key(id))
    };
    until("rsyslog to have those", || has_all().then_some(()));
}
