//! Alerts for receivers that cut long lines: made to fit, and valid all the same.
//!
//! What is least missed goes first, and no more of it than must: the arguments of the ancestors, then those of the
//! process, then metadata, then list entries (labels, categories, later notifications), then the oldest ancestors,
//! then the ends of long texts. Each cut is marked in the alert (`args_truncated`, `metadata_truncated`,
//! `lists_truncated`, `lineage_truncated`, `texts_truncated`). If that is not enough, what identifies the alert is
//! left, marked `alert_truncated`.

use std::io::{self, Write};

use super::{Alert, cuts::Cuts};

/// The least that an output's `max_bytes` can be: what identifies an alert fits into this, the policy's name up to
/// 500 bytes of JSON included.
pub const MIN_BYTES: usize = 1024;

/// The longest alert, bytes, unless something else is set. Without a bound, who raises an alert would decide how long it
/// is: 64 ancestors with 12 KB of arguments each make 2.6 MB of it.
pub const MOST_BYTES: usize = 256 << 10;

/// A syslog message that common receivers take as it comes, bytes: rsyslog splits what is longer than 8096
/// (`maxMessageSize`), syslog-ng takes 64 KiB (`log-msg-size`).
pub const COMMON_BYTES: usize = 8_000;

/// How long an alert of so many bytes may be in its shorter forms, for a receiver that does not take it: what common ones
/// take, and what identifies an alert.
pub fn shorter(bytes: usize) -> impl Iterator<Item = usize> {
    [COMMON_BYTES, MIN_BYTES].into_iter().filter(move |shorter| *shorter < bytes)
}

/// What a text is never cut below: what identifies an alert fits into it, the policy's name cut if need be. The header of
/// a syslog message has room beside it.
pub const LEAST_TEXT: usize = MIN_BYTES - 164;

/// A way to write alerts that can be cut.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Writes the alert, less what is to be cut; no newline.
    pub(super) whole: fn(&mut dyn Write, &Alert, &Cuts) -> io::Result<()>,
    /// Writes what identifies an alert and nothing else, the policy's name up to so many bytes; no newline.
    pub(super) least: fn(&mut dyn Write, &Alert, usize) -> io::Result<()>,
}

/// Appends the alert in this form and a newline: at most so many bytes without the newline, but [`LEAST_TEXT`]
/// are always made use of. Returns whether something was cut.
pub(super) fn write_as(form: Form, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    let max_bytes = max_bytes.max(LEAST_TEXT);
    let start = out.len();
    let mut room = Room { form, out, start, max_bytes };
    let cut = !room.holds(alert, &Cuts::NONE);
    if cut {
        room.fill(alert);
    }
    out.push(b'\n');
    cut
}

/// One part of the cuts.
type Part = fn(&mut Cuts) -> &mut usize;

/// The end of a buffer, and how many bytes may be put there.
struct Room<'a> {
    form: Form,
    out: &'a mut Vec<u8>,
    start: usize,
    max_bytes: usize,
}

impl Room<'_> {
    /// Writes as much of the alert as there is room for.
    fn fill(&mut self, alert: &Alert) {
        let mut cuts = Cuts::NONE;
        let stages: [(Part, usize); 6] = [
            (|cuts| &mut cuts.lineage_args, self.max_bytes),
            (|cuts| &mut cuts.args, self.max_bytes),
            (|cuts| &mut cuts.metadata, alert.host.metadata.len() + 1),
            (|cuts| &mut cuts.lists, longest_list(alert)),
            (|cuts| &mut cuts.lineage, alert.event.process.ancestors().count()),
            (|cuts| &mut cuts.texts, self.max_bytes),
        ];
        for (part, all) in stages {
            *part(&mut cuts) = 0;
            if !self.holds(alert, &cuts) {
                continue;
            }
            let mut fits = |kept| {
                *part(&mut cuts) = kept;
                self.holds(alert, &cuts)
            };
            let most = largest(all, &mut fits);
            fits(most);
            return;
        }
        let mut fits = |name_bytes| {
            self.out.truncate(self.start);
            let max_bytes = self.max_bytes;
            (self.form.least)(
                &mut Limited { out: self.out, end: self.start.saturating_add(max_bytes) },
                alert,
                name_bytes,
            )
            .is_ok()
        };
        let most = largest(self.max_bytes, &mut fits);
        fits(most);
    }

    /// Whether there is room for the alert less these cuts; if so it has been written.
    fn holds(&mut self, alert: &Alert, cuts: &Cuts) -> bool {
        self.out.truncate(self.start);
        (self.form.whole)(&mut Limited { out: self.out, end: self.start.saturating_add(self.max_bytes) }, alert, cuts)
            .is_ok()
    }
}

