//! Runs the sensor as its users do and looks at what comes out.
//!
//! A test starts the built program as root on the running kernel, with a configuration of its own in a folder of its
//! own ([`Sensor`]), runs programs that carry a word which no others have ([`Mark`]), and reads the rows and alerts that the
//! sensor wrote. Filters select marked processes alone, so nothing of others on the host is recorded, and tests run
//! side by side.
//!
//! Nothing is asserted about time: [`until`] looks again until what was expected is there, and gives up after a time
//! that no machine needs.

mod central;
pub mod delivery;
mod disk;
mod ended;
mod home;
pub mod hooks;
pub mod loads;
mod mark;
mod page;
mod port;
pub mod programs;
mod rows;
mod sensor;
mod siem;
mod wait;

pub use central::Central;
pub use disk::Tmpfs;
pub use ended::Ended;
pub use home::{Home, Said};
pub use mark::Mark;
pub use page::{Block, blocks};
pub use port::{free_port, listens};
pub use rows::{assert_columns, bytes, of_kind, of_pid, parse_lines};
pub use sensor::{Sensor, http_answer};
pub use siem::Siem;
pub use wait::{PATIENCE, until};
