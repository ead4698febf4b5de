//! A message on its way to one receiver: counted, whatever becomes of it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    ops::Deref,
    sync::Arc,
};

use budget::{Budget, Charge, Part};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::{room::Place, wire};
use crate::{cause::Cause, ledger::Ledger};

/// Pieces written together.
const PIECES: usize = 64;

/// A message as it goes over every connection: encoded once, and in memory once.
#[derive(Clone)]
pub struct Frames(Arc<Frame>);

struct Frame {
    bytes: Box<[u8]>,
    _charge: Charge,
}

impl Frames {
    /// A message of a topic and a body. Its memory is taken out of a budget.
    #[must_use]
    pub fn new(topic: &str, body: &[u8], budget: Budget) -> Self {
        let mut bytes = Vec::with_capacity(topic.len() + body.len() + 18);
        wire::put_message(&mut bytes, topic.as_bytes(), body);
        let charge = Charge::new(budget, Part::Network, bytes.len());
        Self(Arc::new(Frame { bytes: bytes.into(), _charge: charge }))
    }
}

impl Deref for Frames {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// A message for one receiver. One that is let go before it got anywhere is lost, and counts as that by itself.
pub(super) struct Parcel {
    frames: Frames,
    ledger: Arc<Ledger>,
    is_underway: bool,
    /// In the receiver's queue.
    _place: Place,
}

impl Parcel {
    pub(super) const fn new(frames: Frames, ledger: Arc<Ledger>, place: Place) -> Self {
        Self { frames, ledger, is_underway: true, _place: place }
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

/// What is on its way into a connection.
#[derive(Default)]
pub(super) struct Outgoing {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that the system has.
    written: usize,
}

enum Piece {
    Parcel(Parcel),
    /// What is no message.
    Bytes(Vec<u8>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Parcel(parcel) => parcel.frames(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Outgoing {
    pub(super) fn put(&mut self, parcel: Parcel) {
        self.pieces.push_back(Piece::Parcel(parcel));
    }

    /// Bytes that are no message.
    pub(super) fn put_bytes(&mut self, bytes: Vec<u8>) {
        self.pieces.push_back(Piece::Bytes(bytes));
    }

    /// Writes everything. When this is called off, or fails, what the system has not taken is still here.
    pub(super) async fn write(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while !self.pieces.is_empty() {
            let mut slices: Vec<IoSlice<'_>> =
                self.pieces.iter().take(PIECES).map(|piece| IoSlice::new(piece.bytes())).collect();
            slices[0].advance(self.written);
            let count = stream.write_vectored(&slices).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.advance(count);
        }
        Ok(())
    }

    /// The system has so many bytes more.
    fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(piece) = self.pieces.pop_front_if(|piece| piece.bytes().len() <= self.written) {
            self.written -= piece.bytes().len();
            if let Piece::Parcel(parcel) = piece {
                parcel.hand_over();
            }
        }
    }

    /// What the system has not taken whole.
    pub(super) fn into_parcels(self) -> impl Iterator<Item = Parcel> {
        self.pieces.into_iter().filter_map(|piece| match piece {
            Piece::Parcel(parcel) => Some(parcel),
            Piece::Bytes(_) => None,
        })
    }
}
