//! The receiving side, as a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Said, parse_lines, programs};

/// `sensor-central dev` in a folder of its own, with a CA of its own, on a port of the loopback that it keeps.
#[derive(Debug)]
pub struct Central {
    folder: TempDir,
    port: u16,
    /// None while it is stopped.
    child: Option<Child>,
}

impl Central {
    /// Starts one.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further arguments, such as `--fault`.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut central = Self { folder, port: 0, child: None };
        central.resume(arguments);
        central
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    /// It does not start.
    pub fn resume(&mut self, arguments: &[&str]) {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = Command::new(programs::central());
        // The port after the one that is kept may be anybody's.
        command.args(["dev", "--listen", &listen, "--web-listen", "127.0.0.1:0", "--dir"]);
        command.arg(self.path()).args(arguments);
        self.run(&mut command);
    }

    /// Starts it again showing this certificate (names of files in its folder) in place of its own.
    ///
    /// # Panics
    /// It does not start.
    pub fn resume_showing(&mut self, certificate: &str, key: &str) {
        self.serve(certificate, key, "");
    }

    /// Starts one without bounds on how often clients may ask.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_unbounded() -> Self {
        let bounds = ["second", "minute", "hour", "day"].map(|time| format!("requests_per_{time}: null"));
        let mut central = Self::start();
        central.stop();
        central.serve("server.crt", "server.key", &format!("api: {{{}}}\n", bounds.join(", ")));
        central
    }

    fn serve(&mut self, certificate: &str, key: &str, more: &str) {
        let at = self.path().display();
        let yaml = format!(
            "listen: 127.0.0.1:{}\ndata_dir: {at}\ntls: {{certificate: {at}/{certificate}, key: {at}/{key}}}\n{more}",
            self.port
        );
        let config = self.path().join("central.yaml");
        fs::write(&config, yaml).expect("its configuration");
        let mut command = Command::new(programs::central());
        command.arg("serve").arg("--config").arg(config);
        self.run(&mut command);
    }

    fn run(&mut self, command: &mut Command) {
        assert!(self.child.is_none(), "it runs already");
        let log = fs::File::options().create(true).append(true).open(self.path().join("log")).expect("its log");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; `make test` builds it"));
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("its output is text");
        let Some((_, port)) = line.trim().rsplit_once(':').filter(|_| line.contains("listening on")) else {
            panic!("Central does not start: {line}\n{}", self.log());
        };
        self.port = port.parse().expect("a port");
        // Nobody else reads the rest; an unread pipe must not stop the program.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        self.child = Some(child);
    }

    /// Ends it the way the system does.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&mut self) {
        self.end(Signal::SIGTERM);
    }

    /// Ends it without warning.
    ///
    /// # Panics
    /// It does not run.
    pub fn kill(&mut self) {
        self.end(Signal::SIGKILL);
    }

    fn end(&mut self, signal: Signal) {
        let mut child = self.child.take().expect("it runs");
        kill(Pid::from_raw(child.id().try_into().expect("a pid")), signal).expect("it is there");
        child.wait().expect("it ends");
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// The token that sensors show.
    #[must_use]
    pub fn token(&self) -> String {
        self.read("token")
    }

    /// The tenant whose alerts these are.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.read("tenant")
    }

    /// What a client of the public API logs in with for the tenant: id and secret.
    #[must_use]
    pub fn credentials(&self) -> (String, String) {
        (self.read("client_id"), self.read("client_secret"))
    }

    fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.trim().to_owned()
    }

    /// The top-level keys with which a sensor delivers to it, and further keys of `mcs`, such as `, crl_policy: warn`.
    #[must_use]
    pub fn keys(&self, more: &str) -> String {
        format!(
            "customer_id: {}\nmcs: {{enabled: true, url: \"https://127.0.0.1:{}\", token: \"{}\", certs_dir: {}{more}}}\n",
            self.tenant(),
            self.port,
            self.token(),
            self.path().display(),
        )
    }

    /// The alerts that came in, in order.
    ///
    /// # Panics
    /// They cannot be read.
    #[must_use]
    pub fn alerts(&self) -> Vec<Value> {
        let mut command = Command::new(programs::central());
        command.args(["detections", "--json", "--limit", "1000000", "--data-dir"]).arg(self.path());
        let said = Said::of(&mut command);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        parse_lines(said.stdout.as_bytes())
    }
}

impl Central {
    /// The sensors that said hello.
    ///
    /// # Panics
    /// They cannot be read.
    #[must_use]
    pub fn sensors(&self) -> Vec<Value> {
        let mut command = Command::new(programs::central());
        let said = Said::of(command.args(["sensors", "--data-dir"]).arg(self.path()));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        parse_lines(said.stdout.as_bytes())
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the log of Central:\n{}", self.log());
        }
    }
}
