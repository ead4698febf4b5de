//! Recorded events through policies, without a kernel: which of them fire, and how often.

use foldhash::HashSet;
use uuid::Uuid;

use super::stream::Line;
use crate::detection::{Detection, PolicyCounts};
use crate::event::{Event, Host, ProcessKey};
use crate::policy::MessageType;

/// A replay.
#[derive(Debug)]
pub struct Replay {
    detection: Detection,
    /// Processes on which an alert was raised: those that they start are part of the incident, which Smart Policies ask for.
    incidents: HashSet<ProcessKey>,
    pub events: usize,
    /// Events that are missing in the recording.
    pub lost: u64,
    /// Lines that are no events, and why the first of them is none.
    pub wrong: usize,
    pub first_wrong: Option<String>,
    /// The times of the first and of the last event: nanoseconds since the Unix epoch.
    pub span: Option<(u64, u64)>,
}

impl Replay {
    #[must_use]
    pub fn new(detection: Detection) -> Self {
        let (incidents, first_wrong, span) = (HashSet::default(), None, None);
        Self { detection, incidents, events: 0, lost: 0, wrong: 0, first_wrong, span }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: Line) {
        match line {
            Line::Event(event) => {
                let (event, host) = *event;
                self.event(event, &host);
            }
            Line::Lost(count) => self.lost += count,
            Line::Wrong(why) => {
                self.wrong += 1;
                self.first_wrong.get_or_insert(why);
            }
        }
    }

    fn event(&mut self, mut event: Event, host: &Host) {
        self.events += 1;
        let (first, last) = self.span.unwrap_or((event.time, event.time));
        self.span = Some((first.min(event.time), last.max(event.time)));
        let process = std::sync::Arc::make_mut(&mut event.process);
        let is_within = self.incidents.contains(&process.key)
            || process.ancestors().any(|ancestor| self.incidents.contains(&ancestor.key));
        // The incidents of the recording are those of the policies then.
        process.incident = is_within.then_some(Uuid::nil());
        let mut begins = false;
        // The boot clock is not in a recording; throttles need only the time between two events.
        self.detection.evaluate(&event, event.time, host, &mut |found| {
            begins |= !found.is_held && found.policy.message_type == MessageType::Alert;
        });
        if begins {
            self.incidents.insert(event.process.key);
        }
    }

    /// What each policy came to.
    pub fn counts(&self) -> impl Iterator<Item = (&str, PolicyCounts)> {
        self.detection.counts()
    }
}
