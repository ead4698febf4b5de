//! What host this is: the facts that fields and alerts carry.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use clock::BootToUnix;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::utsname::uname;
use uuid::Uuid;

use crate::event::Host;

/// The name space of ids that are made of the machine's: a random UUID of this program's own.
const OF_MACHINES: Uuid = Uuid::from_u128(0x9c1d_4f3e_27b8_4d0a_8f57_6e20_b3a9_c4d1);

/// Asks the running system. Facts that it does not tell are left out.
///
/// The sensor's id is kept in the state folder, so that it survives restarts. Where none can be read or kept, it is made
/// of the machine's id, and the second value says why: a host is watched under a makeshift id rather than not at all.
#[must_use]
pub fn describe(state_dir: &Path) -> (Host, Option<String>) {
    let boot_time = BootToUnix::now().unix(0);
    let (sensor_id, trouble) = match sensor_id(state_dir) {
        Ok(id) => (id, None),
        Err(error) => {
            let file = state_dir.join(ID);
            (makeshift_id().to_string(), Some(format!("the sensor's id cannot be kept in {}: {error}", file.display())))
        }
    };
    let host = Host {
        sensor_id,
        hostname: hostname().unwrap_or_default(),
        boot_id: read("/proc/sys/kernel/random/boot_id")
            .and_then(|id| id.parse().ok())
            .map_or(0, |id: Uuid| id.as_u128()),
        boot_time,
        sensor: None,
        metadata: metadata(boot_time),
    };
    (host, trouble)
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

/// The file in the state folder.
const ID: &str = "sensor_id";

fn sensor_id(state_dir: &Path) -> io::Result<String> {
    match fs::read(state_dir.join(ID)) {
        // Not an id (a torn write, say): a new one is better than none.
        Ok(bytes) => {
            if let Ok(id) = String::from_utf8_lossy(&bytes).trim().parse::<Uuid>() {
                return Ok(id.to_string());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let id = Uuid::new_v4().to_string();
    keep_id(state_dir, &id)?;
    Ok(id)
}

/// Keeps an id for the runs to come.
///
/// # Errors
/// It cannot be written.
pub fn keep_id(state_dir: &Path, id: &str) -> io::Result<()> {
    let scratch = state_dir.join(format!(".sensor_id.{}", std::process::id()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&scratch)?;
        writeln!(file, "{id}")?;
        file.sync_all()?;
        fs::rename(&scratch, state_dir.join(ID))
    };
    write().inspect_err(|_| drop(fs::remove_file(&scratch)))
}

/// The same at each start, as long as the machine has an id; else the same for this run.
fn makeshift_id() -> Uuid {
    static OF_THIS_RUN: OnceLock<Uuid> = OnceLock::new();
    match read("/etc/machine-id").filter(|id| !id.is_empty()) {
        Some(machine) => Uuid::new_v5(&OF_MACHINES, machine.as_bytes()),
        None => *OF_THIS_RUN.get_or_init(Uuid::new_v4),
    }
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
        let state = tempfile::tempdir().unwrap();
        let id = || describe(state.path()).0.sensor_id;
        let first = id();
        assert_eq!(first, id());
        for torn in [&b"torn"[..], b"\xff\xfe", b""] {
            fs::write(state.path().join(ID), torn).unwrap();
            assert_ne!(first, id());
        }
    }

    #[test]
    fn without_a_place_for_it_there_is_an_id_all_the_same() {
        let state = tempfile::tempdir().unwrap();
        // A folder in its place: neither read nor written.
        fs::create_dir(state.path().join(ID)).unwrap();
        let (host, trouble) = describe(state.path());
        assert_eq!(host.sensor_id, describe(state.path()).0.sensor_id);
        assert!(host.sensor_id.parse::<Uuid>().is_ok());
        assert!(trouble.unwrap().contains("sensor_id"), "it is said");
        assert!(describe(&state.path().join("missing")).1.is_some());
    }

    #[test]
    fn what_was_not_known_at_the_start_is_learnt() {
        let folder = tempfile::tempdir().unwrap();
        let (now, _) = describe(folder.path());
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
