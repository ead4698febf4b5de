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
//! | modules and BPF programs loaded into the kernel | *Kernel Extension Activity* (1002) |
//! | all else | *Base Event* (0) |

use schema::{Activity, EventType, Outcome};
use serde_json::{Value, json};

use super::parts::{device, process_alone};
use crate::alert::cuts::Cuts;
use crate::alert::facts::Facts;
use crate::event::{Detail, Event, Host, Process, UNSET_ID};

/// Category, class and activity, each with its number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    category: (u32, &'static str),
    class: (u32, &'static str),
    /// Without a name: the event's own.
    activity: (u32, &'static str),
}

const KERNEL_EXTENSION: u32 = 1002;
const PROCESS: u32 = 1007;
const ACCOUNT_CHANGE: u32 = 3001;
const AUTHENTICATION: u32 = 3002;
const USER_ACCESS: u32 = 3005;
const GROUP: u32 = 3006;
const APPLICATION: u32 = 6002;

const OTHER: (u32, &str) = (99, "");

impl Kind {
    pub(crate) const fn new(
        category: (u32, &'static str),
        class: (u32, &'static str),
        activity: (u32, &'static str),
    ) -> Self {
        Self { category, class, activity }
    }

    const fn iam(class: (u32, &'static str), activity: (u32, &'static str)) -> Self {
        Self::new((3, "Identity & Access Management"), class, activity)
    }

    const fn process(activity: (u32, &'static str)) -> Self {
        Self::new((1, "System Activity"), (PROCESS, "Process Activity"), activity)
    }

    const fn authentication(activity: (u32, &'static str)) -> Self {
        Self::iam((AUTHENTICATION, "Authentication"), activity)
    }

    const fn account(activity: (u32, &'static str)) -> Self {
        Self::iam((ACCOUNT_CHANGE, "Account Change"), activity)
    }

    const fn group(activity: (u32, &'static str)) -> Self {
        Self::iam((GROUP, "Group Management"), activity)
    }

    const fn application(activity: (u32, &'static str)) -> Self {
        Self::new((6, "Application Activity"), (APPLICATION, "Application Lifecycle"), activity)
    }

    fn of(facts: &Facts<'_>) -> Self {
        use Activity as A;
        match facts.activity {
            A::ProcessStart => Self::process((1, "Launch")),
            A::ProcessEnd => Self::process((2, "Terminate")),
            A::ProcessFound => Self::process(OTHER),
            A::KernelExtension => {
                Self::new((1, "System Activity"), (KERNEL_EXTENSION, "Kernel Extension Activity"), (1, "Load"))
            }
            A::Authentication | A::Login | A::SessionStart => Self::authentication((1, "Logon")),
            A::Logout | A::SessionEnd => Self::authentication((2, "Logoff")),
            A::Authorization | A::CredentialsTaken | A::CredentialsDropped | A::IdentityChange | A::LoginAnomaly => {
                Self::authentication(OTHER)
            }
            A::AccountCreation => Self::account((1, "Create")),
            A::AccountDeletion => Self::account((6, "Delete")),
            A::PasswordChange => Self::account((3, "Password Change")),
            A::AccountLock => Self::account((9, "Lock")),
            A::AccountUnlock => Self::account((12, "Unlock")),
            A::AccountChange => match (&facts.group, facts.operation.as_deref().unwrap_or_default()) {
                (Some(_), done) if done.starts_with("add") => Self::group((3, "Add User")),
                (Some(_), done) if done.starts_with("delet") || done.starts_with("remov") => {
                    Self::group((4, "Remove User"))
                }
                _ => Self::account(OTHER),
            },
            A::GroupCreation => Self::group((6, "Create")),
            A::GroupDeletion => Self::group((5, "Delete")),
            A::GroupChange | A::GroupPasswordChange => Self::group(OTHER),
            A::RoleAssignment => Self::iam((USER_ACCESS, "User Access Management"), (1, "Assign Privileges")),
            A::RoleRemoval => Self::iam((USER_ACCESS, "User Access Management"), (2, "Revoke Privileges")),
            A::ServiceStart => Self::application((3, "Start")),
            A::ServiceStop => Self::application((4, "Stop")),
            A::SoftwareChange => Self::application((8, "Update")),
            A::Command
            | A::AccessDecision
            | A::HostStart
            | A::HostStop
            | A::ConfigurationChange
            | A::DeviceChange
            | A::Anomaly
            | A::Response
            | A::Forgery
            | A::Sensor
            | A::Other => Self::new((0, "Uncategorized"), (0, "Base Event"), OTHER),
        }
    }

    /// What an event of this kind begins with.
    pub(crate) fn event(self) -> Value {
        let (class, activity) = (self.class, self.activity);
        let type_name = if activity == OTHER { "Other" } else { activity.1 };
        json!({
            "category_uid": self.category.0,
            "category_name": self.category.1,
            "class_uid": class.0,
            "class_name": class.1,
            "activity_id": activity.0,
            "activity_name": activity.1,
            "type_uid": class.0 * 100 + activity.0,
            "type_name": format!("{}: {type_name}", class.1),
        })
    }
}

/// What was done, by whom, to whom, and how it ended. `process` is the event's, as far as it is to be told.
pub(crate) fn activity(event: &Event, host: &Host, cuts: &Cuts, process: Value) -> Value {
    let facts = Facts::of(event, host, cuts);
    let kind = Kind::of(&facts);
    let mut object = kind.event();
    if kind.activity == OTHER {
        object["activity_name"] = facts.name.into();
    }
    (object["status_id"], object["status"]) = match facts.outcome {
        Outcome::Unknown => (0.into(), "Unknown".into()),
        Outcome::Success => (1.into(), "Success".into()),
        Outcome::Failure => (2.into(), "Failure".into()),
    };
    object["device"] = device(host, cuts);
    if kind.class.0 == PROCESS {
        of_process(&mut object, event, host, cuts, process);
    } else if kind.class.0 == KERNEL_EXTENSION {
        let actor = &*event.process;
        object["actor"] = json!({"process": process, "user": sender_user(actor, cuts)});
        object["driver"] = driver(&facts);
    } else if event.is_message() || kind.class.0 == AUTHENTICATION {
        of_message(&mut object, kind, event, host, &facts, cuts, process);
    }
    object
}

fn of_process(object: &mut Value, event: &Event, host: &Host, cuts: &Cuts, process: Value) {
    let about = &*event.process;
    // Who ends a process, or runs a program in its own place, is that process; who starts one is its parent.
    let actor = match about.parent.as_deref() {
        Some(parent) if event.kind != EventType::Exit => process_alone(parent, host, cuts.lineage_args, cuts),
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
    kind: Kind,
    event: &Event,
    host: &Host,
    facts: &Facts<'_>,
    cuts: &Cuts,
    process: Value,
) {
    let sender = &*event.process;
    object["actor"] = json!({"process": process, "user": sender_user(sender, cuts)});
    if matches!(kind.class.0, AUTHENTICATION | ACCOUNT_CHANGE | USER_ACCESS | GROUP) {
        object["src_endpoint"] = json!({"ip": facts.address, "hostname": facts.remote_host.as_deref().map(as_host)});
    }
    // Of a class that wants somebody or something it is there, also when the message does not tell.
    let account = || user(facts.account.as_deref(), facts.account_id.as_deref());
    match kind.class.0 {
        AUTHENTICATION => {
            object["user"] = account();
            object["is_remote"] = facts.address.is_some().into();
            object["dst_endpoint"] = json!({"hostname": as_host(cuts.words(&host.hostname)), "uid": host.sensor_id});
            let program = cuts.text(&sender.image.path);
            object["service"] = json!({"name": program.rsplit('/').next()});
            object["session"] = session(sender, facts);
        }
        ACCOUNT_CHANGE => object["user"] = account(),
        USER_ACCESS => {
            object["user"] = account();
            object["privileges"] = json!([facts.operation.as_deref().unwrap_or(facts.name)]);
        }
        GROUP => {
            object["group"] = json!({"name": facts.group, "uid": facts.group_id});
            if facts.group.is_none() && facts.group_id.is_none() {
                object["group"]["name"] = NOT_TOLD.into();
            }
            // Of a message about the group alone, the account is the group.
            if !facts.activity.is_of_group() {
                object["user"] = account();
            }
        }
        APPLICATION => {
            let program = cuts.text(&sender.image.path);
            let program = program.rsplit('/').next().unwrap_or_default();
            let name = facts.object.as_deref().unwrap_or(program);
            object["app"] = json!({"name": if name.is_empty() { NOT_TOLD } else { name }, "vendor_name": NOT_TOLD});
        }
        // A class without attributes for it.
        _ => {}
    }
}

/// What was loaded into the kernel, which the schema takes to be a file.
fn driver(facts: &Facts<'_>) -> Value {
    json!({"file": {"name": facts.object.as_deref().unwrap_or(NOT_TOLD), "type_id": 0, "type": "Unknown"}})
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
