//! How long a lineage may be, and whose it is.

use super::*;

#[test]
fn forks_alone_take_nobody_out_of_a_lineage() {
    let mut table = table(10);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"bugup/bin"), 0).unwrap();
    for pid in 2..1000 {
        let event = table.apply(&fork(pid, pid + 1), 0).unwrap();
        assert!(event.process.depth < MAX_DEPTH);
        assert_eq!(event.process.ancestors().count(), event.process.depth as usize);
        assert_eq!(event.process.ancestors().next().unwrap().key, key(pid), "the parent stays");
        table.recycle(event);
        let event = table.apply(&exit(pid, 0), 0).unwrap();
        table.recycle(event);
    }
    let event = table.apply(&exec(1000, b"bugdown/bin"), 0).unwrap();
    let lineage = paths(&event);
    assert_eq!(lineage.last().unwrap(), "/sbin/init");
    assert!(lineage.iter().any(|path| path == "/bin/bugup"));
    assert!(!event.process.lineage_cut);
    assert_eq!(table.counters().lineage_cut, 0);
}

#[test]
fn a_lineage_that_is_cut_keeps_both_ends_and_says_so() {
    let mut table = table(10);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    let service = table.apply(&exec(2, b"nginx/bin"), 0).unwrap();
    assert!(!service.process.lineage_cut);
    for pid in 2..500 {
        let event = table.apply(&fork(pid, pid + 1), 0).unwrap();
        assert!(event.process.depth < MAX_DEPTH);
        table.recycle(event);
        let event = table.apply(&exit(pid, 0), 0).unwrap();
        table.recycle(event);
        let name = format!("p{pid}");
        let event = table.apply(&exec(pid + 1, name.as_bytes()), 0).unwrap();
        table.recycle(event);
    }
    let event = table.apply(&exec(500, b"last"), 0).unwrap();
    let lineage = paths(&event);
    assert_eq!(lineage[..3], ["/last", "/p498", "/p497"]);
    assert_eq!(lineage[lineage.len() - 3..], ["/p2", "/bin/nginx", "/sbin/init"]);
    assert!(event.process.lineage_cut);
    // Above the gap nothing is missing.
    assert!(!event.process.ancestors().last().unwrap().lineage_cut);
    assert!(table.counters().lineage_cut > 5);
}

#[test]
fn a_change_of_user_is_no_mere_fork() {
    let mut table = table(10);
    table.apply(&exec(1, b"sshd/sbin"), 0).unwrap();
    for pid in 1..200 {
        table.apply(&fork(pid, pid + 1), 0).unwrap();
        if pid == 3 {
            let mut message = message(pid + 1, b"sshd/sbin", b"op=login res=success");
            message.fixed.ids = Ids { loginuid: 1000, session: 9, ..Ids::default() };
            table.apply(&Record::Audit(message), 0).unwrap();
        }
    }
    let event = table.apply(&exec(200, b"id"), 0).unwrap();
    let sessions: Vec<u32> = event.process.ancestors().map(|process| process.ids.session).collect();
    assert!(sessions.contains(&9) && sessions.contains(&0), "{sessions:?}");
}

#[test]
fn who_is_above_a_process_that_was_not_seen_is_missing() {
    let mut table = table(10);
    let orphan = table.apply(&fork(8, 9), 0).unwrap();
    assert!(orphan.process.lineage_cut);
    assert!(table.apply(&exec(9, b"sh"), 0).unwrap().process.lineage_cut);
    assert!(table.apply(&fork(9, 10), 0).unwrap().process.lineage_cut);
}

#[test]
fn a_child_given_to_its_makers_parent_has_its_maker_above() {
    let mut table = table(10);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"nginx/bin"), 0).unwrap();
    let sibling = ForkRecord { process: key(3), parent: key(1), forker: key(2), ..ForkRecord::default() };
    table.apply(&Record::Fork(sibling), 0).unwrap();
    let mut shell = exec_of(3, b"sh/bin", b"sh\0");
    shell.fixed.parent = key(1);
    let event = table.apply(&Record::Exec(shell), 0).unwrap();
    assert_eq!(paths(&event), ["/bin/sh", "/bin/nginx", "/sbin/init"]);
    assert_eq!(event.process.parent_key, key(2));
}
