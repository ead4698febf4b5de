//! Outputs that spool, against receivers that do as a test says.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use delivery::{
    backoff::Pace,
    ledger::OutputStatus,
    narrowing::{Narrowing, Refusal, Took},
    outcome::Outcome,
    remote::{Answer, Message, Remote, Setback, Settled},
    spool::Limits,
    spooled::{Spooled, backlog::SpoolSettings},
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::alert::Alert;
use crate::output::{Dispatcher, OutputSettings, Target, queued::QueuedAlert, rendered::Rendered, target::Opened};

const LONG: Duration = Duration::from_secs(60);

type Act = dyn FnMut(&[Message<'_>]) -> Answer + Send;

/// What a receiver does; the same for all settings that are equal.
#[derive(Clone)]
pub(super) struct Script {
    place: &'static str,
    act: Arc<Mutex<Box<Act>>>,
}

impl Script {
    fn new(act: impl FnMut(&[Message<'_>]) -> Answer + Send + 'static) -> Self {
        Self { place: "here", act: Arc::new(Mutex::new(Box::new(act))) }
    }

    /// A receiver that takes everything and passes it on.
    fn taking(got: Sender<(Uuid, String)>) -> Self {
        Self::new(move |messages| {
            for message in messages {
                got.send((message.uuid, String::from_utf8(message.body.to_vec()).unwrap())).unwrap();
            }
            settled(vec![Settled::Confirmed; messages.len()])
        })
    }
}

impl Target for Script {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn place(&self) -> String {
        self.place.to_owned()
    }

    fn is_spooled(&self) -> bool {
        true
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        let rendered = Rendered(output.renderer());
        Ok(Box::new(Spooled::new(output.spool.clone(), rendered, Box::new(self.clone()))))
    }
}

impl Remote for Script {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        self.act.lock().unwrap()(messages)
    }

    fn pace(&self) -> Pace {
        Pace { first: Duration::from_millis(1), most: Duration::from_millis(10), slow: Duration::from_millis(20) }
    }
}

impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.act, &other.act)
    }
}

impl Eq for Script {}

impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.place)
    }
}

fn settled(settled: Vec<Settled>) -> Answer {
    Answer { settled, setback: None }
}

fn setback(reason: &str) -> Answer {
    Answer { settled: Vec::new(), setback: Some(Setback { reason: reason.into(), wait: None, lasting: false }) }
}

fn output(folder: &TempDir, script: Script) -> OutputSettings {
    let spool = SpoolSettings { folder: folder.path().join("spool"), limits: Limits::default() };
    OutputSettings { spool, ..OutputSettings::new("remote", Arc::new(script)) }
}

fn start(settings: OutputSettings) -> Dispatcher {
    Dispatcher::start(vec![settings]).unwrap()
}

fn send(outputs: &Dispatcher, count: usize) -> Vec<Uuid> {
    (0..count)
        .map(|_| {
            let alert = Alert { uuid: Uuid::now_v7(), ..Alert::sample() };
            let uuid = alert.uuid;
            outputs.send(Arc::new(alert));
            uuid
        })
        .collect()
}

fn until(outputs: &Dispatcher, what: &str, condition: impl Fn(&OutputStatus) -> bool) -> OutputStatus {
    let began = Instant::now();
    loop {
        let status = outputs.status().remove(0);
        if condition(&status) {
            return status;
        }
        assert!(began.elapsed() < LONG, "waited in vain for {what}: {status:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn uuids(got: &Receiver<(Uuid, String)>, count: usize) -> Vec<Uuid> {
    (0..count).map(|_| got.recv_timeout(LONG).unwrap().0).collect()
}

#[test]
fn alerts_arrive_in_order_and_are_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, got) = channel();
    let outputs = start(output(&folder, Script::taking(sender)));
    let watch = outputs.watch(|_| true);
    let sent = send(&outputs, 300);
    let arrived: Vec<(Uuid, String)> = (0..300).map(|_| got.recv_timeout(LONG).unwrap()).collect();
    assert!(arrived.iter().all(|(uuid, body)| body.contains(&uuid.to_string()) && !body.ends_with('\n')));
    assert_eq!(arrived.iter().map(|(uuid, _)| *uuid).collect::<Vec<_>>(), sent);
    assert_eq!(watch.next(Instant::now() + LONG).unwrap().outcome, Outcome::Confirmed);
    // What is confirmed has left the spool before it is counted.
    let status = until(&outputs, "an empty spool", |status| {
        status.queued == 0 && status.sent == 300 && status.confirmed == Some(300)
    });
    assert_eq!(status.oldest_age_ms, None);
}

#[test]
fn what_could_not_be_sent_is_sent_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = start(output(&folder, Script::new(|_| setback("no line"))));
    let watch = outputs.watch(|_| true);
    let sent = send(&outputs, 5);
    let status = until(&outputs, "a setback", |status| status.queued == 5 && status.retried > 0);
    assert_eq!(status.last_error.unwrap().message, "no line");
    assert!(status.oldest_age_ms.is_some());
    assert_eq!(watch.next(Instant::now() + LONG).unwrap().outcome, Outcome::Retrying("no line".into()));
    let status = &outputs.stop(LONG)[0];
    assert_eq!((status.lost(), status.spool.as_ref().unwrap().stored), (0, 5));
    drop(outputs);

    let (sender, got) = channel();
    let _outputs = start(output(&folder, Script::taking(sender)));
    assert_eq!(uuids(&got, 5), sent);
}

