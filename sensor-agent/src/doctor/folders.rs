//! The folders that are written to: whether they are there, can be written to, and have room.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use private_folder::{look, look_for_file};
use rustix::fs::Access;
use rustix::io::Errno;

use super::Finding;
use crate::config::Config;
use crate::output::{Target, target};
use crate::systemd;

/// Below this a disk counts as full: bytes.
const LOW: u64 = 256 << 20;

/// A folder, and who writes there.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    path: PathBuf,
    /// The name of an output or a sink; none for the sensor's own state.
    of: Option<String>,
    /// Whether all that is in it is to be the sensor's.
    is_own: bool,
}

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let unit = systemd::unit_text();
    let folders = folders(config);
    folders.iter().flat_map(|folder| of_folder(folder, unit.as_deref())).collect()
}

/// Each once.
fn folders(config: &Config) -> Vec<Folder> {
    let mut folders = vec![Folder { path: config.locations.state_dir.clone(), of: None, is_own: true }];
    let mut add = |target: &dyn Target, name: Option<&str>| {
        let Some(target::Folder { path, is_own }) = target.folder() else { return };
        if !folders.iter().any(|known| known.path == path) {
            let of = Some(name.unwrap_or(target.kind()).to_owned());
            folders.push(Folder { path: path.to_owned(), of, is_own });
        }
    };
    for output in config.alert_output.outputs.iter().filter(|output| output.enabled) {
        add(&*output.target, output.name.as_deref());
    }
    for sink in &config.investigations.sinks {
        add(&*sink.target, sink.name.as_deref());
    }
    folders
}

fn of_folder(folder: &Folder, unit: Option<&str>) -> Vec<Finding> {
    let shown = folder.path.display();
    let Some(name) = &folder.of else {
        // The sensor makes it; the disk is that of the nearest folder that is there.
        let there = folder.path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
        return vec![room(there, &folder.path)];
    };
    let mut found = Vec::new();
    if let Some(unit) = unit
        && !unit_lets_write(unit, &folder.path)
    {
        found.push(Finding::warning(
            "disk",
            format!("{name}: the unit does not let the sensor write to {shown}: what is for it stays queued"),
            format!(
                "systemctl edit sophoslinuxsensor, add [Service] and ReadWritePaths={shown}, and restart the sensor"
            ),
        ));
    }
    let there = match fs::metadata(&folder.path) {
        Ok(there) => there,
        Err(error) => {
            found.push(Finding::warning(
                "disk",
                format!("{name}: {shown}: {error}"),
                format!("mkdir -p -m 0700 {shown}, as root; the sensor makes it by itself where it may write"),
            ));
            return found;
        }
    };
    if !there.is_dir() {
        found.push(Finding::failure(
            "disk",
            format!("{name}: {shown} is no folder"),
            format!("remove {shown}, or name another folder in the configuration"),
        ));
    } else if !owner_may_write(&there) {
        found.push(Finding::failure(
            "disk",
            format!("{name}: the running sensor, which is root without capabilities, may not write to {shown}"),
            format!("chown root {shown} && chmod u+rwx {shown}"),
        ));
    } else if let Err(error) = if folder.is_own { look(&folder.path) } else { look_for_file(&folder.path) } {
        found.push(Finding::failure(
            "disk",
            format!("{name}: {shown}: {}", std::io::Error::from(error)),
            format!("chown root {shown} && chmod go-w {shown}, or name another folder in the configuration"),
        ));
    } else if rustix::fs::access(&folder.path, Access::WRITE_OK) == Err(Errno::ROFS) {
        found.push(Finding::failure(
            "disk",
            format!("{name}: {shown} is on a file system that is mounted read-only"),
            "mount it writable, or name another folder in the configuration",
        ));
    } else {
        found.push(room(&folder.path, &folder.path));
    }
    found
}

/// Whether root may write there with no more rights than anybody has.
fn owner_may_write(folder: &Metadata) -> bool {
    let bits = match (folder.uid(), folder.gid()) {
        (0, _) => 0o300,
        (_, 0) => 0o030,
        _ => 0o003,
    };
    folder.mode() & bits == bits
}

