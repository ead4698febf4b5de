//! Kubernetes' interface to container runtimes (CRI, `runtime.v1`), which containerd, CRI-O and cri-dockerd speak: of its
//! messages what is read here, by the published numbers of their fields.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use prost::Message;
use schema::process::Runtime;
use serde::Deserialize;

use crate::Facts;
use crate::call::{self, CallError};
use crate::facts::NAME;
use crate::reference::{Reference, image_id};

/// What a runtime says of a container, or of the one that holds a pod's namespaces; none if it has no such one.
pub(crate) async fn container(socket: &Path, runtime: Runtime, id: &str) -> Result<Option<Facts>, CallError> {
    let question = StatusRequest { id: id.to_owned(), verbose: true };
    let facts = match call::unary(socket, "ContainerStatus", question.encode_to_vec()).await? {
        Some(answer) => facts_of(&answer, id)?,
        None => match call::unary(socket, "PodSandboxStatus", question.encode_to_vec()).await? {
            Some(answer) => facts_of_pod(&answer, id)?,
            None => return Ok(None),
        },
    };
    Ok(Some(Facts { runtime: Some(runtime), ..facts }))
}

/// Who answers at a socket.
pub(crate) async fn who(socket: &Path) -> Result<Runtime, CallError> {
    let answer = call::unary(socket, "Version", Vec::new()).await?.unwrap_or_default();
    let version: Version = read(&answer)?;
    Ok(match version.runtime_name.as_str() {
        "containerd" => Runtime::Containerd,
        "cri-o" => Runtime::CriO,
        "docker" => Runtime::Docker,
        _ => Runtime::Unknown,
    })
}

/// The answer to `ContainerStatus`.
fn facts_of(answer: &[u8], id: &str) -> Result<Facts, CallError> {
    let answer: ContainerAnswer = read(answer)?;
    let status = answer.status.filter(|status| status.id == id).ok_or_else(another)?;
    let mut facts = Facts::none();
    facts.name = facts.bounded(&status.metadata.unwrap_or_default().name, NAME);
    let image = status.image.unwrap_or_default().image;
    let (asked, resolved) = (Reference::parse(&image), Reference::parse(&status.image_ref));
    facts.image_name = facts.bounded(asked.name, NAME);
    facts.image_tag = facts.bounded(asked.tag, NAME);
    let digest = if asked.digest.is_empty() { resolved.digest } else { asked.digest };
    digest.clone_into(&mut facts.image_digest);
    // The runtimes differ in which of them has it.
    let ids = [&status.image_id, &status.image_ref, &image].map(|text| image_id(text));
    facts.image_id = ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    facts.label(&status.labels);
    facts.mount(status.mounts.iter().map(|mount| (mount.host_path.as_str(), mount.container_path.as_str())));
    let info: Option<Info> = answer.info.get("info").and_then(|info| serde_json::from_str(info).ok());
    let info = info.unwrap_or_default();
    facts.host_namespaces = host_namespaces(&info);
    facts.privileged = privileged(&info);
    Ok(facts)
}

/// The answer to `PodSandboxStatus`.
fn facts_of_pod(answer: &[u8], id: &str) -> Result<Facts, CallError> {
    let answer: PodAnswer = read(answer)?;
    let status = answer.status.filter(|status| status.id == id).ok_or_else(another)?;
    let mut facts = Facts::none();
    facts.label(&status.labels);
    let metadata = status.metadata.unwrap_or_default();
    facts.pod = facts.bounded(&metadata.name, NAME);
    facts.namespace = facts.bounded(&metadata.namespace, NAME);
    Ok(facts)
}

