use budget::{Part, Pressure};
use sensor_ebpf::record::{AuditRecord, ExecRecord, Header, exec_flags};

use super::*;
use crate::event::decode::Audit;
use crate::event::{Ids, UNSET_ID};

mod act;
mod lineage;

fn table(limit: usize) -> Table {
    Table::new(limit, Users::start().unwrap())
}

const fn key(pid: u32) -> ProcessKey {
    ProcessKey::new(pid, pid as u64 * 100)
}

fn fork(parent: u32, child: u32) -> Record<'static> {
    Record::Fork(ForkRecord { process: key(child), parent: key(parent), forker: key(parent), ..ForkRecord::default() })
}

fn exec_of<'a>(pid: u32, leaf_first: &'a [u8], args: &'a [u8]) -> Exec<'a> {
    let fixed = ExecRecord {
        header: Header::default(),
        process: key(pid),
        ids: Ids { uid: 0, euid: 0, ..Ids::default() },
        args_bytes: args.len() as u64,
        cwd_len: 1,
        ..ExecRecord::default()
    };
    Exec { path: leaf_first, args_head: args, ..Exec::bare(fixed) }
}

fn exec<'a>(pid: u32, leaf_first: &'a [u8]) -> Record<'a> {
    Record::Exec(exec_of(pid, leaf_first, b"x\0"))
}

fn exit(pid: u32, status: u32) -> Record<'static> {
    Record::Exit(ExitRecord { process: key(pid), status, ..ExitRecord::default() })
}

fn paths(event: &Event) -> Vec<String> {
    std::iter::once(&*event.process)
        .chain(event.process.ancestors())
        .map(|process| String::from_utf8(process.image.path.clone()).unwrap())
        .collect()
}

#[test]
fn lineage_outlives_dead_parents() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"sshd/bin"), 0).unwrap();
    table.apply(&fork(2, 3), 0).unwrap();
    table.apply(&exit(2, 0), 0).unwrap();
    table.apply(&fork(3, 4), 0).unwrap();
    table.apply(&exit(3, 0), 0).unwrap();
    let event = table.apply(&exec(4, b"sh/bin"), 0).unwrap();
    assert_eq!(paths(&event), ["/bin/sh", "/bin/sshd", "/bin/sshd", "/sbin/init"]);
    assert_eq!(event.process.parent_key, key(3));
    assert_eq!(table.len(), 2);
}

