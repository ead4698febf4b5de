//! A message on its way to one receiver: counted, whatever becomes of it.

use std::{collections::VecDeque, io, sync::Arc};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::output::{cause::Cause, metrics::Ledger};

/// A message as it goes over every connection: encoded once.
pub(super) type Frames = Arc<[u8]>;

/// A message for one receiver. One that is let go before it got anywhere is lost, and counts as that by itself.
pub(super) struct Parcel {
    frames: Frames,
    ledger: Arc<Ledger>,
    is_underway: bool,
}

impl Parcel {
    pub(super) const fn new(frames: Frames, ledger: Arc<Ledger>) -> Self {
        Self { frames, ledger, is_underway: true }
    }

    pub(super) const fn frames(&self) -> &Frames {
        &self.frames
    }

    /// Where it is counted.
    pub(super) const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// It is in other hands: the system's, or those of another parcel.
    pub(super) fn hand_over(mut self) {
        self.is_underway = false;
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.is_underway {
            self.ledger.dropped(Cause::Gone, 1, "receivers left before they got everything");
        }
    }
}

/// Bytes on their way into a connection, and the parcels that they are.
#[derive(Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    written: usize,
    /// Each with the place where its bytes end.
    parcels: VecDeque<(usize, Parcel)>,
}

impl Outgoing {
    pub(super) fn put(&mut self, parcel: Parcel) {
        self.bytes.extend_from_slice(parcel.frames());
        self.parcels.push_back((self.bytes.len(), parcel));
    }

    /// Bytes that are no message.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes everything. When this is called off, or fails, what the system has not taken is still here.
    pub(super) async fn write(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while self.written < self.bytes.len() {
            let count = stream.write(&self.bytes[self.written..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.written += count;
            while let Some((_, parcel)) = self.parcels.pop_front_if(|(end, _)| *end <= self.written) {
                parcel.hand_over();
            }
        }
        self.bytes.clear();
        self.bytes.shrink_to(256 * 1024);
        self.written = 0;
        Ok(())
    }

    /// What the system has not taken whole.
    pub(super) fn into_parcels(self) -> impl Iterator<Item = Parcel> {
        self.parcels.into_iter().map(|(_, parcel)| parcel)
    }
}
