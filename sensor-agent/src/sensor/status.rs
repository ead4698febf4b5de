//! The state of the sensor, gathered for `status`.

use std::sync::atomic::Ordering;

use clock::unix_now;
use delivery::ledger::OutputStatus;
use sensor_ebpf::classes::Source;

use super::Shared;
use crate::capture::{Counted, MULTICAST_HOOK, ProgramStatus, State, missed};
use crate::config::Config;
use crate::control::Status;
use crate::control::status::{
    Configuration, ConfigurationFile, Containers, Delivery, EventCount, Health, Hook, Loss, Memory, Processes, Rate,
    Response, Runtime, Spool, Table,
};

pub(super) fn status(shared: &Shared) -> Status {
    let (programs, counters) = {
        let capture = shared.capture();
        (capture.status(), capture.counters().unwrap_or_default())
    };
    let engine = shared.engine_status();
    let mut warnings = Vec::new();
    let health = Health { engine_answers: engine.is_some(), canary: shared.canary.get() };
    if engine.is_none() {
        warnings.push("the engine does not answer".to_owned());
    }
    warnings.extend(shared.metrics_endpoint.trouble());
    warnings.extend(super::responding::trouble(shared));
    warnings.extend(audit_trouble(&programs).map(str::to_owned));
    if shared.limited.load(Ordering::Relaxed) {
        warnings.extend(crate::limits::lacking());
    }
    let engine = engine.unwrap_or_default();
    warnings.extend(engine.clock_step.clone());
    Status {
        version: crate::cli::version(),
        pid: std::process::id(),
        time: unix_now() / 1_000_000_000,
        uptime_seconds: shared.started.elapsed().as_secs(),
        kernel: crate::capture::preflight::release(),
        capabilities: shared.kept.names(),
        state_trouble: shared.state.trouble(),
        health,
        hooks: programs.iter().map(|program| hook(program, &counters)).collect(),
        rates: vec![Rate { class: "all".into(), per_second: engine.events_per_second }],
        processes: Processes {
            held: engine.processes as u64,
            limit: engine.process_limit as u64,
            lineages_cut: engine.table.lineage_cut,
            containers_unknown: engine.table.unknown_containers,
            containers_undecided: engine.table.undecided_containers,
            shortened: engine.table.shortened,
        },
        containers: containers(shared.containers.status()),
        memory: Memory {
            budget: engine.memory_budget,
            taken: engine.memory.iter().map(|(part, bytes)| (part.word().to_owned(), *bytes)).collect(),
        },
        events: engine
            .events
            .iter()
            .map(|(kind, count)| EventCount { event_type: kind.word().into(), count: *count })
            .collect(),
        alerts: engine.alerts,
        held_back: engine.held_back,
        responses: engine
            .responses
            .iter()
            .map(|(action, outcome, count)| Response {
                action: action.word().into(),
                outcome: outcome.word().into(),
                count: *count,
            })
            .collect(),
        policies: engine.policies as u64,
        tables: engine
            .tables
            .iter()
            .map(|table| Table {
                name: table.table.into(),
                rows: table.rows as u64,
                capacity: table.capacity as u64,
                overwritten: table.overwritten,
                no_memory: table.no_memory,
            })
            .collect(),
        losses: engine
            .losses
            .iter()
            .map(|loss| Loss {
                stage: loss.stage.into(),
                class: loss.class.into(),
                cause: loss.cause.into(),
                count: loss.count,
            })
            .collect(),
        outputs: engine.outputs.iter().map(delivery).collect(),
        sinks: engine.sinks.iter().map(delivery).collect(),
        configuration: shared.configuration.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
        warnings,
    }
}

fn containers(status: ::containers::Status) -> Containers {
    let runtime = |of: ::containers::RuntimeStatus| Runtime {
        name: of.runtime,
        socket: of.socket,
        answers: of.answers,
        asked: of.asked,
        named: of.named,
        not_known: of.unknown,
        failed: of.failed,
        cut: of.cut,
        last_ms: of.last_ms,
        longest_ms: of.longest_ms,
        last_error: of.last_error,
    };
    Containers {
        unnamed: status.unnamed,
        overflowed: status.overflowed,
        runtimes: status.runtimes.into_iter().map(runtime).collect(),
    }
}

