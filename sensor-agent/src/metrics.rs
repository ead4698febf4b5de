//! The sensor's state as metrics, in the text format of Prometheus and OpenMetrics.
//!
//! Everything is read off the same [`Status`] that `sophoslinuxsensor status` shows, so the two cannot disagree. Names
//! follow the conventions: base units, `_total` for counters. Nothing in them comes from a process or a user.

mod deliveries;
mod process;
mod server;

use std::fmt;

use exposition::Form;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

pub use server::{ListenError, Server};

use crate::control::Status;
use crate::control::status::Runtime;
use crate::health;

/// What all names begin with.
const PREFIX: &str = "sophoslinuxsensor";

/// The metrics as text.
#[must_use]
pub fn exposition(status: &Status, form: Form) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Metrics(families(status))));
    form.write(&registry)
}

/// The metrics that tell how well the sensor does: without those of single outputs and sockets, whose
/// names are the user's.
/// Names with labels, and values.
#[must_use]
pub fn statistics(status: &Status) -> Vec<(String, f64)> {
    let told =
        |labels: &[(&str, String)]| !labels.iter().any(|(name, _)| matches!(*name, "name" | "socket" | "version"));
    let single = families(status).into_iter().filter(|family| family.kind != Kind::Histogram);
    let all = single.flat_map(|family| family.samples.into_iter().map(move |one| (family.name, one)));
    all.filter(|(_, sample)| told(&sample.labels))
        .map(|(name, Sample { labels, value, .. })| {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            (format!("{name}{labels}"), value)
        })
        .collect()
}

/// One metric with its samples.
#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Its name gets `_total`.
    Counter,
    Gauge,
    /// Its samples have buckets.
    Histogram,
}

#[derive(Debug)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
    /// Of a histogram, whose value is the sum of all: upper bounds, and how many are within each and not within the one before.
    buckets: Vec<(f64, u64)>,
}

#[derive(Debug)]
struct Metrics(Vec<Family>);

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for family in self.0.iter().filter(|family| !family.samples.is_empty()) {
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for sample in &family.samples {
                // Without labels there are no braces either.
                if sample.labels.is_empty() {
                    put(&mut metric, family.kind, sample)?;
                } else {
                    put(&mut metric.encode_family(&sample.labels)?, family.kind, sample)?;
                }
            }
        }
        Ok(())
    }
}

fn put(to: &mut MetricEncoder<'_>, kind: Kind, Sample { value, buckets, .. }: &Sample) -> Result<(), fmt::Error> {
    match kind {
        Kind::Counter => to.encode_counter::<Vec<(&str, String)>, f64, f64>(value, None),
        Kind::Gauge => to.encode_gauge(value),
        Kind::Histogram => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            to.encode_histogram::<Vec<(&str, String)>>(*value, count, buckets, None)
        }
    }
}

