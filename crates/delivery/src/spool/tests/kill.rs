//! kill -9 at any moment: what was acknowledged is there, once.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "SPOOL_TEST_KILL_FOLDER";
const FIRST: &str = "SPOOL_TEST_KILL_FIRST";
const KILLS: u32 = 40;

/// The process that is killed: appends, confirms, and says so on its standard output.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut next: u32 = std::env::var(FIRST).unwrap().parse().unwrap();
    let (spool, _) = Spool::open(Path::new(&folder), Limits::default());
    let say = |word: &str, numbers: &[u32]| {
        let mut out = std::io::stdout().lock();
        for number in numbers {
            writeln!(out, "{word} {number}").unwrap();
        }
        out.flush().unwrap();
    };
    loop {
        let new: Vec<u32> = (next..next + 1 + next % 4).collect();
        next += 1 + next % 4;
        spool
            .append(
                new.iter()
                    .map(|number| if number % 5 == 0 { telemetry(*number, 3000) } else { alert(*number, 700) })
                    .collect(),
            )
            .unwrap();
        say("stored", &new);
        if next.is_multiple_of(3) {
            let items = spool.next(4, usize::MAX);
            say("sending", &numbers(&items));
            spool.confirm(&ids(&items));
            say("confirmed", &numbers(&items));
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_confirmed_returns() {
    let folder = tempfile::tempdir().unwrap();
    let (mut stored, mut sending, mut confirmed) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "spool::tests::kill::child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .env(FIRST, (round * 100_000 + 1).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        let mut take = |line: String| {
            let Some((word, number)) = line.split_once(' ') else { return };
            let Ok(number) = number.parse::<u32>() else { return };
            match word {
                "stored" => stored.insert(number),
                "sending" => sending.insert(number),
                "confirmed" => confirmed.insert(number),
                _ => false,
            };
        };
        // Killed after a number of lines, and at an odd moment after that.
        while heard < state % 60 {
            take(lines.next().unwrap().unwrap());
            heard += 1;
        }
        std::thread::sleep(Duration::from_micros(state % 7919));
        child.kill().unwrap();
        lines.map_while(Result::ok).for_each(take);
        child.wait().unwrap();

        let (spool, report) = Spool::open(folder.path(), Limits::default());
        assert_eq!((report.salvage, report.trouble), (None, None));
        let mut present = HashSet::new();
        let items = spool.next(usize::MAX, usize::MAX);
        spool.confirm(&ids(&items)[..items.len() / 2]);
        // Telemetry is handed out when no alert is left.
        let rest = &items[items.len() / 2..];
        for item in &items {
            assert!(present.insert(number(item)), "twice");
        }
        let gone: HashSet<u32> = numbers(&items[..items.len() / 2]).into_iter().collect();
        assert!(present.is_disjoint(&confirmed), "a confirmed item returned");
        for number in stored.iter().filter(|number| *number % 5 != 0) {
            assert!(present.contains(number) || sending.contains(number), "{number} was lost");
        }
        assert!(rest.len() <= items.len());
        confirmed.extend(&gone);
        sending.extend(&gone);
    }
    // At the end telemetry has its turn too.
    let (spool, _) = Spool::open(folder.path(), Limits::default());
    let present: HashSet<u32> = drain(&spool).into_iter().collect();
    assert!(present.is_disjoint(&confirmed));
    assert!(stored.iter().all(|number| present.contains(number) || sending.contains(number)));
    assert!(stored.len() > 100 && !confirmed.is_empty());
}
