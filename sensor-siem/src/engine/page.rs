//! What of a page is new to an output, as its lines.

use std::{collections::HashSet, iter};

use diagnostic::printable;
use uuid::Uuid;

use super::dead_letters::DeadLetter;
use crate::{
    config::Output,
    destination::Destination,
    format::Layout,
    item::{Item, Stream},
    state::{Last, Sent},
};

/// The items of a page, and the lines that were made of them so far: outputs of one layout share them.
pub(super) struct Laid<'a> {
    items: &'a [Item<'a>],
    stream: Stream,
    lines: Vec<(Layout, Lines)>,
}

/// The lines of all items in one layout.
#[derive(Default)]
struct Lines {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    /// Which items have a name that should tell a detection and could not be read, and that name.
    unread: Vec<(usize, String)>,
}

impl Lines {
    fn new(items: &[Item<'_>], layout: Layout, stream: Stream) -> Self {
        let mut lines = Self::default();
        for (at, item) in items.iter().enumerate() {
            let unread = layout.put(&mut lines.text, item, stream);
            lines.unread.extend(unread.map(|name| (at, name)));
            lines.ends.push(lines.text.len());
        }
        lines
    }

    fn each(&self) -> impl Iterator<Item = &str> {
        let begins = iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.text[begin..end])
    }
}

/// What goes to one output.
#[derive(Default)]
pub(super) struct Fresh {
    /// Lines, or messages one behind the other.
    pub(super) lines: Vec<u8>,
    /// Of messages, where each ends.
    pub(super) ends: Vec<End>,
    pub(super) letters: Vec<DeadLetter>,
    /// Of all that is new, whether it became a line or was set aside.
    pub(super) marks: Vec<u64>,
    /// The newest.
    pub(super) last: Option<Last>,
    /// Items that were handed over before.
    pub(super) known: u64,
}

/// Where a message is, and what it is known by: the same each time it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Where its body begins; before it stands its key.
    pub(super) body: usize,
    pub(super) at: usize,
    pub(super) uuid: Uuid,
}

impl<'a> Laid<'a> {
    pub(super) fn new(items: &'a [Item<'a>], stream: Stream) -> Self {
        Self { items, stream, lines: Vec::new() }
    }

    /// What of it this output does not have. `sent` is what it has; without it all is new.
    pub(super) fn fresh(&mut self, output: &Output, tenant: &str, sent: Option<&Sent>, at: i64) -> Fresh {
        let (items, stream) = (self.items, self.stream);
        let mut seen = HashSet::with_capacity_and_hasher(items.len(), foldhash::fast::RandomState::default());
        let is_new: Vec<bool> =
            items.iter().map(|item| seen.insert(item.mark) && !sent.is_some_and(|sent| sent.has(item.mark))).collect();
        let mut fresh = Fresh { known: is_new.iter().filter(|is_new| !**is_new).count() as u64, ..Fresh::default() };
        if fresh.known == items.len() as u64 {
            return fresh;
        }
        let lines = self.lines(output.layout);
        for ((item, line), _) in items.iter().zip(lines.each()).zip(is_new).filter(|(_, is_new)| *is_new) {
            fresh.marks.push(item.mark);
            let begin = fresh.lines.len();
            if let Destination::Receiver(receiver) = &output.destination {
                receiver.put_key(&mut fresh.lines, tenant, item);
            }
            let body = fresh.lines.len();
            match &output.destination {
                Destination::Receiver(receiver) => receiver.put(&mut fresh.lines, tenant, stream, item, line),
                Destination::File(_) | Destination::Stdout => fresh.lines.extend_from_slice(line.as_bytes()),
            }
            let length = fresh.lines.len() - body;
            let refused = match (&item.odd, output.max_bytes) {
                (Some(text), _) => Some(("it is no object".to_owned(), *text)),
                (None, Some(most)) if length as u64 > most => {
                    Some((format!("its line has {length} bytes, and `max_bytes` is {most}"), line))
                }
                _ => None,
            };
            if let Some((reason, text)) = refused {
                fresh.lines.truncate(begin);
                tracing::warn!(
                    "output {}: {} {} of the tenant {} is set aside: {reason}",
                    output.name,
                    stream.word(),
                    printable(item.id().unwrap_or("without an id")),
                    printable(tenant)
                );
                let (output, tenant, item) = (output.name.clone(), tenant.to_owned(), text.to_owned());
                fresh.letters.push(DeadLetter { at, output, tenant, stream, reason, item });
                continue;
            }
            if matches!(output.destination, Destination::Receiver(_)) {
                let name = format!("{tenant} {} {:016x}", stream.word(), item.mark);
                let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
                fresh.ends.push(End { body, at: fresh.lines.len(), uuid });
            } else {
                fresh.lines.push(b'\n');
            }
            fresh.last = Some(Last { id: item.id().map(str::to_owned), time: item.time().map(str::to_owned) });
        }
        fresh
    }

    fn lines(&mut self, layout: Layout) -> &Lines {
        let at = self.lines.iter().position(|(made, _)| *made == layout).unwrap_or_else(|| {
            self.lines.push((layout, Lines::new(self.items, layout, self.stream)));
            self.lines.len() - 1
        });
        &self.lines[at].1
    }

    /// Items whose name should tell a detection and could not be read, by their first layout.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&'a Item<'a>, &str)> {
        let unread = self.lines.first().map_or(&[][..], |(_, lines)| &lines.unread);
        unread.iter().filter_map(|(at, name)| Some((self.items.get(*at)?, name.as_str())))
    }
}
