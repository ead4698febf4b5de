//! What is known of a container, in bounds: whoever starts a container chooses names and labels.

use std::collections::BTreeMap;

use schema::process::Runtime;

/// Longest name, bytes: of containers, images, tags, pods and so on.
pub const NAME: usize = 512;
/// Most labels.
pub const LABELS: usize = 64;
/// Longest key or value of a label, bytes.
pub const LABEL: usize = 512;
/// Most bytes of all labels of a container.
pub const ALL_LABELS: usize = 4096;
/// Most mounts.
pub const MOUNTS: usize = 64;
/// Most bytes of all mounts of a container.
pub const ALL_MOUNTS: usize = 8192;

/// Stands at the end of what was cut.
const CUT: char = '…';

/// What a runtime says of a container. What it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who said it.
    pub runtime: Option<Runtime>,
    pub name: String,
    /// As the container was asked for, without tag and digest: `nginx`, `registry.example.test:5000/web`.
    pub image_name: String,
    pub image_tag: String,
    /// `sha256:…` of the image's configuration: the same on each host that has it.
    pub image_id: String,
    /// `sha256:…` of its manifest, as registries name it.
    pub image_digest: String,
    /// In the order of their keys.
    pub labels: Vec<(String, String)>,
    pub pod: String,
    pub namespace: String,
    pub privileged: Option<bool>,
    /// The kinds of namespaces that it has none of its own of, but the host's: of `ipc`, `net`, `pid` and `uts`.
    pub host_namespaces: Vec<String>,
    /// What it has of the host's files and folders, each as `SOURCE:DESTINATION`.
    pub mounts: Vec<String>,
    /// Something was too long, or there were too many labels or mounts.
    pub is_cut: bool,
}

/// The labels by which Kubernetes tells whose container it is.
const POD: &str = "io.kubernetes.pod.name";
const NAMESPACE: &str = "io.kubernetes.pod.namespace";

impl Facts {
    /// Nothing said.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            runtime: None,
            name: String::new(),
            image_name: String::new(),
            image_tag: String::new(),
            image_id: String::new(),
            image_digest: String::new(),
            labels: Vec::new(),
            pod: String::new(),
            namespace: String::new(),
            privileged: None,
            host_namespaces: Vec::new(),
            mounts: Vec::new(),
            is_cut: false,
        }
    }

    /// Takes labels in, and what they tell of a pod.
    pub(crate) fn label(&mut self, labels: &BTreeMap<String, String>) {
        let mut room = ALL_LABELS;
        for (key, value) in labels {
            let (key, value) = (self.bounded(key, LABEL), self.bounded(value, LABEL));
            let fits = self.labels.len() < LABELS && key.len() + value.len() <= room;
            self.is_cut |= !fits;
            if fits {
                room -= key.len() + value.len();
                self.labels.push((key, value));
            }
        }
        if let (Some(pod), Some(namespace)) = (labels.get(POD), labels.get(NAMESPACE)) {
            (self.pod, self.namespace) = (self.bounded(pod, NAME), self.bounded(namespace, NAME));
        }
    }

    /// Takes mounts in, each a place of the host and where it is in the container.
    pub(crate) fn mount<'a>(&mut self, mounts: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut room = ALL_MOUNTS;
        for (source, destination) in mounts {
            let mount = format!("{}:{}", self.bounded(source, NAME), self.bounded(destination, NAME));
            let fits = self.mounts.len() < MOUNTS && mount.len() <= room;
            self.is_cut |= !fits;
            if fits {
                room -= mount.len();
                self.mounts.push(mount);
            }
        }
    }

    /// The text, or as much of it as is kept.
    pub(crate) fn bounded(&mut self, text: &str, most: usize) -> String {
        if text.len() <= most {
            return text.to_owned();
        }
        self.is_cut = true;
        let end = text.floor_char_boundary(most - CUT.len_utf8());
        let mut kept = text[..end].to_owned();
        kept.push(CUT);
        kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pod_is_known_by_its_labels() {
        let mut facts = Facts::default();
        let labels = [("io.kubernetes.pod.name", "web-0"), ("io.kubernetes.pod.namespace", "shop"), ("app", "web")];
        facts.label(&labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert_eq!((facts.pod.as_str(), facts.namespace.as_str(), facts.labels.len()), ("web-0", "shop", 3));
        assert_eq!(facts.labels[0], ("app".to_owned(), "web".to_owned()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn labels_stay_in_bounds(labels in proptest::collection::btree_map("[a-é]{0,700}", "[a-é]{0,60}", 0..90)) {
            let mut facts = Facts::default();
            facts.label(&labels);
            let bytes: usize = facts.labels.iter().map(|(key, value)| key.len() + value.len()).sum();
            prop_assert!(facts.labels.len() <= LABELS && bytes <= ALL_LABELS);
            prop_assert!(facts.labels.iter().all(|(key, value)| key.len() <= LABEL && value.len() <= LABEL));
            prop_assert_eq!(facts.is_cut, facts.labels != labels.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn mounts_stay_in_bounds(mounts in proptest::collection::vec(("[a-é/]{0,700}", "[a-é/]{0,60}"), 0..90)) {
            let mut facts = Facts::default();
            facts.mount(mounts.iter().map(|(source, destination)| (source.as_str(), destination.as_str())));
            prop_assert!(facts.mounts.len() <= MOUNTS && facts.mounts.iter().map(String::len).sum::<usize>() <= ALL_MOUNTS);
            let whole: Vec<String> = mounts.iter().map(|(source, destination)| format!("{source}:{destination}")).collect();
            prop_assert_eq!(facts.is_cut, facts.mounts != whole);
        }
    }
}
