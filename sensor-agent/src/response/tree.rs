//! A process with all its descendants, also those that it forks meanwhile and those whose parents have ended.
//!
//! First each is stopped, from the top down, so that it forks nobody any more; then all are killed. Who its children are
//! is told by `/proc`, as long as their parents run, and by the sensor's process table, which knows the lineage of those
//! too whose parents have ended. What was forked in between shows in the next round.

use std::fs;
use std::time::{Duration, Instant};

use foldhash::HashMap;

use super::identity::{Held, Lost, Stat};
use super::tally::{HELD, Tally};
use super::worker::named;
use super::{Deed, Descendants, OffLimits, Order};

/// Most time that it may take.
const LONGEST: Duration = Duration::from_millis(500);

/// Kills the process, which is held unless it has ended, and its descendants; in a dry run it counts them.
pub(super) fn kill(root: Option<Held>, order: &Order, off_limits: &OffLimits, descendants: &Descendants) -> Deed {
    let (began, is_dry) = (Instant::now(), order.is_dry());
    let mut tally = Tally::default();
    let mut held = vec![];
    let has_root = root.is_some();
    if let Some(root) = root {
        tally.take(root, is_dry, &mut held);
    }
    let mut is_whole = false;
    while began.elapsed() < LONGEST {
        let new = gather(order, off_limits, descendants, is_dry, &mut held, &mut tally);
        if new == 0 && held.is_empty() {
            is_whole = true;
            break;
        }
        if new == 0 || held.len() >= HELD {
            // All that can be found is stopped. Once they are killed, the table is asked once more.
            tally.kill(&mut held, is_dry);
            if is_dry {
                is_whole = new == 0;
                break;
            }
        }
    }
    tally.kill(&mut held, is_dry);
    let who = named(&order.process);
    tally.deed(order, is_whole, |count| match count {
        0 => format!("{who} and its descendants had ended"),
        count if !has_root => format!("{count} descendants of {who}, which had ended"),
        1 => who.clone(),
        2 => format!("{who} and a descendant"),
        more => format!("{who} and {} descendants", more - 1),
    })
}

/// Stops the descendants that can be found and were not yet; how many.
fn gather(
    order: &Order,
    off_limits: &OffLimits,
    descendants: &Descendants,
    is_dry: bool,
    held: &mut Vec<Held>,
    tally: &mut Tally,
) -> usize {
    let mut new = 0;
    let known = descendants(order.process.key).unwrap_or_default();
    for process in &known {
        if held.len() >= HELD {
            return new;
        }
        let Ok(one) = Held::hold(process.key) else { continue };
        if tally.has_seen(&one) {
            continue;
        }
        new += 1;
        let mut between = process.ancestors().take_while(|ancestor| ancestor.key != order.process.key);
        let is_below_protected = between.any(|ancestor| order.limits.protects(&ancestor.image));
        if is_below_protected || off_limits.why(process, Some(&one), &order.limits).is_some() {
            tally.spare(&one);
        } else {
            tally.take(one, is_dry, held);
        }
    }
    let running = running();
    let mut at = 0;
    // What is found is looked through as well, as it joins those that are held.
    while let Some(parent) = held.get(at).map(|parent| parent.pid) {
        at += 1;
        for &(pid, stat) in running.get(&parent).map_or(&[][..], Vec::as_slice) {
            if held.len() >= HELD {
                return new;
            }
            if off_limits.is_own(pid) {
                continue;
            }
            // The parent is held and stopped, so that nobody else can have its pid.
            match Held::hold_if(pid, |now| now.parent == parent && now.start == stat.start) {
                Ok(child) if tally.has_seen(&child) => {}
                Ok(child) => {
                    new += 1;
                    tally.take(child, is_dry, held);
                }
                Err(Lost::Gone | Lost::Unclear(_)) => {}
            }
        }
    }
    new
}

/// The processes that run, by their parents' pids.
fn running() -> HashMap<u32, Vec<(u32, Stat)>> {
    let mut by_parent: HashMap<u32, Vec<(u32, Stat)>> = HashMap::default();
    let Ok(entries) = fs::read_dir("/proc") else { return by_parent };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for (pid, stat) in pids.filter_map(|pid| Some((pid, Stat::of(pid)?))) {
        by_parent.entry(stat.parent).or_default().push((pid, stat));
    }
    by_parent
}
