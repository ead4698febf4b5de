//! What the agent does with each record, without the kernel and without outputs: decode, process table, rules.
//!
//! One round is a process's life as most are: forked, executed, ended. Prints allocations for each event as well:
//! there should be none for what nothing matches.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use diagnostic::Report;
use schema::EventType;
use sensor_agent::config::{Paths, load};
use sensor_agent::detection::Detection;
use sensor_agent::event::decode::decode;
use sensor_agent::event::{Event, Host};
use sensor_agent::plan::plan;
use sensor_agent::process::{Table, users::Users};
use sensor_agent::rules::{RuleSet, Scratch};
use sensor_ebpf::record::{ExecRecord, ExitRecord, ForkRecord, Header, LAYOUT_VERSION, ProcessKey, kind};
use settings::Environment;

#[path = "support/rule_sets.rs"]
mod rule_sets;

/// Processes of one iteration; each makes three events.
const PROCESSES: u32 = 1000;
const EVENTS: u32 = 3 * PROCESSES;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The records of many short processes, as the kernel side writes them.
fn records() -> Vec<Vec<u8>> {
    let key = |pid: u32| ProcessKey::new(pid, u64::from(pid) * 1_000_000);
    let parent = key(1);
    let mut records = Vec::new();
    for pid in 2..PROCESSES + 2 {
        let header = |kind, len: usize| Header { layout: LAYOUT_VERSION, kind, len: len as u32, time: u64::from(pid) };
        let fork = ForkRecord {
            header: header(kind::FORK, size_of::<ForkRecord>()),
            process: key(pid),
            parent,
            forker: parent,
            ..ForkRecord::default()
        };
        records.push(bytes_of(&fork));
        records.push(exec(key(pid), parent, header(kind::EXEC, 0)));
        let exit = ExitRecord {
            header: header(kind::EXIT, size_of::<ExitRecord>()),
            process: key(pid),
            ..ExitRecord::default()
        };
        records.push(bytes_of(&exit));
    }
    records
}

fn exec(process: ProcessKey, parent: ProcessKey, header: Header) -> Vec<u8> {
    let (path, cwd, filename): (&[u8], &[u8], &[u8]) = (b"gcc/bin/usr", b"project/src/ann/home", b"/usr/bin/gcc");
    let args: &[u8] = b"x86_64-linux-gnu-gcc\0-O2\0-Wall\0-c\0/home/ann/src/project/main.c\0-o\0/tmp/ccXYZ123.o\0";
    let mut record = ExecRecord {
        header,
        process,
        parent,
        args_bytes: args.len() as u64,
        argc: 7,
        path_len: path.len() as u16,
        cwd_len: cwd.len() as u16,
        filename_len: filename.len() as u16,
        args_head_len: args.len() as u16,
        ..ExecRecord::default()
    };
    let sections = [path, cwd, filename, args].concat();
    record.header.len = (size_of::<ExecRecord>() + sections.len()) as u32;
    let mut bytes = bytes_of(&record);
    bytes.extend(sections);
    bytes
}

fn bytes_of<T>(record: &T) -> Vec<u8> {
    // SAFETY: records are made of integers, without padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<T>()) }.to_vec()
}

/// Everything that the engine does with one event but recording and alerting.
fn evaluate(event: &Event, rules: &RuleSet, host: &Host, scratch: &mut Scratch, found: &mut u64) {
    if event.kind == EventType::Exec && !rules.is_empty() {
        rules.matches(event, host, scratch, &mut |_, _| *found += 1);
    }
}

/// The detections as they are shipped.
fn shipped() -> Detection {
    let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc");
    let paths = Paths {
        main: Some(etc.join("runtimedetections.yaml")),
        content: Some(etc.join("content/runtimedetections-content.yaml")),
        ..Paths::default()
    };
    let mut report = Report::default();
    let config = load(&paths, &Environment::default(), &mut report);
    let plan = plan(&config, &mut report);
    assert!(plan.policies.len() > 50, "{}", report.diagnostics().len());
    plan.setup.detection
}

/// Measures a round, once with its allocations.
fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut round: impl FnMut()) {
    round();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    round();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{name}: {:.3} allocations an event", allocations as f64 / EVENTS as f64);
    group.bench_function(name, |bencher| bencher.iter(&mut round));
}

fn pipeline(bench: &mut Criterion) {
    let records = records();
    let host = Host::default();
    let mut group = bench.benchmark_group("decode, table, rules");
    group.throughput(Throughput::Elements(EVENTS.into()));
    for count in [0, 100, 10_000] {
        let rules = rule_sets::rule_set(&rule_sets::typical(count), None);
        let mut scratch = Scratch::default();
        let mut table = Table::new(32_768, Users::start().expect("a thread can be started"));
        let mut found = 0;
        let mut round = || {
            for bytes in &records {
                let record = decode(black_box(bytes)).expect("the records are well-formed");
                if let Some(event) = table.apply(&record, 1) {
                    evaluate(&event, &rules, &host, &mut scratch, &mut found);
                    table.recycle(event);
                }
            }
        };
        measure(&mut group, &format!("{count} rules"), &mut round);
        assert_eq!(found, 0, "the rules are such that nothing matches");
    }
    let (mut detection, mut found) = (shipped(), 0);
    let mut table = Table::new(32_768, Users::start().expect("a thread can be started"));
    let mut round = || {
        for bytes in &records {
            let record = decode(black_box(bytes)).expect("the records are well-formed");
            if let Some(event) = table.apply(&record, 1) {
                detection.evaluate(&event, 1, &host, &mut |_| found += 1);
                table.recycle(event);
            }
        }
    };
    measure(&mut group, "shipped detections", &mut round);
    assert_eq!(found, 0, "compiling a program is no attack");
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
