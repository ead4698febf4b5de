//! Random histories against a model, with crashes between any two steps.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(bool, usize)>),
    /// Takes up to so many items and confirms the first of them.
    Confirm(usize, usize),
    Reject,
    Reopen,
    /// The files as a kill leaves them.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((any::<bool>(), 4..6000_usize), 1..6).prop_map(Step::Append),
        3 => (1..8_usize, 0..8_usize).prop_map(|(take, confirm)| Step::Confirm(take, confirm)),
        1 => Just(Step::Reject),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// What should be in the spool, by kind.
#[derive(Default)]
struct Model {
    items: [VecDeque<(u32, u64)>; 2],
    leased: [usize; 2],
}

impl Model {
    fn bytes(&self) -> u64 {
        self.items.iter().flatten().map(|item| item.1).sum()
    }

    fn append(&mut self, kind: Kind, number: u32, size: usize, limit: u64) {
        let cost = item::cost(size);
        while self.bytes() + cost > limit {
            let telemetry = Kind::Bulk as usize;
            let victim = if self.items[telemetry].len() > self.leased[telemetry] {
                telemetry
            } else if kind == Kind::Urgent && self.items[0].len() > self.leased[0] {
                0
            } else {
                return;
            };
            self.items[victim].remove(self.leased[victim]);
        }
        self.items[kind as usize].push_back((number, cost));
    }

    fn kind(&self) -> usize {
        usize::from(self.items[0].is_empty())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn it_holds_what_the_model_holds(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { disk_bytes: 40_000, ..Limits::default() };
        let mut path = folder.path().join("0");
        let mut spool = Spool::open(&path, limits).0;
        let mut model = Model::default();
        let mut next = 0;
        for (place, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append(sizes) => {
                    let mut items = Vec::new();
                    for (is_alert, size) in sizes {
                        let kind = if is_alert { Kind::Urgent } else { Kind::Bulk };
                        items.push(new(kind, next, size));
                        model.append(kind, next, size, limits.disk_bytes);
                        next += 1;
                    }
                    spool.append(items).unwrap();
                }
                Step::Confirm(take, confirm) => {
                    let items = spool.next(take, usize::MAX);
                    let kind = model.kind();
                    let expected: Vec<u32> = model.items[kind].iter().take(take).map(|item| item.0).collect();
                    prop_assert_eq!(numbers(&items), expected);
                    model.leased[kind] = model.leased[kind].max(items.len());
                    let confirm = confirm.min(items.len());
                    spool.confirm(&ids(&items)[..confirm]);
                    model.items[kind].drain(..confirm);
                    model.leased[kind] -= confirm;
                }
                Step::Reject => {
                    if let Some(item) = spool.next(1, 0).first() {
                        let kind = model.kind();
                        spool.reject(item, "because");
                        model.items[kind].pop_front();
                        model.leased[kind] = model.leased[kind].saturating_sub(1);
                    }
                }
                Step::Reopen => {
                    drop(spool);
                    spool = Spool::open(&path, limits).0;
                    model.leased = [0; 2];
                }
                Step::Crash => {
                    let copy = folder.path().join((place + 1).to_string());
                    damage::copy(&path, &copy);
                    path = copy;
                    spool = Spool::open(&path, limits).0;
                    model.leased = [0; 2];
                }
            }
            let counts = spool.stats().disk.map(|usage| usage.items);
            prop_assert_eq!(counts, [model.items[0].len() as u64, model.items[1].len() as u64]);
            prop_assert_eq!(spool.stats().disk.iter().map(|usage| usage.bytes).sum::<u64>(), model.bytes());
        }
        let expected: Vec<u32> = model.items.iter().flatten().map(|item| item.0).collect();
        prop_assert_eq!(drain(&spool), expected);
        prop_assert_eq!((spool.stats().salvages, spool.stats().trouble), (0, None));
    }
}
