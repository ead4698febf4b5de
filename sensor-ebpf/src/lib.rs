//! The records that the kernel programs write and the agent reads.
//!
//! Two programs compiled for two machines, the BPF virtual machine and the host, must agree to the byte on
//! what passes between them. So the layouts stand once, here, in a `no_std` library that both sides compile:
//!
//! ```text
//! tracepoint ─▶ kernel program (src/main.rs, BPF target)
//!                  │  fills a record from this library in a per-CPU scratch area
//!                  ▼
//!              ring buffer ─▶ agent: `capture` copies it out, `event::decode` reads it with the same types
//! ```
//!
//! Each record is a [`Header`], the fixed part of its kind, and then the variable sections one after the other,
//! each as long as a length in the fixed part says. Records carry [`LAYOUT_VERSION`]: an agent that meets
//! another one counts the record as undecodable instead of guessing.
//!
//! Nothing here knows about rules, tables or outputs.
//!
//! [`Header`]: record::Header
//! [`LAYOUT_VERSION`]: record::LAYOUT_VERSION
#![no_std]

pub mod areas;
pub mod budget;
pub mod classes;
pub mod control;
pub mod counters;
pub mod offsets;
pub mod record;
pub mod rings;
