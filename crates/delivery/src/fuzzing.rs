//! Readers of what comes from outside that are nobody else's business, for the targets in `fuzz/`. Each asserts what must
//! hold whatever it is given.

pub use crate::mcs::fuzzing::mcs_reply;
pub use crate::receivers::s3::fuzzing::store_reply;
pub use crate::receivers::splunk::fuzzing::splunk_reply;
pub use crate::receivers::zeromq::fuzzing::zmtp;
pub use crate::trust::fuzzing::revocation;
