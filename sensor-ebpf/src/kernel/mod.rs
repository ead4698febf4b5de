//! What only the BPF target compiles.
//!
//! | file | what |
//! | --- | --- |
//! | `exec`, `fork`, `exit`, `failed`, `baseline` | the programs, one event class each |
//! | `audit` | audit messages: both hooks, who sent them, whether the kernel takes them |
//! | `task`, `image`, `script`, `args`, `cgroup` | parts of an exec record |
//! | `path`, `mounts` | where a file is, and in whose eyes |
//! | `load` | how kernel memory is read |
//! | `scratch` | where a record is built |
//! | `replicas` | several programs at one place, for what the first one misses |
//! | `emit` | counters, ring buffer, wake-ups |

mod args;
mod audit;
mod baseline;
mod cgroup;
mod emit;
mod exec;
mod exit;
mod failed;
mod fork;
mod image;
mod load;
mod mounts;
mod path;
mod replicas;
mod scratch;
mod script;
mod task;
