//! `events`, `alerts`, `ps` and `top`: what the running sensor holds, and what it sees as it happens.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use clock::unix_now;
use diagnostic::{printable, printable_json};

use super::{fail, no_color, show as show_report, width};
use crate::cli::{Exit, Look, PROGRAM};
use crate::control::top::{self, Top};
use crate::control::{Query, Update, client, lines, tree};
use crate::live::{Filter, Subject};

pub(super) fn show(run_dir: &Path, subject: Subject, look: &Look) -> Exit {
    let query = query(subject, look);
    // The sensor would refuse it with the same words, and without their colours.
    match Filter::new(&query) {
        Ok((_, warnings)) => show_report(&warnings),
        Err(report) => {
            show_report(&report);
            return Exit::Usage;
        }
    }
    let mut out = io::stdout().lock();
    let color = out.is_terminal() && !no_color();
    let mut failed = None;
    let mut processes = Vec::new();
    let shown = client::show(run_dir, subject, &query, |told| {
        let written = match told {
            Update::Notes(notes) => {
                notes.iter().for_each(|note| eprintln!("{PROGRAM}: {}", printable(note)));
                Ok(())
            }
            // What hangs below it decides how it is drawn.
            Update::Line(line) if subject == Subject::Processes => {
                processes.push(line);
                Ok(())
            }
            Update::Top(round) => out.write_all(top_text(&round, look.json).as_bytes()).and_then(|()| out.flush()),
            Update::Line(line) => out.write_all(lines::line(&line, color).as_bytes()),
            Update::Json(json) => out.write_all(printable_json(&String::from_utf8_lossy(json)).as_bytes()),
            Update::Lost(count) if look.json => writeln!(out, "{{\"lost\":{count}}}"),
            Update::Lost(count) => out.write_all(lines::lost(count, color).as_bytes()),
            Update::Pause | Update::End => out.flush(),
        };
        written.map_err(|error| failed = Some(error)).is_ok()
    });
    if shown.is_ok() && !processes.is_empty() {
        let text = tree::tree(&processes, unix_now(), color, width());
        failed = failed.or_else(|| out.write_all(text.as_bytes()).err());
    }
    let failed = failed.or_else(|| out.flush().err());
    match (failed, shown) {
        // A reader that has gone away, such as `head`, has seen enough.
        (Some(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
        (Some(error), _) => fail(&format!("standard output: {error}")),
        (None, Err(error)) => fail(&error),
        (None, Ok(())) => Exit::Fine,
    }
}

/// A round as text; on a terminal in the place of the one before.
fn top_text(round: &Top, json: bool) -> String {
    if json {
        // Text and numbers always have a JSON form.
        return printable_json(&serde_json::to_string(round).unwrap_or_default()).into_owned() + "\n";
    }
    let text = top::render(round, width());
    // To the upper left, and what is below goes (ECMA-48: CUP, ED).
    if io::stdout().is_terminal() { format!("\x1b[H\x1b[J{text}") } else { text + "\n" }
}

pub(super) fn query(subject: Subject, look: &Look) -> Query {
    let long_ago = (!look.follow && matches!(subject, Subject::Events | Subject::Alerts)).then_some(0);
    let since = look.since.map(|since| unix_now().saturating_sub(since.as_nanos().try_into().unwrap_or(u64::MAX)));
    Query {
        follow: look.follow,
        since: since.or(long_ago),
        // A round is told as it is, and becomes text here.
        json: look.json && subject != Subject::Top,
        filter: look.filter.clone(),
        class: look.class.clone(),
        pid: look.pid,
        container: look.container.clone(),
    }
}
