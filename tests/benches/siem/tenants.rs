//! Many tenants of one partner, each item to two files.

use std::fs;
use std::process::Command;

use sensor_tests::{Central, Said, Siem, programs};
use uuid::Uuid;

use super::{cost, fill};

const PARTNER: &str = "22222222-2222-4333-8444-555555555555";
const TENANTS: u128 = 50;

/// The table: of half of the tenants, and of all.
pub(crate) fn table(items: u128) -> String {
    let central = Central::start();
    let of_each = items / TENANTS;
    let tenants: Vec<Uuid> = (1..=TENANTS).map(Uuid::from_u128).collect();
    for (number, tenant) in tenants.iter().enumerate() {
        let tenant = tenant.to_string();
        let name = format!("Tenant {number}");
        administer(&central, &["set-tenant", "--tenant", &tenant, "--name", &name, "--partner", PARTNER]);
    }
    let said = administer(&central, &["create-client", "--partner", PARTNER, "--label", "export"]);
    let word = |key: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {key} in {said}")).to_owned()
    };
    for (tenant, from) in tenants.iter().zip((0..).step_by(of_each.try_into().expect("few"))) {
        fill::fill_tenant(&central, *tenant, from, from + of_each);
    }
    let mut text =
        "| tenants × outputs | items | items/s | CPU s | MB at the most |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for tenants in [&tenants[..tenants.len() / 2], &tenants] {
        let named = tenants.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ");
        let outputs = format!(
            "  - {{type: file, path: \"@HOME@/json\"}}\n  \
             - {{type: file, name: cef, path: \"@HOME@/cef\", format: cef}}\ntenants: [{named}]\n"
        );
        let siem = Siem::with_outputs_as(&central, (word("client_id"), word("client_secret")), &outputs);
        let cost = cost(&mut siem.command(&["-c", "config.yaml", "-q"]));
        let all = of_each * tenants.len() as u128;
        for name in ["json", "cef"] {
            let lines = fs::read_to_string(siem.file(name)).expect("what was written").lines().count();
            assert_eq!(lines as u128, all, "{name}");
        }
        text += &format!(
            "| {} × 2 | {all} | {:.0} | {:.2} | {:.0} |\n",
            tenants.len(),
            all as f64 / cost.seconds,
            cost.cpu,
            cost.memory
        );
    }
    text
}

/// Runs a command of Central on its database.
fn administer(central: &Central, arguments: &[&str]) -> String {
    let said = Said::of(Command::new(programs::central()).args(arguments).arg("--data-dir").arg(central.path()));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout
}
