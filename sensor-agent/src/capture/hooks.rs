//! The table of hooks: where programs attach, and what each tells.
//!
//! A class of events may have several hooks, of which the running kernel offers some: the ladder. What is in use
//! shows in [`super::Capture::status`].

use super::offsets::Table;
use super::{Options, State};

/// A hook and the program that serves it.
pub(super) struct Hook {
    /// What it tells.
    pub(super) name: &'static str,
    /// The program's name in the object.
    pub(super) program: &'static str,
    /// Where it attaches.
    pub(super) hook: &'static str,
    pub(super) kind: Kind,
    /// Whether the sensor is blind without it.
    pub(super) required: bool,
    /// The state to leave it in unloaded, if there is a reason.
    pub(super) skip: fn(&Table, &Options) -> Option<State>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A BTF-typed tracepoint of this name.
    Tracepoint(&'static str),
    /// The return of this kernel function.
    Return(&'static str),
    /// An iterator over this; runs only when it is read.
    Iterator(&'static str),
}

/// The program of the task iterator.
pub(super) const BASELINE: &str = "baseline";

/// All hooks, in the order of attaching.
pub(super) const HOOKS: &[Hook] = &[
    tracepoint("fork", "sched_process_fork", "tp_btf/sched_process_fork"),
    tracepoint("exec", "sched_process_exec", "tp_btf/sched_process_exec"),
    tracepoint("exit", "sched_process_exit", "tp_btf/sched_process_exit"),
    Hook {
        name: "exec_failed",
        program: "bprm_execve",
        hook: "fexit/bprm_execve",
        kind: Kind::Return("bprm_execve"),
        required: false,
        skip: failed_execs,
    },
    Hook {
        name: "exec_not_opened",
        program: "alloc_bprm",
        hook: "fexit/alloc_bprm",
        kind: Kind::Return("alloc_bprm"),
        required: false,
        skip: |table, options| {
            let opens = table.get("alloc_bprm_parameters").is_none_or(|count| count == ALLOC_OPENS);
            let told = State::NotNeeded("fexit/bprm_execve tells it on this kernel");
            failed_execs(table, options).or((!opens).then_some(told))
        },
    },
    Hook {
        name: "baseline",
        program: BASELINE,
        hook: "iter/task",
        kind: Kind::Iterator("task"),
        required: false,
        skip: |_, _| None,
    },
];

/// Parameters of `alloc_bprm` on kernels where it opens the file.
const ALLOC_OPENS: u32 = 3;

const fn tracepoint(name: &'static str, tracepoint: &'static str, hook: &'static str) -> Hook {
    Hook { name, program: tracepoint, hook, kind: Kind::Tracepoint(tracepoint), required: true, skip: |_, _| None }
}

fn failed_execs(table: &Table, options: &Options) -> Option<State> {
    if !options.failed_execs {
        return Some(State::NotNeeded("left out by the configuration"));
    }
    let helper = table.get("current_task_helper");
    helper.is_none().then(|| State::NotAvailable("needs Linux 5.11".to_owned()))
}
