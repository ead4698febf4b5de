//! Snapshots and images that nobody uses any more, kept for the next process.
//!
//! Most processes are short: between two of them the allocator would free and hand out the same few blocks. Taken
//! from here, a snapshot costs no allocation and its buffers keep their capacity.

use std::sync::Arc;

use budget::{Budget, Charge, Part};

use crate::event::{Image, Process, Redacted, UserName};

/// Most that are kept of each.
const LIMIT: usize = 512;
/// Images over this many bytes are not worth keeping.
const LARGE: usize = 8192;

#[derive(Debug, Default)]
pub(super) struct Pool {
    processes: Vec<Arc<Process>>,
    images: Vec<Arc<Image>>,
    empty: Arc<Image>,
    /// Where the memory comes from.
    pub(super) budget: Budget,
}

impl Pool {
    /// A snapshot to fill and the permission to do so: it is shared by nobody.
    pub(super) fn process(&mut self, fill: impl FnOnce(&mut Process)) -> Arc<Process> {
        let mut process = self.processes.pop().unwrap_or_default();
        let filled = Arc::make_mut(&mut process);
        fill(filled);
        if filled.charge.bytes() == 0 {
            filled.charge = Charge::new(self.budget, Part::Programs, size_of::<Process>());
        }
        process
    }

    /// An image to fill; it still holds what it held before.
    pub(super) fn image(&mut self, fill: impl FnOnce(&mut Image)) -> Arc<Image> {
        let mut image = self.images.pop().unwrap_or_default();
        let filled = Arc::make_mut(&mut image);
        filled.redacted = Redacted::default();
        fill(filled);
        self.charge(filled);
        image
    }

    /// Takes what an image takes out of the budget.
    pub(super) fn charge(&self, image: &mut Image) {
        if image.charge.bytes() != image.size() {
            image.charge = Charge::new(self.budget, Part::Programs, image.size());
        }
    }

    /// The image of a process of which nothing is known.
    pub(super) fn empty_image(&self) -> Arc<Image> {
        Arc::clone(&self.empty)
    }

    /// Takes a snapshot back, if nobody else holds it.
    pub(super) fn recycle(&mut self, mut process: Arc<Process>) {
        let Some(unused) = Arc::get_mut(&mut process) else { return };
        let image = std::mem::replace(&mut unused.image, Arc::clone(&self.empty));
        let parent = unused.parent.take();
        unused.container = None;
        unused.container_unknown = false;
        unused.user = UserName::default();
        unused.login = None;
        unused.incident = None;
        if self.processes.len() < LIMIT {
            self.processes.push(process);
        }
        self.recycle_image(image);
        if let Some(parent) = parent {
            // A dead ancestor may have waited for its last descendant. The depth of lineage bounds the recursion.
            self.recycle(parent);
        }
    }

    fn recycle_image(&mut self, mut image: Arc<Image>) {
        if self.images.len() < LIMIT
            && let Some(unused) = Arc::get_mut(&mut image)
            && unused.size() <= LARGE
        {
            self.images.push(image);
        }
    }
}
