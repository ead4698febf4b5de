//! The merged configuration written back, for people to see what is in force. Secrets are masked.

use std::io::Write;
use std::path::{Path, PathBuf};

use diagnostic::Spanned;
use foldhash::{HashMap, HashSet};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::lists::ListConfig;
use super::scalar::FromText;
use super::schema::{Kind, find};
use super::words::{ListType, Word};
use super::yaml::{Entry, Node, Scalar, Value};
use super::{check, keys, secrets};

/// The file's name in the run directory.
pub(crate) const FILE_NAME: &str = "cache_analytics.yaml";

const HEAD: &str = "\
# What the sensor runs with: its files and the environment merged. Written at each start and reload;
# changes here have no effect.
";

/// Why the merged configuration could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the merged configuration cannot be written to {}: {source}", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: std::io::Error,
}

/// Writes the merged configuration into the run directory: readable by its owner alone, and there as a whole or not
/// at all. Returns its path.
///
/// # Errors
/// The directory is missing or cannot be written.
pub(crate) fn write(text: &str, run_dir: &Path) -> Result<PathBuf, CacheError> {
    let path = run_dir.join(FILE_NAME);
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(run_dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    };
    match write() {
        Ok(_) => Ok(path),
        Err(source) => Err(CacheError { path, source }),
    }
}

/// The merged configuration as YAML, secrets masked.
pub(crate) fn render(entries: &[Entry], layers: &[Vec<ListConfig>]) -> String {
    let lists = fold(layers);
    match serde_saphyr::to_string(&Merged { entries, lists: &lists }) {
        Ok(yaml) => format!("{HEAD}{yaml}"),
        Err(error) => format!("{HEAD}# It could not be written: {error}\n"),
    }
}

struct Merged<'a> {
    entries: &'a [Entry],
    lists: &'a [FoldedList],
}

/// A list as all files together have it.
struct FoldedList {
    name: String,
    list_type: Option<ListType>,
    values: Option<Vec<String>>,
    add: Vec<String>,
    remove: Vec<String>,
}

fn fold(layers: &[Vec<ListConfig>]) -> Vec<FoldedList> {
    let texts = |values: &[Spanned<String>]| values.iter().map(|text| secrets::masked(&text.value)).collect::<Vec<_>>();
    let mut folded: Vec<FoldedList> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::default();
    for list in layers.iter().flatten() {
        let position = *index.entry(&list.name.value).or_insert_with(|| {
            let name = secrets::masked(&list.name.value);
            folded.push(FoldedList { name, list_type: None, values: None, add: Vec::new(), remove: Vec::new() });
            folded.len() - 1
        });
        let known = &mut folded[position];
        known.list_type = list.list_type.as_ref().map(|list_type| list_type.value).or(known.list_type);
        if let Some(values) = &list.values {
            known.values = Some(texts(values));
            known.add.clear();
            known.remove.clear();
        }
        let (add, remove) = (texts(&list.add), texts(&list.remove));
        let removed: HashSet<&String> = remove.iter().collect();
        let added: HashSet<&String> = add.iter().collect();
        if let Some(values) = &mut known.values {
            values.extend(add.iter().cloned());
            values.retain(|value| !removed.contains(value));
        } else {
            known.remove.retain(|value| !added.contains(value));
            known.add.retain(|value| !removed.contains(value));
            known.add.extend(add.iter().filter(|value| !removed.contains(value)).cloned());
            known.remove.extend(remove.iter().cloned());
        }
    }
    folded
}

impl Serialize for Merged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for entry in self.entries {
            map.serialize_entry(&secrets::masked(&entry.key.value), &Masked::top(entry))?;
        }
        if !self.lists.is_empty() {
            map.serialize_entry("lists", &Lists(self.lists))?;
        }
        map.end()
    }
}

struct Lists<'a>(&'a [FoldedList]);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|list| (&list.name, list)))
    }
}

