//! syslog-ng, with a configuration of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sensor_tests::until;

/// Killed when this is dropped.
pub(crate) struct SyslogNg {
    child: Child,
    file: PathBuf,
}

impl SyslogNg {
    /// Starts one in this folder, with this source and otherwise as it comes, and waits until it listens.
    pub(crate) fn start(folder: &Path, source: &str, listens: impl Fn() -> bool) -> Self {
        let file = folder.join("received-ng");
        let place = folder.display();
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/syslog-ng");
        let modules = modules(&programs).expect("target/syslog-ng is there; `setup/install.sh test` makes it");
        let version = modules.file_name().expect("a name").to_string_lossy();
        let config = format!(
            "@version: {version}\n\
             source s {{ {source} }};\n\
             destination d {{ file(\"{}\" template(\"$FACILITY.$PRIORITY|$HOST|$PROGRAM|$MSG\\n\") flush-lines(1)); }};\n\
             log {{ source(s); destination(d); }};\n",
            file.display(),
        );
        fs::write(folder.join("syslog-ng.conf"), config).expect("its configuration");
        let child = Command::new(programs.join("usr/sbin/syslog-ng"))
            .env("LD_LIBRARY_PATH", programs.join("usr/lib/syslog-ng"))
            .arg(format!("--module-path={}", modules.display()))
            .args(["--foreground", "--no-caps", "--process-mode=foreground"])
            .arg(format!("--cfgfile={place}/syslog-ng.conf"))
            .arg(format!("--persist-file={place}/ng.persist"))
            .arg(format!("--pidfile={place}/ng.pid"))
            .arg(format!("--control={place}/ng.ctl"))
            .stdout(Stdio::null())
            .spawn()
            .expect("syslog-ng runs");
        let mut syslog_ng = Self { child, file };
        until("syslog-ng to listen", || {
            let ended = syslog_ng.child.try_wait().expect("its state");
            assert!(ended.is_none(), "syslog-ng ended: {ended:?}");
            listens().then_some(())
        });
        syslog_ng
    }

    /// What it has received, a line each: facility and severity, host, program, text.
    pub(crate) fn lines(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(|line| line.splitn(4, '|').map(str::to_owned).collect()).collect()
    }
}

/// The folder of its modules, which has the version as its name.
fn modules(programs: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(programs.join("usr/lib/syslog-ng")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| path.is_dir())
}

impl Drop for SyslogNg {
    fn drop(&mut self) {
        // By the handle, so never another process with a reused pid.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
