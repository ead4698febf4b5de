//! ZeroMQ, over a network or not.

pub(super) mod zeromq;
