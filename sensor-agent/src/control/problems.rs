//! What is wrong with a running sensor, read off its [`Status`].

use super::{
    Status,
    elapsed::duration,
    status::{Delivery, Hook, Loss, Runtime},
};
use crate::silent;

/// One sentence for each thing that is wrong, the gravest first; empty if all is well.
#[must_use]
pub fn problems(status: &Status) -> Vec<String> {
    let mut found: Vec<String> = not_heard(status).into_iter().chain(status.state_trouble.clone()).collect();
    found.extend(silent(status).map(str::to_owned));
    found.extend(status.hooks.iter().filter_map(not_attached));
    found.extend(refused_reload(status));
    let alerts = status.outputs.iter().flat_map(|output| delivery("output", "alerts", output));
    found.extend(alerts.chain(status.sinks.iter().flat_map(|sink| delivery("sink", "rows", sink))));
    found.extend(status.hooks.iter().flat_map(lost_at_hook));
    found.extend(
        status
            .losses
            .iter()
            .filter(|loss| loss.count > 0 && !is_told_elsewhere(loss, status))
            .map(|loss| format!("stage {}: {} events lost: {} ({})", loss.stage, loss.class, loss.count, loss.cause)),
    );
    found.extend(status.tables.iter().filter(|table| table.overwritten > 0).map(|table| {
        format!(
            "table {}: rows overwritten before any sink had them: {}; give it more rows, or report more often",
            table.name, table.overwritten
        )
    }));
    let processes = &status.processes;
    if processes.limit > 0 && processes.held >= processes.limit {
        found.push(format!("the process table is full ({} processes): lineage is being cut", processes.limit));
    }
    found.extend(status.containers.runtimes.iter().filter(|runtime| runtime.answers == Some(false)).map(unanswered));
    found.extend(no_memory(status));
    found.extend(status.warnings.iter().cloned());
    found
}

fn unanswered(runtime: &Runtime) -> String {
    let error = runtime.last_error.as_deref().unwrap_or("no reason given");
    format!("the container runtime at {} does not answer: {error}; its containers have no names", runtime.socket)
}

fn no_memory(status: &Status) -> Option<String> {
    let lost: u64 = status.tables.iter().map(|table| table.no_memory).sum();
    let (taken, budget) = (status.memory.sum() >> 20, status.memory.budget >> 20);
    let mut costs = Vec::new();
    if lost > 0 {
        costs.push(format!("rows lost: {lost}"));
    }
    if status.processes.shortened > 0 {
        costs.push(format!("arguments and paths of processes kept in short: {}", status.processes.shortened));
    }
    (!costs.is_empty())
        .then(|| format!("memory was scarce ({taken} of {budget} MiB now): {}; see memory_budget", costs.join(", ")))
}

/// That there is nothing to alert on, or nobody to tell. What only the engine knows is not known without its answer.
pub fn silent(status: &Status) -> impl Iterator<Item = &'static str> {
    let count = |count: usize| if status.health.engine_answers { count } else { usize::MAX };
    let policies = usize::try_from(status.policies).unwrap_or(usize::MAX);
    silent::sentences(count(policies), count(status.outputs.len()))
}

fn not_heard(status: &Status) -> Option<String> {
    let canary = &status.health.canary;
    let error = canary.last_error.as_deref().unwrap_or("no reason given");
    (canary.failed_in_a_row > 0).then(|| {
        format!("the sensor is deaf: the last {} canary programs were not seen: {error}", canary.failed_in_a_row)
    })
}

fn not_attached(hook: &Hook) -> Option<String> {
    (!hook.attached && hook.absent.is_none())
        .then(|| format!("hook {} ({}) is not attached: its events are not seen", hook.name, hook.hook))
}

fn lost_at_hook(hook: &Hook) -> Vec<String> {
    let causes = [
        (hook.ring_full, "the ring buffer was full"),
        (hook.over_budget, "there were more than there is a budget for: somebody repeats what costs nothing"),
        (hook.failed, "something indispensable could not be read"),
        (hook.recursion_misses, "the program was already running on that CPU"),
    ];
    let lost = causes.iter().filter(|(count, _)| *count > 0);
    lost.map(|(count, cause)| format!("hook {}: events lost: {count} ({cause})", hook.name)).collect()
}

/// Whether a hook, a table or an output tells of the same loss in more detail.
fn is_told_elsewhere(loss: &Loss, status: &Status) -> bool {
    match loss.stage.as_str() {
        "hook" | "ring" => status.hooks.iter().any(|hook| !lost_at_hook(hook).is_empty()),
        "table" => status.tables.iter().any(|table| table.overwritten + table.no_memory > 0),
        "spool" | "output" => status.outputs.iter().chain(&status.sinks).any(|to| to.dropped > 0),
        _ => false,
    }
}

fn delivery(role: &str, what: &str, to: &Delivery) -> Vec<String> {
    let mut found = Vec::new();
    if to.failing {
        let error = to.last_error.as_deref().unwrap_or("no reason given");
        let oldest =
            to.oldest_age_seconds.map_or_else(String::new, |age| format!(", the oldest for {}", duration(age)));
        found.push(format!("{role} {} fails: {error} ({what} waiting: {}{oldest})", to.name, to.queued));
    }
    if let Some(spool) = &to.spool
        && let Some(trouble) = &spool.trouble
    {
        found.push(format!(
            "{role} {}: nothing goes to disk: {trouble}; {what} in memory alone: {}",
            to.name, spool.in_memory
        ));
    }
    found.extend(to.notes.iter().map(|note| format!("{role} {}: {note}", to.name)));
    if to.template_failed > 0 {
        let count = to.template_failed;
        found.push(format!("{role} {}: the template could not be filled for {what}: {count}; they say why", to.name));
    }
    if to.dropped > 0 {
        let causes: Vec<String> = to.dropped_by_cause.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
        let causes = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) };
        found.push(format!("{role} {}: {what} given up: {}{causes}", to.name, to.dropped));
    }
    if to.dropped_before > 0 {
        found.push(format!("{role} {}: {what} given up before this start: {}", to.name, to.dropped_before));
    }
    found
}

fn refused_reload(status: &Status) -> Option<String> {
    let reload = status.configuration.last_reload.as_ref().filter(|reload| !reload.accepted)?;
    let first = |finding: &String| finding.lines().next().unwrap_or_default().to_owned();
    let findings = match reload.findings.as_slice() {
        [] => String::new(),
        [one] => format!(": {}", first(one)),
        [one, more @ ..] => format!(": {}, and {} more", first(one), more.len()),
    };
    let age = duration(status.time.saturating_sub(reload.time));
    Some(format!("the configuration was refused {age} ago, the one before it is in force{findings}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::Health;

    #[test]
    fn what_the_engine_did_not_answer_is_not_told() {
        let health = |engine_answers| Health { engine_answers, ..Health::default() };
        let asked = |engine_answers| problems(&Status { health: health(engine_answers), ..Status::default() });
        assert_eq!(asked(true), [silent::NO_POLICY, silent::NO_OUTPUT]);
        assert_eq!(asked(false), [""; 0]);
    }
}