#[test]
fn a_reload_takes_what_waits_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = start(output(&folder, Script::new(|_| setback("no line"))));
    let mut sent = send(&outputs, 3);
    until(&outputs, "a setback", |status| status.queued == 3 && status.retried > 0);
    let (sender, got) = channel();
    let elsewhere = Script { place: "elsewhere", ..Script::taking(sender) };
    outputs.reconfigure(vec![output(&folder, elsewhere)]).unwrap();
    sent.extend(send(&outputs, 2));
    assert_eq!(uuids(&got, 5), sent);
    let status = until(&outputs, "an empty spool", |status| status.queued == 0);
    assert_eq!((outputs.status().len(), status.lost()), (1, 0));
}

#[test]
fn an_output_that_comes_back_finds_its_spool() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = start(output(&folder, Script::new(|_| setback("no line"))));
    let sent = send(&outputs, 3);
    until(&outputs, "a setback", |status| status.queued == 3 && status.retried > 0);
    outputs.reconfigure(Vec::new()).unwrap();
    let (sender, got) = channel();
    outputs.reconfigure(vec![output(&folder, Script::taking(sender))]).unwrap();
    assert_eq!(uuids(&got, 3), sent);
    until(&outputs, "an empty spool", |status| status.queued == 0);
    assert_eq!(outputs.status().len(), 1);
}

#[test]
fn a_receiver_that_hangs_holds_up_no_reload_and_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let (release, held) = channel::<()>();
    let (entered, is_in) = channel();
    let held = Mutex::new(held);
    let hanging = Script::new(move |messages| {
        entered.send(()).unwrap();
        let _ = held.lock().unwrap().recv();
        settled(vec![Settled::Confirmed; messages.len()])
    });
    let outputs = start(output(&folder, hanging));
    let first = send(&outputs, 1);
    is_in.recv_timeout(LONG).unwrap();
    let (sender, got) = channel();
    outputs.reconfigure(vec![output(&folder, Script::taking(sender))]).unwrap();
    let sent = send(&outputs, 3);
    // They are on disk although nothing can be sent yet.
    until(&outputs, "four on disk", |status| status.spool.as_ref().is_some_and(|spool| spool.stored == 4));
    // What the hanging one has in hand is not sent by the other.
    drop(release);
    assert_eq!(uuids(&got, 3), sent);
    until(&outputs, "an empty spool", |status| status.queued == 0);
    assert!(!got.try_iter().any(|(uuid, _)| uuid == first[0]));
}

#[test]
fn one_that_is_refused_for_good_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    let outputs = start(output(
        &folder,
        Script::new(move |messages| {
            let verdicts = messages.iter().map(|_| {
                count += 1;
                if count == 2 { Settled::Rejected("too odd".into()) } else { Settled::Confirmed }
            });
            settled(verdicts.collect())
        }),
    ));
    let watch = outputs.watch(|_| true);
    send(&outputs, 4);
    let settled = |status: &OutputStatus| status.sent == 4 && status.queued == 0 && status.confirmed == Some(3);
    let status = until(&outputs, "an empty spool", settled);
    assert_eq!(status.lost(), 1);
    let spool = status.spool.unwrap();
    assert_eq!((spool.dead_letters, spool.given_up["rejected"]), (1, 1));
    let words: Vec<Outcome> = (0..4).map(|_| watch.next(Instant::now() + LONG).unwrap().outcome).collect();
    assert!(words.contains(&Outcome::Rejected("too odd".into())), "{words:?}");
}

#[test]
fn a_receiver_that_refuses_everything_empties_the_spool_slowly() {
    let folder = tempfile::tempdir().unwrap();
    let mut narrowing = Narrowing::default();
    let refused = || Took::Refused(Refusal { at: None, reason: "no".into(), is_for_size: false, wait: None });
    let outputs = start(output(&folder, Script::new(move |messages| narrowing.send(messages, |_| Ok(refused())))));
    send(&outputs, 30);
    let status = until(&outputs, "an empty spool", |status| status.sent == 30 && status.queued == 0);
    assert_eq!(status.spool.unwrap().given_up["rejected"], 30);
    // Eight at once, and then one after each pause; the last one leaves nothing to pause for.
    assert!(status.retried >= 21, "{}", status.retried);
}

#[test]
fn what_the_spool_gives_up_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = output(&folder, Script::new(|_| setback("no line")));
    settings.spool.limits.disk_bytes = 20_000;
    let outputs = start(settings);
    send(&outputs, 200);
    let status = until(&outputs, "200", |status| status.queued + status.lost() == 200 && status.queued < 50);
    assert!(status.spool.unwrap().given_up["spool_full"] > 100);
}

#[test]
fn whoever_waits_for_word_is_not_held_up_by_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let mut tries = 0;
    let outputs = start(output(
        &folder,
        Script::new(move |messages| {
            tries += 1;
            let lasting = Some(Setback { reason: "refused".into(), wait: None, lasting: true });
            if tries == 1 {
                Answer { settled: Vec::new(), setback: lasting }
            } else {
                settled(vec![Settled::Confirmed; messages.len()])
            }
        }),
    ));
    send(&outputs, 1);
    until(&outputs, "a setback", |status| status.retried > 0);
    let watch = outputs.watch(|_| true);
    send(&outputs, 1);
    let words = watch.wait(Instant::now() + LONG);
    assert_eq!(words[0].1.as_ref().unwrap().outcome, Outcome::Confirmed);
}
