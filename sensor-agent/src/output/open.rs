//! How outputs and sinks are opened.

use std::sync::Arc;

use delivery::{
    open_error::OpenError,
    worker::{group::Route, queue::Deliver},
};

use super::{
    queued::QueuedAlert,
    rows::QueuedRows,
    settings::{OutputSettings, SinkSettings},
    target::{Opened, Target},
};

impl Route for OutputSettings {
    type Item = QueuedAlert;

    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        self.target.kind()
    }

    fn place(&self) -> String {
        self.target.place()
    }

    fn capacity(&self) -> usize {
        self.queue
    }

    fn takes(&self, item: &QueuedAlert) -> bool {
        self.message_types.contains(&item.alert.policy.message_type)
    }

    fn open(&self) -> Result<Box<dyn Deliver<QueuedAlert>>, OpenError> {
        opened(self, self.target.alerts(self))
    }

    fn is_same(&self, other: &Self) -> bool {
        is_same(self, other, &*self.target)
    }
}

impl Route for SinkSettings {
    type Item = QueuedRows;

    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        self.target.kind()
    }

    fn place(&self) -> String {
        self.target.place()
    }

    fn capacity(&self) -> usize {
        self.queue_rows
    }

    fn takes(&self, rows: &QueuedRows) -> bool {
        self.target.takes(rows.batch.table)
    }

    fn open(&self) -> Result<Box<dyn Deliver<QueuedRows>>, OpenError> {
        opened(self, self.target.rows(self))
    }

    fn is_same(&self, other: &Self) -> bool {
        is_same(self, other, &*self.target)
    }
}

fn opened<R: Route>(route: &R, opened: Opened<R::Item>) -> Result<Box<dyn Deliver<R::Item>>, OpenError> {
    opened.map_err(|reason| OpenError { name: route.name().to_owned(), place: route.place(), reason: Arc::new(reason) })
}

/// Whether what waits for one is for the other. What is spooled is the output's wherever it leads.
fn is_same<R: Route>(one: &R, other: &R, target: &dyn Target) -> bool {
    one.name() == other.name() && one.kind() == other.kind() && (target.is_spooled() || one.place() == other.place())
}
