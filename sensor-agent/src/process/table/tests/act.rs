//! What processes do to the kernel, by records that say little of who it was.

use schema::Seen;
use sensor_ebpf::classes::bpf::BpfRecord;
use sensor_ebpf::classes::credentials::{CredentialRecord, IS_COMPAT, NO_CALL, cap, id};
use sensor_ebpf::classes::module::ModuleRecord;
use sensor_ebpf::classes::network::{
    AcceptRecord, BindRecord, ConnectAttemptRecord, ConnectResultRecord, Flow, GIVEN_UP, INET, INET6, ListenRecord,
    SendToRecord, TCP, UDP,
};
use sensor_ebpf::record::{self, Actor, LAYOUT_VERSION, Namespaces};

use super::*;
use crate::event::decode::{Act, decode};
use crate::event::json::as_text;
use crate::event::{Host, fields};

/// A text as the kernel keeps it.
fn text<const LEN: usize>(text: &str) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

fn actor(pid: u32) -> Actor {
    let ids = Ids { uid: 0, euid: 0, ..Ids::default() };
    Actor { process: key(pid), ids, comm: text("loader"), ..Actor::default() }
}

/// The record as it comes out of the ring.
fn read<T>(record: &T) -> Act {
    // SAFETY: a record has no padding.
    let bytes = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<T>()) };
    let Ok(Record::Act(act)) = decode(bytes) else { panic!("not read") };
    act
}

fn header<T: record::Act>() -> Header {
    Header { layout: LAYOUT_VERSION, kind: T::KIND, len: u32::try_from(size_of::<T>()).unwrap(), time: 5 }
}

fn module(actor: Actor) -> Act {
    let header = header::<ModuleRecord>();
    // Another module's name was there before.
    read(&ModuleRecord { header, actor, taints: 1 << 13 | 1 << 12, name: text("dummy\0longer") })
}

/// All that its own class says of an event.
fn own(event: &Event) -> Vec<(&'static str, String)> {
    let class = schema::Owner::Class(event.kind.class());
    let own = fields::FIELDS.iter().filter(|field| field.owner == class && field.applies_to(Seen::only(event.kind)));
    own.filter_map(|field| Some((field.name, as_text(field.of(event, &Host::default()))?))).collect()
}

#[test]
fn a_module_is_told_with_who_loads_it() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"kmod/bin"), 0).unwrap();
    let event = table.apply(&Record::Act(module(actor(2))), 7).unwrap();
    assert_eq!(
        (event.kind, event.time, paths(&event)),
        (EventType::ModuleLoad, 7, vec!["/bin/kmod".into(), "/sbin/init".into()])
    );
    assert!(Arc::ptr_eq(&event.process, table.get(key(2)).unwrap()), "nothing of it is new");
    let told = own(&event);
    let told: Vec<_> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        told,
        [
            ("moduleName", "dummy"),
            ("moduleTaints", "12288"),
            ("isModuleUnsigned", "true"),
            ("isModuleOutOfTree", "true"),
            ("isModuleForced", "false")
        ]
    );
    assert!(event.size() > size_of::<Event>() + size_of::<Process>() + event.process.image.size());
}

#[test]
fn a_bpf_program_is_told_in_words() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    let record = BpfRecord {
        header: header::<BpfRecord>(),
        actor: actor(1),
        id: 9,
        program_type: 26,
        attach_type: 25,
        instructions: 12,
        tag: [0, 1, 2, 3, 4, 5, 6, 0xff],
        name: text("watch"),
        target: text("vfs_write"),
    };
    let told = |record: &BpfRecord, table: &mut Table| own(&table.apply(&Record::Act(read(record)), 0).unwrap());
    let program = told(&record, &mut table);
    let program: Vec<_> = program.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        program,
        [
            ("bpfName", "watch"),
            ("bpfId", "9"),
            ("bpfType", "tracing"),
            ("bpfAttachType", "trace_fexit"),
            ("bpfTarget", "vfs_write"),
            ("bpfInstructions", "12"),
            ("bpfTag", "00010203040506ff")
        ]
    );
    // One of a later kernel, without a name, for one place alone.
    let nameless = BpfRecord { program_type: 900, attach_type: 0, name: text(""), target: text(""), ..record };
    let names: Vec<_> = told(&nameless, &mut table).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["bpfId", "bpfType", "bpfInstructions", "bpfTag"]);
}

