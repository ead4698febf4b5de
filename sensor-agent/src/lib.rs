//! The sensor.

pub mod capture;
