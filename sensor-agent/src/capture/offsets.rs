//! Finds out where the running kernel keeps what the programs read.
//!
//! [`sensor_ebpf::offsets::ALL`] says what is needed; the kernel's BTF knows the answers. All that is missing is
//! reported at once.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use btf_rs::{Backend, Btf, BtfType, Struct, Type};
use rustix::fs::{MemfdFlags, memfd_create};
use sensor_ebpf::offsets::{ABSENT, ALL, Source};

/// How deep members are followed into anonymous structures and unions.
const ANONYMOUS_DEPTH: u32 = 8;
/// How many typedefs and qualifiers may stand between a member and its structure.
const QUALIFIERS: u32 = 16;

/// The answers, one number per fact, in the order of [`ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(Vec<u32>);

impl Table {
    /// The words of [`sensor_ebpf::offsets::All`], as the programs' global takes them.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.0
    }

    /// As if the kernel lacked this.
    pub(super) fn forget(&mut self, name: &str) {
        let word = ALL.iter().position(|fact| fact.name == name).and_then(|index| self.0.get_mut(index));
        if let Some(word) = word {
            *word = ABSENT;
        }
    }

    /// As if a kernel had everything.
    #[cfg(test)]
    pub(super) fn of_all() -> Self {
        Self(vec![0; ALL.len()])
    }

    /// The answer to one fact, by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        let index = ALL.iter().position(|fact| fact.name == name)?;
        self.0.get(index).copied().filter(|&value| value != ABSENT)
    }
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum OffsetsError {
    #[error("cannot read the kernel's type information {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("this kernel ({release}) lacks what the kernel programs read: {missing}")]
    Missing { release: String, missing: MissingFacts },
}

/// What the running kernel lacks, for the person reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFacts(pub Vec<String>);

impl fmt::Display for MissingFacts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0.join("; "))
    }
}

/// Looks everything up in a BTF file.
///
/// # Errors
///
/// If the file is no BTF, or something indispensable is not in it.
pub fn read(path: &Path, release: &str) -> Result<Table, OffsetsError> {
    let types = Types::open(path, ALL.iter().flat_map(|fact| fact.sources).map(name))
        .map_err(|error| OffsetsError::Unreadable { path: path.display().to_string(), reason: error.to_string() })?;
    let mut words = Vec::with_capacity(ALL.len());
    let mut missing = Vec::new();
    for fact in &ALL {
        let found = fact.sources.iter().find_map(|source| types.look_up(source));
        if found.is_none() && fact.required {
            missing.push(in_words(fact.name));
        }
        words.push(found.unwrap_or(ABSENT));
    }
    if missing.is_empty() {
        Ok(Table(words))
    } else {
        Err(OffsetsError::Missing { release: release.to_owned(), missing: MissingFacts(missing) })
    }
}

/// What a fact is, by its name.
pub(super) fn in_words(name: &str) -> String {
    let known = ALL.iter().find(|fact| fact.name == name);
    known.map_or(name.to_owned(), |fact| fact.sources.iter().map(describe).collect::<Vec<_>>().join(" or "))
}

/// What is looked for, in words.
fn describe(source: &Source) -> String {
    match source {
        Source::Member(structure, path) | Source::Bit(structure, path) => {
            format!("struct {structure}, member {path}")
        }
        Source::Size(structure) => format!("struct {structure}"),
        Source::Value(name, value) => format!("enum {name}, value {value}"),
        Source::Flag(tracepoint, index) => format!("tracepoint {tracepoint}, argument {index}"),
        Source::Parameters(function) | Source::Function(function) => format!("function {function}"),
    }
}

/// The type that a fact is looked up in, by its name.
fn name(source: &Source) -> String {
    match *source {
        Source::Member(name, _) | Source::Bit(name, _) | Source::Size(name) => name.to_owned(),
        Source::Value(name, _) | Source::Parameters(name) | Source::Function(name) => name.to_owned(),
        // Its prototype is behind this typedef.
        Source::Flag(tracepoint, _) => format!("btf_trace_{tracepoint}"),
    }
}

/// The kernel's types. There are a hundred thousand, and none is found by its name but by looking at all of them.
struct Types {
    btf: Btf,
    /// Those that were asked for by their names.
    named: HashMap<String, Vec<Named>>,
}

