//! Outputs as a whole: one that does not take anything must not touch another, and nothing is lost in silence.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read as _},
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use delivery::{
    cause::Cause,
    ledger::{Ledger, OutputStatus},
    lines::{Lines, Written},
    open_error::OpenError,
    outcome::{Awaited, Outcome},
    receivers::{
        file::FileSettings,
        stdout::{Descriptor, StdoutSettings},
    },
    worker::queue::{Deliver, Delivery, Failure, Load},
};
use diagnostic::{Report, Span, Spanned};
use proptest::prelude::*;
use schema::Table;
use tempfile::TempDir;

use super::{
    alerts::AlertLines,
    queued::QueuedAlert,
    rows::{QueuedRows, RowLines},
    target::Opened,
    *,
};
use crate::{
    alert::{Alert, Template},
    event::{Event, Host},
    policy::{MessageType, Policy},
};

/// Long enough to mean "for ever"; nothing waits that long unless it is broken.
const LONG: Duration = Duration::from_secs(60);

/// One end of a pipe that outputs write to.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<PipeWriter>);

impl Shared {
    fn open(&self) -> io::Result<Descriptor> {
        Ok(Descriptor::new(OwnedFd::from(self.0.try_clone()?)))
    }
}

impl Target for Shared {
    fn kind(&self) -> &'static str {
        "descriptor"
    }

    fn place(&self) -> String {
        format!("{self:?}")
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(Box::new(AlertLines::new(output.renderer(), Box::new(self.open()?), false)))
    }

    fn rows(&self, sink: &SinkSettings) -> Opened<QueuedRows> {
        Ok(Box::new(RowLines::new(Box::new(self.open()?), sink.format)))
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Shared {}

fn pipe(name: &str) -> (OutputSettings, PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    (OutputSettings::new(name, Arc::new(Shared(Arc::new(writer)))), reader)
}

fn template(text: &str) -> Arc<Template> {
    let mut report = Report::default();
    let source = report.add_source("test", text);
    let span = Span { source, bytes: 0..text.len() };
    Arc::new(Template::parse(&Spanned { value: text.into(), span, verbatim: true }, &mut report).unwrap())
}

fn alert(message_type: MessageType) -> Arc<Alert> {
    let mut alert = Alert::sample();
    alert.policy = Arc::new(Policy { message_type, ..(*alert.policy).clone() });
    Arc::new(alert)
}

fn queued(alert: Arc<Alert>) -> QueuedAlert {
    let awaited = Awaited { uuid: alert.uuid, since: Instant::now(), watchers: vec![] };
    QueuedAlert { alert, awaited }
}

fn until() -> Instant {
    Instant::now() + LONG
}

#[test]
fn the_documented_line() {
    let (mut settings, reader) = pipe("stdout");
    settings.template = Some(template("Alert triggered: {{ .StrategyName}}"));
    let outputs = Dispatcher::start(vec![settings]).unwrap();
    outputs.send(alert(MessageType::Alert));
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert_eq!(line, "Alert triggered: Alert Tester\n");
}

#[test]
fn a_blocked_output_delays_no_other_and_loses_nothing_in_silence() {
    const COUNT: u64 = 2_000;
    let (mut blocked, not_read) = pipe("blocked");
    blocked.queue = 10;
    let (open, reader) = pipe("open");
    let outputs = Dispatcher::start(vec![blocked, open]).unwrap();
    for _ in 0..COUNT {
        outputs.send(alert(MessageType::Alert));
    }
    let lines = BufReader::new(reader).lines().take(COUNT as usize);
    for line in lines {
        let _: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
    }
    assert!(outputs.status()[0].dropped["queue_full"] > 0);
    assert!(outputs.status()[0].oldest_age_ms.is_some());
    let status = outputs.stop(Duration::from_millis(50));
    assert_eq!(status[1].sent, COUNT);
    assert!(status[0].dropped["stopped"] > 0);
    assert_eq!(status[0].sent + status[0].dropped.values().sum::<u64>(), COUNT);
    drop(not_read);
}

#[test]
fn word_comes_from_every_output() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("alerts.json");
    let (mut filters, _reader) = pipe("filters");
    filters.template = Some(template("{{ if eq .Priority \"Low\" }}x{{ end }}"));
    let (mut audits, _reader) = pipe("audits");
    audits.message_types = vec![MessageType::Audit];
    let (gone, reader) = pipe("gone");
    drop(reader);
    let written = OutputSettings::new("file", Arc::new(FileSettings::new(&file)));
    let outputs = Dispatcher::start(vec![written, filters, audits, gone]).unwrap();

    let sent = alert(MessageType::SmartPolicy);
    let uuid = sent.uuid;
    let watch = outputs.watch(move |alert| alert.uuid == uuid);
    outputs.send(alert(MessageType::Alert));
    outputs.send(sent);
    let words: Vec<_> = watch.wait(until()).into_iter().map(|(name, word)| (name, word.unwrap().outcome)).collect();
    assert_eq!(
        words,
        [
            ("file".to_owned(), Outcome::HandedOver("written to the file")),
            ("filters".to_owned(), Outcome::Empty),
            ("audits".to_owned(), Outcome::NotTaken),
            ("gone".to_owned(), Outcome::Dropped(Cause::Gone)),
        ]
    );
    assert!(fs::read_to_string(&file).unwrap().lines().any(|line| line.contains(&uuid.to_string())));
    let status = outputs.stop(LONG);
    assert_eq!((status[0].sent, status[1].filtered, status[2].sent), (2, 2, 0));
    assert_eq!(status[3].dropped["gone"], 2);
}

