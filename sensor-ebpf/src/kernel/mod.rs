//! What only the BPF target compiles.
//!
//! | file | what |
//! | --- | --- |
//! | `process` | execs, failed ones, forks, exits, and what was running before |
//! | `audit` | audit messages: both hooks, who sent them, whether the kernel takes them |
//! | `module`, `bpf` | code that is loaded into the kernel: modules, BPF programs |
//! | `actor` | who does something, for records that need no more of it |
//! | `task`, `cgroup` | parts of records about a task |
//! | `path`, `mounts` | where a file is, and in whose eyes |
//! | `load` | how kernel memory is read |
//! | `scratch` | where a record is built |
//! | `replicas` | several programs at one place, for what the first one misses |
//! | `emit` | counters, ring buffers, budgets, wake-ups |
//!
//! A class of events is a file here (or a folder), and one of the same name in `record/`: the agent reads the records, and is not
//! built with what the programs are.

mod actor;
mod audit;
mod bpf;
mod cgroup;
mod emit;
mod load;
mod module;
mod mounts;
mod path;
mod process;
mod replicas;
mod scratch;
mod task;
