//! Tutorials as a reader would do them: `docs/siem-tutorial.md` and `docs/central-web.md`, each from top to bottom in one shell,
//! and each command shows what the page says.
//!
//! `sh tutorial` blocks are commands that must all succeed. A `console tutorial` block has a command and what it shows,
//! where `…` stands for any text within a line, and blanks for at least one; it is given until it shows that, as the
//! page says. Ports are exchanged for free ones and the name of the program that raises alerts for one that nobody else
//! runs, and nothing else is.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sensor_tests::{Mark, PATIENCE, blocks, free_port, programs};

const PORTS: [&str; 4] = ["8443", "8444", "5514", "8088"];

/// The program that raises alerts.
const PROGRAM: &str = "miner";

/// Stands behind what a command has said.
const MARK: &str = "-- that was it";

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A shell that is given commands, and its process group.
struct Shell {
    child: Child,
    commands: ChildStdin,
    /// Lines of both of its outputs.
    said: Receiver<String>,
}

impl Shell {
    /// One of a reader who has just come, with the sources in this folder.
    fn start(folder: &Path) -> Self {
        let mut command = Command::new("bash");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", folder).current_dir(folder);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("bash; `setup/install.sh test` installs it");
        let (send, said) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let mut commands = child.stdin.take().expect("a pipe");
        commands.write_all(b"exec 2>&1\n").expect("it reads");
        Self { child, commands, said }
    }

    /// Gives it these, and returns what was said.
    fn give(&mut self, commands: &str) -> String {
        // On a line of its own, whatever has been said.
        write!(self.commands, "{commands}\nprintf '\\n{MARK}\\n'\n").expect("it reads");
        let mut said = String::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line == MARK => return said.trim_end().to_owned(),
                Ok(line) => said.extend([&line, "\n"]),
                Err(error) => panic!("{error}: {commands}\n{said}"),
            }
        }
    }

    /// Tells it that there is nothing more; true if it ends as it should and nothing that it has started runs on.
    fn ends(mut self) -> bool {
        self.commands.write_all(b"exit\n").expect("it reads");
        self.child.wait().expect("it ends").success() && killpg(self.group(), None) == Err(Errno::ESRCH)
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a pid"))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Whatever it has started and not ended, where a test fails.
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Whether these lines are what the page shows.
fn shows(said: &str, page: &str) -> bool {
    said.lines().count() == page.lines().count()
        && said.lines().zip(page.lines()).all(|(said, page)| {
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            is_like(&words(said), &words(page))
        })
}

/// Whether a line is a pattern's, in which `…` stands for any text.
fn is_like(line: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('…');
    let Some(mut rest) = pieces.next().and_then(|begin| line.strip_prefix(begin)) else { return false };
    let Some(end) = pieces.next_back() else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(end) else { return false };
    rest = middle;
    pieces.all(|piece| {
        let found = rest.split_once(piece);
        rest = found.map_or(rest, |(_, behind)| behind);
        found.is_some()
    })
}

#[test]
fn a_pattern_leaves_out_what_it_says() {
    assert!(shows("TIME  HOST\n8:00  vm\n", "TIME HOST\n…  …\n"));
    assert!(is_like("a b c", "a … c") && is_like("abc", "…") && is_like("abc", "abc…") && is_like("xx", "…x"));
    assert!(!is_like("a b c", "a … d") && !is_like("abc", "ab") && !is_like("abc", "b…"));
    assert!(!shows("1\n2\n", "…\n") && !shows("1\n", "…\n…\n"));
}

#[test]
fn the_export_to_a_siem_can_be_followed() {
    follow("siem-tutorial", 10);
}

#[test]
fn the_way_to_a_detection_in_a_browser_can_be_followed() {
    follow("central-web", 2);
}

/// Does what a page says, which has more than so many blocks of either kind, in a folder of the reader's that is called as the
/// page is, and gone at the end.
fn follow(page: &str, blocks_of_a_kind: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    // The folder of the sources, and what was built there.
    fs::create_dir(folder.path().join("target")).expect("a folder");
    symlink(programs::central().parent().expect("its folder"), folder.path().join("target/release")).expect("a link");
    let ports = PORTS.map(|port| (port, free_port().to_string()));
    let mark = Mark::new("tutorial");
    let exchanged = |text: &str| {
        let text = text.replace(PROGRAM, mark.word());
        ports.iter().fold(text, |text, (port, free)| text.replace(port, free))
    };

    let mut shell = Shell::start(folder.path());
    let (mut given, mut looked) = (0, 0);
    for block in blocks(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{page}.md"))) {
        let text = exchanged(&block.text);
        match block.kind.as_str() {
            "sh tutorial" => {
                // The shell ends at the first that fails.
                shell.give(&format!("set -e\n{text}set +e"));
                given += 1;
            }
            "console tutorial" => {
                let (command, wanted) = text.split_once('\n').expect("a command and what it shows");
                let command = command.strip_prefix("$ ").unwrap_or_else(|| panic!("{}: no command", block.place));
                let begin = Instant::now();
                loop {
                    let said = shell.give(command);
                    if shows(&said, wanted) {
                        break;
                    }
                    assert!(begin.elapsed() < PATIENCE, "{}: {command}\n{said}", block.place);
                    thread::sleep(PAUSE);
                }
                looked += 1;
            }
            _ => {}
        }
    }
    let least = blocks_of_a_kind;
    assert!(given > least && looked > least, "{given} blocks of commands, {looked} of what they show");

    assert!(!folder.path().join(page).exists());
    assert!(shell.ends());
}
