//! Programs that start, fail to, fork and end.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::kind;
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "process",
    ring: Ring::Lifecycle,
    sources: &[
        SourceSpec::new("exec"),
        SourceSpec::new("fork"),
        SourceSpec::new("exit"),
        // A program that tries each folder of its path fails some times for each start; a loop fails a hundred thousand times
        // a second.
        SourceSpec::new("exec_failed").budget(Budget::per_second(10_000)),
        // What was running before.
        SourceSpec::new("baseline"),
        // The failed execs whose file could not even be opened.
        SourceSpec::new("exec_not_opened").budget(Budget::per_second(10_000)),
    ],
    hooks: &[
        Hook::new(Source::Fork, "sched_process_fork", point!(tp_btf "sched_process_fork")).required(),
        Hook::new(Source::Exec, "sched_process_exec", point!(tp_btf "sched_process_exec")).required(),
        Hook::new(Source::Exit, "sched_process_exit", point!(tp_btf "sched_process_exit")).required(),
        // The second rung tells the same, so nothing is missed.
        Hook::new(Source::ExecFailed, "bprm_execve", point!(fexit "bprm_execve")),
        Hook::new(Source::ExecFailed, "sys_exit_of_exec", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status", "task_works", "file_task_work"])
            .also(Source::ExecNotOpened)
            .missed("programs that could not be run are not seen"),
        Hook::new(Source::ExecNotOpened, "alloc_bprm", point!(fexit "alloc_bprm"))
            .missed("files that could not be opened to be run are not seen"),
        Hook::new(Source::Baseline, BASELINE, point!(iter "task"))
            .missed("what ran before the sensor is known from /proc alone"),
    ],
    facts: FACTS,
    records: &[kind::EXEC, kind::FORK, kind::EXIT, kind::BASELINE, kind::EXEC_FAILED],
};

/// The program of the task iterator.
pub const BASELINE: &str = "baseline";

// What they read of a task and its image others read as well: see `offsets.rs`.
facts! {}
