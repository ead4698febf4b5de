//! Disks that become full or read-only.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// A small file system in memory, gone when this is dropped.
#[derive(Debug)]
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts it there, of this size, on a folder that is made if it is missing.
    ///
    /// # Panics
    /// It cannot be mounted.
    #[must_use]
    pub fn mount(path: &Path, kilobytes: u32) -> Self {
        fs::create_dir_all(path).expect("a small file system");
        let size = format!("size={kilobytes}k,mode=700");
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some(size.as_str())).expect("a small file system");
        Self(path.to_owned())
    }

    /// Fills it up, by a file whose path is returned.
    ///
    /// # Panics
    /// The file cannot be made.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let file = File::create(&path).expect("a small file system");
        let mut offset = 0;
        for size in [65_536_usize, 4096, 1] {
            while let Ok(written) = file.write_at(&vec![0; size], offset) {
                offset += written as u64;
            }
        }
        path
    }

    /// Mounts it with other flags.
    ///
    /// # Panics
    /// That is refused.
    pub fn remount(&self, flags: MsFlags) {
        mount(None::<&str>, &self.0, None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>)
            .expect("a small file system");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}
