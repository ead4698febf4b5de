//! What keeps items from where they should go, and what to do about each. Nothing is moved.

mod central;
mod outputs;
mod state;

use diagnostic::{
    finding::{Finding, is_fit, render},
    terminal::print,
};

use super::{Exit, runtime};
use crate::config::Config;

pub(super) fn doctor(config: &Config, json: bool) -> Exit {
    let mut found = vec![Finding::fine("configuration", "can be used")];
    found.extend(state::examine(config));
    found.extend(outputs::examine(config));
    match runtime(config) {
        Ok(runtime) => found.extend(runtime.block_on(central::examine(config))),
        Err(error) => found.push(Finding::failure("host", error.to_string(), "allow this user more threads")),
    }
    let text = if json {
        // Text and words always have a JSON form.
        serde_json::to_string_pretty(&found).unwrap_or_default() + "\n"
    } else {
        render(&found)
    };
    // Whoever does not read it does not want it.
    let _ = print(&text);
    if is_fit(&found) { Exit::Fine } else { Exit::Failure }
}
