//! The classes of events on the kernel's side. A new one is a file beside this one, and its line in the list.
//!
//! A class is switched on and off as one, and what is lost of it is told under its name. Whatever tells one sort of thing
//! about it, at whichever hook, is one [`Source`], with counters of its own. The file of a class has its name, ring, sources
//! with their budgets, hooks, what its programs need to know of the kernel's structures, its records, and its programs, which
//! the BPF target alone compiles. Those of processes and of audit messages are older and larger: their records are in `record/`,
//! their programs in `kernel/`.

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
pub mod sysctl;
pub mod tracing;
pub mod unix_socket;
pub mod uring;
pub mod user_helper;

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
    Network = network { Accept Connection Listener Datagram Route Route6 Bind Bind6 }
    /// Namespaces, mounts and roots.
    Containment = containment { Containment }
    /// Files.
    File = file { File }
    /// Memory that is made executable, and files in memory.
    Memory = memory { MemoryExec MemoryFile }
    /// Programs that end by a fault of theirs.
    Crash = crash { Crash }
    /// Settings of the kernel.
    Sysctl = sysctl { Sysctl }
    /// Rings of `io_uring`.
    IoUring = uring { IoUringSetup }
    /// Performance events.
    Perf = perf { PerfEvent }
    /// Kernels that are loaded to be started.
    Kexec = kexec { Kexec }
    /// BPF programs that are attached, and those of the sensor.
    BpfCalls = bpf_calls { BpfCall }
    /// Sockets that take whole packets.
    RawSocket = raw_socket { RawSocket }
    /// Sockets of this host that are connected.
    UnixSocket = unix_socket { UnixConnect }
    /// Programs that the kernel itself has run.
    UserHelper = user_helper { UserHelper }
    /// Containers that come and go.
    Container = container { Container }
}