/// The kinds of namespaces that the container has the host's of. containerd has it join those of its pod whatever they are, and
/// tells what was asked for; CRI-O leaves them out of what it tells the program that makes the container.
fn host_namespaces(info: &Info) -> Vec<String> {
    /// As they are called here, in what was asked for, and in specifications (OCI). Who has the host's network has its names, too.
    const KINDS: [(&str, &str, &str); 4] =
        [("ipc", "ipc", "ipc"), ("net", "network", "network"), ("pid", "pid", "pid"), ("uts", "network", "uts")];
    /// `NamespaceMode.NODE` of the interface.
    const NODE: u64 = 2;
    let asked_for = info.security_context().and_then(|context| context.namespace_options.as_ref());
    let made = info.runtime_spec.as_ref().and_then(|spec| spec.linux.as_ref()?.namespaces.as_ref());
    let is_hosts = |asked: &str, kind: &str| {
        let mode = asked_for.and_then(|options| options.get(asked)?.as_u64());
        mode == Some(NODE) || made.is_some_and(|made| !made.iter().any(|namespace| namespace.kind == kind))
    };
    let hosts = KINDS.iter().filter(|(_, asked, kind)| is_hosts(asked, kind));
    hosts.map(|(name, ..)| (*name).to_owned()).collect()
}

/// Whether the container is a privileged one: of what runtimes tell beside the interface. containerd tells what was asked for,
/// and leaves out what is false.
fn privileged(info: &Info) -> Option<bool> {
    let asked_for = || info.security_context().and_then(|context| context.privileged).unwrap_or_default();
    info.privileged.or_else(|| info.config.as_ref().map(|_| asked_for()))
}

fn another() -> CallError {
    CallError::Malformed("it is of another container".into())
}

fn read<T: Message + Default>(bytes: &[u8]) -> Result<T, CallError> {
    T::decode(bytes).map_err(|error| CallError::Malformed(error.to_string()))
}

#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz(bytes: &[u8]) {
    let id = "0f".repeat(32);
    for facts in [facts_of(bytes, &id), facts_of_pod(bytes, &id)].into_iter().flatten() {
        assert!(facts.pod.len() <= NAME && facts.labels.len() <= crate::facts::LABELS);
    }
    let _ = read::<Version>(bytes);
}

