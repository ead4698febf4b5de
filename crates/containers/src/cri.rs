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
    facts.privileged = answer.info.get("info").and_then(|info| privileged(info));
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

/// Whether the container is a privileged one: of what runtimes tell beside the interface. containerd tells what was asked for,
/// and leaves out what is false.
fn privileged(info: &str) -> Option<bool> {
    let Info { privileged, config } = serde_json::from_str(info).ok()?;
    let asked_for = |config: InfoConfig| config.linux?.security_context?.privileged;
    privileged.or_else(|| config.map(|config| asked_for(config).unwrap_or_default()))
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
    #[prost(string, tag = "17")]
    image_id: String,
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

#[derive(Deserialize)]
struct Info {
    privileged: Option<bool>,
    config: Option<InfoConfig>,
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> String {
        "0f".repeat(32)
    }

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
            }),
            info: [(
                "info".to_owned(),
                r#"{"config": {"linux": {"security_context": {"privileged": true}}}}"#.to_owned(),
            )]
            .into(),
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
            ..Facts::none()
        };
        assert_eq!(facts, expected);
        assert!(facts_of(&answer.encode_to_vec(), &"1a".repeat(32)).is_err(), "it is of another one");
        assert_eq!(privileged(r#"{"privileged": false, "sandboxID": "x"}"#), Some(false));
        assert_eq!(privileged(r#"{"config": {"linux": {"resources": {}}}}"#), Some(false));
        assert_eq!(privileged(r#"{"sandboxID": "x"}"#), None);
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
