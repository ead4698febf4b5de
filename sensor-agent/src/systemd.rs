//! What the sensor tells systemd, if that started it: that it is ready, that it lives, and what it is at (sd_notify(3)).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The unit's name.
pub const UNIT: &str = "sophoslinuxsensor.service";

/// Where systemd looks for the unit, the first first, and in folders below them for what changes it.
pub const UNIT_FOLDERS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"];

/// The unit and its drop-ins, one after the other; none if it is not installed.
#[must_use]
pub fn unit_text() -> Option<String> {
    let mut text = UNIT_FOLDERS.iter().find_map(|folder| fs::read_to_string(Path::new(folder).join(UNIT)).ok())?;
    // What counts for more comes later.
    for folder in UNIT_FOLDERS.iter().rev() {
        let entries = fs::read_dir(Path::new(folder).join(format!("{UNIT}.d"))).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_drop_in(path)).collect();
        paths.sort_unstable();
        for drop_in in paths.iter().filter_map(|path| fs::read_to_string(path).ok()) {
            text.push('\n');
            text.push_str(&drop_in);
        }
    }
    Some(text)
}

/// Whether a file changes the unit whose folder it is in.
#[must_use]
pub fn is_drop_in(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "conf")
}

/// Tells the service manager; without one, nobody.
pub fn notify(state: &str) {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Custom(state)]) {
        tracing::debug!("systemd was not notified: {error}");
    }
}

/// One line that `systemctl status` shows, also of a service that has failed.
pub fn tell_status(text: &str) {
    let line = text.lines().next().unwrap_or_default();
    notify(&format!("STATUS={line}"));
}

/// How long systemd waits for a sign of life before it starts the sensor anew; none if it does not watch.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Whether a service manager started this process.
#[must_use]
pub fn is_service() -> bool {
    std::env::var_os("INVOCATION_ID").is_some()
}
