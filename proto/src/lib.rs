//! The messages between sensors and Central: one definition for both ends, in `sensor/v1/*.proto`.
//!
//! Names are those of the alerts' JSON and of the tables' columns, and every message also reads and writes that JSON
//! (through serde), so that a row is the same row on either way. Kernel strings, which need not be UTF-8, travel in
//! the lossless escape of that JSON rather than as `bytes`: one form of a path, whichever way it went.
//!
//! Nothing here knows how messages are sent or kept.

/// Version 1 of the messages.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/sensor.v1.rs"));
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The compiled definitions: a serialized `google.protobuf.FileDescriptorSet`, comments included.
pub const DEFINITIONS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/definitions.bin"));

/// The media type of every body.
pub const MEDIA_TYPE: &str = "application/x-protobuf";

/// Names of the headers beside `Authorization`, in lower case.
pub mod header {
    /// The tenant's id: RFC 9562 text.
    pub const TENANT_ID: &str = "x-tenant-id";
    /// The sensor's id: 1 to 128 visible ASCII characters.
    pub const SENSOR_ID: &str = "x-sensor-id";
    /// Names a batch, the same for each try of it: 1 to 128 visible ASCII characters.
    pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
    /// In a reply: `true` if the batch had been taken in before, and this is what was replied then.
    pub const REPLAYED: &str = "idempotency-replayed";
}

/// Paths of the endpoints, to be put behind the configured URL.
pub mod path {
    /// Takes an [`AlertBatch`](crate::v1::AlertBatch), replies a [`BatchReply`](crate::v1::BatchReply).
    pub const ALERTS: &str = "/sensor/v1/alerts";
    /// Takes an [`EventBatch`](crate::v1::EventBatch), replies a [`BatchReply`](crate::v1::BatchReply).
    pub const EVENTS: &str = "/sensor/v1/events";
    /// Takes a [`HelloRequest`](crate::v1::HelloRequest), replies a [`HelloReply`](crate::v1::HelloReply).
    pub const HELLO: &str = "/sensor/v1/hello";
}

/// Whether JSON leaves a value out.
fn is_empty<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
