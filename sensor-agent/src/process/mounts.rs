//! Where the host has a file that was run from other mounts.
//!
//! A file is the same in every mount namespace: a place on a file system, which the kernel programs tell, and a device. Where the
//! host has that file system is in pid 1's list of mounts (proc(5), `/proc/PID/mountinfo`). The list is opened at the
//! start, which takes capabilities, and read again when the kernel says that it has changed (`poll(2)`).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use foldhash::HashMap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::event::decode::turn_path;

/// The host's mounts by the kernel's number of their device; of each device, what is mounted whole first.
#[derive(Debug, Default)]
pub struct HostMounts {
    list: Option<File>,
    mounts: HashMap<u32, Vec<Mount>>,
    text: Vec<u8>,
    place: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// What of the file system is mounted.
    root: Box<[u8]>,
    /// Where.
    point: Box<[u8]>,
}

impl HostMounts {
    /// Opens the list: pid 1's, or the sensor's own if that may not be read.
    #[must_use]
    pub fn open() -> Self {
        let list = ["/proc/1/mountinfo", "/proc/self/mountinfo"].iter().find_map(|path| {
            let mut file = File::open(path).ok()?;
            // Others' lists are empty to whom they may not be shown.
            (file.read(&mut [0]).ok()? == 1).then_some(file)
        });
        let mut mounts = Self { list, ..Self::default() };
        mounts.read();
        mounts
    }

    /// Whether the host's mounts are known.
    pub(super) const fn is_known(&self) -> bool {
        self.list.is_some()
    }

    /// Where the host has a file: the device, and its place there in two parts, leaf first: within its mount, and from that
    /// mount's root on. Empty if nowhere.
    pub(super) fn find(&mut self, device: u32, within: &[u8], root: &[u8], out: &mut Vec<u8>) {
        out.clear();
        if self.has_changed() {
            self.read();
        }
        let Some(mounts) = self.mounts.get(&device) else { return };
        turn_path(root, &mut self.place);
        if !within.is_empty() {
            turn_path(within, out);
            if self.place == b"/" {
                self.place.clear();
            }
            self.place.extend_from_slice(out);
            out.clear();
        }
        // What is mounted whole is where people look for it; a part that is mounted elsewhere as well is found there.
        let mut holds = mounts.iter().filter_map(|mount| Some((mount, below(&self.place, &mount.root)?)));
        let Some((mount, rest)) = holds.next() else { return };
        if &*mount.point != b"/" || rest.is_empty() {
            out.extend_from_slice(&mount.point);
        }
        out.extend_from_slice(rest);
    }

    fn has_changed(&self) -> bool {
        let Some(list) = &self.list else { return false };
        let mut asked = [PollFd::new(list, PollFlags::PRI)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut asked, Some(&at_once)).is_ok()
            && asked.iter().any(|asked| asked.revents().intersects(PollFlags::PRI | PollFlags::ERR))
    }

    fn read(&mut self) {
        let Some(list) = &mut self.list else { return };
        self.text.clear();
        let read: io::Result<_> = list.rewind().and_then(|()| list.read_to_end(&mut self.text));
        if let Err(error) = read {
            tracing::warn!(
                "the list of the host's mounts cannot be read any more: {error}; `hostPath` stays as it was"
            );
            return;
        }
        self.mounts = by_device(&self.text);
    }
}

fn by_device(list: &[u8]) -> HashMap<u32, Vec<Mount>> {
    let mut mounts: HashMap<u32, Vec<Mount>> = HashMap::default();
    for (device, mount) in list.split(|&byte| byte == b'\n').filter_map(mount) {
        mounts.entry(device).or_default().push(mount);
    }
    mounts.values_mut().for_each(|mounts| mounts.sort_by_key(|mount| mount.root.len()));
    mounts
}

/// The part of a path below a folder; none if it is not in there.
fn below<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    if folder == b"/" {
        return Some(if path == b"/" { b"" } else { path });
    }
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// One line: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn mount(line: &[u8]) -> Option<(u32, Mount)> {
    let mut words = line.split(|&byte| byte == b' ').skip(2);
    let (major, minor) = str::from_utf8(words.next()?).ok()?.split_once(':')?;
    let device = major.parse::<u32>().ok()?.checked_shl(20)? | minor.parse::<u32>().ok()? & 0xf_ffff;
    let (root, point) = (unescaped(words.next()?), unescaped(words.next()?));
    // The root of one that was deleted is no path.
    (root.starts_with(b"/") && !root.ends_with(b"//deleted")).then_some((device, Mount { root, point }))
}

/// Blanks, ends of lines and backslashes stand as `\ooo`, three octal digits.
fn unescaped(word: &[u8]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, after @ ..] = rest {
        let octal = after
            .first_chunk::<3>()
            .filter(|digits| *first == b'\\' && digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
        match octal {
            Some([a, b, c]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = &after[3..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_on_a_file_system_is_where_the_host_has_it() {
        let mounts = by_device(
            b"20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
             21 20 8:2 / /srv rw - ext4 /dev/sdb rw\n\
             22 20 8:1 /srv/a /a rw - ext4 /dev/sda1 rw\n\
             23 20 0:40 /@home /home\\040of rw - btrfs x rw\n\
             24 20 0:41 /x//deleted /gone rw - tmpfs x rw\n",
        );
        let mut mounts = HostMounts { mounts, ..HostMounts::default() };
        let mut find = |device, within: &str, root: &str| {
            let mut out = b"left over".to_vec();
            mounts.find(device, within.as_bytes(), root.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(find(8 << 20 | 1, "", "probe/d/tmp"), "/tmp/d/probe");
        assert_eq!(find(8 << 20 | 1, "env/bin/usr", ""), "/usr/bin/env");
        assert_eq!(find(8 << 20 | 1, "x", "a/srv"), "/srv/a/x");
        assert_eq!(find(8 << 20 | 2, "tool/bin", ""), "/srv/bin/tool");
        assert_eq!(find(8 << 20 | 2, "", ""), "/srv");
        assert_eq!(find(8 << 20 | 1, "", ""), "/");
        assert_eq!(find(40, "sh/eve", "@home"), "/home of/eve/sh");
        assert_eq!(find(40, "sh/eve", "@homes"), "");
        assert_eq!(find(41, "", "x"), "");
        assert_eq!(find(42, "x", ""), "");
    }

    #[test]
    fn the_running_hosts_list_is_read() {
        let mounts = HostMounts::open();
        assert!(mounts.mounts.values().flatten().any(|mount| *mount.point == *b"/"), "{mounts:?}");
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(line: Vec<u8>) {
            let _ = mount(&line);
        }

        #[test]
        fn what_is_escaped_is_read_back(text: Vec<u8>) {
            let escaped: Vec<u8> = text.iter().flat_map(|byte| format!("\\{byte:03o}").into_bytes()).collect();
            prop_assert_eq!(&*unescaped(&escaped), &text[..]);
        }
    }
}