fn families(status: &Status) -> Vec<Family> {
    let mut all = vec![
        gauge(
            "build_info",
            "The version, as a label; always 1.",
            vec![sample([("version", status.version.clone()), ("kernel", status.kernel.clone())], 1)],
        ),
        gauge(
            "start_time_seconds",
            "When the sensor started, seconds since the Unix epoch.",
            vec![sample([], status.time.saturating_sub(status.uptime_seconds))],
        ),
        gauge(
            "healthy",
            "Whether the engine answers, canary programs are seen, and no hook was lost.",
            vec![truth(health::ailments(status).is_empty())],
        ),
        gauge(
            "ready",
            "Whether the sensor is healthy and every hook is attached.",
            vec![truth(health::lacking(status).is_empty())],
        ),
        gauge("policies", "Policies in force.", vec![sample([], status.policies)]),
        counter("alerts", "Alerts raised.", vec![sample([], status.alerts)]),
        counter(
            "responses",
            "What policies did, by what came of it.",
            status
                .responses
                .iter()
                .map(|one| sample([("action", one.action.clone()), ("outcome", one.outcome.clone())], one.count))
                .collect(),
        ),
        counter(
            "events",
            "Events handled, by type.",
            status.events.iter().map(|event| sample([("type", event.event_type.clone())], event.count)).collect(),
        ),
        counter(
            "events_lost",
            "Events, rows and alerts lost, by the place and the cause.",
            status
                .losses
                .iter()
                .map(|loss| {
                    let labels = [("stage", &loss.stage), ("class", &loss.class), ("cause", &loss.cause)];
                    sample(labels.map(|(name, value)| (name, value.clone())), loss.count)
                })
                .collect(),
        ),
        gauge(
            "memory_budget_bytes",
            "Memory for what is remembered and what waits.",
            vec![sample([], status.memory.budget)],
        ),
        gauge(
            "memory_taken_bytes",
            "Memory taken by what is remembered and what waits, by what it is for.",
            status.memory.taken.iter().map(|(part, bytes)| sample([("part", part.clone())], *bytes)).collect(),
        ),
        counter(
            "processes_shortened",
            "How often arguments and paths of a process were kept in short, for want of memory.",
            vec![sample([], status.processes.shortened)],
        ),
        gauge("processes", "Processes in the process table.", vec![sample([], status.processes.held)]),
        gauge("processes_limit", "Processes that the table can hold.", vec![sample([], status.processes.limit)]),
        counter(
            "lineages_cut",
            "Lineages that were too long and lost their middle.",
            vec![sample([], status.processes.lineages_cut)],
        ),
        counter(
            "container_programs",
            "Programs run in a container of an unknown runtime, or of which it could not be told whether in one.",
            vec![
                sample([("container", "unknown".into())], status.processes.containers_unknown),
                sample([("container", "undecided".into())], status.processes.containers_undecided),
            ],
        ),
    ];
    all.extend(containers(status));
    all.extend(canary(status));
    all.extend(hooks(status));
    all.extend(tables(status));
    all.extend(deliveries::deliveries(status));
    all.extend(configuration(status));
    all.extend(process::process());
    all
}

fn containers(status: &Status) -> Vec<Family> {
    let runtimes = &status.containers.runtimes;
    let of = |runtime: &Runtime| [("runtime", runtime.name.clone()), ("socket", runtime.socket.clone())];
    let questions = runtimes.iter().flat_map(|runtime| {
        let [name, socket] = of(runtime);
        [("named", runtime.named), ("not_known", runtime.not_known), ("failed", runtime.failed)]
            .map(|(outcome, count)| sample([name.clone(), socket.clone(), ("outcome", outcome.to_owned())], count))
    });
    let seconds = |runtime: &Runtime| number(of(runtime), runtime.longest_ms as f64 / 1000.0);
    vec![
        gauge(
            "containers_unnamed",
            "Containers that no runtime has named so far and that are asked for again.",
            vec![sample([], status.containers.unnamed)],
        ),
        counter(
            "container_questions_overflowed",
            "Containers that were not asked for because too many waited.",
            vec![sample([], status.containers.overflowed)],
        ),
        counter("container_questions", "Questions to container runtimes, by what came of them.", questions.collect()),
        counter(
            "container_answers_cut",
            "Answers of which something was too long to be kept whole.",
            runtimes.iter().map(|runtime| sample(of(runtime), runtime.cut)).collect(),
        ),
        gauge(
            "container_runtime_answers",
            "Whether the container runtime answered the last time.",
            runtimes.iter().map(|runtime| sample(of(runtime), u64::from(runtime.answers == Some(true)))).collect(),
        ),
        gauge(
            "container_longest_answer_seconds",
            "How long the longest answer of a container runtime took.",
            runtimes.iter().map(seconds).collect(),
        ),
    ]
}

fn canary(status: &Status) -> Vec<Family> {
    let canary = &status.health.canary;
    vec![
        counter(
            "canaries",
            "Programs that the sensor ran to see whether it sees them.",
            vec![
                sample([("outcome", "seen".into())], canary.passed),
                sample([("outcome", "missed".into())], canary.failed),
            ],
        ),
        gauge(
            "canary_last_seen_timestamp_seconds",
            "When the last one was seen.",
            canary.last_seen.map(|time| sample([], time)).into_iter().collect(),
        ),
        gauge(
            "canary_duration_seconds",
            "How long the last one took from its start to the engine.",
            vec![number([], canary.millis as f64 / 1000.0)],
        ),
    ]
}

