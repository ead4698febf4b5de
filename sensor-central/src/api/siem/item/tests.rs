mod model;

use proptest::prelude::*;
use sensor_proto::v1::{Alert as SentAlert, AuditUserMessage, Location, LostRecords, ProcessInfo};
use serde_json::{Value, json};

use super::*;
use crate::{store::Place, told::tests::any_json};

/// Names of members that are looked at, at some depth.
const NAMES: [&str; 36] = [
    "uuid",
    "policy_type",
    "priority",
    "confidence",
    "matched_rule",
    "categories",
    "description",
    "process_info",
    "location",
    "metadata",
    "container_id",
    "name",
    "args",
    "pid",
    "sophos_pid",
    "user",
    "uid",
    "network_interface.eth0",
    "network_interface.a",
    "network_interface.",
    "hostname",
    "address",
    "acct",
    "path",
    "message",
    "count",
    "stage",
    "event_class",
    "cause",
    "result",
    "process_info",
    "process_info",
    "location",
    "metadata",
    "user",
    "args",
];

/// Members by which an alert and a row are kept, and JSON of each of them.
fn kept(json: impl Strategy<Value = String>) -> impl Strategy<Value = (StoredAlert, StoredEvent)> {
    let text = || prop_oneof![Just(String::new()), "[a-z\"\u{e9}]{1,4}", any::<String>()];
    let sensor = prop_oneof![text(), Just("a3bb189e-8bf9-4888-9912-ace4e6543002".to_owned())];
    let event = prop_oneof![4 => prop::sample::select(&EventType::ALL[..]).prop_map(|kind| kind.name().to_owned()), 1 => text()];
    (json, any::<(i64, i64, i64, u128)>(), 0..9_u8, sensor, text(), text(), event).prop_map(
        |(json, (raised, row, time, id), severity, sensor, policy, host, event)| {
            let place = Place { raised, row };
            let alert = StoredAlert {
                place,
                public_id: Uuid::from_u128(id),
                sensor: sensor.clone(),
                time,
                severity,
                policy,
                host: host.clone(),
                json: json.clone(),
            };
            (alert, StoredEvent { place, sensor, time, event, host, json })
        },
    )
}

/// The same bytes as those of the model, which the values of `serde_json` are.
fn is_as_the_model(kept: &(StoredAlert, StoredEvent), tenant: Uuid) -> Result<(), TestCaseError> {
    let (alert, event) = kept;
    let endpoint = ids::of_endpoint(&alert.sensor);
    let written = serde_json::to_string(&Alert { tenant, endpoint, kept: alert }).expect("an item");
    prop_assert_eq!(written, model::alert(tenant, alert).to_string());
    let written = serde_json::to_string(&Event { tenant, endpoint, kept: event }).expect("an item");
    prop_assert_eq!(written, model::event(tenant, event).to_string());
    Ok(())
}