/// A type and its number.
#[derive(Debug, PartialEq)]
struct Named {
    id: u32,
    of: Type,
}

impl Types {
    /// Looks at all of them once, for those of these names.
    fn open(path: &Path, names: impl Iterator<Item = String>) -> Result<Self, btf_rs::Error> {
        let btf = open(path)?;
        Ok(Self { named: named(&btf, names), btf })
    }

    fn look_up(&self, source: &Source) -> Option<u32> {
        let of_name = self.named.get(&name(source))?;
        match *source {
            Source::Member(_, path) => {
                let bits = self.member(of_name, path)?;
                (bits % 8 == 0).then_some(bits / 8)
            }
            Source::Bit(_, path) => self.member(of_name, path),
            Source::Size(_) => u32::try_from(structure(of_name)?.size()).ok(),
            Source::Value(_, value) => enumerator(&self.btf, of_name, value),
            Source::Flag(_, index) => flag(&self.btf, of_name, index),
            Source::Parameters(_) => parameters(&self.btf, of_name),
            Source::Function(_) => of_name.iter().find(|found| matches!(found.of, Type::Func(_))).map(|found| found.id),
        }
    }

    /// Bit offset of a dotted path of members.
    fn member(&self, of_name: &[Named], path: &str) -> Option<u32> {
        let mut inside = structure(of_name).cloned();
        let mut bits: u32 = 0;
        for name in path.split('.') {
            let (offset, of) = member_of(&self.btf, &inside?, name, ANONYMOUS_DEPTH)?;
            bits = bits.checked_add(offset)?;
            inside = of;
        }
        Some(bits)
    }
}

/// The types of these names.
fn named(btf: &Btf, names: impl Iterator<Item = String>) -> HashMap<String, Vec<Named>> {
    let mut named: HashMap<_, Vec<_>> = names.map(|name| (name, Vec::new())).collect();
    let (first, last) = btf.base().type_id_range();
    for (id, of) in (first..=last).filter_map(|id| Some((id, btf.resolve_type_by_id(id).ok()?))) {
        let name = of.as_btf_type().and_then(|found| btf.resolve_name(found).ok());
        if let Some(of_name) = name.and_then(|name| named.get_mut(&name)) {
            of_name.push(Named { id, of });
        }
    }
    named
}

/// Maps the file, where the kernel allows that (Linux 6.16), or else a copy of it. Where neither can be, it is read type by type
/// into ten times the memory.
fn open(path: &Path) -> Result<Btf, btf_rs::Error> {
    Btf::from_file_with_backend(path, Backend::Mmap).or_else(|_| open_copy(path)).or_else(|_| Btf::from_file(path))
}

/// Maps a copy of the file, which is gone with its last mapping.
fn open_copy(path: &Path) -> Result<Btf, btf_rs::Error> {
    let copy = File::from(memfd_create("btf", MemfdFlags::CLOEXEC).map_err(io::Error::from)?);
    io::copy(&mut File::open(path)?, &mut &copy)?;
    Btf::from_file_with_backend(format!("/proc/self/fd/{}", copy.as_raw_fd()), Backend::Mmap)
}

fn structure(of_name: &[Named]) -> Option<&Struct> {
    of_name.iter().find_map(|found| match &found.of {
        Type::Struct(structure) | Type::Union(structure) => Some(structure),
        _ => None,
    })
}

/// Bit offset of one member, and its own structure if it is one. Members of anonymous structures and unions count as
/// members of the one around them, as in C.
fn member_of(btf: &Btf, structure: &Struct, name: &str, depth: u32) -> Option<(u32, Option<Struct>)> {
    for member in &structure.members {
        let found = btf.resolve_name(member).unwrap_or_default();
        if found == name {
            return Some((member.bit_offset(), aggregate(btf, member)));
        }
        if found.is_empty()
            && let Some(below) = depth.checked_sub(1)
            && let Some(anonymous) = aggregate(btf, member)
            && let Some((offset, of)) = member_of(btf, &anonymous, name, below)
        {
            return Some((member.bit_offset().checked_add(offset)?, of));
        }
    }
    None
}

/// The structure or union behind a member, through typedefs and qualifiers; not through pointers.
fn aggregate(btf: &Btf, member: &dyn BtfType) -> Option<Struct> {
    match resolve(btf, member.get_type_id()?)? {
        Type::Struct(structure) | Type::Union(structure) => Some(structure),
        _ => None,
    }
}

