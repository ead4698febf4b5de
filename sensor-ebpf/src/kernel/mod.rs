//! What only the BPF target compiles.
//!
//! | file | what |
//! | --- | --- |
//! | `process` | execs, failed ones, forks, exits, and what was running before |
//! | `audit` | audit messages: both hooks, who sent them, whether the kernel takes them |
//! | `actor` | who does something, for records that need no more of it |
//! | `call` | system calls, and what the numbers stand for that they take |
//! | `task`, `cgroup` | parts of records about a task |
//! | `path`, `name`, `mounts` | where a file is, and in whose eyes |
//! | `watched`, `first_look` | whether a file is one that somebody asks for |
//! | `load` | how kernel memory is read |
//! | `scratch` | where a record is built |
//! | `replicas` | several programs at one place, for what the first one misses |
//! | `emit` | counters, ring buffers, budgets, wake-ups |
//! | `lanes` | whose budget is spent |
//!
//! The programs of the other classes are in `classes/`, with all else that is to be known of them.

pub(crate) mod actor;
mod audit;
pub(crate) mod call;
mod cgroup;
pub(crate) mod emit;
pub(crate) mod first_look;
pub(crate) mod lanes;
pub(crate) mod load;
pub(crate) mod mounts;
mod name;
pub(crate) mod path;
mod process;
pub(crate) mod replicas;
pub(crate) mod scratch;
pub(crate) mod task;
pub(crate) mod watched;