#[test]
fn credentials_are_told_with_the_call_that_changed_them() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    let mut told = |call: libc::c_long, flags: u32, ids_after: [u32; id::COUNT], effective: u64| {
        let mut caps_after = [0; cap::COUNT];
        caps_after[cap::EFFECTIVE] = effective;
        let record = CredentialRecord {
            header: header::<CredentialRecord>(),
            actor: actor(1),
            caps_before: [0; cap::COUNT],
            caps_after,
            ids_before: [1000; id::COUNT],
            ids_after,
            call: i32::try_from(call).unwrap(),
            flags,
        };
        let event = table.apply(&Record::Act(read(&record)), 0).unwrap();
        let value = |name: &str| own(&event).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let told = ["credentialCall", "isCredentialChangeLegal", "newEuid", "gainedCapabilities"].map(value);
        (told.map(Option::unwrap_or_default).join(" "), event.sentence("p"))
    };
    let root = [0; id::COUNT];
    for (call, flags, ids_after, effective, said, sentence) in [
        (
            libc::SYS_setuid,
            0,
            root,
            3,
            "setuid true 0 3",
            "goes on as user 0 instead of 1000 and group 0 instead of 1000 by setuid",
        ),
        // The same number is another call in the interface of 32 bits.
        (
            23,
            IS_COMPAT,
            root,
            0,
            "setuid true 0 0",
            "goes on as user 0 instead of 1000 and group 0 instead of 1000 by setuid",
        ),
        (
            libc::SYS_capset | 0x4000_0000,
            0,
            [1000; id::COUNT],
            8,
            "capset true 1000 8",
            "took up capabilities by capset",
        ),
        (
            libc::SYS_read,
            0,
            [1000; id::COUNT],
            8,
            "other false 1000 8",
            "took up capabilities, by no system call that can do that",
        ),
        (NO_CALL.into(), 0, [1000, 1000, 1000, 1000, 7, 7, 7, 7], 0, "  1000 0", "changed its ids"),
    ] {
        let (values, text) = told(call, flags, ids_after, effective);
        assert_eq!((values.as_str(), text), (said, format!("Program /sbin/init {sentence}; policy p")));
    }
}

#[test]
fn connections_are_told_with_both_ends_and_how_they_ended() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    let four = |last: u8| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&[192, 0, 2, last]);
        address
    };
    let flow = Flow {
        source: four(1),
        destination: four(2),
        source_port: 40000,
        destination_port: 80,
        family: INET,
        protocol: TCP,
    };
    let six = Flow {
        source: [0; 16],
        source_port: 0,
        destination: std::net::Ipv6Addr::LOCALHOST.octets(),
        family: INET6,
        protocol: UDP,
        ..flow
    };
    let metadata = Flow { destination: [169, 254, 169, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], ..flow };
    let mut told = |record: Record| {
        let event = table.apply(&record, 0).unwrap();
        let fields: Vec<_> = own(&event).into_iter().map(|(_, value)| value).collect();
        (fields.join(" "), event.sentence("p"))
    };
    macro_rules! act {
        ($record:ident { $($field:ident: $value:expr),* }) => {
            told(Record::Act(read(&$record { header: header::<$record>(), actor: actor(1), $($field: $value),* })))
        };
    }
    let both = "192.0.2.1 40000 192.0.2.2 80 ipv4 tcp";
    let to = "::1 80 ipv6 udp";
    for ((fields, text), expected, sentence) in [
        (
            act!(ConnectAttemptRecord { flow: flow }),
            format!("{both} outbound false"),
            "connects to 192.0.2.2:80 by tcp",
        ),
        (
            act!(ConnectAttemptRecord { flow: metadata }),
            "192.0.2.1 40000 169.254.169.254 80 ipv4 tcp outbound true".into(),
            "connects to 169.254.169.254:80 by tcp",
        ),
        (
            act!(ConnectResultRecord { flow: flow, error: 0, reserved: 0 }),
            format!("{both} outbound success false"),
            "is connected to 192.0.2.2:80 by tcp",
        ),
        (
            act!(ConnectResultRecord { flow: flow, error: 111, reserved: 0 }),
            format!("{both} outbound failed 111 false"),
            "could not connect to 192.0.2.2:80 by tcp: Connection refused (os error 111)",
        ),
        (
            act!(ConnectResultRecord { flow: flow, error: GIVEN_UP, reserved: 0 }),
            format!("{both} outbound failed false"),
            "gave up connecting to 192.0.2.2:80 by tcp",
        ),
        (
            act!(BindRecord { flow: six, error: 98, reserved: 0 }),
            format!("{to} inbound failed 98 false"),
            "could not have a socket at [::1]:80 by udp: Address already in use (os error 98)",
        ),
        (act!(ListenRecord { flow: six }), format!("{to} inbound false"), "listens at [::1]:80 by udp"),
        (
            act!(AcceptRecord { flow: flow }),
            format!("{both} inbound false"),
            "took a connection from 192.0.2.1:40000 at 192.0.2.2:80 by tcp",
        ),
        (
            act!(SendToRecord { flow: six, error: 0, reserved: 0 }),
            format!("{to} outbound success false"),
            "sends to [::1]:80 by udp",
        ),
    ] {
        assert_eq!((fields, text), (expected, format!("Program /sbin/init {sentence}; policy p")));
    }
}

#[test]
fn who_has_changed_since_is_told_as_it_is() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    let mut now = actor(2);
    now.ids = Ids { uid: 1000, euid: 0, ..Ids::default() };
    now.namespaces = Namespaces { user: 77, ..Namespaces::default() };
    let event = table.apply(&Record::Act(module(now)), 0).unwrap();
    assert_eq!((event.process.ids.uid, event.process.namespaces.user), (1000, 77));
    assert_eq!(paths(&event), ["/sbin/init", "/sbin/init"]);
    assert_eq!(table.get(key(2)).unwrap().ids.uid, 0, "what the table holds is the exec's");
}

#[test]
fn who_was_never_seen_is_told_by_its_id() {
    let mut table = table(100);
    let event = table.apply(&Record::Act(module(actor(5))), 0).unwrap();
    assert_eq!((event.process.key, &*event.process.image.comm), (key(5), &b"loader"[..]));
    assert!(event.process.parent.is_none() && table.is_empty());
}