/// A type without its typedefs, qualifiers and tags.
fn resolve(btf: &Btf, id: u32) -> Option<Type> {
    let mut found = btf.resolve_type_by_id(id).ok()?;
    for _ in 0..QUALIFIERS {
        match found {
            Type::Typedef(_) | Type::Const(_) | Type::Volatile(_) | Type::Restrict(_) | Type::TypeTag(_) => {
                found = btf.resolve_type_by_id(found.as_btf_type()?.get_type_id()?).ok()?;
            }
            other => return Some(other),
        }
    }
    None
}

fn enumerator(btf: &Btf, of_name: &[Named], value: &str) -> Option<u32> {
    of_name.iter().find_map(|found| match &found.of {
        Type::Enum(found) => found
            .members
            .iter()
            .find(|member| btf.resolve_name(*member).is_ok_and(|name| name == value))
            .map(btf_rs::EnumMember::val),
        _ => None,
    })
}

fn parameters(btf: &Btf, of_name: &[Named]) -> Option<u32> {
    of_name.iter().find_map(|found| {
        let Type::Func(function) = &found.of else {
            return None;
        };
        match btf.resolve_type_by_id(function.get_type_id()?).ok()? {
            Type::FuncProto(prototype) => u32::try_from(prototype.parameters.len()).ok(),
            _ => None,
        }
    })
}

/// The first parameter of a tracepoint's prototype is the kernel's own.
fn flag(btf: &Btf, of_name: &[Named], index: u32) -> Option<u32> {
    of_name.iter().find_map(|found| {
        let Type::Typedef(typedef) = &found.of else {
            return None;
        };
        let Type::Ptr(pointer) = resolve(btf, typedef.get_type_id()?)? else {
            return None;
        };
        let Type::FuncProto(prototype) = resolve(btf, pointer.get_type_id()?)? else {
            return None;
        };
        let parameter = prototype.parameters.get(usize::try_from(index).ok()?.checked_add(1)?)?;
        match resolve(btf, parameter.get_type_id()?)? {
            Type::Int(int) if int.is_bool() || int.size() == 1 => Some(index),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::preflight::BTF;
    use super::*;

    #[test]
    fn facts_are_named_once() {
        for (index, fact) in ALL.iter().enumerate() {
            assert!(!fact.sources.is_empty(), "{}", fact.name);
            assert!(ALL[..index].iter().all(|other| other.name != fact.name), "{}", fact.name);
        }
    }

    #[test]
    fn a_file_that_is_no_btf_is_refused() {
        let error = read(Path::new("/proc/self/comm"), "0").unwrap_err();
        assert!(matches!(error, OffsetsError::Unreadable { .. }), "{error}");
        let error = read(Path::new("/nonexistent/btf"), "0").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/btf"), "{error}");
    }

    #[test]
    fn all_facts_are_looked_up_in_one_look_at_the_types() {
        let btf = Path::new(BTF);
        let size = Source::Size("task_struct");
        let types = Types::open(btf, [name(&size)].into_iter()).expect("the tests need a kernel with BTF");
        assert!(types.look_up(&size).is_some());
        // There is no second look for what was not asked for then.
        assert_eq!(types.look_up(&Source::Size("cred")), None);
    }

    #[test]
    fn a_copy_says_the_same() {
        let path = Path::new(BTF);
        let names = || [&Source::Size("task_struct"), &Source::Flag("sched_process_exec", 0)].map(name).into_iter();
        let all = Types::open(path, names()).expect("the tests need a kernel with BTF").named;
        let copy = open_copy(path).expect("a file in memory");
        assert_eq!(all, named(&copy, names()));
    }

    #[test]
    fn the_running_kernel_has_everything() {
        let table = read(Path::new(BTF), "running").expect("the tests need a kernel with BTF");
        assert_eq!(table.words().len(), ALL.len());
        // Anonymous union in `inode`, nested structure in `qstr`, alternative names.
        assert!(table.get("inode_nlink").is_some());
        assert_eq!(table.get("qstr_len"), Some(4));
        assert_eq!(table.get("qstr_name"), Some(8));
        assert!(table.get("inode_ctime_sec").is_some());
    }
}
