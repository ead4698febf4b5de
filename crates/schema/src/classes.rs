//! The classes of events. A new one is a file beside this one, and its line in the list.

pub mod audit;
pub mod bpf;
pub mod bpf_calls;
pub mod container;
pub mod containment;
pub mod crash;
pub mod credentials;
pub mod file;
pub mod kexec;
pub mod memory;
pub mod module;
pub mod network;
pub mod perf;
pub mod process;
pub mod raw_socket;
pub mod sensor;
pub mod sysctl;
pub mod tracing;
pub mod unix_socket;
pub mod uring;
pub mod user_helper;

use crate::class::{Kind, classes};
use crate::{PolicyType, Table};

classes! {
    /// Processes start, run programs and end.
    Process = process { Fork Exec Exit Baseline ExecFailed }
    /// Messages to the kernel's audit.
    Audit = audit { AuditMessage AuditMessageRefused }
    /// Modules are loaded into the kernel.
    Module = module { ModuleLoad }
    /// BPF programs are loaded into the kernel.
    Bpf = bpf { BpfLoad }
    /// Processes go on with other ids or capabilities.
    Credentials = credentials { CredentialChange }
    /// Processes get at others.
    Tracing = tracing { Trace }
    /// Connections are opened and taken.
    Network = network { ConnectAttempt ConnectResult Bind Listen Accept SendTo }
    /// Processes go on in other namespaces, and the tree of mounts is changed.
    Containment = containment { NamespaceChange MountChange }
    /// Files are created, changed, renamed and deleted.
    File = file { FileCreate FileOpenForModify FileModify FileDelete FileRename FileLink FileAttributeChange FileOpen }
    /// Memory becomes executable, and files are made in memory.
    Memory = memory { MemoryExec MemfdCreate Userfaultfd }
    /// Programs end by a fault of theirs.
    Crash = crash { Crash CrashRepeated }
    /// Settings of the kernel are written.
    Sysctl = sysctl { SysctlWrite }
    /// Rings of `io_uring` are made.
    IoUring = uring { IoUringSetup }
    /// Performance events are opened.
    Perf = perf { PerfEventOpen }
    /// Kernels are loaded to be started.
    Kexec = kexec { KexecLoad }
    /// BPF programs are attached, and somebody gets at those of the sensor.
    BpfCalls = bpf_calls { BpfAttach SensorObject }
    /// Sockets are made that take whole packets.
    RawSocket = raw_socket { RawSocket }
    /// Sockets of this host are connected to others.
    UnixSocket = unix_socket { UnixConnect }
    /// The kernel itself has programs run.
    UserHelper = user_helper { UserHelper }
    /// Containers come and go.
    Container = container { ContainerCreated ContainerRunning ContainerExited ContainerDestroyed }
    /// What the sensor tells of itself.
    Sensor = sensor { LostRecords SensorStarted }
}

/// Types of policies that a configuration may name and nothing serves yet. Each goes to the file of its class when that comes.
pub(crate) const PLANNED_POLICY_TYPES: &[PolicyType] = &[
    unserved("interactiveShell"),
    unserved("remoteInteractiveShell"),
    unserved("newFileExec"),
    unserved("spectreMeltdown"),
    unserved("kprobe"),
    unserved("uprobe"),
];

/// Tables likewise.
pub(crate) const PLANNED_TABLES: &[&Table] = &[
    &unfilled("shell_commands", "Commands typed into interactive shells."),
    &unfilled("tty_data", "What went over terminals."),
    &unfilled("alerts", "The alerts that were raised."),
    &unfilled("sensor_metadata", "Facts about the sensor's host."),
    &unfilled("audit_selinux", "Decisions of SELinux."),
];

const fn unserved(word: &'static str) -> PolicyType {
    PolicyType { word, sees: &[] }
}

const fn unfilled(name: &'static str, doc: &'static str) -> Table {
    Table { name, aliases: &[], kinds: &[], mcs: false, default_on: false, number: 0, message: "", columns: &[], doc }
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
