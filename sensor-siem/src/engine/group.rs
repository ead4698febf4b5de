//! Outputs that read a stream from the same place on, to its end.

use std::sync::Arc;

use diagnostic::printable;

use super::{
    Engine, now,
    outlet::{Handover, Outlet, Refusal},
    page::{Fresh, Laid},
    progress::Number,
    work::Done,
};
use crate::{
    item::{Item, Stream},
    source::{Begin, Begun, Fault, Gap, LONGEST, Page, Pages, Start, Tenant, begin, earliest},
    state::{Moved, Reached, Sent},
};

/// Ids are remembered for so much longer than a stream is read again, seconds.
const MEMORY: i64 = 600;

/// One output on its way through a stream.
struct Member {
    outlet: Arc<Outlet>,
    /// Where it stands; none if it never had anything of the stream.
    cursor: Option<String>,
    gap: Option<Gap>,
    /// From when on ids are known once the first page is there; none if that is known already.
    known_from: Option<Option<i64>>,
}

/// Those that begin together.
pub(super) struct Group {
    begin: Begin,
    members: Vec<Member>,
    /// It is one output, which was too slow for the others, or failed.
    is_slow: bool,
}

/// All outputs that do not read by themselves, by where they begin.
pub(super) fn groups(engine: &Engine, tenant: &Tenant, stream: Stream) -> Vec<Group> {
    let outlets = engine.outlets.iter().filter(|outlet| !outlet.is_alone(&tenant.id, stream));
    begins(engine, outlets, tenant, stream)
}

/// An output that was too slow, or failed, goes on from where it is by then, to the end of the stream.
pub(super) async fn go_on_alone(engine: Arc<Engine>, outlet: Arc<Outlet>, tenant: Arc<Tenant>, stream: Stream) -> Done {
    let mut done = Done::default();
    tokio::select! {
        () = outlet.is_free() => {}
        () = engine.stopped() => return done,
    }
    // Told by the output itself.
    done.refused += u64::from(outlet.has_failed());
    for mut group in begins(&engine, [&outlet], &tenant, stream) {
        group.is_slow = true;
        done.add(group.run(Arc::clone(&engine), Arc::clone(&tenant), stream).await);
    }
    done
}

fn begins<'a>(
    engine: &Engine,
    outlets: impl IntoIterator<Item = &'a Arc<Outlet>>,
    tenant: &Tenant,
    stream: Stream,
) -> Vec<Group> {
    let now = now();
    let overlap = i64::try_from(engine.config.overlap.as_secs()).unwrap_or(0);
    let store = engine.store();
    let mut groups: Vec<Group> = Vec::new();
    for outlet in outlets.into_iter().filter(|outlet| !outlet.has_failed()) {
        let output = &outlet.output;
        let own = store.position(&output.name, &tenant.id, stream).map(|position| position.stopped());
        let cursor = own.as_ref().map(|own| own.cursor.clone());
        let is_known = own.as_ref().is_some_and(|own| own.known_from.is_some());
        let is_lost = store.output(&output.name).is_some_and(|output| output.lost.is_some());
        let start = match output.start {
            // How far it was is not known any more: all that Central keeps is read, wherever it began.
            _ if is_lost => Start::Ago(LONGEST),
            start => start,
        };
        let stopped = own.or_else(|| match start {
            Start::Script => store.script(&tenant.id, tenant.token.as_deref(), stream),
            Start::Ago(_) | Start::Now => None,
        });
        let Begun { begin: from, gap } = begin(stopped.as_ref(), start, engine.options.begin(), overlap, now);
        let from = match from {
            // What a first reading begins earlier by.
            Begin::Time(time) if stopped.is_none() && engine.options.begin().is_none() => {
                let minutes = engine.config.earlier_minutes[usize::from(stream == Stream::Alerts)];
                Begin::Time((time - 60 * i64::from(minutes)).max(earliest(now)))
            }
            from => from,
        };
        let known_from = (!is_known).then_some(match &from {
            Begin::Time(time) => Some(*time),
            Begin::Cursor(_) => None,
        });
        let member = Member { outlet: Arc::clone(outlet), cursor, gap, known_from };
        match groups.iter_mut().find(|group| group.begin == from) {
            Some(group) => group.members.push(member),
            None => groups.push(Group { begin: from, members: vec![member], is_slow: false }),
        }
    }
    groups
}

/// What of a page came in until then. What comes behind a page of which nothing did is not asked for: a single item with an odd
/// time ends nothing.
fn until(mut page: Page, to: Option<i64>) -> Page {
    let Some(to) = to else { return page };
    let was_empty = page.items().is_empty();
    page.retain(|item| item.timestamp().is_none_or(|time| time.as_second() <= to));
    page.has_more &= was_empty || !page.items().is_empty();
    page
}