#[test]
fn no_word_in_time_is_told_too() {
    let outputs = Dispatcher::start(vec![pipe("stdout").0]).unwrap();
    let words = outputs.watch(|_| true).wait(Instant::now());
    assert!(matches!(&words[..], [(name, None)] if name == "stdout"));
}

#[test]
fn stopping_sends_what_waits() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("alerts.json");
    let settings = OutputSettings::new("file", Arc::new(FileSettings::new(&file)));
    let outputs = Dispatcher::start(vec![settings]).unwrap();
    for _ in 0..500 {
        outputs.send(alert(MessageType::Alert));
    }
    assert_eq!(outputs.stop(LONG)[0].sent, 500);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 500);
}

#[test]
fn a_reload_keeps_what_waits() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("below/alerts.txt");
    let mut settings = OutputSettings::new("file", Arc::new(FileSettings::new(&file)));
    let outputs = Dispatcher::start(vec![settings.clone()]).unwrap();
    fs::remove_dir(directory.path().join("below")).unwrap_err();
    fs::remove_dir_all(directory.path().join("below")).unwrap();
    let watch = outputs.watch(|_| true);
    for _ in 0..5 {
        outputs.send(alert(MessageType::Alert));
    }
    assert!(matches!(watch.next(until()).unwrap().outcome, Outcome::Retrying(_)));

    // Refused as a whole: nothing changes.
    let twice = vec![pipe("same").0, pipe("same").0];
    let errors = outputs.reconfigure(twice).unwrap_err();
    assert!(errors[0].to_string().starts_with("output same: cannot write to "), "{}", errors[0]);
    assert_eq!(outputs.status()[0].name, "file");

    settings.template = Some(template("{{ .StrategyName }}"));
    outputs.reconfigure(vec![settings.clone()]).unwrap();
    let status = outputs.stop(LONG);
    assert_eq!((status[0].sent, status[0].dropped.len()), (5, 0));
    assert!(status[0].retried > 0 && status[0].last_error.as_ref().unwrap().over);
    assert_eq!(fs::read_to_string(&file).unwrap(), "Alert Tester\n".repeat(5));
}

