//! Many tenants of one partner, each item to two files.

use sensor_tests::{Central, Siem};
use uuid::Uuid;

use super::partner::Partner;
use super::{cost, fill, lines};

const TENANTS: u128 = 50;

/// The table: of half of the tenants, and of all.
pub(crate) fn table(items: u128) -> String {
    let central = Central::start_unbounded();
    let of_each = items / TENANTS;
    let partner = Partner::new(&central, TENANTS);
    let tenants = &partner.tenants;
    tenants.iter().for_each(|tenant| fill::fill_events(&central, *tenant, of_each));
    let mut text =
        "| tenants × outputs | items | items/s | CPU s | MB at the most |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for tenants in [&tenants[..tenants.len() / 2], tenants] {
        let named = tenants.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ");
        let outputs = format!(
            "  - {{type: file, path: \"@HOME@/json\"}}\n  \
             - {{type: file, name: cef, path: \"@HOME@/cef\", format: cef}}\ntenants: [{named}]\n"
        );
        let siem = Siem::with_outputs_as(&central, partner.credentials.clone(), &outputs);
        let cost = cost(&mut siem.command(&["-c", "config.yaml", "-q"]));
        let all = of_each * tenants.len() as u128;
        for name in ["json", "cef"] {
            assert_eq!(lines(&siem.file(name)), all, "{name}");
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