/// The largest number up to `most` that fits, given that 0 does.
fn largest(most: usize, fits: &mut impl FnMut(usize) -> bool) -> usize {
    if fits(most) {
        return most;
    }
    let (mut good, mut bad) = (0, most);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

fn longest_list(alert: &Alert) -> usize {
    let container = alert.event.process.container.as_ref().map_or(0, |container| container.facts().labels.len());
    let policy = alert.policy.labels.len().max(alert.policy.categories.len());
    container.max(policy).max(alert.notifications.len())
}

/// Memory that refuses to grow beyond an end, so that a try costs no more than what may be kept.
struct Limited<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.len().saturating_add(bytes.len()) > self.end {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        alert::json,
        event::{Host, Image, Process, ProcessKey},
        policy::Policy,
    };

    fn shortened(alert: &Alert, max_bytes: usize) -> serde_json::Value {
        let mut out = b"before".to_vec();
        json::write(&mut out, alert, max_bytes);
        let line = out.strip_prefix(b"before").unwrap().strip_suffix(b"\n").unwrap();
        assert!(line.len() <= max_bytes.max(LEAST_TEXT), "{} > {max_bytes}", line.len());
        serde_json::from_slice(line).unwrap()
    }

    fn process(pid: u32, path: &[u8], args: &[u8], parent: Option<Arc<Process>>) -> Process {
        let mut image = Image { path: path.to_vec(), ..Image::default() };
        image.args.set(args, b"", args.len() as u64, false);
        Process { key: ProcessKey::new(pid, 1), parent, image: Arc::new(image), ..Process::default() }
    }

    fn alert(args: &[&[u8]], metadata: usize) -> Alert {
        let mut alert = Alert::sample();
        let mut parent = None;
        for (index, args) in args.iter().enumerate().rev() {
            let pid = u32::try_from(index).unwrap() + 10;
            parent = Some(Arc::new(process(pid, b"/usr/bin/program", args, parent)));
        }
        alert.event.process = parent.unwrap();
        alert.host = Arc::new(Host {
            metadata: (0..metadata).map(|n| (format!("key{n}"), "value".repeat(4))).collect(),
            ..Host::default()
        });
        alert
    }

    #[test]
    fn what_fits_is_left_alone() {
        let alert = Alert::sample();
        let (mut whole, mut fitted) = (Vec::new(), Vec::new());
        json::write(&mut whole, &alert, usize::MAX);
        assert!(!json::write(&mut fitted, &alert, whole.len() - 1));
        assert_eq!(whole, fitted);
    }

    #[test]
    fn args_of_ancestors_go_first() {
        let long = [b'x'; 3000];
        let json = shortened(&alert(&[b"me\0", &long], 3), 3000);
        assert_eq!(json["process_info"]["args_truncated"], false);
        assert_eq!(json["lineage"][0]["args_truncated"], true);
        // As much is kept as there is room for.
        assert!(json.to_string().len() > 2900);
        assert!(json.get("metadata_truncated").is_none());
    }

    #[test]
    fn then_the_args_then_metadata() {
        let long = [b"sh\0-c\0", &[b'x'; 3000][..], b"\0payload\0"].concat();
        let json = shortened(&alert(&[&long, &long], 3), 3000);
        assert_eq!(json["process_info"]["args_truncated"], true);
        assert_eq!(json["lineage"][0]["args"], serde_json::json!([]));
        let args = json["process_info"]["args"].as_array().unwrap();
        assert_eq!((&args[0], args.last().unwrap()), (&"sh".into(), &"payload".into()));
        assert!(json.get("metadata_truncated").is_none());

        let json = shortened(&alert(&[&long, &long], 1000), 3000);
        assert_eq!(json["metadata_truncated"], true);
        assert_eq!(json["metadata"]["key1"], "value".repeat(4));
        assert_eq!(json["lineage"].as_array().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_alert_fits(
            processes in vec((vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..2000)), 1..12),
            name in "[\\PC\\x00-\\x1f\u{80}-\u{9f}]{0,80}",
            description in ".{0,3000}",
            labels in vec((".{0,20}", ".{0,200}"), 0..20),
            max_bytes in LEAST_TEXT..20_000_usize,
        ) {
            let mut alert = Alert::sample();
            let mut parent = None;
            for (path, args) in &processes {
                parent = Some(Arc::new(process(7, path, args, parent)));
            }
            alert.event.process = parent.unwrap();
            alert.host = Arc::new(Host { metadata: labels.clone(), ..Host::default() });
            alert.policy = Arc::new(Policy { name: name.clone(), description, labels, ..Policy::default() });
            let json = shortened(&alert, max_bytes);
            prop_assert_eq!(json["uuid"].as_str().unwrap(), alert.uuid.to_string());
            let kept = json["strategy_name"].as_str().unwrap();
            let encoded = serde_json::to_string(&name).unwrap().len() + 5 * name.chars().filter(|c| c.is_control()).count();
            if encoded <= 500 && max_bytes >= MIN_BYTES {
                prop_assert_eq!(kept, name);
            } else {
                prop_assert!(name.starts_with(kept));
            }
        }
    }
}