#[test]
fn a_reload_leaves_alone_what_stays_and_ends_what_goes() {
    let (stays, reader) = pipe("stays");
    let (goes, other) = pipe("goes");
    let outputs = Dispatcher::start(vec![goes, stays.clone()]).unwrap();
    outputs.send(alert(MessageType::Alert));
    outputs.reconfigure(vec![stays]).unwrap();
    outputs.send(alert(MessageType::Alert));
    let status = outputs.stop(LONG);
    assert_eq!((status.len(), status[0].sent), (1, 2));
    // The settings hold the pipes as well.
    drop(outputs);
    assert_eq!(BufReader::new(reader).lines().count(), 2);
    // Ends when the removed output has let go of the pipe.
    assert_eq!(BufReader::new(other).lines().count(), 1);
}

#[test]
fn an_output_that_cannot_be_opened_delays_no_other_and_opens_later() {
    let directory = TempDir::new().unwrap();
    let (in_the_way, file) = (directory.path().join("folder"), directory.path().join("folder/alerts.json"));
    fs::write(&in_the_way, "").unwrap();
    let mut shut = OutputSettings::new("shut", Arc::new(FileSettings::new(&file)));
    shut.queue = 2;
    let (open, reader) = pipe("open");
    let outputs = Dispatcher::start(vec![shut, open.clone()]).unwrap();
    let told = outputs.status()[0].last_error.clone().unwrap();
    assert!(told.message.starts_with(&format!("cannot write to {}: ", file.display())) && !told.over, "{told:?}");

    let watch = outputs.watch(|_| true);
    for _ in 0..5 {
        outputs.send(alert(MessageType::Alert));
    }
    assert_eq!(BufReader::new(reader).lines().take(5).count(), 5);
    assert!(matches!(
        std::iter::from_fn(|| watch.next(until())).find(|word| word.output == "shut").unwrap().outcome,
        Outcome::Dropped(Cause::QueueFull) | Outcome::Retrying(_)
    ));
    let status = &outputs.status()[0];
    assert_eq!((status.queued, status.dropped["queue_full"]), (2, 3));

    fs::remove_file(&in_the_way).unwrap();
    // What was sent is counted before the failure is called over.
    while outputs.status()[0].sent < 2 || !outputs.status()[0].last_error.as_ref().unwrap().over {
        std::thread::yield_now();
    }
    assert_eq!(outputs.stop(LONG)[0].sent, 2);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
}

#[test]
fn a_reload_with_an_output_that_cannot_be_opened_is_taken_and_says_so() {
    let directory = TempDir::new().unwrap();
    let (in_the_way, file) = (directory.path().join("folder"), directory.path().join("folder/alerts.json"));
    fs::write(&in_the_way, "").unwrap();
    let (open, _reader) = pipe("open");
    let outputs = Dispatcher::start(vec![open.clone()]).unwrap();
    let shut = OutputSettings::new("shut", Arc::new(FileSettings::new(&file)));
    let shut_now = outputs.reconfigure(vec![open.clone(), shut.clone()]).unwrap();
    let text = shut_now.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.starts_with(&format!("output shut: cannot write to {}: ", file.display())), "{text}");
    assert_eq!(outputs.status().len(), 2);

    // Other settings for it while it is shut, and then none: what waits goes on to the one, and is counted with the other.
    outputs.send(alert(MessageType::Alert));
    let changed = OutputSettings { template: Some(template("{{ .StrategyName }}")), ..shut };
    assert_eq!(outputs.reconfigure(vec![open.clone(), changed]).unwrap().len(), 1);
    assert_eq!(outputs.status()[1].queued, 1);
    fs::remove_file(&in_the_way).unwrap();
    assert_eq!(outputs.stop(LONG)[1].sent, 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "Alert Tester\n");
}

#[test]
fn what_never_opens_keeps_nobody_from_stopping() {
    let never = || OutputSettings::new("never", Arc::new(FileSettings::new("/dev/null/x")));
    let outputs = Dispatcher::start(vec![never()]).unwrap();
    // Nothing waits, so there is nothing to wait for.
    assert_eq!(outputs.stop(LONG)[0].lost(), 0);

    let outputs = Dispatcher::start(vec![never()]).unwrap();
    outputs.send(alert(MessageType::Alert));
    assert_eq!(outputs.stop(Duration::from_millis(10))[0].dropped["stopped"], 1);
}

