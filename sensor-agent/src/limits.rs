//! `use_resource_limits`: hard limits on the sensor itself, kept by the kernel.
//!
//! Under systemd the unit has systemd set them before each start (`sophoslinuxsensor limits`): systemd owns the unit's
//! cgroup, and the sandbox of the sensor has no way to it. Elsewhere the sensor sets them on a cgroup that is its alone.
//! Whoever was to set them, the sensor looks at what is in force, and says so when it is not what was asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::systemd;

/// Of one CPU, percent.
pub const CPU_PERCENT: u64 = 5;
/// Bytes.
pub const MEMORY: u64 = 1024 << 20;
/// What the unit allows when the switch is off, percent of one CPU.
const UNIT_CPU_PERCENT: u64 = 100;

const UNIT: &str = "sophoslinuxsensor.service";
/// Where systemd keeps what was set while it runs.
const SET_PROPERTIES: &str = "/run/systemd/system.control/sophoslinuxsensor.service.d";
const CGROUPS: &str = "/sys/fs/cgroup";

/// Why systemd did not set them.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    #[error("systemctl cannot be run: {0}; the limits of the unit stay as they are")]
    Systemctl(#[source] std::io::Error),
    #[error("systemctl set-property refused the limits: {0}")]
    Refused(String),
}

/// Has systemd set the limits on the unit, or take them back. Returns what is in force, for the log.
///
/// # Errors
/// There is no systemd, or it refuses.
pub fn apply(on: bool) -> Result<String, LimitsError> {
    if !on && !Path::new(SET_PROPERTIES).exists() {
        return Ok("no limits beyond the unit's own".into());
    }
    let cpu = if on { CPU_PERCENT } else { UNIT_CPU_PERCENT };
    let cpu = format!("CPUQuota={cpu}%");
    let memory = format!("MemoryMax={MEMORY}");
    let output = Command::new("systemctl")
        .args(["set-property", "--runtime", UNIT, &cpu, &memory])
        .output()
        .map_err(LimitsError::Systemctl)?;
    if output.status.success() {
        Ok(format!("{cpu} {memory}"))
    } else {
        Err(LimitsError::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Sets the limits where no service manager does. Takes the rights of the start.
pub fn hold() {
    if systemd::is_service() {
        return;
    }
    let Some(group) = own_group() else { return };
    let alone =
        fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|pids| pids.trim() == std::process::id().to_string());
    if alone {
        // What could not be set is told by `lacking`.
        let _ = fs::write(group.join("cpu.max"), format!("{} 100000", CPU_PERCENT * 1000));
        let _ = fs::write(group.join("memory.max"), MEMORY.to_string());
    }
}

/// What of the limits is not in force, one sentence; none if all is.
#[must_use]
pub fn lacking() -> Option<String> {
    let advice = if systemd::is_service() {
        "systemctl restart sophoslinuxsensor sets them"
    } else {
        "run the sensor as its unit, or limit its container"
    };
    let lacking = match own_group() {
        None => "there is no cgroup of version 2 of its own".to_owned(),
        Some(group) => {
            let read = |name: &str| fs::read_to_string(group.join(name)).unwrap_or_default();
            let mut lacking = Vec::new();
            if cpu_percent(&read("cpu.max")).is_none_or(|percent| percent > CPU_PERCENT as f64) {
                lacking.push(format!("the CPU is not limited to {CPU_PERCENT} %"));
            }
            if read("memory.max").trim().parse::<u64>().map_or(true, |bytes| bytes > MEMORY) {
                lacking.push(format!("memory is not limited to {} MB", MEMORY >> 20));
            }
            lacking.join(" and ")
        }
    };
    (!lacking.is_empty()).then(|| format!("`use_resource_limits` is on, and {lacking}: {advice}"))
}

/// The cgroup of this process, unless that is the root of all.
fn own_group() -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let group = Path::new(CGROUPS).join(path);
    // The root of a container's view has the files, that of the host has not.
    group.join("cgroup.type").exists().then_some(group)
}

/// The share of one CPU, percent; none without a limit.
fn cpu_percent(cpu_max: &str) -> Option<f64> {
    let (quota, period) = cpu_max.trim().split_once(' ')?;
    Some(quota.parse::<f64>().ok()? * 100.0 / period.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_cpu() {
        assert_eq!(cpu_percent("5000 100000\n"), Some(5.0));
        assert_eq!(cpu_percent("200000 100000"), Some(200.0));
        assert_eq!(cpu_percent("max 100000\n"), None);
        assert_eq!(cpu_percent(""), None);
    }

    #[test]
    fn the_unit_says_the_same() {
        let unit = include_str!("../../packaging/systemd/sophoslinuxsensor.service");
        assert!(unit.contains(&format!("MemoryMax={}M\n", MEMORY >> 20)));
        assert!(unit.contains(&format!("CPUQuota={UNIT_CPU_PERCENT}%\n")));
        assert!(unit.contains("ExecStartPre=+-/usr/bin/sophoslinuxsensor limits\n"));
    }
}
