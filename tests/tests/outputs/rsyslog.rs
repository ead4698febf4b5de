//! rsyslog, with a configuration of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sensor_tests::until;

/// Killed when this is dropped.
pub(crate) struct Rsyslog {
    child: Child,
    file: PathBuf,
}

impl Rsyslog {
    /// Starts one in this folder, with these inputs and otherwise as it comes, and waits until it has taken them.
    pub(crate) fn start(folder: &Path, inputs: &str, listens: impl Fn() -> bool) -> Self {
        let file = folder.join("received");
        let config = format!(
            "global(workDirectory=\"{folder}\")\n{inputs}\n\
             template(name=\"line\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text%|%timestamp:::date-rfc3339%|\
             %hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n\")\n\
             action(type=\"omfile\" file=\"{file}\" template=\"line\")\n",
            folder = folder.display(),
            file = file.display(),
        );
        fs::write(folder.join("rsyslog.conf"), config).expect("its configuration");
        let child = Command::new("/usr/sbin/rsyslogd")
            .args(["-n", "-i"])
            .arg(folder.join("rsyslog.pid"))
            .arg("-f")
            .arg(folder.join("rsyslog.conf"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("rsyslogd: {error}; `setup/install.sh test` installs it"));
        let mut rsyslog = Self { child, file };
        until("rsyslog to listen", || {
            let ended = rsyslog.child.try_wait().expect("its state");
            assert!(ended.is_none(), "rsyslog ended: {ended:?}");
            listens().then_some(())
        });
        rsyslog
    }

    /// What it has received, a line each, fields between bars.
    pub(crate) fn lines(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(|line| line.splitn(7, '|').map(str::to_owned).collect()).collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // By the handle, so never another process with a reused pid.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