#[test]
fn names_are_unique() {
    assert!(Dispatcher::start(vec![pipe("same").0, pipe("same").0]).is_err());
}

/// It goes out in the output's format, says why, and is counted.
#[test]
fn a_refused_sink_leaves_outputs_as_they_were() {
    let (before, reader) = pipe("before");
    let outputs = Dispatcher::start(vec![before]).unwrap();
    let sinks = Sinks::start(vec![]).unwrap();
    // As a reload does it: everything is prepared, and then everything is put in force.
    let both = |names: [&str; 2]| -> Result<(), Vec<OpenError>> {
        let (next, _) = pipe("next");
        let prepared = outputs.prepare(vec![next])?;
        let sink = |name| SinkSettings::new(name, Arc::new(StdoutSettings));
        let sinks = sinks.prepare(names.map(sink).into())?;
        let _ = (prepared.commit(), sinks.commit());
        Ok(())
    };
    assert_eq!(both(["twin", "twin"]).unwrap_err().len(), 1);
    let names = |status: Vec<OutputStatus>| status.into_iter().map(|output| output.name).collect::<Vec<_>>();
    assert_eq!((names(outputs.status()), names(sinks.status())), (vec!["before".to_owned()], vec![]));
    outputs.send(alert(MessageType::Alert));
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert!(line.contains("Alert Tester"), "the one before is at work: {line}");
    both(["one", "two"]).unwrap();
    assert_eq!(names(outputs.status())[0], "next");
    assert_eq!(names(sinks.status()), ["one", "two"]);
}

#[test]
fn a_template_that_fails_costs_no_alert() {
    for (format, key) in [
        (Format::Json, "/notifications/1/message_fields/template_error"),
        (Format::Ecs, "/sensor/notifications/1"),
        (Format::Ocsf, "/message"),
        (Format::Cef, ""),
    ] {
        let (mut settings, reader) = pipe("stdout");
        settings.template = Some(template("{{ (index .Lineage 1).Program.Path }}"));
        settings.format = format;
        let outputs = Dispatcher::start(vec![settings]).unwrap();
        let mut alert = Alert::sample();
        let process = crate::event::Process { parent: None, ..(*alert.event.process).clone() };
        alert.event.process = Arc::new(process);
        outputs.send(Arc::new(alert));
        assert_eq!(outputs.stop(LONG)[0].template_failed, 1);
        let line = BufReader::new(reader).lines().next().unwrap().unwrap();
        let text = match key {
            "" => line,
            key => {
                let json: serde_json::Value = serde_json::from_str(&line).unwrap();
                json.pointer(key).unwrap_or_else(|| panic!("{line}")).to_string()
            }
        };
        assert!(text.contains("error calling index: index out of range: 1"), "{format:?}: {text}");
    }
}

#[test]
fn long_lines_are_cut() {
    let (mut settings, reader) = pipe("stdout");
    settings.template = Some(template("{{ .StrategyName }} äöü"));
    settings.max_bytes = 18;
    let outputs = Dispatcher::start(vec![settings]).unwrap();
    outputs.send(alert(MessageType::Alert));
    outputs.stop(LONG);
    assert_eq!(BufReader::new(reader).lines().next().unwrap().unwrap(), "Alert Tester ä…");
}

fn rows(count: usize, args: usize) -> RowBatch {
    let mut event = Alert::sample().event;
    let mut process = (*event.process).clone();
    let mut image = (*process.image).clone();
    image.args.set(&vec![b'x'; args], b"", args as u64, false);
    process.image = Arc::new(image);
    event.process = Arc::new(process);
    let events = (0..count).map(|time| Event { time: time as u64, ..event.clone() }).collect();
    RowBatch { table: Table::by_name("process_events").unwrap(), events, host: Arc::new(Host::default()) }
}

