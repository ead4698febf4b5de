use super::*;

impl Load for u8 {
    fn weight(&self) -> usize {
        1
    }

    fn size(&self) -> usize {
        usize::from(*self)
    }

    fn sort(&self) -> Option<Sort> {
        Some(Sort::of(["first", "second", "third"][usize::from(*self % 3)], (*self % 2).into()))
    }

    fn tell(&self, _output: &str, _outcome: &Outcome) {}
}

#[test]
fn who_comes_late_is_not_the_owner() {
    let queue = Queue::new(1, Budget::unlimited());
    let (first, second) = (queue.next_owner(), queue.next_owner());
    assert!(queue.hand_over(second, 2));
    assert!(!queue.hand_over(first, 1), "the second was to come later");
    assert_eq!((queue.push(1_u8), queue.push(2)), (None, None));
    assert_eq!(queue.push(4), Some((4, Cause::QueueFull)));
    assert_eq!(queue.pause(first, Duration::ZERO), Next::HandedOver);
    assert_eq!(queue.pause(second, Duration::ZERO), Next::GoOn);
}

#[test]
fn the_piece_that_still_gets_there_is_not_given_up() {
    let (queue, ledger) = (Queue::new(1000, Budget::unlimited()), Ledger::new("test", "test"));
    assert!((1..4).all(|item| queue.push(item).is_none()));
    assert_eq!(queue.take(0, 256, &ledger), Some(vec![1_u8, 2, 3]));
    assert_eq!(queue.push(4), None);
    assert_eq!(queue.abandon(), [4]);
    assert!(queue.is_abandoned());
    ledger.sent(2);
    queue.finish(0);
    assert_eq!(queue.left_in_hand(&ledger, Instant::now()), 1);
    assert_eq!(queue.backlog(&ledger).0, 0, "it is given up once");
}

#[test]
fn bytes_are_bounded_too_and_firsts_go_before_repeats() {
    let queue = Queue::new(1000, Budget::of(400));
    assert!((0..3).all(|_| queue.push(30_u8).is_none()));
    assert_eq!(queue.push(30), Some((30, Cause::Memory)), "100 bytes of alerts, and no more");
    // One of another policy finds room all the same.
    assert_eq!(queue.push(31), Some((30, Cause::Memory)));
    assert_eq!(queue.push(32), Some((30, Cause::Memory)));
    assert_eq!(queue.push(31), Some((31, Cause::Memory)), "none is left that repeats another");
    let ledger = Ledger::new("test", "test");
    assert_eq!(queue.take(0, 256, &ledger), Some(vec![30]), "a piece at a time");
    assert_eq!(queue.backlog(&ledger).0, 3);
}

#[test]
fn a_source_that_repeats_itself_takes_no_room_from_the_first_of_another() {
    let queue = Queue::new(1000, Budget::of(400));
    assert!((0..3).all(|_| queue.push(30_u8).is_none()));
    assert_eq!(queue.push(33), Some((30, Cause::Memory)), "of the same kind, and of another source");
    assert_eq!(queue.push(33), Some((33, Cause::Memory)), "it has its place");
    assert_eq!(queue.push(31), Some((30, Cause::Memory)), "of another kind");
    // None is left that repeats its own; of a kind of which there are two, one goes for the first of another kind alone.
    assert_eq!(queue.push(32), Some((33, Cause::Memory)));
    assert_eq!(queue.push(33), Some((33, Cause::Memory)));
}
