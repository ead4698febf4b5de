//! Docker's API, which podman speaks as well: what is read of its answers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use schema::process::Runtime;
use serde::Deserialize;

use crate::Facts;
use crate::call::{self, CallError};
use crate::facts::NAME;
use crate::reference::{Reference, image_id};

/// Images whose digests are remembered; beyond, all are asked for anew.
const IMAGES: usize = 256;

/// The digests of images by id, as an engine said.
#[derive(Debug, Default)]
pub(crate) struct Images(Mutex<HashMap<String, Vec<String>>>);

/// What an engine says of a container; none if it has no such one.
pub(crate) async fn container(
    socket: &Path,
    runtime: Runtime,
    id: &str,
    images: &Images,
) -> Result<Option<Facts>, CallError> {
    let Some(answer) = call::get(socket, &format!("/containers/{id}/json")).await? else { return Ok(None) };
    let Inspected { mut facts, reference } = inspected(answer.body(), id)?;
    facts.runtime = Some(runtime);
    // Names are worth telling without it.
    if facts.image_digest.is_empty()
        && let Ok(digests) = images.digests(socket, &facts.image_id).await
    {
        let name = Reference::parse(&reference).name;
        facts.image_digest = digest_of(&digests, name);
    }
    Ok(Some(facts))
}

/// Who answers at a socket; none if that is no API of this kind. The version is not asked for: for its answer, podman asks
/// packet managers about its programs, which takes seconds.
pub(crate) async fn who(socket: &Path) -> Result<Option<Runtime>, CallError> {
    let answer = call::get(socket, "/_ping").await?;
    Ok(answer.map(|answer| {
        let is_podman = answer.headers().contains_key("libpod-api-version");
        if is_podman { Runtime::Podman } else { Runtime::Docker }
    }))
}

impl Images {
    async fn digests(&self, socket: &Path, id: &str) -> Result<Vec<String>, CallError> {
        if id.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(known.clone());
        }
        let Some(answer) = call::get(socket, &format!("/images/{id}/json")).await? else { return Ok(Vec::new()) };
        let digests = digests(answer.body())?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= IMAGES {
            known.clear();
        }
        known.insert(id.to_owned(), digests.clone());
        Ok(digests)
    }
}

struct Inspected {
    facts: Facts,
    /// The image as it was asked for.
    reference: String,
}

/// The answer to `/containers/ID/json`.
fn inspected(bytes: &[u8], id: &str) -> Result<Inspected, CallError> {
    let container: Container = read(bytes)?;
    if container.id != id {
        return Err(CallError::Malformed("it is of another container".into()));
    }
    let mut facts = Facts { image_id: image_id(&container.image), ..Facts::default() };
    facts.name = facts.bounded(container.name.strip_prefix('/').unwrap_or(&container.name), NAME);
    let config = container.config.unwrap_or_default();
    let reference = Reference::parse(&config.image);
    facts.image_name = facts.bounded(reference.name, NAME);
    facts.image_tag = facts.bounded(reference.tag, NAME);
    reference.digest.clone_into(&mut facts.image_digest);
    facts.label(&config.labels.unwrap_or_default());
    let host = container.host_config.unwrap_or_default();
    facts.privileged = host.privileged;
    let modes = [("ipc", host.ipc_mode), ("net", host.network_mode), ("pid", host.pid_mode), ("uts", host.uts_mode)];
    let hosts = modes.into_iter().filter(|(_, mode)| mode == "host");
    facts.host_namespaces = hosts.map(|(kind, _)| kind.to_owned()).collect();
    let mounts = container.mounts.unwrap_or_default();
    let bound = mounts.iter().filter(|mount| mount.kind == "bind");
    facts.mount(bound.map(|mount| (mount.source.as_str(), mount.destination.as_str())));
    Ok(Inspected { facts, reference: config.image })
}

/// The answer to `/images/ID/json`: `NAME@DIGEST` for each registry that the image came from. The first few are kept.
fn digests(bytes: &[u8]) -> Result<Vec<String>, CallError> {
    let image: Image = read(bytes)?;
    let digests = image.repo_digests.unwrap_or_default();
    Ok(digests.into_iter().filter(|digest| digest.len() <= NAME).take(8).collect())
}