/// The page that begins there; none if the work is stopped before it came.
async fn asked(engine: &Engine, pages: Pages<'_>, begin: &Begin) -> Option<Result<Page, Fault>> {
    tokio::select! {
        page = engine.session.page(pages, begin) => Some(page),
        () = engine.stopped() => None,
    }
}

impl Group {
    /// Reads and hands over all that there is.
    pub(super) async fn run(self, engine: Arc<Engine>, tenant: Arc<Tenant>, stream: Stream) -> Done {
        let number = engine.progress.begin(match self.begin {
            Begin::Time(time) => Some(time),
            Begin::Cursor(_) => None,
        });
        let done = self.read(&engine, &tenant, stream, number).await;
        engine.progress.end(number);
        done
    }

    async fn read(mut self, engine: &Arc<Engine>, tenant: &Tenant, stream: Stream, number: Number) -> Done {
        let mut done = Done::default();
        for member in &self.members {
            if let Some(gap) = member.gap {
                let what = format!("output {}: {}s of the tenant {}", member.outlet.output.name, stream.word(), tenant);
                tracing::warn!("{what}: Central keeps 24 hours, so items {gap} may be missing");
                engine.metrics.gap(&member.outlet.output.name);
            }
        }
        let mut tried_cursor = engine.options.begin().is_some();
        let mut is_first = true;
        let mut ahead = None;
        while !self.members.is_empty() {
            // No more than one page of each slow output is in memory, and none of those that others read wait for it.
            let _turn = match &self.members[..] {
                [member] if self.is_slow => tokio::select! {
                    turn = member.outlet.turn() => Some(turn),
                    () = engine.stopped() => return done,
                },
                _ => None,
            };
            // Meanwhile it may have failed with another stream.
            if self.is_slow && self.members.iter().all(|member| member.outlet.has_failed()) {
                return done;
            }
            let pages = Pages { tenant, stream, light: engine.config.light };
            let asked_for = match ahead.take() {
                Some(page) => page,
                None => asked(engine, pages, &self.begin).await,
            };
            let Some(page) = asked_for else { return done };
            let page = match page {
                Ok(page) => until(page, engine.options.replay.as_ref().map(|replay| replay.to)),
                Err(Fault::Bad(reason)) if is_first && self.fall_back(&reason, stream, &mut tried_cursor) => continue,
                Err(fault) => {
                    self.fail(engine, tenant, stream, &fault);
                    done.faults.push(fault);
                    return done;
                }
            };
            let time = |item: Option<&Item<'_>>| Some(item?.timestamp()?.as_second());
            let (items, has_more) = (page.items(), page.has_more);
            engine.progress.page(number, items.len(), time(items.first()), time(items.last()), has_more);
            let (has_more, next) = (page.has_more, Begin::Cursor(page.next_cursor.clone()));
            if has_more && next != self.begin && !self.is_slow {
                // Central makes the next page ready while this one goes its way.
                let handing = self.hand_over(engine, tenant, stream, page, &mut done);
                (ahead, ()) = tokio::join!(async { Some(asked(engine, pages, &next).await) }, handing);
            } else {
                self.hand_over(engine, tenant, stream, page, &mut done).await;
            }
            if !has_more {
                return done;
            }
            if next == self.begin {
                let reason = "Central says that there is more and names the same cursor again";
                let fault = Fault::Unavailable(reason.into());
                self.fail(engine, tenant, stream, &fault);
                done.faults.push(fault);
                return done;
            }
            (self.begin, is_first) = (next, false);
        }
        done
    }

    /// Begins elsewhere where Central does not take the place: at the cursor in place of a time before it, and as far
    /// back as can be in place of a cursor.
    fn fall_back(&mut self, reason: &str, stream: Stream, tried_cursor: &mut bool) -> bool {
        let all = || self.members.iter().map(|member| member.cursor.as_ref());
        let same = all().next().flatten().filter(|first| all().all(|cursor| cursor == Some(*first))).cloned();
        match (&self.begin, same) {
            (Begin::Time(_), Some(cursor)) if !*tried_cursor => {
                tracing::warn!("{reason}; {}s are read from the cursor on", stream.word());
                self.begin = Begin::Cursor(cursor);
                true
            }
            (Begin::Cursor(_), _) => {
                tracing::warn!(
                    "{reason}; {}s of the last 24 hours are read again, so that none is missed",
                    stream.word()
                );
                *tried_cursor = true;
                self.begin = Begin::Time(earliest(now()));
                for member in &mut self.members {
                    member.known_from = member.known_from.map(|_| Some(earliest(now())));
                }
                true
            }
            (Begin::Time(_), _) => false,
        }
    }

