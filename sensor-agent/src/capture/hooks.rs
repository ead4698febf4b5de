//! The table of hooks: where programs attach, and what each tells.
//!
//! The same may be told at several places, of which the running kernel offers some: hooks of one source are the rungs of a
//! ladder, best first, and the first that can be attached serves. Which one that is shows in
//! [`super::Capture::status`].

use sensor_ebpf::classes::Source;

use super::attach::{Point, point};
use super::offsets::Table;
use super::{AuditHooks, Options, State};

/// A hook and the program that serves it.
pub(super) struct Hook {
    /// What it tells, of which class, and so into which ring.
    pub(super) source: Source,
    /// The program's name in the object. That of the second of its kind ends in `_2`, and so on.
    pub(super) program: &'static str,
    /// Whether there are several programs for it, see the kernel side's `replicas`.
    pub(super) replicated: bool,
    /// Where it attaches.
    pub(super) point: Point,
    /// Its place on the ladder of its source: 1 is the best.
    pub(super) rung: u32,
    /// Whether a run that the kernel leaves out, as the program is running on that CPU already, can be an event's.
    pub(super) recursion_loses: bool,
    /// Whether the sensor is blind without it.
    pub(super) required: bool,
    /// The state to leave it in unloaded, if there is a reason.
    pub(super) skip: fn(&Table, &Options) -> Option<State>,
}

impl Hook {
    /// The names of its programs, in the order in which they run.
    pub(super) fn programs(&self, options: &Options) -> impl Iterator<Item = String> {
        let replicas = if self.replicated { options.replicas() } else { 1 };
        (1..=replicas).map(|n| if n == 1 { self.program.to_owned() } else { format!("{}_{n}", self.program) })
    }
}

/// The program of the task iterator.
pub(super) const BASELINE: &str = "baseline";

/// All hooks, in the order of attaching.
pub(super) const HOOKS: &[Hook] = &[
    Hook { replicated: true, ..hook(Source::Fork, "sched_process_fork", point!(tp_btf "sched_process_fork")) },
    Hook { replicated: true, ..hook(Source::Exec, "sched_process_exec", point!(tp_btf "sched_process_exec")) },
    Hook { replicated: true, ..hook(Source::Exit, "sched_process_exit", point!(tp_btf "sched_process_exit")) },
    Hook {
        replicated: true,
        required: false,
        skip: |table, _| failed_execs(table),
        ..hook(Source::ExecFailed, "bprm_execve", point!(fexit "bprm_execve"))
    },
    Hook {
        replicated: true,
        required: false,
        skip: |table, _| {
            let opens = table.get("alloc_bprm_parameters").is_none_or(|count| count == ALLOC_OPENS);
            let told = State::NotNeeded("fexit/bprm_execve tells it on this kernel");
            failed_execs(table).or((!opens).then_some(told))
        },
        ..hook(Source::ExecNotOpened, "alloc_bprm", point!(fexit "alloc_bprm"))
    },
    Hook {
        required: false,
        skip: |table, options| at_functions(table, options, "audit_receive_parameters"),
        ..hook(Source::Audit, "audit_receive", point!(fexit "audit_receive"))
    },
    Hook {
        rung: 2,
        // What interrupts it is a packet's arrival, which is no audit message.
        recursion_loses: false,
        required: false,
        skip: audit,
        ..hook(Source::Audit, "consume_skb", point!(tp_btf "consume_skb"))
    },
    Hook {
        required: false,
        skip: |table, options| at_functions(table, options, "netlink_capable_parameters"),
        ..hook(Source::AuditVerdict, "netlink_capable", point!(fexit "netlink_capable"))
    },
    Hook {
        required: false,
        skip: |table, _| lacks(table, MODULE_FACTS),
        ..hook(Source::ModuleLoad, "module_load", point!(tp_btf "module_load"))
    },
    Hook {
        required: false,
        skip: |table, _| lacks(table, &["perf_event_bpf_event_parameters"]).or_else(|| lacks(table, BPF_FACTS)),
        ..hook(Source::BpfLoad, "perf_event_bpf_event", point!(fexit "perf_event_bpf_event"))
    },
    Hook {
        rung: 2,
        required: false,
        skip: |table, _| lacks(table, &["bpf_prog_kallsyms_add_parameters"]).or_else(|| lacks(table, BPF_FACTS)),
        ..hook(Source::BpfLoad, "bpf_prog_kallsyms_add", point!(fexit "bpf_prog_kallsyms_add"))
    },
    Hook { required: false, ..hook(Source::Baseline, BASELINE, point!(iter "task")) },
];

/// What is not seen, or not known, where this hook is not to be had and only lower rungs, or none, serve.
#[must_use]
pub fn missed(source: Source, rung: u32) -> Option<&'static str> {
    Some(match (source, rung) {
        (Source::ExecFailed, _) => "programs that could not be run are not seen",
        (Source::ExecNotOpened, _) => "files that could not be opened to be run are not seen",
        (Source::Audit, 1) => {
            "whether the kernel took an audit message is judged by its own condition, not heard from it"
        }
        (Source::Audit, _) => "audit messages are seen only while the kernel's audit is on, or not at all",
        (Source::AuditVerdict, _) => "what a security module refuses among audit messages is not known",
        (Source::Baseline, _) => "what ran before the sensor is known from /proc alone",
        (Source::ModuleLoad, _) => "modules that are loaded into the kernel are not seen",
        // The second rung tells the same.
        (Source::BpfLoad, 1) => return None,
        (Source::BpfLoad, _) => "BPF programs that are loaded into the kernel are not seen",
        (Source::Fork | Source::Exec | Source::Exit, _) => return None,
    })
}

/// A hook as most are; the sensor is blind without it.
const fn hook(source: Source, program: &'static str, point: Point) -> Hook {
    Hook {
        source,
        program,
        replicated: false,
        point,
        rung: 1,
        recursion_loses: true,
        required: true,
        skip: |_, _| None,
    }
}

/// Parameters of `alloc_bprm` on kernels where it opens the file.
const ALLOC_OPENS: u32 = 3;

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
    lacks(table, AUDIT_FACTS)
}

/// What the program for modules cannot do without. A kernel without modules has none of it.
const MODULE_FACTS: &[&str] = &["module_name", "module_taints"];

/// What the program for BPF programs cannot do without.
const BPF_FACTS: &[&str] = &[
    "bpf_prog_type",
    "bpf_prog_attach_type",
    "bpf_prog_len",
    "bpf_prog_tag",
    "bpf_prog_aux",
    "bpf_aux_id",
    "bpf_aux_name",
];

/// What to say where one of these is missing.
fn lacks(table: &Table, facts: &[&str]) -> Option<State> {
    let missing = facts.iter().find(|fact| table.get(fact).is_none());
    missing.map(|fact| State::NotAvailable(format!("this kernel's type information lacks {fact}")))
}

fn at_functions(table: &Table, options: &Options, function: &str) -> Option<State> {
    if options.audit == AuditHooks::Tracepoint {
        return Some(State::NotNeeded("left out by the configuration"));
    }
    let absent = || table.get(function).is_none().then(|| State::NotAvailable("no such function here".to_owned()));
    audit(table, options).or_else(absent)
}
