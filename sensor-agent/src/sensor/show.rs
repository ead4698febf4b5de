//! Events and alerts for somebody who looks on: what is held, then what happens.

use std::time::Duration;

use budget::Budget;
use diagnostic::terminal::counted;

use super::Shared;
use crate::alert::{json, rfc3339};
use crate::control::{Query, Update};
use crate::engine::{Held, Piece, Request, Search};
use crate::event::json::EventWriter;
use crate::live::feed::{Item, Next, feed};
use crate::live::{self, Filter, Subject};

/// How often it is looked whether anybody is still there, while nothing happens.
const LOOK: Duration = Duration::from_millis(500);
/// The longest alert as JSON, bytes.
const MOST_OF_ALERT: usize = 4 << 20;

/// Tells until all is told, or nobody listens.
///
/// # Errors
/// The query is wrong, or the engine does not answer.
pub(super) fn show(
    shared: &Shared,
    subject: Subject,
    query: &Query,
    tell: &mut dyn FnMut(Update<'_>) -> bool,
) -> Result<(), String> {
    let (filter, _) = Filter::new(query).map_err(|report| report.to_string())?;
    let mut notes = Some(of_filter(&filter, query));
    let (feeder, mut coming) = feed(Budget::of_sensor());
    let mut text = Text { json: query.json, events: EventWriter::default(), out: Vec::new() };
    let mut next = Some(Box::new(Search::new(subject, filter, query.since, query.follow.then_some(feeder))));
    while let Some(search) = next {
        let Piece { items, passed, next: more, held } = shared.ask(|reply| Request::Show(search, reply))?;
        if let Some(mut notes) = notes.take() {
            notes.extend(of_held(&held, subject, query));
            if !tell(Update::Notes(notes)) {
                return Ok(());
            }
        }
        if passed > 0 && !tell(Update::Lost(passed)) || !items.iter().all(|item| text.tell(item, tell)) {
            return Ok(());
        }
        next = more;
    }
    if !query.follow {
        tell(Update::End);
        return Ok(());
    }
    loop {
        if coming.is_empty() && !tell(Update::Pause) {
            return Ok(());
        }
        let goes_on = match coming.next(LOOK) {
            Next::Item(item) => text.tell(&item, tell),
            Next::Lost(count) => tell(Update::Lost(count)),
            Next::Nothing => true,
            Next::End => false,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// What a filter leaves out without saying so.
fn of_filter(filter: &Filter, query: &Query) -> Vec<String> {
    let classes: Vec<&str> = filter.classes().map(schema::Class::name).collect();
    let all = schema::Class::ALL.len();
    if query.filter.is_some() && query.class.is_none() && classes.len() < all {
        vec![format!("Only events of {} have the fields that the filter names: no others are shown.", list(&classes))]
    } else {
        Vec::new()
    }
}

/// How far back it goes, and what is not told at all.
fn of_held(held: &Held, subject: Subject, query: &Query) -> Vec<String> {
    let mut notes = Vec::new();
    match (subject, query.since) {
        (_, None) | (Subject::Processes | Subject::Top, _) => {}
        (Subject::Alerts, Some(_)) => notes.push(match held.oldest_alert {
            Some(time) => format!(
                "The sensor holds the newest alerts of this run in memory: {}, the oldest of {}.",
                counted(held.alerts, "alert", "alerts"),
                rfc3339(time)
            ),
            None => "The sensor has raised no alert since its start.".to_owned(),
        }),
        (Subject::Events, Some(_)) => {
            let of_table = |table: &crate::recorder::Held| {
                let rows = counted(table.rows, "row", "rows");
                let from = table.oldest.map(|time| format!(", the oldest of {}", rfc3339(time))).unwrap_or_default();
                format!("{}: {rows}{from}", table.table)
            };
            let tables: Vec<String> = held.tables.iter().map(of_table).collect();
            notes.push(if tables.is_empty() {
                "No table is on (investigations.flight_recorder), so no event from before now is held.".to_owned()
            } else {
                format!("The tables hold what their filters take. {}.", tables.join("; "))
            });
        }
    }
    let unreported: Vec<&str> = held.unreported.iter().map(|class| class.name()).collect();
    if subject == Subject::Events
        && !unreported.is_empty()
        && query.class.as_deref().is_none_or(|it| unreported.contains(&it))
    {
        notes.push(format!(
            "No policy asks for events of {}: the kernel is not asked for them, and none are shown.",
            list(&unreported)
        ));
    }
    notes
}

fn list(words: &[&str]) -> String {
    match words {
        [] => "no class".to_owned(),
        [one] => format!("the class {one}"),
        many => format!("the classes {}", many.join(", ")),
    }
}

/// Makes text of what is told.
struct Text {
    json: bool,
    events: EventWriter,
    out: Vec<u8>,
}

impl Text {
    fn tell(&mut self, item: &Item, tell: &mut dyn FnMut(Update<'_>) -> bool) -> bool {
        if !self.json {
            return tell(Update::Line(match item {
                Item::Event(event, host) => live::of_event(event, host),
                Item::Alert(alert) => live::of_alert(alert),
            }));
        }
        self.out.clear();
        match item {
            Item::Event(event, host) => self.events.write(&mut self.out, event, host),
            Item::Alert(alert) => drop(json::write(&mut self.out, alert, MOST_OF_ALERT)),
        }
        tell(Update::Json(&self.out))
    }
}