/// That of the name which the container was started by, else the first.
fn digest_of(digests: &[String], name: &str) -> String {
    let parts: Vec<Reference<'_>> = digests.iter().map(|digest| Reference::parse(digest)).collect();
    let same =
        parts.iter().find(|part| part.name == name || part.name.strip_prefix("docker.io/library/") == Some(name));
    same.or(parts.first()).map(|part| part.digest.to_owned()).unwrap_or_default()
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CallError> {
    serde_json::from_slice(bytes).map_err(|error| CallError::Malformed(error.to_string()))
}

#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz(bytes: &[u8]) {
    let id = "0f".repeat(32);
    if let Ok(Inspected { facts, .. }) = inspected(bytes, &id) {
        assert!(
            facts.name.len() <= NAME && facts.labels.len() <= crate::facts::LABELS && !crate::is_id(&facts.image_name)
        );
    }
    if let Ok(digests) = digests(bytes) {
        let _ = digest_of(&digests, "web");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    image: String,
    config: Option<Config>,
    host_config: Option<HostConfig>,
    mounts: Option<Vec<Mount>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    image: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    privileged: Option<bool>,
    ipc_mode: String,
    network_mode: String,
    pid_mode: String,
    #[serde(rename = "UTSMode")]
    uts_mode: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mount {
    /// `bind` of a place of the host, `volume` of what the engine keeps, and others.
    #[serde(rename = "Type")]
    kind: String,
    source: String,
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    repo_digests: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn id() -> String {
        "0f".repeat(32)
    }

    #[test]
    fn an_answer_is_read() {
        let (image, digest) = ("1a".repeat(32), format!("sha256:{}", "2b".repeat(32)));
        let answer = json!({
            "Id": id(), "Name": "/web", "Image": format!("sha256:{image}"),
            "Config": {"Image": "registry.example.test:5000/web:1.2", "Labels": {"app": "web"}, "Env": ["A=b"]},
            "HostConfig": {
                "Privileged": true, "NetworkMode": "host", "PidMode": "", "IpcMode": "private", "UTSMode": "host",
            },
            "Mounts": [
                {"Type": "bind", "Source": "/", "Destination": "/host", "Mode": "", "RW": true},
                {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/data"},
            ],
        });
        let Inspected { facts, reference } = inspected(answer.to_string().as_bytes(), &id()).unwrap();
        assert_eq!(reference, "registry.example.test:5000/web:1.2");
        let expected = Facts {
            name: "web".into(),
            image_name: "registry.example.test:5000/web".into(),
            image_tag: "1.2".into(),
            image_id: format!("sha256:{image}"),
            labels: vec![("app".into(), "web".into())],
            privileged: Some(true),
            host_namespaces: vec!["net".into(), "uts".into()],
            mounts: vec!["/:/host".into()],
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        let image =
            json!({"RepoDigests": [format!("other@sha256:{image}"), format!("docker.io/library/nginx@{digest}")]});
        let digests = digests(image.to_string().as_bytes()).unwrap();
        assert_eq!(digest_of(&digests, "nginx"), digest);
    }

    #[test]
    fn what_is_not_said_is_empty() {
        let answer = json!({"Id": id(), "Config": {"Labels": null, "Image": id()}});
        let Inspected { facts, .. } = inspected(answer.to_string().as_bytes(), &id()).unwrap();
        assert_eq!(facts, Facts::default());
        assert_eq!(digest_of(&[], "nginx"), "");
    }

    #[test]
    fn an_answer_about_another_container_is_none() {
        let answer = json!({"Id": "1a".repeat(32), "Name": "/web"}).to_string();
        assert!(matches!(inspected(answer.as_bytes(), &id()), Err(CallError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn names_are_bounded(name in "\\PC{0,900}", image in "\\PC{0,900}") {
            let answer = json!({"Id": id(), "Name": name, "Config": {"Image": image}}).to_string();
            let Inspected { facts, .. } = inspected(answer.as_bytes(), &id()).unwrap();
            for text in [&facts.name, &facts.image_name, &facts.image_tag, &facts.image_digest] {
                prop_assert!(text.len() <= NAME);
            }
        }

        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (inspected(&bytes, &id()).is_ok(), digests(&bytes).is_ok());
        }
    }
}