#[test]
fn lineage_tells_the_program_that_forked() {
    let mut table = table(100);
    table.apply(&exec(1, b"bash"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(1, b"vim"), 0).unwrap();
    let event = table.apply(&exec(2, b"make"), 0).unwrap();
    assert_eq!(paths(&event), ["/make", "/bash"]);
}

#[test]
fn a_fork_without_exec_has_its_forkers_image() {
    let mut table = table(100);
    table.apply(&exec(1, b"nginx"), 0).unwrap();
    let event = table.apply(&fork(1, 2), 0).unwrap();
    assert_eq!(event.kind, EventType::Fork);
    assert_eq!(event.process.image.path, b"/nginx");
    assert_eq!(event.process.key, key(2));
}

#[test]
fn the_parent_is_who_forked_whatever_the_child_was_made() {
    let mut table = table(100);
    table.apply(&exec(1, b"init"), 0).unwrap();
    table.apply(&exec(2, b"shell"), 0).unwrap();
    // With CLONE_PARENT the kernel makes it a child of the caller's parent.
    let sibling = ForkRecord { process: key(3), parent: key(1), forker: key(2), ..ForkRecord::default() };
    let event = table.apply(&Record::Fork(sibling), 0).unwrap();
    assert_eq!(event.process.parent_key, key(2));
    let mut exec = exec_of(3, b"tool", b"x\0");
    exec.fixed.parent = key(1);
    let event = table.apply(&Record::Exec(exec), 0).unwrap();
    assert_eq!(paths(&event), ["/tool", "/shell"]);
    assert_eq!(event.process.parent_key, key(2));
}

/// What a script is run by when its first line leaves finding the interpreter to `env`.
#[test]
fn a_script_stays_the_one_that_env_found_an_interpreter_for() {
    const FOUND: u32 = exec_flags::SCRIPT | exec_flags::SCRIPT_PATH | exec_flags::SCRIPT_USER_MOUNTS;
    let run = |table: &mut Table, pid, path: &'static [u8], args: &'static [u8], flags| {
        let mut exec = exec_of(pid, path, args);
        exec.fixed.flags = flags;
        if flags & exec_flags::SCRIPT != 0 {
            (exec.filename, exec.script, exec.interpreter) = (b"./x.py", b"x.py/srv", b"/usr/bin/env");
        }
        let image = &table.apply(&Record::Exec(exec), 0).unwrap().process.image;
        (image.script().map(<[u8]>::to_vec), image.interpreter.clone())
    };
    let kept = || (Some(b"/srv/x.py".to_vec()), b"/usr/bin/env".to_vec());
    let none = || (None, Vec::new());
    let mut table = table(100);
    assert_eq!(run(&mut table, 1, b"env/usr/bin", b"/usr/bin/env\0-S\0python3 -u\0./x.py\0", FOUND), kept());
    assert_eq!(run(&mut table, 1, b"python3/usr/bin", b"python3\0-u\0./x.py\0", 0), kept());
    let flags = table.get(key(1)).unwrap().image.flags;
    assert_eq!(flags & FOUND, FOUND, "with all that is known of its place");
    // What the interpreter runs is another program, whatever it is given.
    assert_eq!(run(&mut table, 1, b"cat/usr/bin", b"cat\0./x.py\0", 0), none());
    // `env` that runs `env`, and as one of many in a file, which forks.
    run(&mut table, 2, b"coreutils/usr/bin", b"/usr/bin/env\0-S\0env A=b sh\0./x.py\0", FOUND);
    assert_eq!(run(&mut table, 2, b"coreutils/usr/bin", b"env\0A=b\0sh\0./x.py\0", 0), kept());
    table.apply(&fork(2, 3), 0).unwrap();
    assert_eq!(run(&mut table, 3, b"sh/usr/bin", b"sh\0./x.py\0", 0), kept());
    // Another interpreter's script, and a program that `env` runs without it.
    run(&mut table, 4, b"python3/usr/bin", b"/usr/bin/python3\0./x.py\0", FOUND);
    assert_eq!(run(&mut table, 4, b"sh/usr/bin", b"sh\0./x.py\0", 0), none());
    run(&mut table, 5, b"env/usr/bin", b"/usr/bin/env\0sh\0./x.py\0", FOUND);
    assert_eq!(run(&mut table, 5, b"sh/usr/bin", b"sh\0-c\0id\0", 0), none());
}

#[test]
fn a_file_that_is_no_program_is_a_script_of_whoever_tried_it() {
    let mut table = table(100);
    table.apply(&Record::Exec(exec_of(1, b"bash/bin", b"bash\0s\0")), 0).unwrap();
    let attempt = |error, script: &'static [u8], flags| {
        let mut exec = Exec { script, filename: b"./x", cwd: b"srv", ..Exec::bare(ExecRecord::default()) };
        (exec.fixed.process, exec.fixed.error, exec.fixed.flags) = (key(1), error, flags);
        Record::ExecFailed(exec)
    };
    let tried = table.apply(&attempt(-libc::ENOEXEC, b"x/srv", exec_flags::SCRIPT_PATH), 0).unwrap();
    let image = &tried.process.image;
    assert_eq!(
        (&image.path[..], image.script(), image.args.joined()),
        (&b"/bin/bash"[..], Some(&b"/srv/x"[..]), &b"bash s"[..])
    );
    assert_eq!((&image.filename[..], &image.cwd[..]), (&b"./x"[..], &b"/srv"[..]));
    // Any other is the attempt to run the file that was asked for, and changes nothing.
    let tried = table.apply(&attempt(-libc::EPERM, b"x/srv", exec_flags::SCRIPT_PATH), 0).unwrap();
    assert_eq!((&tried.process.image.path[..], tried.process.image.script()), (&b"/srv/x"[..], None));
    let tried = table.apply(&attempt(-libc::ENOENT, b"", 0), 0).unwrap();
    assert_eq!((&tried.process.image.path[..], &tried.process.image.filename[..]), (&b""[..], &b"./x"[..]));
    assert_eq!(table.get(key(1)).unwrap().image.path, b"/bin/bash");
}