impl Serialize for FoldedList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(list_type) = self.list_type {
            map.serialize_entry("type", list_type.word())?;
        }
        if let Some(values) = &self.values {
            map.serialize_entry("values", values)?;
        } else {
            map.serialize_entry("add", &self.add)?;
            map.serialize_entry("remove", &self.remove)?;
        }
        map.end()
    }
}

/// A node whose secrets are masked: those of keys that are secret, everything below a key that is not known where it
/// stands (it may be a secret key, mistyped), and what looks like a secret.
struct Masked<'a> {
    node: &'a Node,
    /// What the key takes; none if it is not known.
    kind: Option<&'static Kind>,
    secret: bool,
}

impl<'a> Masked<'a> {
    fn top(entry: &'a Entry) -> Self {
        let kind = match find(keys::TOP, &entry.key.value) {
            Some(key) => Some(&key.kind),
            None => check::may_be_policy(&entry.value).then_some(&keys::DETECTION),
        };
        Self::of(entry, kind, false)
    }

    fn of(entry: &'a Entry, kind: Option<&'static Kind>, secret: bool) -> Self {
        // Also by the key alone: rather one value too many than one too few.
        let elsewhere = keys::anywhere(&entry.key.value).map(|key| key.kind);
        let is_secret = |kind: Kind| matches!(kind, Kind::Secret | Kind::MapOf(Kind::Secret));
        let secret = secret || kind.copied().is_some_and(is_secret) || elsewhere.is_some_and(is_secret);
        Self { node: &entry.value, kind, secret }
    }

    fn item(&self, item: &'a Node) -> Self {
        let kind = match self.kind {
            Some(Kind::List(of) | Kind::OneOrMore(of)) => Some(*of),
            Some(Kind::Topics) => self.kind,
            _ => None,
        };
        Self { node: item, kind, secret: self.secret }
    }

    fn entry(&self, entry: &'a Entry) -> Self {
        let name = entry.key.value.as_str();
        let kind = match self.kind {
            Some(Kind::Map(keys)) => find(keys, name).map(|key| &key.kind),
            Some(Kind::MapOf(of)) => Some(*of),
            Some(Kind::Topics) => Some(&Kind::Text),
            Some(Kind::Variants(variants)) => {
                let tag = self.node.entries().iter().find(|entry| entry.key.value == variants.tag);
                let variant = tag.and_then(|tag| variants.find(&tag.value.scalar()?.text));
                let own = variant.and_then(|variant| find(variant.keys, name));
                find(variants.common, name).or(own).map(|key| &key.kind)
            }
            _ => None,
        };
        Self::of(entry, kind, self.secret)
    }
}

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.node.value {
            Value::Null => serializer.serialize_unit(),
            Value::Scalar(scalar) => {
                let kind = match self.kind {
                    Some(Kind::OneOrMore(of)) => Some(*of),
                    kind => kind,
                };
                match kind.filter(|kind| !self.secret && kind.is_scalar()) {
                    Some(kind) => serialize_scalar(scalar, kind, serializer),
                    // A switch is no secret.
                    None if !self.secret && scalar.is_bool() => serialize_scalar(scalar, &Kind::Bool, serializer),
                    None => serializer.serialize_str(secrets::MASK),
                }
            }
            Value::Sequence(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&self.item(item))?;
                }
                list.end()
            }
            Value::Mapping(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
                    map.serialize_entry(&secrets::masked(&entry.key.value), &self.entry(entry))?;
                }
                map.end()
            }
        }
    }
}

fn serialize_scalar<S: Serializer>(scalar: &Scalar, kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    let text = scalar.text.as_str();
    // Words such as `yes` and `off` are booleans for some keys and text for others.
    if let (Kind::Bool, Ok(value)) = (kind, bool::from_text(text)) {
        return serializer.serialize_bool(value);
    }
    if let Some(number) = text.parse::<u64>().ok().filter(|_| scalar.plain)
        && (matches!(kind, Kind::Count(..)) || number.to_string() == text)
    {
        return serializer.serialize_u64(number);
    }
    let shown = if matches!(kind, Kind::Url(_)) { secrets::masked_url(text) } else { secrets::masked(text) };
    serializer.serialize_str(&shown)
}