/// An object in which members of these names are more often than not of the types that sensors send.
fn shaped() -> impl Strategy<Value = String> {
    let any = || any_json(&NAMES);
    let of = |names: &'static [&'static str], value: BoxedStrategy<String>| {
        prop::collection::vec((prop::sample::select(names), value), 0..10).prop_map(|members| {
            let members: Vec<_> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
    };
    let words = prop::collection::vec(any(), 0..4).prop_map(|words| format!("[{}]", words.join(",")));
    let addresses = prop::sample::select(
        &["\"fe80::1,192.0.2.7\"", "\"::ffff:10.0.0.1\"", "\"x,,2001:DB8::1\"", "\"10.0.0.1, 10.0.0.2\"", "\"\"", "7"]
            [..],
    );
    let interfaces = of(&["network_interface.b", "network_interface.a", "os_name"], addresses.prop_map_into().boxed());
    let process =
        of(&["name", "args", "pid", "user", "uid", "sophos_pid"], prop_oneof![words, any(), "[0-9]{1,9}"].boxed());
    let value = prop_oneof![any(), process, interfaces];
    prop_oneof![4 => of(&NAMES, value.boxed()), 1 => any()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_written_is_what_values_would_be(kept in kept(shaped()), tenant: u128, cut in prop::option::weighted(0.05, 0..200_usize)) {
        let (mut alert, mut event) = kept;
        if let Some(cut) = cut {
            for json in [&mut alert.json, &mut event.json] {
                *json = json.chars().take(cut).collect();
            }
        }
        is_as_the_model(&(alert, event), Uuid::from_u128(tenant))?;
    }

    #[test]
    fn so_is_what_sensors_send(kept in kept(sent()), tenant: u128) {
        is_as_the_model(&kept, Uuid::from_u128(tenant))?;
    }
}

/// The JSON of alerts and rows as they are taken in.
fn sent() -> impl Strategy<Value = String> {
    let text = || prop_oneof![Just(String::new()), "[a-z /\\\\]{1,9}", any::<String>()];
    let process = (text(), text(), text(), prop::collection::vec(text(), 0..4), any::<[Option<u32>; 3]>());
    let process = prop::option::of(process.prop_map(|(name, user, sophos_pid, args, [pid, ppid, uid])| ProcessInfo {
        name,
        user,
        sophos_pid,
        args,
        pid,
        ppid,
        uid,
        ..ProcessInfo::default()
    }));
    let metadata =
        prop::collection::hash_map("network_interface\\.[a-c]", "[0-9]{1,3}(\\.[0-9]{1,3}){3}|::[a-f0-9]", 0..3);
    let alert = (process, metadata, text(), prop::collection::vec(text(), 0..3), any::<u64>()).prop_map(
        |(process, metadata, text, categories, time)| SentAlert {
            uuid: text.clone(),
            unix_nano_timestamp: Some(time),
            matched_rule: text.clone(),
            description: text.clone(),
            categories,
            lineage: process.iter().cloned().collect(),
            process_info: process,
            location: Some(Location { container_id: text, ..Location::default() }),
            metadata: metadata.into_iter().collect(),
            ..SentAlert::default()
        },
    );
    let login = (text(), text(), text(), any::<Option<u32>>()).prop_map(|(acct, path, address, uid)| {
        AuditUserMessage { acct, path, address, uid, ..AuditUserMessage::default() }
    });
    let lost = (any::<u64>(), text()).prop_map(|(count, cause)| LostRecords {
        count: Some(count),
        cause,
        ..LostRecords::default()
    });
    prop_oneof![
        alert.prop_map(|alert| serde_json::to_string(&alert)),
        login.prop_map(|row| serde_json::to_string(&row)),
        lost.prop_map(|row| serde_json::to_string(&row)),
    ]
    .prop_map(|json| json.expect("JSON"))
}

/// What is for SIEMs takes the account and the result out of the name.
#[test]
fn the_lines_that_receivers_are_tried_with_have_the_names_that_are_told() {
    let lines = include_str!("../../../../../tests/siem/lines/items.json");
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("an item")).collect();
    for (id, row) in [
        (
            "evt-000021",
            json!({
                "acct": "mallory", "path": "/usr/sbin/useradd", "result": "success",
                "message": "op=add-user acct=\"mallory\" id=1001 exe=\"/usr/sbin/useradd\" res=success",
            }),
        ),
        (
            "evt-000022",
            json!({
                "acct": "bob", "path": "/usr/sbin/userdel", "result": "failed",
                "message": "op=deleting-user acct=\"bob\" res=failed",
            }),
        ),
        (
            "evt-000024",
            json!({
                "acct": "bob", "path": "/usr/bin/gpasswd", "result": "success",
                "message": "op=add-user-to-group grp=\"wheel\" acct=\"bob\" res=success",
            }),
        ),
    ] {
        let item = told.iter().find(|item| item["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        let row = row.to_string();
        assert_eq!(item["name"], *name(EventType::AccountChanged, &Told::read(&row)));
        let kind = EventType::AccountChanged;
        assert_eq!((&item["type"], &item["group"]), (&json!(kind.name()), &json!(kind.group())));
        assert_eq!(item["severity"], kind.severity());
    }
}
