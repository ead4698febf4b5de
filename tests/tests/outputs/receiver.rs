//! A program that receives and prints what it got.

use std::fmt::Debug;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sensor_tests::until;

/// Killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Receiver {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// Starts one and waits until it says that it is `ready`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}; `setup/install.sh test` installs what the tests receive with")
        });
        let stdout = child.stdout.take().expect("its output");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                taken.lock().unwrap().push(line);
            }
        });
        let mut receiver = Self { child, lines };
        until("the receiver to be ready", || {
            let ended = receiver.child.try_wait().expect("its state");
            assert!(ended.is_none(), "{command:?}: {ended:?}; `setup/install.sh test` installs what it needs");
            (receiver.lines.lock().unwrap().first().map(String::as_str) == Some("ready")).then_some(())
        });
        receiver
    }

    /// What it has printed since it was ready.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().skip(1).cloned().collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, signal).expect("the receiver is there");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // By the handle, so never another process with a reused pid.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