fn hooks(status: &Status) -> Vec<Family> {
    let hooks = &status.hooks;
    let place = |name: &str, hook: &str| [("program", name.to_owned()), ("hook", hook.to_owned())];
    let outcomes = hooks.iter().flat_map(|hook| {
        let counts = [
            ("seen", hook.seen),
            ("submitted", hook.submitted),
            ("filtered", hook.filtered),
            ("partial", hook.partial),
            ("ring_full", hook.ring_full),
            ("over_budget", hook.over_budget),
            ("failed", hook.failed),
            ("refused", hook.refused),
            ("recursion", hook.recursion_misses),
        ];
        // With the hook: the rungs of a ladder are programs of one name.
        counts.map(|(outcome, count)| {
            let [program, hook] = place(&hook.name, &hook.hook);
            sample([program, hook, ("outcome", outcome.to_owned())], count)
        })
    });
    let with = |value: fn(&crate::control::status::Hook) -> u64| {
        hooks.iter().map(|hook| sample(place(&hook.name, &hook.hook), value(hook))).collect()
    };
    vec![
        gauge("hook_attached", "Whether the kernel program is attached.", with(|hook| u64::from(hook.attached))),
        gauge("hook_rung", "Which of the possible hooks is in use; 1 is the best.", with(|hook| u64::from(hook.rung))),
        counter(
            "hook_reattachments",
            "How often somebody else detached the kernel program and the sensor attached it again.",
            with(|hook| hook.reattached),
        ),
        counter("hook_events", "What became of the events at each kernel program.", outcomes.collect()),
    ]
}

fn tables(status: &Status) -> Vec<Family> {
    let with = |value: fn(&crate::control::status::Table) -> u64| {
        status.tables.iter().map(|table| sample([("table", table.name.clone())], value(table))).collect()
    };
    vec![
        gauge("table_rows", "Rows held.", with(|table| table.rows)),
        gauge("table_rows_limit", "Rows that the table can hold.", with(|table| table.capacity)),
        counter("table_rows_overwritten", "Rows displaced before any sink had them.", with(|table| table.overwritten)),
    ]
}

fn configuration(status: &Status) -> Vec<Family> {
    let accepted = status.configuration.last_reload.as_ref().is_none_or(|reload| reload.accepted);
    vec![
        gauge("config_last_reload_successful", "Whether the last reload was accepted.", vec![truth(accepted)]),
        gauge(
            "config_loaded_timestamp_seconds",
            "When the configuration in force was read.",
            vec![sample([], status.configuration.loaded)],
        ),
    ]
}