/// Whether a unit, with its drop-ins one after the other, leaves this folder writable.
fn unit_lets_write(unit: &str, folder: &Path) -> bool {
    let values = |key: &str| {
        let lines = unit.lines().filter_map(move |line| line.trim().split_once('='));
        let key = key.to_owned();
        lines.filter(move |(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
    };
    if values("ProtectSystem").next_back().as_deref() != Some("strict") {
        return true;
    }
    let private = values("PrivateTmp").next_back().is_some_and(|value| matches!(&*value, "yes" | "true" | "1" | "on"));
    if !private && ["/tmp", "/var/tmp"].iter().any(|tmp| folder.starts_with(tmp)) {
        return true;
    }
    let own = [("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run"), ("LogsDirectory", "/var/log")];
    let own = own.into_iter().flat_map(|(key, above)| {
        let names: Vec<String> = values(key).collect();
        names
            .into_iter()
            .flat_map(move |value| value.split_whitespace().map(|name| Path::new(above).join(name)).collect::<Vec<_>>())
    });
    let named = values("ReadWritePaths").chain(values("BindPaths"));
    let named = named.flat_map(|value| {
        // `-` stands for one that may be missing, `+` for one below the unit's root.
        value.split_whitespace().map(|path| PathBuf::from(path.trim_start_matches(['-', '+']))).collect::<Vec<_>>()
    });
    own.chain(named).any(|writable| folder.starts_with(writable))
}

/// How much room is there.
fn room(there: &Path, folder: &Path) -> Finding {
    let shown = folder.display();
    match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{shown}: {} MB free", free >> 20);
            if free < LOW {
                Finding::warning(
                    "disk",
                    text,
                    "make room: what cannot be written waits in memory, and is lost when that is full",
                )
            } else if disk.f_files > 0 && disk.f_favail == 0 {
                Finding::warning("disk", format!("{shown}: no inodes left"), "remove files that nobody needs")
            } else {
                Finding::fine("disk", text)
            }
        }
        Err(error) => Finding::failure("disk", format!("{shown}: {error}"), "make the folder, owned by root"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn of_output(path: &Path) -> Vec<(Level, String)> {
        let folder = Folder { path: path.to_owned(), of: Some("alerts".into()), is_own: false };
        of_folder(&folder, None).into_iter().map(|finding| (finding.level, finding.text)).collect()
    }

    #[test]
    fn a_folder_that_is_missing_or_in_the_way_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let missing = of_output(&dir.path().join("nonexist"));
        assert!(
            matches!(&missing[..], [(Level::Warning, text)] if text.contains("nonexist: No such file")),
            "{missing:?}"
        );
        fs::write(dir.path().join("file"), "").unwrap();
        let file = of_output(&dir.path().join("file"));
        assert!(matches!(&file[..], [(Level::Failure, text)] if text.contains("is no folder")), "{file:?}");
        let there = of_output(dir.path());
        assert!(matches!(&there[..], [(_, text)] if text.contains("MB free")), "{there:?}");
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o775)).unwrap();
        let shared = of_output(dir.path());
        assert!(matches!(&shared[..], [(Level::Failure, text)] if text.contains("others can write")), "{shared:?}");
        let read_only = of_output(Path::new("/proc/self"));
        assert!(matches!(&read_only[..], [(Level::Failure, text)] if text.contains("may not write")), "{read_only:?}");
    }

    #[test]
    fn the_unit_says_where_outputs_may_write() {
        let unit = include_str!("../../../packaging/systemd/sophoslinuxsensor.service");
        let writable = |unit: &str, folder: &str| unit_lets_write(unit, Path::new(folder));
        for folder in ["/var/lib/sophos/rows", "/var/log/sophos", "/var/log/sophos/today", "/run/sophos"] {
            assert!(writable(unit, folder), "{folder}");
        }
        for folder in ["/var/lib/sophos2", "/srv/alerts", "/tmp", "/home/x"] {
            assert!(!writable(unit, folder), "{folder}");
        }
        let dropped_in = format!("{unit}\n[Service]\nReadWritePaths=-/srv/alerts /data\n");
        assert!(writable(&dropped_in, "/srv/alerts/today") && writable(&dropped_in, "/data"));
        assert!(writable(&format!("{unit}\n[Service]\nProtectSystem=full\n"), "/srv"));
    }
}
