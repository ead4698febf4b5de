//! What an alert costs as it comes in, and what the list of detections costs once there are many.
//!
//! ```text
//! cargo bench -p sensor-central --bench store                                  a million alerts, some 3 GB in the temporary folder
//! ALERTS=10000000 JSON_BYTES=300 cargo bench -p sensor-central --bench store   ten million small ones, some 7 GB
//! ```
//!
//! The store in this process, without HTTP; its database on the disk of the temporary folder.

mod alerts;
mod intake;
mod list;

fn main() {
    // `cargo test` runs benches as well, and has no time for this one.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    intake::measure();
    list::measure(number("ALERTS", 1_000_000), number("JSON_BYTES", 1_500));
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// The value that so much of them are not above.
fn at(sorted: &[f64], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}