#[test]
fn a_script_that_was_not_found_has_its_name_and_no_folder() {
    let mut table = table(100);
    let mut told = |script: &'static [u8], filename: &'static [u8], flags| {
        let mut exec = Exec { script, filename, cwd: b"srv", path: b"sh/bin", ..Exec::bare(ExecRecord::default()) };
        (exec.fixed.process, exec.fixed.flags) = (key(1), flags | exec_flags::SCRIPT);
        let event = table.apply(&Record::Exec(exec), 0).unwrap();
        String::from_utf8(event.process.image.script().unwrap().to_vec()).unwrap()
    };
    const FOUND: u32 = exec_flags::SCRIPT_PATH;
    assert_eq!(told(b"s/opt", b"/usr/../opt/s", FOUND), "/opt/s");
    assert_eq!(told(b"s/d", b"/dev/fd/3", FOUND | exec_flags::SCRIPT_CUT), "…/d/s");
    assert_eq!(told(b"", b"/tmp/s", FOUND | exec_flags::SCRIPT_CUT), "…/s");
    // On a kernel where none can be found, as it was given.
    assert_eq!(told(b"", b"./s", 0), "/srv/./s");
    assert_eq!(told(b"", b"/opt/s", 0), "/opt/s");
}

#[test]
fn an_exec_that_two_programs_told_is_one() {
    let mut table = table(100);
    let told = |pid, times| {
        let mut exec = exec_of(pid, b"a", b"x\0");
        exec.fixed.exec_id = times;
        exec
    };
    table.apply(&Record::Exec(told(1, 4)), 0).unwrap();
    assert!(table.apply(&Record::Exec(told(1, 4)), 0).is_none());
    assert_eq!(table.counters().repeated, 1);
    // The same program once more; and a child's first, whose count goes on from its parent's.
    table.apply(&Record::Exec(told(1, 5)), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&Record::Exec(told(2, 5)), 0).unwrap();
    // The baseline knows no counts: what was executed while it was taken is told.
    table.apply(&Record::Baseline(told(1, 0)), 0).unwrap();
    table.apply(&Record::Exec(told(1, 5)), 0).unwrap();
    assert_eq!(table.counters().repeated, 1);
}

#[test]
fn a_walk_tells_what_records_did_not() {
    let mut table = table(100);
    let walked = |pid, parent, inode, times| {
        let mut task = exec_of(pid, b"a", b"x\0");
        task.fixed.parent = key(parent);
        task.fixed.inode = inode;
        task.fixed.exec_id = times;
        task
    };
    let mut shell = exec_of(1, b"sh", b"sh\0");
    (shell.fixed.inode, shell.fixed.exec_id) = (1, 7);
    table.apply(&Record::Exec(shell), 0).unwrap();
    // As the table has it, and what came after the walk.
    assert!(table.missed(&walked(1, 0, 1, 7), 0).is_none());
    assert!(table.missed(&walked(1, 0, 2, 6), 0).is_none());
    // An exec that nobody told, of the same file too; it is told once.
    assert_eq!(table.missed(&walked(1, 0, 1, 8), 0).unwrap().kind, EventType::Exec);
    assert!(table.missed(&walked(1, 0, 1, 8), 0).is_none());
    // A fork that was told, and the exec after it that was not.
    table.apply(&fork(1, 2), 0).unwrap();
    assert!(table.missed(&walked(2, 1, 1, 8), 0).is_none());
    assert_eq!(table.missed(&walked(2, 1, 5, 9), 0).unwrap().kind, EventType::Exec);
    // Neither was told.
    let event = table.missed(&walked(3, 1, 6, 9), 0).unwrap();
    assert_eq!((event.kind, paths(&event).len()), (EventType::Exec, 2));
    assert_eq!(table.missed(&walked(4, 1, 1, 8), 0).unwrap().kind, EventType::Fork);
    // A kernel thread or a zombie.
    assert!(table.missed(&walked(5, 1, 0, 9), 0).is_none());
    // It has ended before the walk could be looked at.
    table.apply(&exit(4, 0), 0).unwrap();
    assert!(table.missed(&walked(4, 1, 1, 8), 0).is_none());
}

#[test]
fn who_is_gone_has_ended_in_an_unknown_way() {
    let mut table = table(100);
    table.apply(&exec(1, b"a"), 0).unwrap();
    table.apply(&exec(2, b"b"), 0).unwrap();
    let gone = table.vanished(|process| process == key(2), 7);
    let told: Vec<_> = gone.iter().map(|event| (event.kind, event.process.key, event.time)).collect();
    assert_eq!(told, [(EventType::Exit, key(2), 7)]);
    assert!(matches!(gone[0].detail, Detail::None));
    // It comes late, and was not lost.
    assert!(table.apply(&exit(2, 0), 8).is_none());
    assert_eq!((table.len(), table.counters().unknown_exits), (1, 1));
}