#[derive(Clone, PartialEq, Message)]
struct StatusRequest {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(bool, tag = "2")]
    verbose: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Version {
    #[prost(string, tag = "2")]
    runtime_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerAnswer {
    #[prost(message, optional, tag = "1")]
    status: Option<ContainerStatus>,
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatus {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<ContainerMetadata>,
    #[prost(message, optional, tag = "8")]
    image: Option<ImageSpec>,
    #[prost(string, tag = "9")]
    image_ref: String,
    #[prost(btree_map = "string, string", tag = "12")]
    labels: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "14")]
    mounts: Vec<Mount>,
    #[prost(string, tag = "17")]
    image_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct Mount {
    #[prost(string, tag = "1")]
    container_path: String,
    #[prost(string, tag = "2")]
    host_path: String,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerMetadata {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ImageSpec {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, Message)]
struct PodAnswer {
    #[prost(message, optional, tag = "1")]
    status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct PodStatus {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<PodMetadata>,
    #[prost(btree_map = "string, string", tag = "7")]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct PodMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Default, Deserialize)]
struct Info {
    privileged: Option<bool>,
    config: Option<InfoConfig>,
    #[serde(rename = "runtimeSpec")]
    runtime_spec: Option<Spec>,
}

impl Info {
    fn security_context(&self) -> Option<&SecurityContext> {
        self.config.as_ref()?.linux.as_ref()?.security_context.as_ref()
    }
}

#[derive(Deserialize)]
struct Spec {
    linux: Option<SpecLinux>,
}

#[derive(Deserialize)]
struct SpecLinux {
    namespaces: Option<Vec<SpecNamespace>>,
}

#[derive(Deserialize)]
struct SpecNamespace {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct InfoConfig {
    linux: Option<InfoLinux>,
}

#[derive(Deserialize)]
struct InfoLinux {
    security_context: Option<SecurityContext>,
}

#[derive(Deserialize)]
struct SecurityContext {
    privileged: Option<bool>,
    namespace_options: Option<serde_json::Map<String, serde_json::Value>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> String {
        "0f".repeat(32)
    }

    const INFO: &str = r#"{
        "config": {"linux": {"security_context": {"privileged": true}}},
        "runtimeSpec": {"linux": {"namespaces": [{"type": "pid", "path": "/proc/7/ns/pid"}, {"type": "ipc"}, {"type": "mount"}]}}
    }"#;

    fn labels() -> BTreeMap<String, String> {
        [("io.kubernetes.pod.name", "web-0"), ("io.kubernetes.pod.namespace", "shop")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn an_answer_is_read() {
        let digest = format!("sha256:{}", "2b".repeat(32));
        let of_image = format!("sha256:{}", "1a".repeat(32));
        let answer = ContainerAnswer {
            status: Some(ContainerStatus {
                id: id(),
                metadata: Some(ContainerMetadata { name: "web".into() }),
                image: Some(ImageSpec { image: "registry.example.test/web:1.2".into() }),
                image_ref: format!("registry.example.test/web@{digest}"),
                image_id: of_image.clone(),
                labels: labels(),
                mounts: vec![Mount { container_path: "/host".into(), host_path: "/".into() }],
            }),
            info: [("info".to_owned(), INFO.to_owned())].into(),
        };
        let facts = facts_of(&answer.encode_to_vec(), &id()).unwrap();
        let expected = Facts {
            name: "web".into(),
            image_name: "registry.example.test/web".into(),
            image_tag: "1.2".into(),
            image_id: of_image,
            image_digest: digest,
            labels: labels().into_iter().collect(),
            pod: "web-0".into(),
            namespace: "shop".into(),
            privileged: Some(true),
            host_namespaces: vec!["net".into(), "uts".into()],
            mounts: vec!["/:/host".into()],
            ..Facts::none()
        };
        assert_eq!(facts, expected);
        assert!(facts_of(&answer.encode_to_vec(), &"1a".repeat(32)).is_err(), "it is of another one");
        let of = |info: &str| {
            let info: Info = serde_json::from_str(info).unwrap();
            (privileged(&info), host_namespaces(&info).join(" "))
        };
        assert_eq!(of(r#"{"privileged": false, "sandboxID": "x"}"#), (Some(false), String::new()));
        assert_eq!(of(r#"{"config": {"linux": {"resources": {}}}}"#), (Some(false), String::new()));
        assert_eq!(of(r#"{"sandboxID": "x"}"#), (None, String::new()));
        // It joins its pod's, which are the host's.
        let joins = r#"{
            "config": {"linux": {"security_context": {"namespace_options": {"network": 2, "pid": 2, "userns_options": {}}}}},
            "runtimeSpec": {"linux": {"namespaces": [
                {"type": "pid", "path": "/proc/7/ns/pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}
            ]}}
        }"#;
        assert_eq!(of(joins), (Some(false), "net pid uts".to_owned()));
        let own = joins.replace(": 2", ": 1");
        assert_eq!(of(&own), (Some(false), String::new()));
    }

    #[test]
    fn the_container_that_holds_a_pod_is_of_the_pod() {
        let metadata = PodMetadata { name: "web-0".into(), namespace: "shop".into() };
        let status = PodStatus { id: id(), metadata: Some(metadata), labels: BTreeMap::new() };
        let facts = facts_of_pod(&PodAnswer { status: Some(status) }.encode_to_vec(), &id()).unwrap();
        assert_eq!((facts.pod.as_str(), facts.namespace.as_str(), facts.name.as_str()), ("web-0", "shop", ""));
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (facts_of(&bytes, &id()).is_ok(), facts_of_pod(&bytes, &id()).is_ok(), read::<Version>(&bytes).is_ok());
        }
    }
}
