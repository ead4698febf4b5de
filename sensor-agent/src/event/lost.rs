//! What the sensor lost.

/// Records that the sensor lost since the last count of the same stage, class and cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Where: one of [`schema::classes::sensor::Stage`].
    pub stage: &'static str,
    /// Of what: one of [`schema::classes::sensor::Subject`].
    pub class: &'static str,
    /// Why: one of [`schema::classes::sensor::Cause`].
    pub cause: &'static str,
    pub count: u64,
}
