//! The folder of one sensor: its configuration, its run and state directories, and what it wrote.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{parse_lines, programs};

/// A sensor's folder; gone when this is dropped.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
}

/// How a run of the program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    /// A new folder with this main configuration, in which `@HOME@` stands for the folder. Content and rules are
    /// empty files.
    ///
    /// # Panics
    /// It cannot be made, or the tests do not run as root.
    #[must_use]
    pub fn new(config: &str) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests load programs into the kernel: run them as root (`make test` in a container or virtual machine)"
        );
        // Not in the path: a mark, lest the sensor's own processes have it.
        let dir = tempfile::Builder::new()
            .prefix("sensor-home-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder");
        let home = Self { dir };
        home.write_config(config);
        home.write("content.yaml", "");
        home.write("rules.yaml", "");
        home
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes the main configuration.
    pub fn write_config(&self, config: &str) {
        self.write("config.yaml", &config.replace("@HOME@", &self.path().display().to_string()));
    }

    /// Writes the shipped policies and lists.
    pub fn write_content(&self, content: &str) {
        self.write("content.yaml", content);
    }

    /// Writes a file that nobody else can read. It is there whole or not at all: a sensor may be reading it.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let mut file = tempfile::NamedTempFile::new_in(self.path()).expect("a file in the sensor's home");
        file.write_all(text.as_bytes()).expect("its content");
        file.persist(self.file(name)).expect("its name");
    }

    /// The program, with nothing of the tests' environment.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::sensor());
        command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("NO_COLOR", "1");
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// The program with this home's files and folders, and further arguments.
    #[must_use]
    pub fn sensor_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&[]);
        for (flag, name) in [
            ("-config", "config.yaml"),
            ("-content", "content.yaml"),
            ("-rules", "rules.yaml"),
            ("-run-dir", "run"),
            ("-state-dir", "state"),
        ] {
            command.arg(flag).arg(self.file(name));
        }
        command.args(arguments);
        command
    }

    /// Runs the program with this home's files and folders to its end, such as `-check`.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&mut self.sensor_command(arguments))
    }

    /// Asks the sensor that runs here: `status`, `reload`.
    #[must_use]
    pub fn ask(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).arg("-run-dir").arg(self.file("run")))
    }

    /// The status of the sensor that runs here; none if none answers.
    ///
    /// # Panics
    /// The answer is no JSON.
    #[must_use]
    pub fn status_if_any(&self) -> Option<Value> {
        let said = self.ask(&["status", "-json"]);
        (said.code == Some(0)).then(|| serde_json::from_str(&said.stdout).expect("the status as JSON"))
    }

    /// The complete lines of a file as JSON, after those of the full files that it took the place of; none if it is not
    /// there. How many lines fill a file depends on the command lines of all programs above this one.
    #[must_use]
    pub fn json_lines(&self, name: &str) -> Vec<Value> {
        loop {
            let full = self.full_files(name);
            let files = full.iter().map(String::as_str).chain([name]);
            let lines = files.flat_map(|file| parse_lines(&fs::read(self.file(file)).unwrap_or_default())).collect();
            if self.full_files(name) == full {
                return lines;
            }
        }
    }

    /// Takes away what a sensor that was killed left of a line. The next one would end it there, so that a reader finds
    /// one line that is no row or alert; who reads these files here wants none.
    pub(crate) fn forget_torn_lines(&self) {
        for name in ["alerts.jsonl", "rows.jsonl"] {
            let Ok(file) = fs::File::options().read(true).write(true).open(self.file(name)) else { continue };
            let text = fs::read(self.file(name)).expect("a file that can be read");
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(whole as u64).expect("a shorter file");
        }
    }

    /// The files that became full and were moved out of the way, the oldest first.
    fn full_files(&self, name: &str) -> Vec<String> {
        let numbered = (1..).map(|number| format!("{name}.{number}"));
        numbered.take_while(|file| self.file(file).exists()).collect()
    }

    /// The rows of a table, in the order in which they were written.
    ///
    /// # Panics
    /// A row does not name its table.
    #[must_use]
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let mut rows = self.json_lines("rows.jsonl");
        assert!(rows.iter().all(|row| row["table"].is_string()), "a row without its table");
        rows.retain(|row| row["table"] == table);
        rows
    }

    /// The alerts, in the order in which they were written.
    #[must_use]
    pub fn alerts(&self) -> Vec<Value> {
        self.json_lines("alerts.jsonl")
    }

    /// The sensor's own log.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.file("stderr")).unwrap_or_default()).into_owned()
    }

    /// What the sensor wrote to its standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.file("stdout")).unwrap_or_default()).into_owned()
    }
}

impl Said {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the program can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}
