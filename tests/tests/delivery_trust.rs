//! The running sensor before receivers that it must not trust: it delivers nothing, says why, goes on watching, keeps
//! the alerts, and delivers them once the receiver can be trusted.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use sensor_tests::delivery::{config_of_mcs, mcs, run_marked, until_arrived, until_written, uuids};
use sensor_tests::{Central, Home, Mark, Sensor, until};
use time::{Duration, OffsetDateTime};

const SERIAL: u64 = 77;

/// Days from now.
fn day(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

/// An authority, whose name is that of all others.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (day(-10), day(10));
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A server's certificate and its key, into the folder of Central.
    fn certify(&self, central: &Central, host: &str, (from, to): (i64, i64)) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(SERIAL));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = (day(from), day(to));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(central.path().join("shown.crt"), certificate.pem()).unwrap();
        fs::write(central.path().join("shown.key"), key.serialize_pem()).unwrap();
    }

    fn list(&self, revoked: bool, (from, to): (i64, i64)) -> String {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(if revoked { SERIAL } else { SERIAL + 1 }),
            revocation_time: day(-1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: day(from),
            next_update: day(to),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// What the sensor trusts: this authority, and its list.
fn trust(central: &Central, authority: &Authority, list: Option<&str>) {
    fs::write(central.path().join("sophosca1.crt"), &authority.pem).unwrap();
    let path = central.path().join("sophosca1.crl");
    match list {
        Some(list) => fs::write(path, list).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

const NOW: (i64, i64) = (-1, 1);
const HOST: &str = "127.0.0.1";

#[test]
fn nothing_goes_to_a_receiver_that_is_not_trusted() {
    let mut central = Central::start();
    central.stop();
    let (ours, other) = (Authority::new(), Authority::new());
    let good = ours.list(false, NOW);
    let mark = Mark::new("trust");
    let home = Arc::new(Home::new(&config_of_mcs(&central.keys(""), &mark, "")));
    type Case<'a> = (&'a str, Box<dyn Fn(&Central) + 'a>);
    let cases: Vec<Case<'_>> = vec![
        (
            "certificate ran out",
            Box::new(|central| {
                ours.certify(central, HOST, (-5, -1));
                trust(central, &ours, Some(&good));
            }),
        ),
        (
            "certificate is not in force yet",
            Box::new(|central| {
                ours.certify(central, HOST, (1, 5));
                trust(central, &ours, Some(&good));
            }),
        ),
        (
            "is not for the host in the URL",
            Box::new(|central| {
                ours.certify(central, "elsewhere.example", NOW);
                trust(central, &ours, Some(&good));
            }),
        ),
        // Of the same name, with another key.
        (
            "certificate",
            Box::new(|central| {
                other.certify(central, HOST, NOW);
                trust(central, &ours, Some(&good));
            }),
        ),
        (
            "was revoked by its authority",
            Box::new(|central| {
                ours.certify(central, HOST, NOW);
                trust(central, &ours, Some(&ours.list(true, NOW)));
            }),
        ),
        (
            "stale",
            Box::new(|central| {
                ours.certify(central, HOST, NOW);
                trust(central, &ours, Some(&ours.list(false, (-5, -1))));
            }),
        ),
        (
            "no sophosca*.crl",
            Box::new(|central| {
                ours.certify(central, HOST, NOW);
                trust(central, &ours, None);
            }),
        ),
        (
            // A list of that name by another key, as an authority has one after a change: not its, and not forged.
            "there is no revocation list for the receiver's certificate",
            Box::new(|central| {
                ours.certify(central, HOST, NOW);
                trust(central, &ours, Some(&other.list(false, NOW)));
            }),
        ),
    ];
    let mut sensor = None;
    for (number, (said, prepare)) in cases.iter().enumerate() {
        prepare(&central);
        central.resume_showing("shown.crt", "shown.key");
        // At the first start there is no earlier trust that could stay in force; nor is there later, after a restart.
        assert_eq!(sensor.take().map_or(Some(0), Sensor::stop), Some(0));
        let running = Sensor::start_in(&home);
        run_marked(&running, &mark, 2);
        running.until(&format!("`{said}` in the status"), || {
            let status = running.status();
            let output = mcs(&status, "outputs");
            let stored = output["spool"]["stored"] == (number + 1) * 2;
            let told = output["last_error"].as_str().is_some_and(|error| error.contains(said));
            (stored && told && output["failing"] == true).then_some(())
        });
        let shown = running.ask(&["status"]).stdout;
        assert!(shown.contains("output mcs fails"), "{shown}");
        // It watches on, and other outputs get what they are to get.
        running.until("the alerts in the file", || (running.alerts().len() == (number + 1) * 2).then_some(()));
        central.stop();
        sensor = Some(running);
    }
    central.resume_showing("shown.crt", "shown.key");
    assert_eq!(central.alerts().len(), 0);
    central.stop();
    // A good list is found without a restart of the sensor, with the next try; a changed output tries at once.
    ours.certify(&central, HOST, NOW);
    trust(&central, &ours, Some(&good));
    central.resume_showing("shown.crt", "shown.key");
    home.write_config(&config_of_mcs(&central.keys(""), &mark, "spool: {max_age: 100h}"));
    let sensor = sensor.unwrap();
    assert_eq!(sensor.reload().code, Some(0));
    until_arrived(&central, &uuids(&sensor.alerts()));
    let status = until("a good status", || {
        let status = sensor.status();
        (mcs(&status, "outputs")["failing"] == false && mcs(&status, "outputs")["queued"] == 0).then_some(status)
    });
    assert_eq!(mcs(&status, "outputs")["dropped"], 0);
}

#[test]
fn by_another_policy_a_stale_list_is_a_warning() {
    let mut central = Central::start();
    central.stop();
    let ours = Authority::new();
    ours.certify(&central, HOST, NOW);
    trust(&central, &ours, Some(&ours.list(false, (-5, -1))));
    central.resume_showing("shown.crt", "shown.key");
    let mark = Mark::new("warn");
    let sensor = Sensor::start(&config_of_mcs(&central.keys(", crl_policy: warn"), &mark, ""));
    run_marked(&sensor, &mark, 2);
    until_arrived(&central, &until_written(&sensor, 2));
    sensor.until("the warning", || sensor.ask(&["status"]).stdout.contains("should have been replaced").then_some(()));
    // And before it starts.
    let said = sensor.run(&["-check"]);
    assert!(said.stdout.contains("should have been replaced"), "{}", said.stdout);
}

/// OpenSSL's test server, killed when it is dropped.
struct OldServer(Child);

impl OldServer {
    /// Speaks TLS 1.1 and nothing newer.
    fn start(central: &Central, port: u16) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet", "-accept"]);
        command.arg(format!("127.0.0.1:{port}")).args(["-cert", "shown.crt", "-key", "shown.key"]);
        command.current_dir(central.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("openssl, which `setup/install.sh test` installs"))
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tls_1_1_is_not_spoken() {
    let mut central = Central::start();
    let port = central.port();
    central.stop();
    let ours = Authority::new();
    ours.certify(&central, HOST, NOW);
    trust(&central, &ours, Some(&ours.list(false, NOW)));
    let server = OldServer::start(&central, port);
    until("the old server to listen", || TcpListener::bind(("127.0.0.1", port)).err());
    let mark = Mark::new("old");
    let sensor = Sensor::start(&config_of_mcs(&central.keys(""), &mark, ""));
    run_marked(&sensor, &mark, 2);
    sensor.until("the reason", || {
        let status = sensor.status();
        let output = mcs(&status, "outputs");
        let told = output["last_error"].as_str().is_some_and(|error| error.contains("TLS"));
        (told && output["spool"]["stored"] == 2).then_some(())
    });
    drop(server);
    central.resume_showing("shown.crt", "shown.key");
    sensor.write_config(&config_of_mcs(&central.keys(""), &mark, "spool: {max_age: 100h}"));
    assert_eq!(sensor.reload().code, Some(0));
    until_arrived(&central, &until_written(&sensor, 2));
}
