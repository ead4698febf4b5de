//! One pass: every stream of every tenant to its end.
//!
//! For each page: read, lay out, hand over, keep the cursor. The cursor is kept only once the destination has the page, so a
//! crash costs at most that page's being read again; what a file holds of it by then is cut off at the next start
//! ([`crate::destination::file`]). A tenant or a stream that cannot be read does not keep the others from it.

use std::{
    fmt, io,
    time::{SystemTime, UNIX_EPOCH},
};

use diagnostic::printable;

use crate::{
    destination::{
        Output,
        file::{self, Lines, Recovered},
        stdout,
    },
    format::Layout,
    item::{Item, Stream},
    source::{Begin, Fault, Page, Pages, Session, Tenant, begin},
    state::{Position, StateError, Store},
};

/// What a pass does.
#[derive(Clone, Debug)]
pub struct Settings {
    pub streams: Vec<Stream>,
    /// Without events of little interest.
    pub light: bool,
    /// Read from this time on (Unix seconds), not from where the last pass stopped.
    pub since: Option<i64>,
    /// Of events, of alerts.
    pub earlier_minutes: [u32; 2],
    pub layout: Layout,
}

/// Why a pass ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error("cannot write {what}: {source}; the cursor stays where it was, nothing is lost")]
    Destination { what: String, source: io::Error },
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Central(#[from] Fault),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    pub tenants: usize,
    pub events: u64,
    pub alerts: u64,
    /// Items whose name should tell a detection and could not be read.
    pub unread: u64,
    /// Streams that could not be read to their end.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let tenants = counted(self.tenants as u64, "tenant");
        write!(out, "{} and {} of {tenants}", counted(self.events, "event"), counted(self.alerts, "alert"))?;
        if !self.faults.is_empty() {
            write!(out, "; {} could not be read to the end", counted(self.faults.len() as u64, "stream"))?;
        }
        Ok(())
    }
}

/// Where pages go.
enum Destination {
    File(Lines),
    Stdout,
}

/// One pass with all that it needs.
pub struct Pass<'a> {
    settings: &'a Settings,
    session: &'a mut Session,
    store: &'a mut Store,
    destination: Destination,
    summary: Summary,
}

impl<'a> Pass<'a> {
    /// Opens the destination, and brings it to where the state says that it is.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn new(
        settings: &'a Settings,
        output: &Output,
        session: &'a mut Session,
        store: &'a mut Store,
    ) -> Result<Self, PassError> {
        let destination = match output {
            Output::Stdout => Destination::Stdout,
            Output::File(path) => {
                let failed = |source| PassError::Destination { what: path.display().to_string(), source };
                if let Some(mark) = &store.state().file {
                    let what = mark.path.display();
                    match file::recover(mark) {
                        Ok(Recovered::Nothing) => {}
                        Ok(Recovered::Cut(bytes)) => tracing::info!(
                            "{what}: cut off {bytes} bytes of a page that was not confirmed; it is read again"
                        ),
                        Ok(Recovered::Others) => tracing::warn!(
                            "{what}: others have written to it since a page was not confirmed; its items can stand there twice"
                        ),
                        Err(source) if mark.path == *path => return Err(failed(source)),
                        Err(error) => tracing::warn!("{what}, which was written before: {error}"),
                    }
                }
                Destination::File(Lines::open(path).map_err(failed)?)
            }
        };
        Ok(Self { settings, session, store, destination, summary: Summary::default() })
    }

    /// Reads and hands over all that there is.
    ///
    /// # Errors
    /// The tenants are not told, or what was read cannot be handed over or kept.
    pub async fn run(mut self) -> Result<Summary, PassError> {
        let tenants = self.session.tenants().await?;
        self.summary.tenants = tenants.len();
        for tenant in &tenants {
            for stream in &self.settings.streams {
                match self.stream(tenant, *stream).await {
                    Ok(()) => {}
                    Err(PassError::Central(fault)) => {
                        let name =
                            tenant.name.as_deref().map(|name| format!(" ({})", printable(name))).unwrap_or_default();
                        tracing::error!("{}s of the tenant {}{name}: {fault}", stream.word(), printable(&tenant.id));
                        self.summary.faults.push(fault);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(self.summary)
    }

    async fn stream(&mut self, tenant: &Tenant, stream: Stream) -> Result<(), PassError> {
        let now = now();
        let position = self.store.position(&tenant.id, tenant.token.as_deref(), stream);
        let position = position.map(|position| (position.cursor.as_str(), position.updated_at));
        let earlier = self.settings.earlier_minutes[usize::from(stream == Stream::Alerts)];
        let (mut from, told) = begin(stream, position, self.settings.since, earlier, now);
        if let Some(told) = told {
            tracing::warn!("tenant {}: {told}", printable(&tenant.id));
        }
        let pages = Pages { tenant, stream, light: self.settings.light };
        loop {
            let page = match self.session.page(pages, &from).await {
                Err(Fault::Bad(reason)) if matches!(from, Begin::Cursor(_)) => {
                    tracing::warn!(
                        "{reason}; {}s of the last 24 hours are read again, so that none is missed",
                        stream.word()
                    );
                    from = Begin::earliest(now);
                    continue;
                }
                page => page?,
            };
            let next = Begin::Cursor(page.next_cursor.clone());
            let has_more = page.has_more;
            self.hand_over(tenant, stream, page)?;
            if !has_more {
                return Ok(());
            }
            if next == from {
                let reason = "Central says that there is more and names the same cursor again";
                return Err(Fault::Unavailable(reason.into()).into());
            }
            from = next;
        }
    }

    fn hand_over(&mut self, tenant: &Tenant, stream: Stream, page: Page) -> Result<(), PassError> {
        let count = page.items.len() as u64;
        let lines: String = page.items.into_iter().map(|item| self.line(item, stream)).collect();
        let mark = if lines.is_empty() { None } else { self.write(&lines)? };
        let position = Position { cursor: page.next_cursor, updated_at: Some(now()) };
        self.store.update(|state| {
            state.streams.entry(tenant.id.clone()).or_default().set(stream, position);
            // What is appended is confirmed by this.
            if let Some(mut mark) = mark {
                mark.length += std::mem::take(&mut mark.appending);
                state.file = Some(mark);
            }
        })?;
        match stream {
            Stream::Events => self.summary.events += count,
            Stream::Alerts => self.summary.alerts += count,
        }
        Ok(())
    }

    fn line(&mut self, item: Item, stream: Stream) -> String {
        let id = item.id().map(str::to_owned);
        let line = self.settings.layout.line(item, stream);
        if let Some(name) = line.unread {
            self.summary.unread += 1;
            let id = id.unwrap_or_default();
            tracing::info!(
                "{} {}: its name is not of the known form and stays as it is: {}",
                stream.word(),
                printable(&id),
                printable(&name)
            );
        }
        line.text + "\n"
    }

    /// Writes the lines; where a file ends then is known once the state says so.
    fn write(&mut self, lines: &str) -> Result<Option<file::Mark>, PassError> {
        let page = lines.as_bytes();
        match &mut self.destination {
            Destination::Stdout => {
                let what = || "to standard output".to_owned();
                stdout::write(page).map_err(|source| PassError::Destination { what: what(), source })?;
                Ok(None)
            }
            Destination::File(file) => {
                let path = file.path().display().to_string();
                let failed = |source| PassError::Destination { what: path.clone(), source };
                let mark = file.mark(page).map_err(failed)?;
                self.store.update(|state| state.file = Some(mark.clone()))?;
                file.append(&mark, page).map_err(failed)?;
                Ok(Some(mark))
            }
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
