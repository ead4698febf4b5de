//! The configuration: the `config.ini` of the vendor's public script as it is, and a few keys more.
//!
//! Every key is in [`keys`]; one that is not known is told with the nearest that is. All findings are in one report, and
//! what is secret is never shown.

mod ini;
mod interpolate;
pub mod keys;
mod read;

pub use read::read;

#[cfg(test)]
mod tests;
