//! What delivery to Central can take: how long alerts wait for the disk, how many arrive a second, and how much memory a
//! receiver costs that is not there.
//!
//! ```text
//! make bench                      prints it
//! UPDATE_DOCS=1 make bench        and puts it into docs/performance.md
//! ```
//!
//! The outputs of the sensor in this process, Central in its own, everything on the disk of the temporary folder.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use delivery::{
    ledger::OutputStatus,
    spool::{Kind, Limits, NewItem, Spool},
    spooled::backlog::SpoolSettings,
    trust::CrlPolicy,
};
use schema::Table;
use secrecy::SecretString;
use sensor_agent::alert::Alert;
use sensor_agent::event::{Event, Host, build};
use sensor_agent::output::{CentralSettings, Dispatcher, OutputSettings, RowBatch, SinkSettings, Sinks, Target};
use sensor_agent::policy::Policy;
use sensor_tests::Central;
use uuid::Uuid;

/// Alerts sent to Central.
const ALERTS: usize = 20_000;
/// Rows for the receiver that is not there.
const ROWS: usize = 1_000_000;
/// Rows that the recorder hands over at once.
const BATCH: usize = 5_000;

fn main() -> ExitCode {
    // First, because what it measures is the most that this process ever had.
    let memory = dead_receiver();
    let appends = [appends(1, 1000), appends(64, 200)];
    let rate = rate();
    let mut text = String::from("| spooled at once (2 KB each) | p50 | p99 |\n| --- | --- | --- |\n");
    for (count, times) in [1, 64].iter().zip(appends) {
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        text += &format!("| {count} | {:.1} ms | {:.1} ms |\n", at(0.5), at(0.99));
    }
    text += &format!(
        "\n- Alerts end to end, from the engine to Central's confirmation and off the disk again: **{rate:.0}/s** \
         ({ALERTS} in one go).\n- {memory}\n"
    );
    println!("{text}");
    match keep(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How long each append takes, in ascending order.
fn appends(count: usize, rounds: usize) -> Vec<Duration> {
    let folder = tempfile::tempdir().expect("a folder");
    let (spool, _) = Spool::open(folder.path(), Limits::default());
    let item = || NewItem { kind: Kind::Urgent, uuid: Uuid::new_v4(), records: 1, body: vec![b'x'; 2048] };
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let items: Vec<NewItem> = (0..count).map(|_| item()).collect();
            let begin = Instant::now();
            spool.append(items).expect("room on the disk");
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

/// Alerts a second that Central confirms.
fn rate() -> f64 {
    let central = Central::start();
    let folder = tempfile::tempdir().expect("a folder");
    let keys = |name: &str| fs::read_to_string(central.path().join(name)).expect("made by Central");
    let url = format!("https://127.0.0.1:{}", central.port());
    let target = target(&url, keys("token").trim(), keys("tenant").trim(), central.path(), folder.path());
    let settings = OutputSettings { queue: ALERTS, spool: spool(folder.path()), ..OutputSettings::new("mcs", target) };
    let outputs = Dispatcher::start(vec![settings]).expect("an output");
    let (event, host) = event(1);
    let (policy, host) = (Arc::new(Policy { name: "Bench".to_owned(), ..Policy::default() }), Arc::new(host));
    let begin = Instant::now();
    for _ in 0..ALERTS {
        outputs.send(Arc::new(Alert::new(
            Arc::clone(&policy),
            "match programName == \"/usr/bin/bench\"".into(),
            event.clone(),
            Arc::clone(&host),
        )));
    }
    while outputs.status()[0].confirmed != Some(ALERTS as u64) {
        sleep(Duration::from_millis(5));
    }
    ALERTS as f64 / begin.elapsed().as_secs_f64()
}

/// What a million rows cost when nobody takes them.
fn dead_receiver() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let central = Central::start();
    let target = target("https://127.0.0.1:1", "SLS-none", &Uuid::nil().to_string(), central.path(), folder.path());
    let settings = SinkSettings { spool: spool(folder.path()), ..SinkSettings::new("mcs", target) };
    let sinks = Sinks::start(vec![settings]).expect("a sink");
    let before = resident("VmRSS");
    let table = Table::by_name("process_events").expect("a table");
    let begin = Instant::now();
    let status = || -> OutputStatus { sinks.status().remove(0) };
    for number in 0..ROWS / BATCH {
        let rows: Vec<(Event, Host)> = vec![event(number as u32)];
        let (event, host) = &rows[0];
        let events = vec![event.clone(); BATCH];
        sinks.send(RowBatch { table, events, host: Arc::new(host.clone()) });
        // As fast as the sink takes them.
        while status().spool.is_none_or(|spool| (spool.taken_in as usize) < (number * BATCH).saturating_sub(50_000)) {
            sleep(Duration::from_millis(2));
        }
    }
    let done = |status: &OutputStatus| {
        let spool = status.spool.clone().unwrap_or_default();
        spool.taken_in + status.dropped.values().sum::<u64>() == ROWS as u64
    };
    while !done(&status()) {
        sleep(Duration::from_millis(5));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let status = status();
    let kept = status.spool.as_ref().map_or(0, |spool| spool.stored);
    format!(
        "A receiver that is not there, {ROWS} rows: resident memory {:.0} MB at the most, {before:.0} MB before; {:.0} \
         rows/s to disk, {kept} kept within the default 256 MiB, {} given up and counted.",
        resident("VmHWM"),
        ROWS as f64 / seconds,
        status.lost(),
    )
}

fn target(url: &str, token: &str, tenant: &str, certs_dir: &Path, state_dir: &Path) -> Arc<dyn Target> {
    Arc::new(CentralSettings {
        url: url.parse().expect("a URL"),
        token: SecretString::from(token),
        tenant: tenant.parse().expect("a tenant"),
        certs_dir: certs_dir.to_owned(),
        crl_policy: CrlPolicy::Refuse,
        proxy: None,
        state_dir: state_dir.to_owned(),
        statistics: false,
    })
}

fn spool(folder: &Path) -> SpoolSettings {
    SpoolSettings { folder: folder.join("spool"), limits: Limits::default() }
}

/// An event of the usual size.
fn event(pid: u32) -> (Event, Host) {
    build::build(&serde_json::json!({
        "eventType": "PROCESS_EVENT_TYPE_EXEC", "time": 1_700_000_000_123_456_789_u64, "sophosPid": format!("{pid}:5"),
        "programName": "/usr/bin/bench", "args": ["bench", "--with", "an argument or two", "/and/a/path/of/some/length"],
    }))
    .expect("an event")
}

/// A value of /proc/self/status, MB.
fn resident(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the value");
    line.trim_matches(|at: char| !at.is_ascii_digit()).parse::<f64>().expect("a number") / 1024.0
}

/// Puts the text between the marks in docs/performance.md, if `UPDATE_DOCS` is set.
fn keep(text: &str) -> std::io::Result<()> {
    const BEGIN: &str = "<!-- measured: delivery -->\n";
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let page = fs::read_to_string(&path)?;
    let lost = || std::io::Error::other("docs/performance.md has lost its marks");
    let (head, rest) = page.split_once(BEGIN).ok_or_else(lost)?;
    let (_, tail) = rest.split_once("<!-- end -->").ok_or_else(lost)?;
    fs::write(path, format!("{head}{BEGIN}{text}<!-- end -->{tail}"))
}
