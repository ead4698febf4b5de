//! The sensor's own programs, maps and attachments, by the kernel's ids: so its programs know when somebody gets at them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use aya::maps::{HashMap, Map, MapData};
use sensor_ebpf::classes::bpf_calls::{object, own};

use super::CaptureError;

/// What the kernel says of each descriptor of this process.
const DESCRIPTORS: &str = "/proc/self/fdinfo";

/// The map `OWN_OBJECTS`.
#[derive(Debug)]
pub(super) struct OwnObjects {
    map: HashMap<MapData, u64, u32>,
    known: HashSet<u64>,
    /// Until then the programs could not tell the sensor from others.
    pub(super) is_sensor_known: bool,
}

impl OwnObjects {
    pub(super) fn new(map: Map) -> Result<Self, CaptureError> {
        let map = HashMap::try_from(map)
            .map_err(|error| CaptureError::Map { name: "OWN_OBJECTS", reason: error.to_string() })?;
        Ok(Self { map, known: HashSet::new(), is_sensor_known: false })
    }

    /// Tells the programs what has come and gone since the last look.
    pub(super) fn look(&mut self) {
        if !self.is_sensor_known {
            return;
        }
        let found = match objects(Path::new(DESCRIPTORS)) {
            Ok(found) => found,
            Err(error) => {
                return tracing::warn!(
                    "{DESCRIPTORS} cannot be read, so who gets at the sensor's BPF objects is not seen: {error}"
                );
            }
        };
        for gone in self.known.difference(&found) {
            // One that is not there is what was wanted.
            let _ = self.map.remove(gone);
        }
        for new in found.difference(&self.known) {
            if let Err(error) = self.map.insert(new, 1, 0) {
                tracing::warn!("who gets at BPF object {} of the sensor is not seen: {error}", *new & 0xffff_ffff);
            }
        }
        self.known = found;
    }
}

/// All that are held open by the descriptors that are described in this folder.
fn objects(folder: &Path) -> std::io::Result<HashSet<u64>> {
    let mut found = HashSet::new();
    for entry in fs::read_dir(folder)? {
        // It may be closed by now, as that of this folder is.
        let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
        found.extend(text.lines().filter_map(named));
    }
    Ok(found)
}

/// `prog_id: 7` and the like.
fn named(line: &str) -> Option<u64> {
    let (what, id) = line.split_once(':')?;
    let sort = match what {
        "prog_id" => object::PROGRAM,
        "map_id" => object::MAP,
        "link_id" => object::LINK,
        _ => return None,
    };
    Some(own(sort, id.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_tell_what_they_hold_open() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("3", "pos:\t0\nflags:\t02000002\n"),
            ("4", "pos:\t0\nmap_type:\t2\nmap_id:\t17\nfrozen:\t1\n"),
            ("5", "link_type:\ttracing\nlink_id:\t4\nprog_tag:\t0011223344556677\nprog_id:\t4\n"),
            ("6", "prog_type:\t26\nprog_id:\t5\n"),
            ("7", "map_id:\tnone\n"),
        ] {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let found = objects(folder.path()).expect("it can be read");
        let expected = [(object::MAP, 17), (object::LINK, 4), (object::PROGRAM, 4), (object::PROGRAM, 5)];
        assert_eq!(found, expected.into_iter().map(|(sort, id)| own(sort, id)).collect());
        assert!(objects(&folder.path().join("none")).is_err());
    }
}
