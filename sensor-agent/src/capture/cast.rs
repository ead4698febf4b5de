//! Makes of the programs' marks calls of the kernel's `bpf_rdonly_cast`, where it has it. See [`sensor_ebpf::cast`].

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use sensor_ebpf::cast::{MARK, call};

use super::offsets::Table;

/// Whether the kernel compiles programs: `0` if it interprets them, which it does with no program that calls its functions.
const COMPILES: &str = "/proc/sys/net/core/bpf_jit_enable";
/// What the programs must know to cast; without it they do not. And what says that it is for any memory.
const CAST: &str = "rdonly_cast";
const TO_VOID: &str = "rdonly_cast_to_void";

/// The facts without the cast, where the kernel would take no program that calls it like that.
pub(super) fn facts(mut table: Table) -> Table {
    if table.get(TO_VOID).is_none() || !compiles(Path::new(COMPILES)) {
        table.forget(CAST);
    }
    table
}

fn compiles(setting: &Path) -> bool {
    fs::read_to_string(setting).is_ok_and(|value| value.trim() != "0")
}

/// The object as this kernel takes it. It is made of words of eight bytes, as its instructions are.
pub(super) fn object<'a>(object: &'a [u8], table: &Table) -> Cow<'a, [u8]> {
    let Some(function) = table.get(CAST) else { return Cow::Borrowed(object) };
    let (mark, call) = (MARK.to_ne_bytes(), call(function).to_ne_bytes());
    let mut object = object.to_vec();
    for word in object.as_chunks_mut().0 {
        if *word == mark {
            *word = call;
        }
    }
    Cow::Owned(object)
}

#[cfg(test)]
mod tests {
    use super::super::OBJECT;
    use super::*;

    fn count(object: &[u8], word: u64) -> usize {
        object.as_chunks().0.iter().filter(|found| **found == word.to_ne_bytes()).count()
    }

    #[test]
    fn marks_become_calls_and_nothing_else_changes() {
        let mut table = Table::of_all();
        let patched = object(OBJECT, &table);
        let calls = count(OBJECT, MARK);
        assert!(calls > 100, "the programs have marks");
        assert_eq!((count(&patched, MARK), count(&patched, call(0))), (0, calls));
        let changed = OBJECT.iter().zip(patched.iter()).filter(|(one, other)| one != other).count();
        assert!(changed <= calls * 8 && patched.len() == OBJECT.len());
        table.forget(TO_VOID);
        let table = facts(table);
        assert!(matches!(object(OBJECT, &table), Cow::Borrowed(_)));
    }

    #[test]
    fn a_kernel_that_interprets_programs_is_not_asked_for_the_call() {
        let folder = tempfile::tempdir().expect("a folder");
        let setting = folder.path().join("bpf_jit_enable");
        for (value, compiled) in [("0\n", false), ("1\n", true), ("2\n", true)] {
            fs::write(&setting, value).expect("a file");
            assert_eq!(compiles(&setting), compiled, "{value}");
        }
        assert!(!compiles(&folder.path().join("none")));
    }
}