fn gauge(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Family {
    Family { name, help, kind: Kind::Gauge, samples }
}

fn counter(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Family {
    Family { name, help, kind: Kind::Counter, samples }
}

fn sample<const N: usize>(labels: [(&'static str, String); N], value: u64) -> Sample {
    number(labels, value as f64)
}

fn number<const N: usize>(labels: [(&'static str, String); N], value: f64) -> Sample {
    Sample { labels: labels.into(), value, buckets: Vec::new() }
}

fn truth(holds: bool) -> Sample {
    sample([], u64::from(holds))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use delivery::latency::LatencyStatus;

    use super::*;
    use crate::control::status::{Delivery, Hook, Loss, Spool};

    fn status() -> Status {
        Status {
            hooks: vec![Hook {
                name: "exec".into(),
                hook: "tp_btf/x".into(),
                rung: 1,
                attached: true,
                seen: 7,
                ..Hook::default()
            }],
            losses: vec![Loss { stage: "ring".into(), class: "process".into(), cause: "ring_full".into(), count: 3 }],
            outputs: vec![
                Delivery { name: "a \"b\"\n\\".into(), kind: "file".into(), sent: 5, ..Delivery::default() },
                Delivery {
                    name: "c".into(),
                    kind: "webhook".into(),
                    confirmed: Some(2),
                    dropped_by_cause: [("rejected".to_owned(), 4)].into(),
                    spool: Some(Spool::default()),
                    latency: LatencyStatus { counts: vec![0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1], micros: 40_050_000 },
                    ..Delivery::default()
                },
            ],
            ..Status::default()
        }
    }

    #[test]
    fn the_exposition_tells_what_the_status_does() {
        let text = exposition(&status(), Form::OpenMetrics);
        for line in [
            "sophoslinuxsensor_healthy 0.0",
            "sophoslinuxsensor_hook_attached{program=\"exec\",hook=\"tp_btf/x\"} 1.0",
            "sophoslinuxsensor_hook_events_total{program=\"exec\",hook=\"tp_btf/x\",outcome=\"seen\"} 7.0",
            "sophoslinuxsensor_events_lost_total{stage=\"ring\",class=\"process\",cause=\"ring_full\"} 3.0",
            "sophoslinuxsensor_delivery_sent_total{role=\"output\",name=\"a \\\"b\\\"\\n\\\\\",kind=\"file\"} 5.0",
            "sophoslinuxsensor_delivery_confirmed_total{role=\"output\",name=\"c\",kind=\"webhook\"} 2.0",
            "sophoslinuxsensor_delivery_dropped_total{role=\"output\",name=\"c\",kind=\"webhook\",cause=\"rejected\"} 4.0",
            "sophoslinuxsensor_delivery_dropped_total{role=\"output\",name=\"c\",kind=\"webhook\",cause=\"gone\"} 0.0",
            "sophoslinuxsensor_delivery_latency_seconds_bucket{le=\"0.02\",role=\"output\",name=\"c\",kind=\"webhook\"} 3",
            "sophoslinuxsensor_delivery_latency_seconds_bucket{le=\"+Inf\",role=\"output\",name=\"c\",kind=\"webhook\"} 4",
            "sophoslinuxsensor_delivery_latency_seconds_count{role=\"output\",name=\"c\",kind=\"webhook\"} 4",
            "sophoslinuxsensor_delivery_latency_seconds_sum{role=\"output\",name=\"c\",kind=\"webhook\"} 40.05",
            "sophoslinuxsensor_delivery_latency_seconds_count{role=\"output\",name=\"a \\\"b\\\"\\n\\\\\",kind=\"file\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("turned_away_total{role"), "{text}");
        // What cannot be has no counter.
        assert!(!text.contains("delivery_confirmed_total{role=\"output\",name=\"a"), "{text}");
        assert!(!text.contains("kind=\"file\",cause=\"rejected\""), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn no_series_is_there_twice() {
        let mut status = status();
        let rung = |hook: &str| Hook { name: "audit".into(), hook: hook.into(), ..Hook::default() };
        status.hooks.extend([rung("fexit/audit_receive"), rung("multicast")]);
        let text = exposition(&status, Form::Text);
        let series: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.rsplit_once(' ')?.0))
            .collect();
        let once: BTreeSet<&str> = series.iter().copied().collect();
        assert_eq!(series.len(), once.len(), "{text}");
    }

    #[test]
    fn names_follow_the_conventions() {
        for family in families(&status()) {
            assert!(family.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", family.name);
            // The exposition adds it, to counters alone.
            assert!(!family.name.ends_with("_total"), "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
        }
    }

    #[test]
    fn the_dashboard_asks_for_metrics_that_there_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/grafana/sophoslinuxsensor.json");
        let dashboard = std::fs::read_to_string(path).unwrap();
        let _: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
        let known: Vec<String> = families(&status())
            .iter()
            .map(|family| match family.kind {
                Kind::Counter => format!("{PREFIX}_{}_total", family.name),
                Kind::Gauge => format!("{PREFIX}_{}", family.name),
                Kind::Histogram => format!("{PREFIX}_{}_bucket", family.name),
            })
            .collect();
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let asked: Vec<&str> = dashboard.split(word).filter(|word| word.starts_with("sophoslinuxsensor_")).collect();
        assert!(asked.len() > 10, "{asked:?}");
        for name in asked {
            assert!(known.iter().any(|known| known == name), "{name} is in the dashboard and not in the metrics");
        }
    }
}
