//! What host this is: the facts that fields and alerts carry.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::utsname::uname;
use uuid::Uuid;

use crate::clock::BootToUnix;
use crate::event::Host;

/// Asks the running system. Facts that it does not tell are left out.
///
/// The sensor's id is kept in the state folder, so that it survives restarts; the folder is made if it is missing.
///
/// # Errors
/// The id could neither be read nor written.
pub fn describe(state_dir: &Path) -> io::Result<Host> {
    let boot_time = BootToUnix::now().unix(0);
    Ok(Host {
        sensor_id: sensor_id(state_dir)?,
        hostname: hostname().unwrap_or_default(),
        boot_id: read("/proc/sys/kernel/random/boot_id")
            .and_then(|id| id.parse().ok())
            .map_or(0, |id: Uuid| id.as_u128()),
        boot_time,
        metadata: metadata(boot_time),
    })
}

/// The host as it is now, if it is another than it was: a sensor starts before the network is up and before the host has got
/// its name. What cannot be told any more stays as it was.
#[must_use]
pub fn changed(before: &Host) -> Option<Host> {
    let mut now = Host {
        hostname: hostname().filter(|name| !name.is_empty()).unwrap_or_else(|| before.hostname.clone()),
        metadata: metadata(before.boot_time),
        ..before.clone()
    };
    for (name, value) in &before.metadata {
        if !name.starts_with(INTERFACE) && !now.metadata.iter().any(|(known, _)| known == name) {
            now.metadata.push((name.clone(), value.clone()));
        }
    }
    (now.hostname != before.hostname || now.metadata != before.metadata).then_some(now)
}

/// Before the name of a network interface, which come and go.
const INTERFACE: &str = "network_interface.";

fn hostname() -> Option<String> {
    nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned())
}

fn sensor_id(state_dir: &Path) -> io::Result<String> {
    let path = state_dir.join("sensor_id");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().parse::<Uuid>().is_ok() => return Ok(text.trim().to_owned()),
        // Not an id (a torn write, say): a new one is better than none.
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir_all(state_dir)?;
    let id = Uuid::new_v4().to_string();
    let scratch = state_dir.join(format!(".sensor_id.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&scratch)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(&scratch, &path)?;
    Ok(id)
}

fn metadata(boot_time: u64) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push((name.to_owned(), value));
        }
    };
    let os = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(read).unwrap_or_default();
    add("os_name", os_release(&os, "NAME"));
    add("os_version", os_release(&os, "VERSION_ID"));
    add("os_platform", os_release(&os, "ID"));
    if let Ok(kernel) = uname() {
        add("kernel_release", kernel.release().to_str().map(str::to_owned));
        add("kernel_version", kernel.version().to_str().map(str::to_owned));
        add("architecture", kernel.machine().to_str().map(str::to_owned));
    }
    add("boot_time", Some((boot_time / 1_000_000_000).to_string()));
    add("machine_id", read("/etc/machine-id"));
    for (name, addresses) in interfaces() {
        add(&format!("{INTERFACE}{name}"), Some(addresses.join(",")));
    }
    facts
}

/// The addresses of each interface but the loopback.
fn interfaces() -> Vec<(String, Vec<String>)> {
    let mut interfaces: Vec<(String, Vec<String>)> = Vec::new();
    for interface in getifaddrs().into_iter().flatten() {
        if interface.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            continue;
        }
        let Some(address) = interface.address else { continue };
        let address = if let Some(v4) = address.as_sockaddr_in() {
            v4.ip().to_string()
        } else if let Some(v6) = address.as_sockaddr_in6() {
            v6.ip().to_string()
        } else {
            continue;
        };
        match interfaces.iter_mut().find(|(name, _)| *name == interface.interface_name) {
            Some((_, addresses)) => addresses.push(address),
            None => interfaces.push((interface.interface_name, vec![address])),
        }
    }
    interfaces
}

/// A value of os-release(5), without its quotes.
fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sensor_id_stays() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let first = describe(&state).unwrap();
        assert_eq!(first.sensor_id, describe(&state).unwrap().sensor_id);
        assert_ne!(first.boot_id, 0);
        fs::write(state.join("sensor_id"), "torn").unwrap();
        assert_ne!(first.sensor_id, describe(&state).unwrap().sensor_id);
    }

    #[test]
    fn what_was_not_known_at_the_start_is_learnt() {
        let folder = tempfile::tempdir().unwrap();
        let now = describe(folder.path()).unwrap();
        assert!(changed(&now).is_none());
        let early = Host { hostname: "localhost-before".into(), metadata: Vec::new(), ..now.clone() };
        let later = changed(&early).unwrap();
        assert_eq!((&later.hostname, &later.metadata), (&now.hostname, &now.metadata));
        assert_eq!(later.sensor_id, now.sensor_id);
        // What cannot be told any more stays, unless it is an address.
        let mut more = now.clone();
        more.metadata.extend([("cloud".into(), "x".into()), ("network_interface.gone0".into(), "10.0.0.1".into())]);
        let later = changed(&more).unwrap();
        assert!(later.metadata.contains(&("cloud".into(), "x".into())));
        assert!(!later.metadata.iter().any(|(name, _)| name.ends_with("gone0")));
    }

    #[test]
    fn os_release_values() {
        let text = "PRETTY_NAME=\"A B\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian\n";
        assert_eq!(os_release(text, "NAME").as_deref(), Some("Debian GNU/Linux"));
        assert_eq!(os_release(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(os_release(text, "ID").as_deref(), Some("debian"));
        assert_eq!(os_release(text, "VERSION"), None);
    }
}
