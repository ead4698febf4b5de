//! Which of the hooks ([`sensor_ebpf::hooks`]) the running kernel and the configuration leave out. Which rung of a ladder serves
//! then shows in [`super::Capture::status`].

use sensor_ebpf::classes::Source;
use sensor_ebpf::hooks::{HOOKS, Hook, Kind, Point};

use super::offsets::{Table, in_words};
use super::{AuditHooks, Options, State};

/// A program of a hook, by its name, and where it sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) point: Point,
    /// Whether others at its place tell what it misses.
    pub(super) is_first: bool,
}

/// A hook's programs on this kernel; at each place in the order in which they run.
pub(super) fn programs(hook: &Hook, table: &Table, options: &Options) -> Vec<Program> {
    let beside = hook.beside.iter().filter(|beside| beside.only_with.is_none_or(|fact| table.get(fact).is_some()));
    let places = [(hook.program, hook.point)].into_iter().chain(beside.map(|beside| (beside.program, beside.point)));
    let program = |(first, point): (&str, Point)| {
        let name = |n| if n == 1 { first.to_owned() } else { format!("{first}_{n}") };
        let replicas = if hook.is_replicated() { options.replicas_at(point.kind) } else { 1 };
        (1..=replicas).map(|n| Program { name: name(n), point, is_first: n == 1 }).collect::<Vec<_>>()
    };
    places.flat_map(program).collect()
}

/// The state to leave a hook in unloaded, if there is a reason.
pub(super) fn skip(hook: &Hook, table: &Table, options: &Options) -> Option<State> {
    left_out(hook, table, options).or_else(|| {
        let missing = hook.needs.iter().find(|fact| table.get(fact).is_none())?;
        Some(State::NotAvailable(format!("this kernel's type information lacks {}", in_words(missing))))
    })
}

/// What is not seen, or not known, where this hook is not to be had and only lower rungs, or none, serve.
#[must_use]
pub fn missed(source: Source, rung: u32) -> Option<&'static str> {
    let of_source = || HOOKS.iter().filter(|hook| hook.source == source);
    // Audit has a rung that is no program's.
    of_source().find(|hook| hook.rung == rung).or_else(|| of_source().next_back())?.missed
}

/// Of the classes that are always there, some hooks are left out for more than what the kernel lacks.
fn left_out(hook: &Hook, table: &Table, options: &Options) -> Option<State> {
    match hook.source {
        // They are loaded in any case: a later configuration may ask for them, and then the right to load programs is gone.
        Source::ExecFailed => failed_execs(table),
        Source::ExecNotOpened => {
            let opens = table.get("alloc_bprm_parameters").is_none_or(|count| count == ALLOC_OPENS);
            let told = State::NotNeeded("fexit/bprm_execve tells it on this kernel");
            failed_execs(table).or((!opens).then_some(told))
        }
        Source::Audit | Source::AuditVerdict => {
            let is_at_function = hook.point.kind == Kind::Return;
            let is_unwanted =
                options.audit == AuditHooks::Off || (is_at_function && options.audit == AuditHooks::Tracepoint);
            is_unwanted.then_some(State::NotNeeded("left out by the configuration"))
        }
        _ => None,
    }
}

/// Parameters of `alloc_bprm` on kernels where it opens the file.
const ALLOC_OPENS: u32 = 3;

fn failed_execs(table: &Table) -> Option<State> {
    let helper = table.get("current_task_helper");
    helper.is_none().then(|| State::NotAvailable("needs Linux 5.11".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{OBJECT, Preempted};

    #[test]
    fn what_hooks_need_is_looked_up_and_ladders_have_their_rungs_in_order() {
        for (at, hook) in HOOKS.iter().enumerate() {
            let beside = hook.beside.iter().filter_map(|beside| beside.only_with.as_ref());
            for fact in hook.needs.iter().chain(beside) {
                assert_ne!(in_words(fact), *fact, "{} needs what nobody looks up", hook.program);
            }
            let better = HOOKS[..at].iter().filter(|other| other.source == hook.source).count();
            assert_eq!(usize::try_from(hook.rung).unwrap(), better + 1, "{}", hook.program);
        }
    }

    #[test]
    fn the_object_has_nothing_that_only_debuggers_read() {
        // What a compiler calls itself in debug information.
        let compiler = b"rustc version";
        assert!(!OBJECT.windows(compiler.len()).any(|bytes| bytes == compiler));
    }

    /// The rest of them is looked for on other kernels only than most tests run on.
    #[test]
    fn the_object_has_every_program_of_every_hook() {
        let options = Options { preempted: Preempted::Everywhere, ..Options::default() };
        let table = Table::of_all();
        for Program { name, .. } in HOOKS.iter().flat_map(|hook| programs(hook, &table, &options)) {
            let symbol = format!("\0{name}\0");
            let is_there = OBJECT.windows(symbol.len()).any(|bytes| bytes == symbol.as_bytes());
            assert!(is_there, "no program {name}: what can lose an event to recursion has replicas");
        }
    }
}
