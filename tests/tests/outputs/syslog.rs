//! syslog, against rsyslog.

use std::path::Path;
use std::sync::Arc;

use sensor_tests::{Home, Mark, Sensor, listens, until};
use serde_json::Value;

use super::{authority, free_port, output, raise, rsyslog::Rsyslog, with_outputs};

/// Whether the receiver got an alert about this process, and in what header.
fn received(rsyslog: &Rsyslog, pid: u32) -> Option<Vec<String>> {
    rsyslog.lines().into_iter().find(|line| {
        let alert: Value = serde_json::from_str(line[6].trim()).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        alert["process_info"]["pid"] == pid
    })
}

fn wait_for(rsyslog: &Rsyslog, pid: u32) -> Vec<String> {
    until("an alert to arrive", || received(rsyslog, pid))
}

/// A home that is there before the sensor is, for its receiver.
fn home(config: &str) -> Arc<Home> {
    Arc::new(Home::new(config))
}

fn tcp(folder: &Path, port: u16) -> Rsyslog {
    let inputs = format!("module(load=\"imtcp\")\ninput(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")");
    Rsyslog::start(folder, &inputs, listens(port))
}

#[test]
fn alerts_over_tcp_outlive_the_receiver() {
    let mark = Mark::new("syslogtcp");
    let port = free_port();
    let output_config =
        format!("    - {{type: syslog, address: \"tcp://127.0.0.1:{port}\", facility: local3, max_bytes: 4000}}");
    let home = home(&with_outputs(&mark.config(), &output_config));
    let first = tcp(home.path(), port);
    let sensor = Sensor::start_in(&home);
    let pid = raise(&sensor, &mark);
    let line = wait_for(&first, pid);
    assert_eq!(line[0], "local3.crit");
    assert_eq!((line[3].as_str(), line[4].as_str()), ("sophoslinuxsensor", "alert"));
    assert_eq!(line[5], "-");
    assert!(line[6].contains("\"strategy_name\":\"Marked Program\""), "{line:?}");
    assert_eq!(received(&first, pid).map(|line| line.len()), Some(7));

    // While nobody listens they wait on disk, over a restart of the sensor too.
    drop(first);
    let while_down: Vec<u32> = (0..20).map(|_| raise(&sensor, &mark)).collect();
    until("all to wait", || (output(&sensor, "syslog")["queued"] == 20).then_some(()));
    assert_eq!(sensor.stop(), Some(0));
    let sensor = Sensor::start_in(&home);
    let second = tcp(home.path(), port);
    for pid in while_down {
        wait_for(&second, pid);
    }
    until("all confirmed", || (output(&sensor, "syslog")["queued"] == 0).then_some(()));
}

#[test]
fn alerts_over_tls_go_to_who_is_trusted_alone() {
    let mark = Mark::new("syslogtls");
    let port = free_port();
    let output_config = format!(
        "    - {{type: syslog, address: \"tls://localhost:{port}\", ca_file: \"@HOME@/ca.pem\", \
         cert_file: \"@HOME@/client.pem\", key_file: \"@HOME@/client.key\"}}"
    );
    let home = home(&with_outputs(&mark.config(), &output_config));
    authority::certificates(home.path());
    let folder = home.path().display();
    // The receiver wants to know who the sensor is.
    let inputs = format!(
        "module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"x509/name\" \
         PermittedPeer=[\"localhost\"])\n\
         input(type=\"imtcp\" port=\"{port}\")"
    );
    let global = format!(
        "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{folder}/ca.pem\" \
         DefaultNetstreamDriverCertFile=\"{folder}/server.pem\" DefaultNetstreamDriverKeyFile=\"{folder}/server.key\")\n"
    );
    let rsyslog = Rsyslog::start(home.path(), &(global + &inputs), listens(port));
    let sensor = Sensor::start_in(&home);
    let pid = raise(&sensor, &mark);
    wait_for(&rsyslog, pid);

    // Another authority's: nothing goes there, and it is said.
    authority::certificates(home.path());
    assert_eq!(sensor.reload().code, Some(0));
    drop(rsyslog);
    let stranger = tempfile::tempdir().expect("a folder");
    authority::certificates(stranger.path());
    let global = global_of(stranger.path());
    let rsyslog = Rsyslog::start(stranger.path(), &(global + &inputs), listens(port));
    let pid = raise(&sensor, &mark);
    until("the refusal to be told", || {
        let error = output(&sensor, "syslog")["last_error"].to_string();
        (error.contains("UnknownIssuer") || error.contains("certificate")).then_some(())
    });
    assert_eq!(received(&rsyslog, pid), None);
}

fn global_of(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{folder}/ca.pem\" \
         DefaultNetstreamDriverCertFile=\"{folder}/server.pem\" DefaultNetstreamDriverKeyFile=\"{folder}/server.key\")\n"
    )
}

#[test]
fn alerts_over_a_socket_and_over_udp() {
    let mark = Mark::new("syslogdgram");
    let port = free_port();
    let output_config = format!(
        "    - {{type: syslog, name: local, address: \"@HOME@/log\", message_types: [alert]}}\n    \
         - {{type: syslog, name: remote, address: \"udp://127.0.0.1:{port}\"}}"
    );
    let home = home(&with_outputs(&mark.config(), &output_config));
    let socket = home.file("log");
    let inputs = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{}\")\n\
         module(load=\"imudp\")\ninput(type=\"imudp\" port=\"{port}\" address=\"127.0.0.1\")",
        socket.display()
    );
    let udp_is_bound = move || std::net::UdpSocket::bind(("127.0.0.1", port)).is_err();
    let rsyslog = Rsyslog::start(home.path(), &inputs, || socket.exists() && udp_is_bound());
    let sensor = Sensor::start_in(&home);
    let pid = raise(&sensor, &mark);
    let lines = until("it to arrive twice", || {
        let about = |line: &Vec<String>| line[6].contains(&format!("\"pid\":{pid},"));
        let lines: Vec<_> = rsyslog.lines().into_iter().filter(about).collect();
        (lines.len() == 2).then_some(lines)
    });
    // The system logger's socket takes another form than receivers do, and both read whose it is.
    assert!(lines.iter().all(|line| line[3] == "sophoslinuxsensor" && line[0] == "local0.crit"), "{lines:?}");
    for name in ["local", "remote"] {
        assert!(output(&sensor, name)["confirmed"].is_null());
    }
    let said = sensor.ask(&["status"]).stdout;
    let columns = |name: &str| -> Vec<String> {
        let line = said.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert!(["local", "remote"].iter().all(|name| columns(name)[5] == "-"), "{said}");
}
