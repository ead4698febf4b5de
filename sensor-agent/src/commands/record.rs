//! `record`: what the sensor sees, into a file.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use diagnostic::printable;
use diagnostic::terminal::counted;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{fail, show as show_report};
use crate::cli::{Exit, Look, PROGRAM};
use crate::control::{Update, client};
use crate::live::{Filter, Subject};

/// The file, and what is in it.
struct Recording {
    out: BufWriter<File>,
    events: usize,
    lost: u64,
    failed: Option<io::Error>,
}

pub(super) fn record(run_dir: &Path, look: &Look, duration: Option<Duration>, path: &Path) -> Exit {
    let query = super::show::query(Subject::Events, look);
    match Filter::new(&query) {
        Ok((_, warnings)) => show_report(&warnings),
        Err(report) => {
            show_report(&report);
            return Exit::Usage;
        }
    }
    let place = printable(&path.display().to_string()).into_owned();
    // Of a file that is there nobody said that it may go.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let out = match file {
        Ok(file) => BufWriter::new(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return fail(&format!("{place} is there already: name a new file"));
        }
        Err(error) => return fail(&format!("{place}: {error}")),
    };
    let recording = Arc::new(Mutex::new(Recording { out, events: 0, lost: 0, failed: None }));
    if let Err(error) = end_with(&recording, &place, duration) {
        return fail(&error);
    }
    let shown = client::show(run_dir, Subject::Events, &query, |told| {
        let mut recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
        recording.take(told)
    });
    // A sensor that has ended, or a disk that is full: what is there is there.
    let written = finish(&mut recording.lock().unwrap_or_else(PoisonError::into_inner), &place);
    match shown {
        Err(error) => fail(&error),
        Ok(()) => written,
    }
}

/// Has the program end with a signal, or after so long, and what was recorded by then written.
fn end_with(recording: &Arc<Mutex<Recording>>, place: &str, duration: Option<Duration>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let end = {
        let (recording, place) = (Arc::clone(recording), place.to_owned());
        move || -> ! {
            // Held until the process ends: nothing more is written.
            let mut recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
            let exit = finish(&mut recording, &place);
            std::process::exit(exit.code().into())
        }
    };
    if let Some(duration) = duration {
        let end = end.clone();
        thread::spawn(move || {
            thread::sleep(duration);
            end()
        });
    }
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            end()
        }
    });
    Ok(())
}

fn finish(recording: &mut Recording, place: &str) -> Exit {
    let failed = recording.failed.take().or_else(|| recording.out.flush().err());
    if let Some(error) = failed {
        return fail(&format!("{place}: {error}"));
    }
    let lost = match recording.lost {
        0 => String::new(),
        lost => format!("; {lost} came too fast and are missing"),
    };
    eprintln!("{PROGRAM}: {place}: {}{lost}", counted(recording.events, "event", "events"));
    Exit::Fine
}

impl Recording {
    /// Whether it can go on.
    fn take(&mut self, told: Update<'_>) -> bool {
        let written = match told {
            Update::Json(json) => {
                self.events += 1;
                self.out.write_all(json)
            }
            Update::Lost(count) => {
                self.lost += count;
                writeln!(self.out, "{{\"lost\":{count}}}")
            }
            Update::Notes(notes) => {
                notes.iter().for_each(|note| eprintln!("{PROGRAM}: {}", printable(note)));
                Ok(())
            }
            Update::Pause | Update::End => self.out.flush(),
            Update::Line(_) | Update::Top(_) => Ok(()),
        };
        self.failed = written.err();
        self.failed.is_none()
    }
}
