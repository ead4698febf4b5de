//! What the sensor tells systemd, if that started it: that it is ready, that it lives, and what it is at (sd_notify(3)).

use std::time::Duration;

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
