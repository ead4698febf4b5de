//! What an event tells besides its process, by the roles of its fields: what every format but plain JSON is made of.

use std::borrow::Cow;
use std::net::IpAddr;

use schema::classes::file::FileType;
use schema::classes::network::Direction;
use schema::{Activity, Outcome, Role, Word as _};
use serde_json::{Map, Value as Json, json};

use super::cuts::Cuts;
use crate::event::fields::{by_column, by_role};
use crate::event::{Event, Host, Place, Value};

/// One end of a connection.
pub(crate) struct Endpoint {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: Option<i64>,
}

impl Endpoint {
    /// In the words of the Elastic Common Schema; null if nothing of it is told.
    pub(crate) fn ecs(&self) -> Json {
        let address = self.address.map(|address| address.to_string());
        if self.is_known() { json!({"address": address, "ip": address, "port": self.port}) } else { Json::Null }
    }

    /// In the words of the Open Cybersecurity Schema Framework, likewise.
    pub(crate) fn ocsf(&self) -> Json {
        if self.is_known() { json!({"ip": self.address, "port": self.port}) } else { Json::Null }
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.address.is_some() || self.port.is_some()
    }
}

/// The facts of one event. Texts are as long as is kept; what is not told is none.
pub(crate) struct Facts<'a> {
    pub(crate) activity: Activity,
    pub(crate) outcome: Outcome,
    /// What kind of event it is: the name of a message's type, else the event's type.
    pub(crate) name: &'a str,
    pub(crate) account: Option<Cow<'a, str>>,
    pub(crate) account_id: Option<String>,
    pub(crate) group: Option<Cow<'a, str>>,
    pub(crate) group_id: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) remote_host: Option<Cow<'a, str>>,
    pub(crate) terminal: Option<Cow<'a, str>>,
    pub(crate) command: Option<Cow<'a, str>>,
    pub(crate) operation: Option<Cow<'a, str>>,
    pub(crate) object: Option<Cow<'a, str>>,
    pub(crate) text: Option<Cow<'a, str>>,
    /// Whoever opens a connection, and where it goes to.
    pub(crate) source: Endpoint,
    pub(crate) destination: Endpoint,
    /// Words of the schema.
    pub(crate) family: Option<Cow<'a, str>>,
    pub(crate) transport: Option<Cow<'a, str>>,
    pub(crate) direction: Option<Direction>,
    pub(crate) file: Option<File<'a>>,
}

/// The file that an event is about.
pub(crate) struct File<'a> {
    pub(crate) path: Cow<'a, str>,
    /// Its second name, or what it holds as a symbolic link.
    pub(crate) target: Option<Cow<'a, str>>,
    pub(crate) file_type: Option<FileType>,
}

impl<'a> File<'a> {
    fn of(event: &'a Event, host: &'a Host, cuts: &Cuts) -> Option<Self> {
        let text = |value| match value {
            Value::Text(text) | Value::Place(Place { text, .. }) => Some(cuts.text(text)),
            _ => None,
        };
        let file_type = match by_role(event, host, Role::FileType) {
            Value::Word(word) => FileType::from_word(word),
            _ => None,
        };
        Some(Self { path: text(event.file_path()?)?, target: text(by_role(event, host, Role::TargetPath)), file_type })
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl<'a> Facts<'a> {
    pub(crate) fn of(event: &'a Event, host: &'a Host, cuts: &Cuts) -> Self {
        // A question mark is how libaudit writes that something is not known.
        let text = |role| match by_role(event, host, role) {
            Value::Text(b"?") => None,
            Value::Text(text) => Some(cuts.text(text)),
            Value::Word(word) => Some(Cow::Borrowed(word)),
            _ => None,
        };
        let number = |role| match by_role(event, host, role) {
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        };
        let endpoint = |address, port| Endpoint {
            address: match by_role(event, host, address) {
                Value::Addr(address) => Some(address),
                _ => None,
            },
            port: match by_role(event, host, port) {
                Value::Int(port) => Some(port),
                _ => None,
            },
        };
        Self {
            activity: event.activity(),
            outcome: event.outcome(),
            name: match by_role(event, host, Role::Name) {
                Value::Word(name) => name,
                Value::Text(name) => str::from_utf8(name).unwrap_or_default(),
                _ => event.kind.word(),
            },
            account: text(Role::Account),
            account_id: number(Role::AccountId),
            group: text(Role::Group),
            group_id: number(Role::GroupId),
            address: match by_role(event, host, Role::Address) {
                Value::Addr(address) => Some(address.to_canonical()),
                _ => None,
            },
            // libaudit puts this host's own name there for whoever sits at a terminal of it, and sshd the address again.
            remote_host: text(Role::RemoteHost)
                .filter(|name| *name != host.hostname && name.parse::<IpAddr>().is_err()),
            terminal: text(Role::Terminal),
            command: text(Role::Command),
            operation: text(Role::Operation),
            object: text(Role::Object),
            text: text(Role::Text),
            source: endpoint(Role::SourceAddress, Role::SourcePort),
            destination: endpoint(Role::DestinationAddress, Role::DestinationPort),
            family: text(Role::AddressFamily),
            transport: text(Role::Transport),
            direction: text(Role::Direction).and_then(|word| Direction::from_word(&word)),
            file: File::of(event, host, cuts),
        }
    }

    /// Whether the account is one that was acted upon, by whoever sent the message.
    pub(crate) fn is_of_account(&self) -> bool {
        self.activity.is_of_account()
    }
}

/// What an event has of its own by column: its parts. Of a message they have roles, each with its own place in the formats.
pub(crate) fn own(event: &Event, host: &Host, cuts: &Cuts) -> Json {
    let mut own = Map::new();
    for part in event.kind.described().parts.iter().filter(|_| !event.is_message()) {
        let value = match by_column(part.column).map_or(Value::Absent, |field| field.of(event, host)) {
            Value::Text(text) => cuts.text(text).into(),
            Value::Place(place) => cuts.text(place.text).into(),
            Value::Word(word) => word.into(),
            Value::Int(number) => number.into(),
            Value::Bool(is_so) => is_so.into(),
            Value::Addr(address) => address.to_string().into(),
            Value::Args(texts) => texts.iter().take(cuts.lists).map(|text| cuts.text(text)).collect(),
            _ => continue,
        };
        own.insert(part.column.to_owned(), value);
    }
    Json::Object(own)
}
