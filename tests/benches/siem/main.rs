//! How fast items come from Central into a file, and what that costs, beside the vendor's script.
//!
//! ```text
//! make bench                      prints it
//! UPDATE_DOCS=1 make bench        and puts it into docs/performance.md
//!
//! SIEM_SHARE=100 cargo bench -p sensor-tests --bench siem      with a hundredth of the items, to see that it works
//! ```
//!
//! Central and `sensor-siem` are processes of their own, over TLS; pages are of 1000 items. The reader that does nothing
//! else is in this process: it asks for the same pages and lets go of them, which is what Central and the network allow.

#[path = "../../tests/siem_receivers/fill.rs"]
#[expect(dead_code, reason = "what several use is not used whole by each")]
mod fill;
#[path = "../../tests/siem_receivers/partner.rs"]
mod partner;
mod tenants;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use diagnostic::Report;
use sensor_siem::{
    config,
    item::Stream,
    source::{Begin, Pace, Pages, Session, earliest},
};
use sensor_tests::{Central, Siem};
use settings::Environment;

const ITEMS: u128 = 100_000;
/// The same of all tenants together.
const MANY: u128 = 1_000_000;
/// What the vendor's script takes of as many events of 467 bytes, in pages of 1000, over TLS to a file: items a second,
/// seconds of CPU, resident memory at the most, MB.
const SCRIPT: [(&str, [f64; 3]); 3] =
    [("json", [22_080.0, 4.24, 30.0]), ("cef", [13_970.0, 6.87, 30.0]), ("keyvalue", [22_239.0, 4.04, 30.0])];

fn main() -> ExitCode {
    let share = std::env::var("SIEM_SHARE").map_or(1, |share| share.parse().expect("a number"));
    let items = ITEMS / share;
    let central = Central::start_unbounded();
    fill::fill_events(&central, central.tenant().parse().expect("a UUID"), items);
    let bytes = written(&central, items);
    let mut text = format!(
        "| | items/s | CPU s | MB at the most | the script: items/s | CPU s | MB |\n| --- | --- | --- | --- | --- | --- | --- |\n\
         | read alone | {:.0} | | | | | |\n",
        items as f64 / read_alone(&central, items)
    );
    for (format, [rate, cpu, memory]) in SCRIPT {
        let output = format!("  - {{type: file, path: \"@HOME@/items\", format: {format}}}\n");
        let siem = Siem::with_outputs(&central, &output);
        let cost = cost(&mut siem.command(&["-c", "config.yaml", "-q"]));
        assert_eq!(lines(&siem.file("items")), items, "{format}");
        text += &format!(
            "| `{format}` | {:.0} | {:.2} | {:.0} | {rate:.0} | {cpu} | {memory:.0} |\n",
            items as f64 / cost.seconds,
            cost.cpu,
            cost.memory
        );
    }
    text += &format!(
        "\n{items} items, {bytes:.0} bytes each as a line of JSON. The script's figures are of {ITEMS} events of 467 bytes.\n\n"
    );
    drop(central);
    text += &tenants::table(MANY / share);
    println!("{text}");
    if share > 1 {
        return ExitCode::SUCCESS;
    }
    match keep(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The mean length of a line.
fn written(central: &Central, items: u128) -> f64 {
    let siem = Siem::with_outputs(central, "  - {type: file, path: \"@HOME@/items\"}\n");
    let said = siem.run(&["-c", "config.yaml"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    fs::metadata(siem.file("items")).expect("what was written").len() as f64 / items as f64
}

/// Seconds that it takes to ask for every page.
fn read_alone(central: &Central, wanted: u128) -> f64 {
    let siem = Siem::with_outputs(central, "  - {type: stdout}\n");
    let mut report = Report::default();
    let config = config::load(&siem.file("config.yaml"), &Environment::default(), &mut report);
    let config = config.unwrap_or_else(|| panic!("{report}"));
    let session = Session::new(config.credentials, &config.connection, Pace::default()).expect("a session");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let tenants = session.tenants().await.expect("tenants");
        let tenant = &tenants.found[0];
        let begin = Instant::now();
        let mut from = Begin::Time(earliest(time::OffsetDateTime::now_utc().unix_timestamp()));
        let mut items = 0;
        loop {
            let page =
                session.page(Pages { tenant, stream: Stream::Events, light: false }, &from).await.expect("a page");
            items += page.items().len();
            if !page.has_more {
                break;
            }
            from = Begin::Cursor(page.next_cursor);
        }
        assert_eq!(items as u128, wanted);
        begin.elapsed().as_secs_f64()
    })
}

/// How many lines are in a file.
fn lines(path: &Path) -> u128 {
    let file = BufReader::new(fs::File::open(path).expect("what was written"));
    file.split(b'\n').map(|line| line.map(drop).expect("it can be read")).count() as u128
}

/// What a process took.
struct Cost {
    seconds: f64,
    cpu: f64,
    memory: f64,
}

#[expect(clippy::zombie_processes, reason = "it is waited for by a call that tells what it took")]
fn cost(command: &mut Command) -> Cost {
    let begin = Instant::now();
    let child = command.spawn().expect("it starts");
    // What the call tells of memory is at least what this process had when it started the other.
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0.0_f64;
    while let Some(most) = fs::read_to_string(&status).ok().as_deref().and_then(most_of) {
        memory = memory.max(most);
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let pid = libc::pid_t::try_from(child.id()).expect("a pid");
    // SAFETY: both pointers are to values of ours that outlive the call, and the process is a child that nobody else waits
    // for.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
    assert_eq!((waited, status), (pid, 0), "it fails");
    let seconds = begin.elapsed().as_secs_f64();
    // SAFETY: zeroes are one, and the kernel has filled it in.
    let usage = unsafe { usage.assume_init() };
    let of = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Cost { seconds, cpu: of(usage.ru_utime) + of(usage.ru_stime), memory }
}

/// The most memory that a process had, MB; none once it has ended.
fn most_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// Puts the text between the marks in docs/performance.md, if `UPDATE_DOCS` is set.
fn keep(text: &str) -> std::io::Result<()> {
    const BEGIN: &str = "<!-- measured: siem -->\n";
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