#[test]
fn exits_tell_code_and_signal_once() {
    let mut table = table(100);
    table.apply(&exec(1, b"a"), 0).unwrap();
    let event = table.apply(&exit(1, 3 << 8), 0).unwrap();
    assert!(matches!(event.detail, Detail::Exit { code: 3, signal: 0, core_dumped: false }));
    assert!(table.apply(&exit(1, 3 << 8), 0).is_none());
    assert_eq!(table.counters().unknown_exits, 1);
    table.apply(&exec(1, b"a"), 0).unwrap();
    let event = table.apply(&exit(1, 11 | 0x80), 0).unwrap();
    assert!(matches!(event.detail, Detail::Exit { code: 0, signal: 11, core_dumped: true }));
}

#[test]
fn a_full_table_pushes_out_what_was_idle_longest() {
    let mut table = table(2);
    table.apply(&exec(1, b"a"), 0).unwrap();
    table.apply(&exec(2, b"b"), 0).unwrap();
    table.apply(&exec(1, b"c"), 0).unwrap();
    table.apply(&exec(3, b"d"), 0).unwrap();
    assert_eq!(table.counters().evicted, 1);
    assert!(table.get(key(2)).is_none());
    assert_eq!(table.get(key(1)).unwrap().image.path, b"/c");
}

#[test]
fn containers_are_remembered_by_cgroup_and_inherited() {
    let id = "a".repeat(64);
    let cgroup = format!("system.slice/docker-{id}.scope");
    let mut table = table(10);
    let mut first = exec_of(1, b"sh", b"");
    first.fixed.place.cgroup_id = 7;
    first.fixed.flags = exec_flags::CGROUP_PATH;
    first.cgroup = cgroup.as_bytes();
    table.apply(&Record::Exec(first), 0).unwrap();
    let mut second = exec_of(2, b"sh", b"");
    second.fixed.place.cgroup_id = 7;
    let event = table.apply(&Record::Exec(second), 0).unwrap();
    assert_eq!(event.process.container.as_ref().unwrap().id, id);
    let event = table.apply(&fork(2, 3), 0).unwrap();
    assert_eq!(event.process.container.as_ref().unwrap().runtime, Some(Runtime::Docker));
}

#[test]
fn incidents_go_down_the_tree() {
    let mut table = table(10);
    let incident = uuid::Uuid::from_u128(1);
    let mut event = table.apply(&exec(1, b"sh"), 0).unwrap();
    table.set_incident(&mut event, incident);
    table.apply(&fork(1, 2), 0).unwrap();
    assert_eq!(table.apply(&exec(2, b"id"), 0).unwrap().process.incident, Some(incident));
    assert_eq!(table.apply(&exec(1, b"ls"), 0).unwrap().process.incident, Some(incident));
}

#[test]
fn recycled_snapshots_keep_nothing_of_their_former_life() {
    let mut table = table(10);
    let mut event = table.apply(&exec(1, b"secret"), 0).unwrap();
    table.set_incident(&mut event, uuid::Uuid::from_u128(1));
    drop(event);
    let event = table.apply(&exit(1, 0), 0).unwrap();
    table.recycle(event);
    let event = table.apply(&fork(8, 9), 0).unwrap();
    assert_eq!(event.process.image.path, b"");
    assert_eq!(event.process.incident, None);
    let mut plain = exec_of(9, b"ls", b"");
    plain.fixed.flags = exec_flags::READ_FAILED | exec_flags::CWD_CUT;
    let event = table.apply(&Record::Exec(plain), 0).unwrap();
    assert_eq!((event.process.image.cwd.as_slice(), event.process.image.args.joined()), (&b""[..], &b""[..]));
}

#[test]
fn paths_are_told_as_they_are_or_marked() {
    let mut table = table(10);
    let mut told = |path, cwd, flags| {
        let mut exec = exec_of(1, path, b"x\0");
        exec.cwd = cwd;
        exec.fixed.flags = flags;
        let event = table.apply(&Record::Exec(exec), 0).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&event.process.image.path), text(&event.process.image.cwd))
    };
    let both = |path: &str, cwd: &str| (path.to_owned(), cwd.to_owned());
    assert_eq!(told(b"env/bin", b"b/a", 0), both("/bin/env", "/a/b"));
    // The root has no name; what is not known neither.
    assert_eq!(told(b"env", b"", 0), both("/env", "/"));
    assert_eq!(told(b"", b"", exec_flags::READ_FAILED | exec_flags::CWD_CUT), both("", ""));
    assert_eq!(told(b"", b"", exec_flags::KERNEL_THREAD), both("", ""));
    // A file may be called like a memfd.
    assert_eq!(told(b"memfd:x", b"", exec_flags::MEMFD), both("memfd:x", "/"));
    assert_eq!(told(b"memfd:x/tmp", b"", 0), both("/tmp/memfd:x", "/"));
    assert_eq!(told(b"sh/bin", b"b/a", exec_flags::PATH_CUT | exec_flags::CWD_CUT), both("…/bin/sh", "…/a/b"));
}