/// The files of a configuration that has just come into force.
pub(super) fn configuration(config: &Config) -> Configuration {
    let locations = &config.locations;
    let files = [&locations.content, &locations.main, &locations.rules]
        .map(|path| ConfigurationFile { path: path.display().to_string(), found: path.exists() });
    Configuration { files: files.into(), loaded: unix_now() / 1_000_000_000, last_reload: None }
}

/// What is wrong with the catching of audit messages: that nothing does it although it is wanted, or only the last resort.
fn audit_trouble(programs: &[ProgramStatus]) -> Option<&'static str> {
    let rungs: Vec<&ProgramStatus> = programs.iter().filter(|program| program.source == Source::Audit).collect();
    let serving = rungs.iter().find(|program| program.state == State::Attached);
    match serving {
        Some(program) if program.hook == MULTICAST_HOOK => Some(
            "audit messages come from the kernel's multicast group: only while its audit is on, without forged ones",
        ),
        Some(_) => None,
        None => rungs
            .iter()
            .any(|program| matches!(program.state, State::NotAvailable(_)))
            .then_some("audit messages are not seen: no hook for them can be had; see audit.multicast_fallback"),
    }
}

fn hook(program: &ProgramStatus, counters: &[Counted]) -> Hook {
    // What another rung of the same ladder counts is not this one's.
    let serves = !matches!(program.state, State::NotAvailable(_) | State::NotNeeded(_) | State::Unwanted);
    let own = counters.iter().find(|counted| serves && counted.source == program.source);
    let counted = own.map(|counted| counted.counters).unwrap_or_default();
    let measured = program.run_time_ns > 0 && program.run_count > 0;
    Hook {
        name: program.source.name().into(),
        hook: program.hook.into(),
        rung: program.rung,
        attached: matches!(program.state, State::Attached | State::Ready),
        absent: match &program.state {
            State::NotAvailable(_) | State::NotNeeded(_) | State::Unwanted => Some(program.state.to_string()),
            State::Attached | State::Ready | State::Detached | State::Lost(_) => None,
        },
        missed: match &program.state {
            State::NotAvailable(_) => missed(program.source, program.rung).map(str::to_owned),
            _ => None,
        },
        runs: measured.then_some(program.run_count),
        avg_ns: measured.then(|| program.run_time_ns / program.run_count),
        seen: counted.seen,
        submitted: counted.submitted,
        ring_full: counted.ring_full,
        over_budget: counted.over_budget,
        filtered: counted.filtered,
        failed: counted.failed,
        partial: counted.partial,
        refused: counted.refused,
        recursion_misses: program.lost_to_recursion(counters),
        reattached: program.reattached,
        lost: match &program.state {
            State::Lost(_) => Some(program.state.to_string()),
            _ => None,
        },
    }
}

pub(super) fn delivery(status: &OutputStatus) -> Delivery {
    Delivery {
        name: status.name.clone(),
        kind: status.kind.into(),
        failing: status.last_error.as_ref().is_some_and(|error| !error.over),
        queued: status.queued,
        sent: status.sent,
        retried: status.retried,
        template_failed: status.template_failed,
        confirmed: status.confirmed,
        turned_away: status.turned_away,
        dropped: status.lost(),
        dropped_by_cause: status.lost_by_cause().map(|(cause, count)| (cause.to_owned(), count)).collect(),
        dropped_before: status
            .spool
            .iter()
            .filter(|spool| !spool.before_is_told)
            .flat_map(|spool| spool.given_up_before.values())
            .sum(),
        spool: status.spool.as_ref().map(|spool| Spool {
            taken_in: spool.taken_in,
            stored: spool.stored,
            in_memory: spool.in_memory,
            bytes: spool.bytes,
            dead_letters: spool.dead_letters,
            trouble: spool.trouble.clone(),
        }),
        oldest_age_seconds: status.oldest_age_ms.map(|age| age / 1000),
        latency: status.latency.clone(),
        last_error: status.last_error.as_ref().map(|error| error.message.clone()),
        notes: status.notes.clone(),
    }
}
