//! More tenants at once than replies have places in memory.

use std::fs;

use sensor_tests::{Central, Siem};

use super::fill::{fill_tenant, ids};
use super::partner::Partner;
use super::{counted, fine};

/// More than what HTTP/2's windows hold of pages that nobody reads, if each may fill them.
const TENANTS: u128 = 24;
const OF_EACH: u128 = 2000;

#[test]
fn replies_that_wait_for_a_place_leave_room_for_those_that_have_one() {
    let central = Central::start_unbounded();
    let partner = Partner::new(&central, TENANTS);
    for (tenant, from) in partner.tenants.iter().zip((0..).step_by(OF_EACH as usize)) {
        fill_tenant(&central, *tenant, from, from + OF_EACH);
    }
    let siem = Siem::with_outputs_as(&central, partner.credentials, "  - {type: file, path: \"@HOME@/items\"}\n");
    let said = siem.run(&["-c", "config.yaml"]);
    fine(&said);
    assert!(!said.stderr.contains("next try"), "{}", said.stderr);
    let items = sensor_tests::parse_lines(&fs::read(siem.file("items")).expect("what was written"));
    let counts = counted(&items);
    assert!(ids(0, TENANTS * OF_EACH).iter().all(|id| counts.get(id) == Some(&1)), "{} ids", counts.len());
}
