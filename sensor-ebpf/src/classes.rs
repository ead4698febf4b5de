//! The classes of events on the kernel's side. A new one is a file beside this one, and its line in the list.
//!
//! A class is switched on and off as one, and what is lost of it is told under its name. Whatever tells one sort of thing
//! about it, at whichever hook, is one [`Source`], with counters of its own. The file of a class has its name, ring, sources
//! with their budgets, hooks, what its programs need to know of the kernel's structures, its records, and its programs, which
//! the BPF target alone compiles. Those of processes and of audit messages are older and larger: their records are in `record/`,
//! their programs in `kernel/`.

pub mod audit;
pub mod bpf;
pub mod containment;
pub mod credentials;
pub mod file;
pub mod module;
pub mod network;
pub mod process;
pub mod tracing;

pub use crate::class::{Classes, REPLICAS, SLOTS, slot};

crate::class::declare! {
    /// Programs that start, fail to, fork and end.
    Process = process { Exec Fork Exit ExecFailed Baseline ExecNotOpened }
    /// Messages to the kernel's audit.
    Audit = audit { Audit AuditVerdict }
    /// Modules of the kernel.
    Module = module { ModuleLoad }
    /// BPF programs.
    Bpf = bpf { BpfLoad }
    /// User ids, group ids and capabilities of processes.
    Credentials = credentials { CredentialChange }
    /// Processes that get at others.
    Tracing = tracing { Trace }
    /// Sockets that connect, listen and take connections.
    Network = network { Accept Connection Listener Datagram Route Route6 }
    /// Namespaces, mounts and roots.
    Containment = containment { Containment }
    /// Files.
    File = file {
        FileMount FileMountOf FileOpen FileMkdir FileMknod FileSymlink FileLink FileDelete FileRename FileExchange FileBefore
        FileChange FileXattr FileXattrRemoval
    }
}
