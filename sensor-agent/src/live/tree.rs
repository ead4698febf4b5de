//! Running processes in the order of a tree: each below whoever made it.

use std::sync::Arc;

use foldhash::HashMap;

use crate::event::{Process, ProcessKey};

/// A process at its place.
#[derive(Debug)]
pub struct Placed<'a> {
    pub process: &'a Arc<Process>,
    /// How many of those that are shown it comes of.
    pub depth: u32,
    /// Those between it and the one above it that have ended, or are not shown, the nearest first.
    pub between: Vec<&'a Process>,
}

/// Puts each process below the nearest of its ancestors that is among them, older ones first.
#[must_use]
pub fn tree(processes: &[Arc<Process>]) -> Vec<Placed<'_>> {
    let index: HashMap<ProcessKey, usize> = (0..).zip(processes).map(|(at, process)| (process.key, at)).collect();
    let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::default();
    for (at, process) in processes.iter().enumerate() {
        let above = process.ancestors().find_map(|it| index.get(&it.key).copied().filter(|above| *above != at));
        children.entry(above).or_default().push(at);
    }
    for siblings in children.values_mut() {
        // Taken from the end.
        siblings.sort_unstable_by_key(|&at| std::cmp::Reverse((processes[at].key.start, processes[at].key.tgid)));
    }
    let mut placed = Vec::with_capacity(processes.len());
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut push = |open: &mut Vec<(usize, u32)>, above, depth| {
        open.extend(children.remove(&above).unwrap_or_default().into_iter().map(|at| (at, depth)));
    };
    push(&mut open, None, 0);
    while let Some((at, depth)) = open.pop() {
        let process = &processes[at];
        let is_between = |it: &&Process| it.key == process.key || !index.contains_key(&it.key);
        // Above a root there is nothing that it could be between.
        let between = if depth == 0 { Vec::new() } else { process.ancestors().take_while(is_between).collect() };
        placed.push(Placed { process, depth, between });
        push(&mut open, Some(at), depth + 1);
    }
    placed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn process(pid: u32, parent: Option<&Arc<Process>>) -> Arc<Process> {
        let mut process = Process { key: ProcessKey::new(pid, pid.into()), ..Process::default() };
        process.link(parent.cloned());
        Arc::new(process)
    }

    fn shown(processes: &[Arc<Process>]) -> Vec<(u32, u32, Vec<u32>)> {
        let between = |placed: &Placed<'_>| placed.between.iter().map(|it| it.key.tgid).collect();
        tree(processes).iter().map(|it| (it.process.key.tgid, it.depth, between(it))).collect()
    }

    #[test]
    fn each_stands_below_whoever_made_it_and_still_runs() {
        let init = process(1, None);
        let (shell, gone) = (process(10, Some(&init)), process(20, Some(&init)));
        let (child, orphan) = (process(11, Some(&shell)), process(30, Some(&gone)));
        let running = [orphan, Arc::clone(&child), shell, Arc::clone(&init)];
        assert_eq!(shown(&running), [(1, 0, vec![]), (10, 1, vec![]), (11, 2, vec![]), (30, 1, vec![20])]);
        assert_eq!(shown(&[child, init]), [(1, 0, vec![]), (11, 1, vec![10])]);
    }

    proptest! {
        #[test]
        fn nobody_is_left_out(parents in prop::collection::vec(0_usize..20, 1..40), dead: u64) {
            let mut all: Vec<Arc<Process>> = Vec::new();
            for (at, parent) in parents.iter().enumerate() {
                let parent = all.get(*parent).cloned();
                all.push(process(u32::try_from(at).unwrap() + 1, parent.as_ref()));
            }
            let living: Vec<_> = (0..).zip(all).filter(|(at, _)| dead >> (at % 64) & 1 == 0).map(|(_, it)| it).collect();
            let placed = tree(&living);
            prop_assert_eq!(placed.len(), living.len());
            prop_assert!(placed.windows(2).all(|two| two[1].depth <= two[0].depth + 1));
        }
    }
}
