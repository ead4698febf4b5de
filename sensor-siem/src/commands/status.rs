//! How far each output is, as the state says. A service that runs goes on meanwhile.

use std::io::{self, Write};

use diagnostic::printable;
use serde::Serialize;

use super::{Exit, say};
use crate::{
    config::Config,
    engine::now,
    item::Stream,
    source::{Gap, shown},
    state::{FaultRecord, Last, State, Store},
};

/// Where an output is with a stream.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    pub(super) output: &'a str,
    /// None for what the output failed with itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<Stream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_item: Option<&'a Last>,
    /// Seconds since the stream had been handed over to its end; none if there was more to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lag_seconds: Option<i64>,
    /// Whether Central had more the last time.
    pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a FaultRecord>,
}

/// A row, with what is known of what was handed over if the output does not confirm it.
#[derive(Serialize)]
struct Handed<'a> {
    #[serde(flatten)]
    row: &'a Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_over: Option<&'static str>,
}

pub(super) fn status(config: &Config, json: bool) -> Exit {
    let state = match Store::look(&config.state) {
        Ok(state) => state,
        Err(reason) => {
            say(&format!("sensor-siem: the state {} cannot be read: {reason}\n", config.state.display()));
            return Exit::Failure;
        }
    };
    let names: Vec<&str> = config.outputs.iter().map(|output| output.name.as_str()).collect();
    let rows = rows(&state, &names, |tenant| config.may_read(tenant), now());
    let known = |name: &str| config.outputs.iter().find(|output| output.name == name)?.destination.known();
    // Whoever does not read it does not want it.
    let _ = write(&mut io::stdout().lock(), &rows, &names, known, json);
    if rows.iter().any(|row| row.error.is_some()) { Exit::Unavailable } else { Exit::Fine }
}

/// Of these outputs, and the tenants that are still read: how far the others are is kept, in case they are again.
pub(super) fn rows<'a>(state: &'a State, names: &[&'a str], is_read: impl Fn(&str) -> bool, now: i64) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for name in names {
        let Some((name, output)) = state.outputs.get_key_value(*name) else { continue };
        let mut places: Vec<Option<&(String, Stream)>> = output.streams.keys().map(Some).collect();
        places.extend(
            output
                .faults
                .keys()
                .map(Option::as_ref)
                .filter(|place| place.is_none_or(|place| !output.streams.contains_key(place))),
        );
        for place in places.into_iter().filter(|place| place.is_none_or(|(tenant, _)| is_read(tenant))) {
            let position = place.and_then(|place| output.streams.get(place)).map(|position| &position.reached);
            rows.push(Row {
                output: name,
                tenant: place.map(|(tenant, _)| tenant.as_str()),
                stream: place.map(|(_, stream)| *stream),
                last_item: position.and_then(|reached| reached.last.as_ref()),
                lag_seconds: position.filter(|reached| !reached.more).map(|reached| (now - reached.at).max(0)),
                pending: position.is_some_and(|reached| reached.more),
                gap: position.and_then(|reached| reached.gap),
                error: output.faults.get(&place.cloned()),
            });
        }
    }
    rows
}

/// `known` says what is known of items that an output was handed, where that is not that it has them.
fn write(
    out: &mut impl Write,
    rows: &[Row<'_>],
    names: &[&str],
    known: impl Fn(&str) -> Option<&'static str>,
    json: bool,
) -> io::Result<()> {
    if json {
        let told: Vec<_> = rows.iter().map(|row| Handed { row, handed_over: known(row.output) }).collect();
        serde_json::to_writer_pretty(&mut *out, &told)?;
        return writeln!(out);
    }
    for name in names {
        match known(name) {
            Some(known) => writeln!(out, "output {name}: what is handed over is {known}")?,
            None => writeln!(out, "output {name}")?,
        }
        let mut of_it = rows.iter().filter(|row| row.output == *name).peekable();
        if of_it.peek().is_none() {
            writeln!(out, "  nothing was handed over yet")?;
        }
        for row in of_it {
            match (row.tenant, row.stream) {
                (Some(tenant), Some(stream)) => write!(out, "  {} {}s:", printable(tenant), stream.word())?,
                _ => write!(out, "  the output itself:")?,
            }
            match (row.lag_seconds, row.pending) {
                (Some(lag), _) => write!(out, " whole as of {lag} s ago")?,
                (None, true) => write!(out, " there was more to read")?,
                (None, false) => {}
            }
            if let Some(last) = row.last_item {
                let time = last.time.as_deref().unwrap_or("without a time");
                write!(out, "; last item {}", printable(time))?;
                write!(out, " {}", printable(last.id.as_deref().unwrap_or("without an id")))?;
            }
            writeln!(out)?;
            if let Some(gap) = row.gap {
                writeln!(out, "    gap: {gap}, which Central did not keep")?;
            }
            if let Some(FaultRecord { at, reason }) = row.error {
                writeln!(out, "    error at {}: {}", shown(*at), printable(reason))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Change, Failed, Moved, Reached};

    #[test]
    fn it_tells_where_each_output_is() {
        let mut state = State::default();
        let tenant = || "t".to_owned();
        let last = Some(Last { id: Some("i".into()), time: Some("2026-11-29T08:00:00.000Z".into()) });
        let gap = Some(Gap { from: 0, to: 60 });
        let reached = Reached { cursor: "c".into(), at: 900, last, gap, ..Reached::default() };
        let moved = |stream, reached| Some(Moved { tenant: tenant(), stream, reached, known_from: None, sent: vec![] });
        let of = |change: Change| Change { output: "a".into(), ..change };
        let more = Reached { cursor: "c".into(), at: 900, more: true, ..Reached::default() };
        let failed =
            Failed { stream: Some((tenant(), Stream::Alerts)), told: FaultRecord { at: 60, reason: "gone".into() } };
        for change in [
            Change { moved: moved(Stream::Events, reached), ..Change::default() },
            Change { moved: moved(Stream::Alerts, more), ..Change::default() },
            Change { fault: Some(failed), ..Change::default() },
            Change {
                fault: Some(Failed { stream: None, told: FaultRecord { at: 0, reason: "full".into() } }),
                ..Change::default()
            },
        ] {
            state.apply(of(change));
        }
        let names = ["a", "b"];
        assert_eq!(rows(&state, &names, |_| false, 1000).len(), 1, "of the output itself");
        let rows = rows(&state, &names, |tenant| tenant == "t", 1000);
        let mut out = Vec::new();
        let known = |name: &str| (name == "a").then_some("on its way");
        write(&mut out, &rows, &names, known, false).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "output a: what is handed over is on its way\n  t events: whole as of 100 s ago; last item 2026-11-29T08:00:00.000Z i\n    \
             gap: from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z, which Central did not keep\n  \
             t alerts: there was more to read\n    error at 1970-01-01T00:01:00Z: gone\n  \
             the output itself:\n    error at 1970-01-01T00:00:00Z: full\n\
             output b\n  nothing was handed over yet\n"
        );
        let mut json = Vec::new();
        write(&mut json, &rows, &names, known, true).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json[0]["handed_over"], "on its way");
        assert_eq!((&json[0]["lag_seconds"], &json[1]["pending"]), (&100.into(), &true.into()));
    }
}
