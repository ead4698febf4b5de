//! A lineage of bounded length that does not hide who is above.
//!
//! Whoever forks again and again makes their lineage longer, so what is left out must not be theirs to choose:
//!
//! 1. Ancestors that only forked, and are who their parent was, run the same program: the one that executed it stands for all
//!    of them. That takes as many execs (or changes of user) as there is room for.
//! 2. If that is not enough, the middle goes: those nearest to the process stay, and those nearest to the root, where services
//!    are. What is below the gap says so ([`Process::lineage_cut`]).

use std::sync::Arc;

use crate::event::Process;

/// Longest lineage held.
pub const MAX_DEPTH: u32 = 64;
/// Of a lineage that is cut, so many stay at either end.
const NEAREST: usize = 24;
const OLDEST: usize = 24;

/// A copy of a process whose lineage is shorter, and whether ancestors are missing that ran something else.
pub(super) fn shorten(process: &Arc<Process>) -> (Arc<Process>, bool) {
    let chain: Vec<&Process> = std::iter::once(&**process).chain(process.ancestors()).collect();
    // The process itself stays, it is somebody's parent.
    let stands = |at: usize| at == 0 || chain.get(at + 1).is_none_or(|parent| !forked_from(chain[at], parent));
    let mut kept: Vec<&Process> = (0..chain.len()).filter(|&at| stands(at)).map(|at| chain[at]).collect();
    let is_cut = kept.len() > NEAREST + OLDEST;
    if is_cut {
        kept.drain(NEAREST..kept.len() - OLDEST);
    }
    let mut parent: Option<Arc<Process>> = None;
    for (depth, at) in (0..).zip((0..kept.len()).rev()) {
        let ancestor = kept[at];
        let below_gap = is_cut && at < NEAREST;
        let lineage_cut = ancestor.lineage_cut || below_gap;
        parent = Some(Arc::new(Process { parent, depth, lineage_cut, ..ancestor.clone() }));
    }
    (parent.unwrap_or_else(|| Arc::clone(process)), is_cut)
}

/// Whether a process has run nothing but what its parent ran, as the same user.
fn forked_from(process: &Process, parent: &Process) -> bool {
    Arc::ptr_eq(&process.image, &parent.image) && process.ids == parent.ids && process.lineage_cut == parent.lineage_cut
}