#[test]
fn rows_go_to_every_sink() {
    let directory = TempDir::new().unwrap();
    let paths = [directory.path().join("a"), directory.path().join("b")];
    let sinks =
        paths.each_ref().map(|path| SinkSettings::new(path.display().to_string(), Arc::new(FileSettings::new(path))));
    let sinks = Sinks::start(sinks.into()).unwrap();
    sinks.send(rows(3_000, 200));
    sinks.send(rows(3, 500_000));
    let status = sinks.stop(LONG);
    for (path, status) in paths.iter().zip(status) {
        assert_eq!((status.sent, status.queued), (3_003, 0));
        let mut count = 0;
        for line in BufReader::new(File::open(path).unwrap()).lines() {
            let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            assert_eq!(row["table"], "process_events");
            assert_eq!(row["unix_nano_timestamp"], count % 3_000);
            count += 1;
        }
        assert_eq!(count, 3_003);
    }
}

#[test]
fn a_sink_that_is_stuck_within_a_batch_is_accounted_for() {
    const COUNT: usize = 3_000;
    let (target, mut reader) = pipe("sink");
    let sinks = Sinks::start(vec![SinkSettings::new("sink", target.target)]).unwrap();
    sinks.send(rows(COUNT, 200));
    io::copy(&mut (&mut reader).take(700_000), &mut io::sink()).unwrap();
    let status = &sinks.stop(Duration::from_millis(50))[0];
    assert!(status.sent > 0 && status.dropped["stopped"] > 0);
    assert_eq!(status.sent + status.dropped["stopped"], COUNT as u64);
}

/// Takes so many bytes at each call, and fails if that is not all.
struct Trickle {
    sizes: Vec<usize>,
    taken: Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
}

impl Lines for Trickle {
    fn write(&mut self, bytes: &[u8]) -> Written {
        let count = self.sizes.pop().unwrap_or(usize::MAX).min(bytes.len());
        self.taken.lock().unwrap().push(bytes[..count].to_vec());
        Written { bytes: count, failure: (count < bytes.len()).then(|| Failure::Retry("full".into())) }
    }

    fn known(&self) -> &'static str {
        "written"
    }
}

/// Delivers as a worker does, and returns the writes.
fn through<T: Load>(
    make: impl FnOnce(Box<dyn Lines>) -> Box<dyn Deliver<T>>,
    mut items: Vec<T>,
    sizes: &[usize],
) -> Vec<Vec<u8>> {
    let taken = Arc::default();
    let mut deliver = make(Box::new(Trickle { sizes: sizes.to_vec(), taken: Arc::clone(&taken) }));
    let ledger = Ledger::new("test", "test");
    let total: usize = items.iter().map(T::weight).sum();
    while !items.is_empty() {
        let Delivery { done, failure } = deliver.deliver(&mut items, &ledger);
        items.drain(..done);
        assert!(failure.is_none() || !items.is_empty());
    }
    assert_eq!(ledger.status((0, None)).sent, total as u64);
    drop(deliver);
    Arc::try_unwrap(taken).unwrap().into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn failures_tear_no_line(sizes: Vec<u16>, each: bool, count in 1..20_usize) {
        let sizes: Vec<usize> = sizes.into_iter().map(usize::from).collect();
        let alerts: Vec<_> = (0..count)
            .map(|_| queued(alert(MessageType::Alert)))
            .collect();
        let make = |lines| {
            Box::new(AlertLines::new(pipe("x").0.renderer(), lines, each)) as Box<dyn Deliver<_>>
        };
        let whole = through(make, alerts.clone(), &[]).concat();
        prop_assert_eq!(through(make, alerts, &sizes).concat(), whole);

        let make = |lines| Box::new(RowLines::new(lines, RowFormat::Json)) as Box<dyn Deliver<_>>;
        let rows = [rows(count, 10), rows(1, 300_000), rows(count * 50, 2_000)];
        let rows: Vec<_> = rows.into_iter().map(QueuedRows::new).collect();
        let writes = through(make, rows.clone(), &[]);
        for write in &writes {
            prop_assert!(write.ends_with(b"\n"));
            prop_assert!(write.len() <= 256 * 1024 || write.iter().filter(|byte| **byte == b'\n').count() == 1);
        }
        prop_assert_eq!(through(make, rows, &sizes).concat(), writes.concat());
    }
}