    fn fail(&self, engine: &Engine, tenant: &Tenant, stream: Stream, fault: &Fault) {
        tracing::error!("{}s of the tenant {tenant}: {fault}", stream.word());
        engine.metrics.fault(stream);
        for member in &self.members {
            engine.keep_fault(&member.outlet.output.name, &tenant.id, stream, fault);
        }
    }

    async fn hand_over(
        &mut self,
        engine: &Arc<Engine>,
        tenant: &Tenant,
        stream: Stream,
        mut page: Page,
        done: &mut Done,
    ) {
        let patience = engine.patience.filter(|_| !self.is_slow);
        if self.is_slow {
            page.place = None;
        }
        let at = page.date.unwrap_or_else(now);
        let complete = self.complete(engine, &page);
        let overlap = i64::try_from(engine.config.overlap.as_secs()).unwrap_or(0);
        let mut laid = Laid::new(page.items(), stream);
        let mut most = 0;
        let mut handed = Vec::new();
        for mut member in std::mem::take(&mut self.members) {
            let output = &member.outlet.output;
            let (mut fresh, before): (Fresh, _) = {
                let store = engine.store();
                let position = store.position(&output.name, &tenant.id, stream);
                let sent: Option<&Sent> =
                    position.map(|position| &position.sent).filter(|_| engine.options.begin().is_none());
                (laid.fresh(output, &tenant.id, sent, at), position.map(|position| position.reached.clone()))
            };
            most = most.max(fresh.marks.len() as u64);
            let before = before.unwrap_or_default();
            let reached = Reached {
                cursor: page.next_cursor.clone(),
                at,
                more: page.has_more,
                complete,
                last: fresh.last.take().or(before.last),
                gap: member.gap.take().or(before.gap),
            };
            let known_from = match (member.known_from.take(), complete) {
                (Some(known), _) => known.or(page.date),
                (None, Some(complete)) => Some(complete - overlap - MEMORY),
                (None, None) => None,
            };
            let counts = [fresh.marks.len() as u64, fresh.known];
            let moved = Moved {
                tenant: tenant.id.clone(),
                stream,
                reached,
                known_from,
                sent: std::mem::take(&mut fresh.marks),
            };
            let from = member.cursor.replace(page.next_cursor.clone());
            let Fresh { lines, ends, letters, .. } = fresh;
            let handover = Handover { lines, ends, letters, moved, counts, from };
            let taking = tokio::spawn(Arc::clone(&member.outlet).take(Arc::clone(engine), handover, patience));
            handed.push((member, taking));
        }
        for (item, name) in laid.unread() {
            done.unread += 1;
            tracing::info!(
                "{} {}: its name is not of the known form and stays as it is: {}",
                stream.word(),
                printable(item.id().unwrap_or_default()),
                printable(name)
            );
        }
        for (member, taking) in handed {
            let name = &member.outlet.output.name;
            match taking.await {
                Ok(Ok(letters)) => {
                    done.dead_letters += letters;
                    self.members.push(member);
                }
                Ok(Err(Refusal::Behind)) => {
                    tracing::warn!("output {name}: {}s of the tenant {tenant}: {}", stream.word(), Refusal::Behind);
                    done.behind += 1;
                }
                Ok(Err(Refusal::Slow)) => {
                    tracing::debug!("output {name}: {}s of the tenant {tenant}: {}", stream.word(), Refusal::Slow);
                    member.outlet.set_alone(&tenant.id, stream, true);
                    done.slow.push((member.outlet, stream));
                }
                // Told by the output itself.
                Ok(Err(_)) => done.refused += 1,
                Err(error) => {
                    tracing::error!("output {name}: {error}");
                    done.refused += 1;
                }
            }
        }
        match stream {
            _ if self.members.is_empty() => {}
            Stream::Events => done.events += most,
            Stream::Alerts => done.alerts += most,
        }
    }

    /// When the stream had been read to its end with this page, by Central's clock. A clock that differs much from ours
    /// is not gone by: then it is read on from the cursor alone.
    fn complete(&self, engine: &Engine, page: &Page) -> Option<i64> {
        let date = page.date.filter(|_| !page.has_more)?;
        let skew = date.abs_diff(now());
        (skew <= engine.config.overlap.as_secs().max(60)).then_some(date)
    }
}
