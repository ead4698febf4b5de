//! Clients that exist, as they are published, against Central in the place of the vendor's: at the names that are built
//! into them, under a certificate for these names.

use std::{path::Path, process::Command};

use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use serde_json::{Value, json};

use super::of_items;
use crate::program::{Central, alert, reply};

/// Names that clients have built in.
const HOSTS: [&str; 3] = ["id.sophos.com", "api.central.sophos.com", "api-eu02.central.sophos.com"];

/// Central with a certificate for these names as well.
fn central() -> Central {
    let dir = Central::start().kill();
    let at = |name: &str| dir.path().join(name);
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "Sensor Central development CA");
    let ca = Issuer::new(ca, KeyPair::from_pem(&read("ca.key")).unwrap());
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = HOSTS.iter().chain(&["127.0.0.1"]).map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    // Python asks for it.
    parameters.use_authority_key_identifier_extension = true;
    let certificate = parameters.signed_by(&key, &ca).unwrap();
    std::fs::write(at("server.crt"), certificate.pem()).unwrap();
    std::fs::write(at("server.key"), key.serialize_pem()).unwrap();
    Central::serve(dir, "")
}

/// What a client has to tell, run by `clients/run.py`.
fn run(central: &Central, client: &str, (id, secret): &(String, String)) -> Value {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/python");
    assert!(python.exists(), "{}: setup/install.sh test brings it", python.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/central/api/clients/run.py");
    let mut command = Command::new(python);
    command.arg(script).args([client, id, secret, &central.tenant]);
    command.env("CENTRAL_PORT", central.url.rsplit_once(':').unwrap().1);
    command.env("REQUESTS_CA_BUNDLE", central.dir.path().join("sophosca1.crt"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // Some of them talk meanwhile.
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{client}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
async fn published_clients_log_in_and_list_page_by_page() {
    let central = central();
    let sent: Vec<_> = (0..60).map(|_| alert()).collect();
    reply(central.send("k", &sent).await).await;
    let client = central.log_in().await;
    let ids = of_items(&client.got("/common/v1/alerts?pageSize=100").await, "id");
    let endpoint = of_items(&client.got("/endpoint/v1/endpoints").await, "id");
    let credentials = central.credentials();

    let told = run(&central, "pysophoscentral", &credentials);
    assert_eq!(told, json!({ "who": [central.tenant, "tenant"], "alerts": ids, "endpoints": endpoint }));

    let told = run(&central, "sophoscentral", &credentials);
    assert_eq!((&told["common"], &told["siem"], &told["endpoints"]), (&json!(ids), &json!(ids), &json!(endpoint)));

    let told = run(&central, "sfos-central-sdk", &credentials);
    assert_eq!((&told["who"], &told["listed"]), (&json!([central.tenant, "tenant"]), &json!(ids)));
    assert_eq!((&told["found"], &told["one"]), (&json!(ids), &json!(ids[0])));
    assert_eq!((&told["acknowledged"], &told["left"]), (&json!([ids[0], "completed"]), &json!(ids[1..])));
}

#[tokio::test]
async fn published_clients_see_the_tenants_of_a_partner() {
    let central = central();
    let partner = "5b0c5a27-1f0e-4d0b-9f0e-6a1c3f7e2d41";
    central.run_command(&["set-tenant", "--tenant", &central.tenant, "--name", "Example", "--partner", partner]);
    let credentials = central.create_client(&["--partner", partner]);
    for client in ["sophoscentral", "sfos-central-sdk"] {
        let told = run(&central, &format!("{client}:tenants"), &credentials);
        assert_eq!(told, json!([[central.tenant, "Example"]]), "{client}");
    }
}