#[test]
fn terminals_are_called_what_dev_calls_them() {
    let named = |kernel: &[u8]| {
        let mut padded = [0; TTY_LEN];
        padded[..kernel.len()].copy_from_slice(kernel);
        let name = terminal_name(padded);
        String::from_utf8(name.split(|&byte| byte == 0).next().unwrap().to_vec()).unwrap()
    };
    assert_eq!(named(b"pts12"), "pts/12");
    assert_eq!(named(b"tty1"), "tty1");
    assert_eq!(named(b"ttyS0"), "ttyS0");
    assert_eq!(named(b""), "");
}

fn message<'a>(pid: u32, leaf_first: &'a [u8], text: &'a [u8]) -> Audit<'a> {
    let ids = Ids { uid: 7, loginuid: UNSET_ID, session: UNSET_ID, ..Ids::default() };
    let fixed = AuditRecord {
        process: key(pid),
        ids,
        message_type: 1105,
        text_bytes: u32::try_from(text.len()).unwrap(),
        ..AuditRecord::default()
    };
    Audit { fixed, path: leaf_first, cgroup: b"", text }
}

#[test]
fn a_message_has_its_senders_lineage_also_after_the_sender_ended() {
    let mut table = table(100);
    table.apply(&exec(1, b"init/sbin"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"sudo/bin/usr"), 0).unwrap();
    table.apply(&exit(2, 0), 0).unwrap();
    let event = table.apply(&Record::Audit(message(2, b"sudo/bin/usr", b"op=x res=success")), 5).unwrap();
    assert_eq!((event.kind, event.time), (EventType::AuditMessage, 5));
    assert_eq!(paths(&event), ["/usr/bin/sudo", "/sbin/init"]);
    assert_eq!(event.process.image.args.iter().collect::<Vec<_>>(), [b"x"]);
    // Its ids are those of the moment.
    assert_eq!(event.process.ids.uid, 7);
}

#[test]
fn a_message_names_the_program_that_sent_it_and_not_the_next() {
    let mut table = table(100);
    table.apply(&exec(2, b"sh/bin"), 0).unwrap();
    let event = table.apply(&Record::Audit(message(2, b"newgrp/bin/usr", b"op=x")), 0).unwrap();
    assert_eq!((paths(&event), event.process.image.args.iter().count()), (vec!["/usr/bin/newgrp".to_owned()], 0));
    assert_eq!(table.get(key(2)).unwrap().image.path, b"/bin/sh");
    // Of a sender that the table never knew, its record is all.
    let event = table.apply(&Record::Audit(message(9, b"su/bin", b"op=x")), 0).unwrap();
    assert_eq!((paths(&event), table.get(key(9)).is_none()), (vec!["/bin/su".to_owned()], true));
}

#[test]
fn what_a_session_runs_knows_its_login() {
    let mut table = table(100);
    table.apply(&exec(1, b"sshd/sbin/usr"), 0).unwrap();
    table.apply(&fork(1, 2), 0).unwrap();
    let mut opened = message(2, b"sshd/sbin/usr", b"acct=\"deploy\" addr=203.0.113.7 terminal=ssh res=success");
    opened.fixed.ids = Ids { loginuid: 1000, session: 3, ..Ids::default() };
    let event = table.apply(&Record::Audit(opened), 0).unwrap();
    assert_eq!(event.process.login.as_ref().unwrap().address, Some([203, 0, 113, 7].into()));

    // By inheritance, and by the session's number.
    let forked = table.apply(&fork(2, 3), 0).unwrap();
    assert_eq!((forked.process.ids.loginuid, forked.process.ids.session), (1000, 3));
    assert_eq!(forked.process.login.as_ref().unwrap().account, b"deploy");
    let mut of_session = exec_of(4, b"bash/bin", b"x\0");
    of_session.fixed.ids = Ids { session: 3, ..Ids::default() };
    let event = table.apply(&Record::Exec(of_session), 0).unwrap();
    assert_eq!(event.process.login.as_ref().unwrap().program, b"/usr/sbin/sshd");
    // Others do not.
    assert!(table.apply(&fork(1, 5), 0).unwrap().process.login.is_none());
}

