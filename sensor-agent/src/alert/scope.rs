//! How far the harm that an alert tells of can reach: a guide to how much has to be looked at and repaired.

use std::sync::Arc;

use containers::Facts;
use schema::{EventType, Reach};
use sensor_ebpf::record::ProcessKey;
use uuid::Uuid;

use super::Alert;
use crate::event::{Arguments, Container, Detail, Event, Host, Image, Late, Process};
use crate::policy::{Confidence, MessageType, Policy, Priority};

/// What an alert reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One process without root's power.
    Process,
    /// One process that acts as root, outside of containers.
    RootProcess,
    /// A container, whoever the process in it acts as.
    Container,
    /// The host.
    Node,
    Other,
}

impl Scope {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Process => "Process",
            Self::RootProcess => "RootProcess",
            Self::Container => "Container",
            Self::Node => "Node",
            Self::Other => "Other",
        }
    }

    /// What an event reaches by itself.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let process = &event.process;
        match event.kind.described().reach {
            Reach::Host => Self::Node,
            Reach::Other => Self::Other,
            Reach::Process if process.container.is_some() => Self::Container,
            Reach::Process if process.ids.euid == 0 => Self::RootProcess,
            Reach::Process => Self::Process,
        }
    }
}

/// See [`Alert::sample`].
pub(super) fn sample() -> Alert {
    let args = |words: &str| {
        let mut args = Arguments::default();
        let bytes = words.replace(' ', "\0") + "\0";
        args.set(bytes.as_bytes(), b"", bytes.len() as u64, false);
        args
    };
    let process = |pid, path: &str, words: &str, parent: Option<Arc<Process>>| Process {
        key: ProcessKey::new(pid, u64::from(pid) * 1_000_000_000),
        parent_key: parent.as_ref().map_or_else(ProcessKey::default, |parent| parent.key),
        depth: parent.as_ref().map_or(0, |parent| parent.depth + 1),
        parent,
        user: "alice".into(),
        image: Arc::new(Image {
            path: path.into(),
            cwd: b"/srv".to_vec(),
            filename: path.into(),
            args: args(words),
            argc: 2,
            ..Image::default()
        }),
        ..Process::default()
    };
    let init = Arc::new(process(1, "/usr/lib/systemd/systemd", "/sbin/init", None));
    let shell = Arc::new(process(4_000, "/usr/bin/bash", "bash -l", Some(init)));
    let mut wget = process(4_001, "/usr/bin/wget", "wget http://example.test/", Some(shell));
    wget.container = Some(Arc::new(Container {
        id: "4f6e1c0d2b3a".into(),
        runtime: Some(schema::process::Runtime::Containerd),
        told: Late::from(Facts {
            name: "web".into(),
            image_id: "sha256:9d1a".into(),
            image_name: "registry.example.test/web".into(),
            image_tag: "1".into(),
            image_digest: "sha256:5c0b".into(),
            labels: vec![("app".into(), "web".into())],
            pod: "web-0".into(),
            namespace: "default".into(),
            privileged: Some(false),
            ..Facts::default()
        }),
    }));
    let policy = Policy {
        name: "Alert Tester".into(),
        policy_type: "program".into(),
        message_type: MessageType::Alert,
        priority: Priority::High,
        confidence: Confidence::High,
        description: "Unauthorized execution of wget".into(),
        comments: "Programs of this list are not used here.".into(),
        categories: vec!["MITRE.Execution.Command-Line Interface".into()],
        labels: vec![("team".into(), "web".into())],
        content_group: "Detection Analytics".into(),
        response: crate::policy::Response::default(),
    };
    let host = Host {
        sensor_id: "9f8c1a52-6c1e-4a43-9f57-2f6a4c3f0b11".into(),
        hostname: "host.example.test".into(),
        boot_id: Uuid::from_u128(7).as_u128(),
        boot_time: 1_700_000_000_000_000_000,
        sensor: None,
        metadata: vec![("os_name".into(), "Debian GNU/Linux".into())],
    };
    let event =
        Event { kind: EventType::Exec, time: 1_700_004_001_500_000_000, process: Arc::new(wget), detail: Detail::None };
    Alert::new(Arc::new(policy), r#"match programName == "/usr/bin/wget""#.into(), event, Arc::new(host))
}
