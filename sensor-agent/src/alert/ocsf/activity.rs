//! What was done, in the class that the schema has for it.
//!
//! | | class |
//! | --- | --- |
//! | programs, processes | *Process Activity* (1007) |
//! | logins, sessions, passwords asked | *Authentication* (3002) |
//! | accounts | *Account Change* (3001) |
//! | groups | *Group Management* (3006) |
//! | roles | *User Access Management* (3005) |
//! | services, packages | *Application Lifecycle* (6002) |
//! | connections, sockets that listen | *Network Activity* (4001) |
//! | memory | *Memory Activity* (1004) |
//! | modules and BPF programs loaded into the kernel | *Kernel Extension Activity* (1002) |
//! | files created, changed, renamed, deleted | *File System Activity* (1001) |
//! | all else | *Base Event* (0) |

use schema::classes::file::FileType;
use schema::classes::network::Direction;
use schema::{Activity, Ocsf, Outcome};
use serde_json::{Value, json};

use super::parts::{device, process_alone};
use crate::alert::cuts::Cuts;
use crate::alert::facts::{Facts, File};
use crate::event::{Detail, Event, Host, Process, UNSET_ID};

/// What was done. An account that is put into a group, or out of it, is a change of the group.
fn kind_of(facts: &Facts<'_>) -> Ocsf {
    match (facts.activity, &facts.group, facts.operation.as_deref().unwrap_or_default()) {
        (Activity::AccountChange, Some(_), done) if done.starts_with("add") => Ocsf::Group.activity(3, "Add User"),
        (Activity::AccountChange, Some(_), done) if done.starts_with("delet") || done.starts_with("remov") => {
            Ocsf::Group.activity(4, "Remove User")
        }
        (Activity::ConnectionResult, ..) if facts.outcome == Outcome::Failure => Ocsf::Network.activity(4, "Fail"),
        _ => facts.activity.ocsf(),
    }
}

/// What an event of this kind begins with.
pub(crate) fn begin(kind: Ocsf) -> Value {
    let (class, activity) = (kind.class, kind.activity);
    let type_name = if activity == Ocsf::OTHER { "Other" } else { activity.1 };
    json!({
        "category_uid": kind.category.0,
        "category_name": kind.category.1,
        "class_uid": class.0,
        "class_name": class.1,
        "activity_id": activity.0,
        "activity_name": activity.1,
        "type_uid": class.0 * 100 + activity.0,
        "type_name": format!("{}: {type_name}", class.1),
    })
}

/// What was done, by whom, to whom, and how it ended. `process` is the event's, as far as it is to be told.
pub(crate) fn activity(event: &Event, host: &Host, cuts: &Cuts, process: Value) -> Value {
    let facts = Facts::of(event, host, cuts);
    let kind = kind_of(&facts);
    let mut object = begin(kind);
    if kind.activity == Ocsf::OTHER {
        object["activity_name"] = facts.name.into();
    }
    (object["status_id"], object["status"]) = match facts.outcome {
        Outcome::Unknown => (0.into(), "Unknown".into()),
        Outcome::Success => (1.into(), "Success".into()),
        Outcome::Failure => (2.into(), "Failure".into()),
    };
    object["device"] = device(host, cuts);
    match kind.class_alone() {
        Ocsf::Process if matches!(facts.activity, Activity::ProcessAccess | Activity::ProcessInjection) => {
            object["actor"] = json!({"process": process, "user": sender_user(&event.process, cuts)});
            object["process"] = match event.target() {
                Some(target) => process_alone(target, host, cuts.lineage_args, cuts),
                None => json!({"name": NOT_TOLD}),
            };
        }
        Ocsf::Memory => {
            let actor = json!({"pid": event.process.key.tgid, "uid": host.process_uuid(event.process.key)});
            object["actor"] = json!({"process": actor, "user": sender_user(&event.process, cuts)});
            object["process"] = process;
        }
        Ocsf::Process => of_process(&mut object, event, host, cuts, process),
        Ocsf::KernelExtension => {
            object["actor"] = json!({"process": process, "user": sender_user(&event.process, cuts)});
            object["driver"] = driver(&facts);
        }
        Ocsf::Network => {
            object["actor"] = json!({"process": process, "user": sender_user(&event.process, cuts)});
            object["src_endpoint"] = facts.source.ocsf();
            object["dst_endpoint"] = facts.destination.ocsf();
            object["connection_info"] = connection(&facts);
        }
        Ocsf::File => {
            object["actor"] = json!({"process": process, "user": sender_user(&event.process, cuts)});
            if let Some(file) = &facts.file {
                object["file"] = file_of(file);
                if let (Activity::FileRename, Some(target)) = (facts.activity, &file.target) {
                    let name = target.rsplit('/').next().unwrap_or_default();
                    object["file_result"] = named(target, name, file.file_type);
                }
            }
        }
        class if event.is_message() || class == Ocsf::Authentication => {
            of_message(&mut object, kind, event, host, &facts, cuts, process);
        }
        _ => object["actor"] = json!({"process": process, "user": sender_user(&event.process, cuts)}),
    }
    object
}

