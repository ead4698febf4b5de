//! What the agent needs at build time: the kernel programs as an object to embed, and the commit for `-version`.

use std::process::ExitCode;

#[path = "build/commit.rs"]
mod commit;
#[path = "build/kernel.rs"]
mod kernel;
#[path = "build/strip.rs"]
mod strip;

fn main() -> ExitCode {
    commit::emit();
    kernel::embed()
}
