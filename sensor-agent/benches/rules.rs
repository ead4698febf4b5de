//! What it costs to hold one event against many rules.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sensor_agent::event::{Event, Host, build::build};
use sensor_agent::rules::{RuleSet, Scratch};
use serde_json::json;

#[path = "support/rule_sets.rs"]
mod rule_sets;

use rule_sets::{rule_set, typical};

/// A usual exec: six arguments, seven ancestors.
fn exec(program: &str) -> (Event, Host) {
    let ancestor = |path: &str, pid: u32| json!({"programName": path, "processPid": pid, "uid": 1000});
    build(&json!({
        "eventType": "PROCESS_EVENT_TYPE_EXEC", "programName": program, "uid": 1000, "cwd": "/home/ann/src/project",
        "args": ["x86_64-linux-gnu-gcc", "-O2", "-Wall", "-c", "/home/ann/src/project/main.c", "-o", "/tmp/ccXYZ123.o"],
        "lineage": [
            ancestor("/usr/bin/make", 4000), ancestor("/usr/bin/make", 3000), ancestor("/usr/bin/bash", 2000),
            ancestor("/usr/sbin/sshd", 1900), ancestor("/usr/sbin/sshd", 1800), ancestor("/usr/sbin/sshd", 900),
            ancestor("/usr/lib/systemd/systemd", 1),
        ],
    }))
    .expect("the fields exist")
}

fn rules(bench: &mut Criterion) {
    let (usual, host) = exec("/usr/bin/gcc");
    let (tried, _) = exec("/usr/bin/bash");
    let (fork, _) =
        build(&json!({"eventType": "PROCESS_EVENT_TYPE_FORK", "programName": "/usr/bin/gcc"})).expect("fields");
    let mut run = |name: &str, set: &RuleSet, event: &Event| {
        let mut scratch = Scratch::default();
        bench.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut found = 0;
                set.matches(black_box(event), &host, &mut scratch, &mut |_, _| found += 1);
                found
            });
        });
    };
    for count in [10, 100, 1000, 10_000] {
        let set = rule_set(&typical(count), None);
        run(&format!("typical/{count}/nothing matches"), &set, &usual);
        run(&format!("typical/{count}/some are tried"), &set, &tried);
        run(&format!("typical/{count}/fork"), &set, &fork);
    }
    for count in [10, 10_000] {
        let one = |rule: &str| vec![vec![rule.to_owned(), "default ignore".into()]];
        let paths = (0..count).map(|n| format!("/usr/bin/tool{n}")).collect();
        run(&format!("list/{count} paths"), &rule_set(&one("match programName in $L"), Some(("paths", paths))), &usual);
        let globs = (0..count).map(|n| format!("/usr/*/tool{n}/*.so")).collect();
        run(&format!("list/{count} globs"), &rule_set(&one("match programName in $L"), Some(("paths", globs))), &usual);
        let names = (0..count).map(|n| format!("*tool{n}*")).collect();
        run(&format!("list/{count} parts"), &rule_set(&one("match args in $L"), Some(("names", names))), &usual);
        let paths = (0..count).map(|n| format!("/usr/bin/tool{n}")).collect();
        run(&format!("list/{count} lineage"), &rule_set(&one("match lineage in $L"), Some(("lineage", paths))), &usual);
    }
    for count in [1, 10, 100] {
        let rules = (0..count).map(|n| format!("match commandLine =~ `(curl|wget).*evil{n}\\.test/[a-z]+`"));
        let set = rule_set(&[rules.chain(["default ignore".into()]).collect()], None);
        run(&format!("expressions/{count}"), &set, &usual);
    }
}

fn loading(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("compile");
    group.sample_size(10);
    for count in [100, 10_000] {
        let chains = typical(count);
        group.bench_function(format!("{count} rules"), |bencher| bencher.iter(|| rule_set(&chains, None)));
    }
}

criterion_group!(benches, rules, loading);
criterion_main!(benches);
