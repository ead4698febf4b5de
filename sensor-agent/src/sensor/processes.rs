//! The running processes, as a tree, for somebody who looks on.

use clock::unix_now;
use schema::EventType;

use super::Shared;
use crate::control::{Query, Update};
use crate::engine::{Request, Running};
use crate::event::json::EventWriter;
use crate::event::{Detail, Event};
use crate::live::{self, Filter};

/// Tells those that are asked for.
///
/// # Errors
/// The query is wrong, or the engine does not answer.
pub(super) fn show(shared: &Shared, query: &Query, tell: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
    if query.follow || query.since.is_some() || query.class.is_some() {
        return Err("of processes only those that run now can be shown: without follow, since and class".to_owned());
    }
    let process_alone = Query { class: Some(schema::Class::Process.name().to_owned()), ..query.clone() };
    let (mut filter, _) = Filter::new(&process_alone).map_err(|report| report.to_string())?;
    let Running { mut processes, host, redaction } = shared.ask(Request::Processes)?;
    // To a filter it is as if it had just been found.
    let found = |process| Event { kind: EventType::Baseline, time: unix_now(), process, detail: Detail::None };
    processes.retain(|process| filter.passes(&found(process.clone()), &host));
    for process in &mut processes {
        *process = redaction.process(process);
    }
    if !tell(Update::Notes(Vec::new())) {
        return Ok(());
    }
    let (mut writer, mut out) = (EventWriter::default(), Vec::new());
    for placed in live::tree(&processes) {
        let event = found(placed.process.clone());
        let goes_on = if query.json {
            out.clear();
            writer.write(&mut out, &event, &host);
            tell(Update::Json(&out))
        } else {
            tell(Update::Line(live::of_process(&event, &host, &placed)))
        };
        if !goes_on {
            return Ok(());
        }
    }
    tell(Update::End);
    Ok(())
}
