//! Takes out of the object what only debuggers read.
//!
//! The compiler must write debug information, for the linker makes the BTF out of it, and the lines of the source that the verifier
//! would quote. Afterwards it is most of the object, which each sensor would carry, map into its memory and take apart at a start.

use std::ops::Range;

/// Places in the header of a file, in ELF of 64 bits with the low byte first: of the table of sections, how long an entry is, and
/// how many there are.
const TABLE: usize = 40;
const ENTRY_LEN: usize = 58;
const ENTRIES: usize = 60;
/// What the table may not be cut short of.
const HEADER_LEN: usize = 64;
/// Places in an entry: name, type, where the content is, how long, and what its address must be a multiple of.
const NAME: usize = 0;
const TYPE: usize = 4;
const CONTENT: usize = 24;
const CONTENT_LEN: usize = 32;
const ALIGNMENT: usize = 48;
/// The type of an entry that stands for nothing, and of one without content in the file.
const NULL: u32 = 0;
const NOBITS: u32 = 8;
/// Which section has the names.
const NAMES: usize = 62;

/// Relocations of BTF are for linkers: it is final here.
const DEBUGGING: &[&str] = &[".debug_", ".rel.debug_", ".rel.BTF"];

/// The object without the content of these sections. Their entries stay, empty, so that the others keep their numbers.
///
/// None if it is no such file.
pub(crate) fn strip(object: &[u8]) -> Option<Vec<u8>> {
    object.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let (table, len) = (word(object, TABLE)?, usize::from(half(object, ENTRY_LEN)?));
    let entry = |index: u16| object.get(table + usize::from(index) * len..)?.get(..len);
    let names = content(entry(half(object, NAMES)?)?)?.start;
    let mut stripped = object.get(..HEADER_LEN)?.to_vec();
    let mut entries = Vec::new();
    for index in 0..half(object, ENTRIES)? {
        let mut entry = entry(index)?.to_vec();
        let name = object.get(names + usize::try_from(long(&entry, NAME)?).ok()?..)?;
        if DEBUGGING.iter().any(|debugging| name.starts_with(debugging.as_bytes())) {
            entry.get_mut(TYPE..)?.fill(0);
        } else if !matches!(long(&entry, TYPE)?, NULL | NOBITS) {
            stripped.resize(stripped.len().next_multiple_of(word(&entry, ALIGNMENT)?.max(1)), 0);
            let whole = content(&entry)?;
            put(&mut entry, CONTENT, stripped.len())?;
            let whole = object.get(whole)?;
            if name.starts_with(b".BTF.ext\0") {
                let short = without_lines(whole)?;
                put(&mut entry, CONTENT_LEN, short.len())?;
                stripped.extend(short);
            } else {
                stripped.extend(whole);
            }
        }
        entries.extend(entry);
    }
    stripped.resize(stripped.len().next_multiple_of(size_of::<u64>()), 0);
    let table = stripped.len();
    put(&mut stripped, TABLE, table)?;
    stripped.extend(entries);
    Some(stripped)
}

/// What goes with the BTF (`struct btf_ext_header` of Linux and what follows it), without the lines of the source: what tells functions
/// from each other, by which the verifier knows them, comes first. Of what comes behind, relocations against the kernel's types, there
/// is nothing.
fn without_lines(info: &[u8]) -> Option<Vec<u8>> {
    /// Places in the header: how long it is, and where behind it, and how long, the functions, the lines and the relocations are.
    const HEADER: usize = 4;
    const FUNCTIONS: usize = 8;
    const LINES: usize = 16;
    const RELOCATIONS: usize = 24;
    let header = usize::try_from(long(info, HEADER)?).ok()?;
    let end = long(info, FUNCTIONS)?.checked_add(long(info, FUNCTIONS + 4)?)?;
    let mut short = info.get(..header.checked_add(usize::try_from(end).ok()?)?)?.to_vec();
    for part in [LINES, RELOCATIONS].into_iter().filter(|part| part + 8 <= header) {
        short.get_mut(part..)?.first_chunk_mut::<4>()?.copy_from_slice(&end.to_le_bytes());
        short.get_mut(part + 4..)?.first_chunk_mut::<4>()?.fill(0);
    }
    Some(short)
}

/// Where the content of an entry is.
fn content(entry: &[u8]) -> Option<Range<usize>> {
    let start = word(entry, CONTENT)?;
    Some(start..start.checked_add(word(entry, CONTENT_LEN)?)?)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn put(bytes: &mut [u8], at: usize, value: usize) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = u64::try_from(value).ok()?.to_le_bytes();
    Some(())
}
