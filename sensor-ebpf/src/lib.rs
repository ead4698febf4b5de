//! The records that the kernel programs write and the agent reads.
//!
//! Two programs compiled for two machines, the BPF virtual machine and the host, must agree to the byte on
//! what passes between them. So the layouts stand once, here, in a `no_std` library that both sides compile:
//!
//! ```text
//! tracepoint ─▶ kernel program (BPF target)
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
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod areas;
pub mod budget;
pub mod cast;
pub mod class;
pub mod classes;
pub mod control;
pub mod counters;
pub mod hooks;
#[cfg(target_arch = "bpf")]
mod kernel;
pub mod offsets;
pub mod record;
pub mod rings;
pub mod watched;

/// Lists as one.
const fn concat<T: Copy, const COUNT: usize>(parts: &[&[T]], first: T) -> [T; COUNT] {
    let mut all = [first; COUNT];
    let (mut part, mut at, mut filled) = (0, 0, 0);
    while part < parts.len() {
        if at == parts[part].len() {
            (part, at) = (part + 1, 0);
        } else {
            all[filled] = parts[part][at];
            (at, filled) = (at + 1, filled + 1);
        }
    }
    assert!(filled == COUNT);
    all
}

/// How long [`concat`] makes them.
const fn total<T>(parts: &[&[T]]) -> usize {
    let (mut part, mut sum) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}
