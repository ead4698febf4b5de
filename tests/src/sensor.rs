//! A running sensor.

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Deref;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{Home, of_kind, of_pid, until};

/// A sensor that answers. It is killed when this is dropped.
#[derive(Debug)]
pub struct Sensor {
    home: Arc<Home>,
    child: Child,
}

impl Deref for Sensor {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Sensor {
    /// Starts one with this main configuration in a home of its own, and waits until it answers.
    ///
    /// # Panics
    /// It ends instead.
    #[must_use]
    #[track_caller]
    pub fn start(config: &str) -> Self {
        Self::start_in(&Arc::new(Home::new(config)))
    }

    /// The same in a home that is there.
    ///
    /// # Panics
    /// It ends instead.
    #[must_use]
    #[track_caller]
    pub fn start_in(home: &Arc<Home>) -> Self {
        Self::launch(home).answering()
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// It ends instead.
    #[must_use]
    #[track_caller]
    pub fn answering(mut self) -> Self {
        let sensor = &mut self;
        let answered = until("the sensor to answer", || {
            if let Some(ended) = sensor.child.try_wait().expect("the sensor's state") {
                return Some(Err(ended));
            }
            let status = sensor.status_if_any()?;
            // Another answers while a dead one's socket is being replaced; this one's status must be its own.
            (status["pid"] == sensor.pid()).then_some(Ok(()))
        });
        if let Err(ended) = answered {
            panic!("the sensor did not start: {ended}\n{}", sensor.log());
        }
        self
    }

    /// Starts one and does not wait.
    ///
    /// # Panics
    /// Its program cannot be run.
    #[must_use]
    pub fn launch(home: &Arc<Home>) -> Self {
        Self::launch_into(home, append(home, "stdout").into())
    }

    /// The same with its output going there.
    ///
    /// # Panics
    /// Its program cannot be run.
    #[must_use]
    pub fn launch_into(home: &Arc<Home>, stdout: Stdio) -> Self {
        let mut command = home.sensor_command(&[]);
        let child = command.stdout(stdout).stderr(append(home, "stderr")).spawn().expect("the sensor starts");
        Self { home: Arc::clone(home), child }
    }

    /// Its folder, which stays when the sensor ends.
    #[must_use]
    pub fn home(&self) -> Arc<Home> {
        Arc::clone(&self.home)
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What `status -json` says.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    #[track_caller]
    pub fn status(&self) -> Value {
        self.status_if_any().unwrap_or_else(|| panic!("the sensor does not answer\n{}", self.log()))
    }

    /// Where it answers over HTTP, which is a moment after it answers to commands.
    #[must_use]
    pub fn metrics_socket(&self) -> PathBuf {
        let socket = self.file("run/metrics.sock");
        self.until("its metrics socket", || socket.exists().then(|| socket.clone()))
    }

    /// What it answers over HTTP, from the status line to the end.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        http_answer(UnixStream::connect(self.metrics_socket()).expect("the metrics socket"), path)
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().expect("a pid"));
        kill(pid, signal).expect("the sensor is there");
    }

    /// Has it read its configuration again; the exit code and what was said.
    #[must_use]
    pub fn reload(&self) -> crate::Said {
        self.ask(&["reload"])
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        until("the sensor to end", || self.child.try_wait().expect("the sensor's state"))
    }

    /// Ends it the way the system does, and returns its exit code (none if a signal ended it).
    pub fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.wait().code()
    }

    /// Ends it without warning.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        assert_eq!(self.wait().signal(), Some(9));
        self.home.forget_torn_lines();
    }

    /// Runs a command to its end and returns its pid.
    ///
    /// # Panics
    /// It cannot be run.
    #[track_caller]
    pub fn finish(&self, command: &mut Command) -> u32 {
        let mut child = spawn(command);
        child.wait().expect("the child ends");
        child.id()
    }

    /// The same, with what it says on its standard output.
    ///
    /// # Panics
    /// It cannot be run, or fails.
    #[track_caller]
    pub fn finish_saying(&self, command: &mut Command) -> (u32, String) {
        let child = spawn(command.stdout(Stdio::piped()));
        let pid = child.id();
        let output = child.wait_with_output().expect("the child ends");
        assert!(output.status.success(), "{command:?}: {}", output.status);
        (pid, String::from_utf8(output.stdout).expect("it says text"))
    }

    /// All rows of a process once its end was told.
    #[track_caller]
    pub fn until_exit(&self, pid: u32) -> Vec<Value> {
        self.until(&format!("the exit of process {pid}"), || {
            let rows = of_pid(&self.rows("process_events"), pid);
            (!of_kind(&rows, "_EXIT").is_empty()).then_some(rows)
        })
    }

    /// The one exec of a process, once its end was told.
    ///
    /// # Panics
    /// There was none, or several.
    #[must_use]
    #[track_caller]
    pub fn exec_of(&self, pid: u32) -> Value {
        let rows = self.until_exit(pid);
        let mut execs = of_kind(&rows, "_EXEC");
        assert_eq!(execs.len(), 1, "{rows:#?}");
        execs.remove(0)
    }

    /// Waits until no output has anything left to hand over: alerts can take longer than rows, and the end, which is bounded
    /// in time, would give up what is left.
    ///
    /// # Panics
    /// The status has no outputs.
    #[track_caller]
    pub fn until_delivered(&self) {
        self.until("the outputs to have their alerts", || {
            let status = self.status();
            status["outputs"].as_array().expect("outputs").iter().all(|output| output["queued"] == 0).then_some(())
        });
    }

    /// The alerts about a process, once there are so many.
    #[must_use]
    #[track_caller]
    pub fn alerts_about(&self, pid: u32, count: usize) -> Vec<Value> {
        let about = |alert: &Value| alert["process_info"]["pid"] == pid;
        self.until(&format!("{count} alerts about process {pid}"), || {
            let alerts: Vec<Value> = self.alerts().into_iter().filter(about).collect();
            (alerts.len() >= count).then_some(alerts)
        })
    }

    /// Waits, and shows the sensor's log if it is in vain.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        until(what, &mut look)
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        // By the handle, so never another process with a reused pid.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the sensor with pid {}:\n{}", self.pid(), self.log());
        }
    }
}

fn append(home: &Home, name: &str) -> File {
    File::options().create(true).append(true).open(home.file(name)).expect("a file for its output")
}

#[track_caller]
fn spawn(command: &mut Command) -> Child {
    loop {
        match command.spawn() {
            // A child that another test forks while a program or a script is being written holds it open until it executes.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            child => return child.unwrap_or_else(|error| panic!("{command:?}: {error}")),
        }
    }
}

/// The answer to a request, from its status line to its end.
///
/// # Panics
/// There is none.
pub fn http_answer(mut stream: impl Read + Write, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: sensor\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
