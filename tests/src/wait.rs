//! Waiting for what must come about, without asserting when.

use std::time::{Duration, Instant};

/// After this, what was waited for does not come.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks, at least.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks again and again until there is something to return.
///
/// # Panics
/// It does not come: `what` says what was waited for.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        let looked = Instant::now();
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited {} s in vain for {what}", PATIENCE.as_secs());
        // A look that costs much must not keep from coming what it looks for.
        std::thread::sleep(looked.elapsed().max(PAUSE));
    }
}
