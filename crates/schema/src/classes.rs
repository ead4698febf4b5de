//! The classes of events. A new one is a file beside this one, and its line in the list.

pub mod audit;
pub mod bpf;
pub mod module;
pub mod process;
pub mod sensor;

use crate::class::{Kind, classes};

classes! {
    /// Processes start, run programs and end.
    Process = process { Fork Exec Exit Baseline ExecFailed }
    /// Messages to the kernel's audit.
    Audit = audit { AuditMessage AuditMessageRefused }
    /// Modules are loaded into the kernel.
    Module = module { ModuleLoad }
    /// BPF programs are loaded into the kernel.
    Bpf = bpf { BpfLoad }
    /// What the sensor tells of itself.
    Sensor = sensor { LostRecords SensorStarted }
}

/// Each kind's description, in the order of [`EventType`]. A kind that its class does not describe, or elsewhere, does not
/// compile.
static DESCRIBED: [Kind; EventType::ALL.len()] = {
    let kinds: [Kind; EventType::ALL.len()] = crate::concat(KINDS, KINDS[0][0]);
    let mut at = 0;
    while at < kinds.len() {
        assert!(kinds[at].is as usize == at, "a class describes its kinds in the order of the list");
        at += 1;
    }
    kinds
};

impl EventType {
    /// What is to be known of it.
    #[must_use]
    pub const fn described(self) -> &'static Kind {
        &DESCRIBED[self as usize]
    }

    /// The word that rules compare with and rows carry.
    #[must_use]
    pub const fn word(self) -> &'static str {
        DESCRIBED[self as usize].word
    }

    /// The words of all.
    const WORDS: &[&str] = &{
        let mut words = [""; Self::ALL.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::ALL[at].word();
            at += 1;
        }
        words
    };
}

const _: () = assert!(EventType::ALL.len() <= u64::BITS as usize, "`Seen` has a bit for each kind");

impl crate::Word for EventType {
    const WORDS: &'static [&'static str] = Self::WORDS;

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}