#[test]
fn a_forged_message_teaches_nothing() {
    let mut table = table(100);
    table.apply(&exec(2, b"sh/bin"), 0).unwrap();
    let mut forged = message(2, b"sh/bin", b"acct=\"root\" addr=203.0.113.7 terminal=ssh res=success");
    forged.fixed.ids.session = 3;
    forged.fixed.refusal = sensor_ebpf::record::Refusal::Capability as u16;
    let event = table.apply(&Record::Audit(forged), 0).unwrap();
    assert_eq!((event.kind, event.process.login.is_none()), (EventType::AuditMessageRefused, true));
    let mut of_session = exec_of(4, b"bash/bin", b"x\0");
    of_session.fixed.ids.session = 3;
    assert!(table.apply(&Record::Exec(of_session), 0).unwrap().process.login.is_none());
}

#[test]
fn a_message_with_a_pid_alone_finds_its_process() {
    let mut table = table(100);
    table.apply(&fork(1, 2), 0).unwrap();
    table.apply(&exec(2, b"sudo/bin/usr"), 0).unwrap();
    let mut logged = message(2, b"", b"op=x res=success");
    logged.fixed.process.start = 0;
    let event = table.apply(&Record::Audit(logged), 0).unwrap();
    assert_eq!((event.process.key, paths(&event)[0].as_str()), (key(2), "/usr/bin/sudo"));
}

#[test]
fn an_incident_of_a_message_marks_the_process_and_leaves_it_what_it_is() {
    let mut table = table(100);
    table.apply(&exec(2, b"sh/bin"), 0).unwrap();
    let mut event = table.apply(&Record::Audit(message(2, b"newgrp/bin/usr", b"op=x")), 0).unwrap();
    table.set_incident(&mut event, uuid::Uuid::from_u128(5));
    let live = table.get(key(2)).unwrap();
    assert_eq!((live.incident, live.image.path.as_slice()), (event.process.incident, &b"/bin/sh"[..]));
    assert_eq!(live.image.args.iter().count(), 1);
}

#[test]
fn a_walk_names_each_group_once_whoever_comes_first() {
    let mut table = table(10);
    let cgroup = format!("docker-{}.scope", "a".repeat(64));
    let mut named = exec_of(9, b"b", b"");
    (named.fixed.place.cgroup_id, named.fixed.flags, named.cgroup) = (7, exec_flags::CGROUP_PATH, cgroup.as_bytes());
    let mut older = exec_of(3, b"a", b"");
    older.fixed.place.cgroup_id = 7;
    table.learn_groups([named].into_iter());
    let event = table.apply(&Record::Baseline(older), 0).unwrap();
    assert_eq!(event.process.container.as_ref().unwrap().runtime, Some(Runtime::Docker));
}

/// Arguments as long as the kernel side keeps them.
fn large() -> Vec<u8> {
    [b"x\0".to_vec(), vec![b'a'; 12_000], vec![0]].concat()
}

#[test]
fn while_memory_is_scarce_the_table_keeps_in_short_what_events_have_whole() {
    let budget = Budget::of(8 << 20);
    let mut table = table(10_000).within(budget);
    let args = large();
    let told: Vec<Event> =
        (1..=500).map(|pid| table.apply(&Record::Exec(exec_of(pid, b"sh", &args)), 0).unwrap()).collect();
    assert!(told.iter().all(|event| event.process.image.args.kept() == args.len()), "events have them whole");
    drop(told);
    assert_eq!((table.len(), table.counters().evicted), (500, 0), "and no process is lost");
    assert!(table.counters().shortened > 0 && budget.pressure() < Pressure::Full);
    let child = table.apply(&fork(500, 501), 0).unwrap();
    let parent = child.process.ancestors().next().unwrap();
    assert!(parent.image.args.is_cut() && parent.image.args.total() == args.len() as u64);
    assert_eq!(parent.image.path, b"/sh");
    // However long they are: those that do nothing make room at last.
    for pid in 1000..6000 {
        drop(table.apply(&Record::Exec(exec_of(pid, b"sh", &args)), 0));
    }
    assert!(budget.charged(Part::Programs) <= budget.limit() + (1 << 20), "{}", budget.charged(Part::Programs));
    assert!(table.counters().evicted > 0 && table.len() >= room::LEAST_PROCESSES);
    drop((table, child));
    assert_eq!(budget.charged(Part::Programs), 0, "everything is given back");
}