fn of_process(object: &mut Value, event: &Event, host: &Host, cuts: &Cuts, process: Value) {
    let about = &*event.process;
    // Who ends a process, or runs a program in its own place, is that process; who starts one is its parent.
    let actor = match about.parent.as_deref() {
        Some(parent) if event.activity() != Activity::ProcessEnd => {
            process_alone(parent, host, cuts.lineage_args, cuts)
        }
        _ => json!({"pid": about.key.tgid, "uid": host.process_uuid(about.key)}),
    };
    object["process"] = process;
    object["actor"] = json!({"process": actor});
    if let Detail::Exit { code, signal: 0, .. } = event.detail {
        object["exit_code"] = code.into();
    }
}

fn of_message(
    object: &mut Value,
    kind: Ocsf,
    event: &Event,
    host: &Host,
    facts: &Facts<'_>,
    cuts: &Cuts,
    process: Value,
) {
    let sender = &*event.process;
    object["actor"] = json!({"process": process, "user": sender_user(sender, cuts)});
    if kind.category.0 == Ocsf::Authentication.category.0 {
        object["src_endpoint"] = json!({"ip": facts.address, "hostname": facts.remote_host.as_deref().map(as_host)});
    }
    // Of a class that wants somebody or something it is there, also when the message does not tell.
    let account = || user(facts.account.as_deref(), facts.account_id.as_deref());
    match kind.class_alone() {
        Ocsf::Authentication => {
            object["user"] = account();
            object["is_remote"] = facts.address.is_some().into();
            object["dst_endpoint"] = json!({"hostname": as_host(cuts.words(&host.hostname)), "uid": host.sensor_id});
            let program = cuts.text(&sender.image.path);
            object["service"] = json!({"name": program.rsplit('/').next()});
            object["session"] = session(sender, facts);
        }
        Ocsf::AccountChange => object["user"] = account(),
        Ocsf::UserAccess => {
            object["user"] = account();
            object["privileges"] = json!([facts.operation.as_deref().unwrap_or(facts.name)]);
        }
        Ocsf::Group => {
            object["group"] = json!({"name": facts.group, "uid": facts.group_id});
            if facts.group.is_none() && facts.group_id.is_none() {
                object["group"]["name"] = NOT_TOLD.into();
            }
            // Of a message about the group alone, the account is the group.
            if !facts.activity.is_of_group() {
                object["user"] = account();
            }
        }
        Ocsf::Application => {
            let program = cuts.text(&sender.image.path);
            let program = program.rsplit('/').next().unwrap_or_default();
            let name = facts.object.as_deref().unwrap_or(program);
            object["app"] = json!({"name": if name.is_empty() { NOT_TOLD } else { name }, "vendor_name": NOT_TOLD});
        }
        // A class without attributes for it.
        _ => {}
    }
}

/// How something goes over the network.
fn connection(facts: &Facts<'_>) -> Value {
    let (direction_id, direction) = match facts.direction {
        Some(Direction::Inbound) => (1, "Inbound"),
        Some(Direction::Outbound) => (2, "Outbound"),
        None => (0, "Unknown"),
    };
    let (version_id, version) = match facts.family.as_deref() {
        Some("ipv4") => (4, "Internet Protocol version 4 (IPv4)"),
        Some("ipv6") => (6, "Internet Protocol version 6 (IPv6)"),
        _ => (0, "Unknown"),
    };
    json!({
        "direction_id": direction_id,
        "direction": direction,
        "protocol_name": facts.transport,
        "protocol_ver_id": version_id,
        "protocol_ver": version,
    })
}

/// What was loaded into the kernel, which the schema takes to be a file.
fn driver(facts: &Facts<'_>) -> Value {
    json!({"file": {"name": facts.object.as_deref().unwrap_or(NOT_TOLD), "type_id": 0, "type": "Unknown"}})
}

fn file_of(file: &File<'_>) -> Value {
    named(&file.path, file.name(), file.file_type)
}

fn named(path: &str, name: &str, file_type: Option<FileType>) -> Value {
    let (number, word) = match file_type {
        Some(FileType::Regular) => (1, "Regular File"),
        Some(FileType::Directory) => (2, "Folder"),
        Some(FileType::CharacterDevice) => (3, "Character Device"),
        Some(FileType::BlockDevice) => (4, "Block Device"),
        Some(FileType::Socket) => (5, "Local Socket"),
        Some(FileType::Fifo) => (6, "Named Pipe"),
        Some(FileType::Symlink) => (7, "Symbolic Link"),
        None => (0, "Unknown"),
    };
    let name = if name.is_empty() { path } else { name };
    json!({"name": name, "path": path, "type_id": number, "type": word})
}

/// Stands for a name that the schema wants and nobody told, as libaudit writes it.
const NOT_TOLD: &str = "?";

/// A user by name, id or both.
pub(crate) fn user(name: Option<&str>, id: Option<&str>) -> Value {
    let name = name.filter(|name| !name.is_empty());
    json!({"name": if id.is_none() { Some(name.unwrap_or(NOT_TOLD)) } else { name }, "uid": id})
}

fn sender_user(sender: &Process, cuts: &Cuts) -> Value {
    user(sender.user.as_deref().map(|name| cuts.words(name)), Some(&sender.ids.uid.to_string()))
}

fn session(sender: &Process, facts: &Facts<'_>) -> Value {
    let id = (sender.ids.session != UNSET_ID).then(|| sender.ids.session.to_string());
    json!({"uid": id, "terminal": facts.terminal})
}

/// A host's name, no longer than the schema takes one.
fn as_host(name: &str) -> &str {
    &name[..name.floor_char_boundary(255)]
}
