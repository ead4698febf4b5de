//! The table of hooks: where programs attach, and what each tells.
//!
//! The same may be told at several places, of which the running kernel offers some: hooks of one name are the rungs of a
//! ladder, best first, and the first that can be attached serves. Which one that is shows in
//! [`super::Capture::status`].

use super::offsets::Table;
use super::{AuditHooks, Options, Ring, State};

/// A hook and the program that serves it.
pub(super) struct Hook {
    /// What it tells.
    pub(super) name: &'static str,
    /// The program's name in the object. That of the second of its kind ends in `_2`, and so on.
    pub(super) program: &'static str,
    /// Whether there are several programs for it, see the kernel side's `turns`.
    pub(super) turns: bool,
    /// Where it attaches.
    pub(super) hook: &'static str,
    pub(super) kind: Kind,
    /// Its place on the ladder of its name: 1 is the best.
    pub(super) rung: u32,
    /// Where its records go.
    pub(super) ring: Ring,
    /// Whether a run that the kernel leaves out, as the program is running on that CPU already, can be an event's.
    pub(super) recursion_loses: bool,
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

impl Hook {
    /// The names of its programs, in the order of their turns.
    pub(super) fn programs(&self, options: &Options) -> impl Iterator<Item = String> {
        let turns = if self.turns { options.turns() } else { 1 };
        (1..=turns).map(|n| if n == 1 { self.program.to_owned() } else { format!("{}_{n}", self.program) })
    }
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
        turns: true,
        required: false,
        skip: |table, _| failed_execs(table),
        ..OF_LIFECYCLE
    },
    Hook {
        name: "exec_not_opened",
        program: "alloc_bprm",
        hook: "fexit/alloc_bprm",
        kind: Kind::Return("alloc_bprm"),
        turns: true,
        required: false,
        skip: |table, _| {
            let opens = table.get("alloc_bprm_parameters").is_none_or(|count| count == ALLOC_OPENS);
            let told = State::NotNeeded("fexit/bprm_execve tells it on this kernel");
            failed_execs(table).or((!opens).then_some(told))
        },
        ..OF_LIFECYCLE
    },
    Hook {
        name: "audit",
        program: "audit_receive",
        hook: "fexit/audit_receive",
        kind: Kind::Return("audit_receive"),
        ring: Ring::Audit,
        required: false,
        skip: |table, options| at_functions(table, options, "audit_receive_parameters"),
        ..OF_LIFECYCLE
    },
    Hook {
        name: "audit",
        program: "consume_skb",
        hook: "tp_btf/consume_skb",
        kind: Kind::Tracepoint("consume_skb"),
        rung: 2,
        ring: Ring::Audit,
        // What interrupts it is a packet's arrival, which is no audit message.
        recursion_loses: false,
        required: false,
        skip: audit,
        ..OF_LIFECYCLE
    },
    Hook {
        name: "audit_verdict",
        program: "netlink_capable",
        hook: "fexit/netlink_capable",
        kind: Kind::Return("netlink_capable"),
        ring: Ring::Audit,
        required: false,
        skip: |table, options| at_functions(table, options, "netlink_capable_parameters"),
        ..OF_LIFECYCLE
    },
    Hook {
        name: "baseline",
        program: BASELINE,
        hook: "iter/task",
        kind: Kind::Iterator("task"),
        required: false,
        ..OF_LIFECYCLE
    },
];

/// What is not seen, or not known, where this hook is not to be had and only lower rungs, or none, serve.
#[must_use]
pub fn missed(name: &str, rung: u32) -> Option<&'static str> {
    Some(match (name, rung) {
        ("exec_failed", _) => "programs that could not be run are not seen",
        ("exec_not_opened", _) => "files that could not be opened to be run are not seen",
        ("audit", 1) => "whether the kernel took an audit message is judged by its own condition, not heard from it",
        ("audit", _) => "audit messages are seen only while the kernel's audit is on, or not at all",
        ("audit_verdict", _) => "what a security module refuses among audit messages is not known",
        ("baseline", _) => "what ran before the sensor is known from /proc alone",
        _ => return None,
    })
}

/// What most hooks have in common.
const OF_LIFECYCLE: Hook = Hook {
    name: "",
    program: "",
    turns: false,
    hook: "",
    kind: Kind::Iterator(""),
    rung: 1,
    ring: Ring::Lifecycle,
    recursion_loses: true,
    required: true,
    skip: |_, _| None,
};

/// Parameters of `alloc_bprm` on kernels where it opens the file.
const ALLOC_OPENS: u32 = 3;

const fn tracepoint(name: &'static str, tracepoint: &'static str, hook: &'static str) -> Hook {
    Hook { name, program: tracepoint, turns: true, hook, kind: Kind::Tracepoint(tracepoint), ..OF_LIFECYCLE }
}

/// They are loaded in any case: a later configuration may ask for them, and then the right to load programs is gone.
fn failed_execs(table: &Table) -> Option<State> {
    let helper = table.get("current_task_helper");
    helper.is_none().then(|| State::NotAvailable("needs Linux 5.11".to_owned()))
}

/// What the programs for audit messages cannot do without.
const AUDIT_FACTS: &[&str] = &[
    "skb_sk",
    "skb_data",
    "skb_len",
    "skb_data_len",
    "skb_cb",
    "sock_family",
    "sock_protocol",
    "netlink_portid",
    "netlink_cb_flags",
    // Without audit in the kernel there is nobody to send messages to.
    "task_loginuid",
];

fn audit(table: &Table, options: &Options) -> Option<State> {
    if options.audit == AuditHooks::Off {
        return Some(State::NotNeeded("left out by the configuration"));
    }
    let missing = AUDIT_FACTS.iter().find(|fact| table.get(fact).is_none());
    missing.map(|fact| State::NotAvailable(format!("this kernel's type information lacks {fact}")))
}

fn at_functions(table: &Table, options: &Options, function: &str) -> Option<State> {
    if options.audit == AuditHooks::Tracepoint {
        return Some(State::NotNeeded("left out by the configuration"));
    }
    let absent = || table.get(function).is_none().then(|| State::NotAvailable("no such function here".to_owned()));
    audit(table, options).or_else(absent)
}
