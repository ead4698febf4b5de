//! The words shared with the programs, see [`sensor_ebpf::control`], mapped into memory.

use std::mem::offset_of;
use std::os::fd::AsFd;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use aya::maps::{Map, MapData};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use sensor_ebpf::control::Control;
use sensor_ebpf::rings::Ring;
use sensor_ebpf::watched::{self, Watched, sort};

use super::CaptureError;

/// When the drain thread wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Wish {
    Never = sensor_ebpf::control::WAKE_NEVER,
    AtWatermark = sensor_ebpf::control::WAKE_AT_WATERMARK,
    AtOnce = sensor_ebpf::control::WAKE_AT_ONCE,
}

/// Which failed execs are told, where the kernel allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum FailedExecs {
    None = sensor_ebpf::control::FAILED_NONE,
    /// Those of files that the kernel takes for no program (`ENOEXEC`): who gets that answer may read them as a script.
    Format = sensor_ebpf::control::FAILED_FORMAT,
    All = sensor_ebpf::control::FAILED_ALL,
}

/// Which files of one sort of events are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    None,
    All,
    /// Those that have one of these names in their path.
    Named(Vec<Box<[u8]>>),
}

/// The map `CONTROL`.
#[derive(Debug)]
pub(super) struct ControlMap {
    page: NonNull<Control>,
    /// Keeps the map alive.
    _map: MapData,
}

// SAFETY: the mapping is not tied to a thread, and is accessed through atomics only.
unsafe impl Send for ControlMap {}
// SAFETY: as above.
unsafe impl Sync for ControlMap {}

impl ControlMap {
    pub(super) fn map(map: Map) -> Result<Self, CaptureError> {
        let Map::Array(map) = map else {
            return Err(CaptureError::Map { name: "CONTROL", reason: "not an array".to_owned() });
        };
        // SAFETY: a new mapping at a place of the kernel's choice.
        let page = unsafe {
            mmap(
                null_mut(),
                size_of::<Control>(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                map.fd().as_fd(),
                0,
            )
        }
        .map_err(CaptureError::system("mapping the control words"))?;
        let page = NonNull::new(page.cast::<Control>())
            .ok_or_else(|| CaptureError::Map { name: "CONTROL", reason: "mapped at zero".to_owned() })?;
        Ok(Self { page, _map: map })
    }

    pub(super) fn set_watermark(&self, ring: Ring, bytes: u64) {
        let place = Control::watermark(ring);
        // SAFETY: within the mapping, aligned, and only ever accessed as a whole.
        let word = unsafe { AtomicU64::from_ptr(self.page.as_ptr().byte_add(place).cast::<u64>()) };
        word.store(bytes, Ordering::Relaxed);
    }

    /// Says which failed execs are to be told.
    pub(super) fn ask(&self, failed: FailedExecs) {
        // SAFETY: as above.
        let word = unsafe {
            AtomicU32::from_ptr(self.page.as_ptr().byte_add(offset_of!(Control, failed_execs)).cast::<u32>())
        };
        word.store(failed as u32, Ordering::Relaxed);
    }

    /// Says which process is the sensor.
    pub(super) fn know_sensor(&self, tgid: u32) {
        // SAFETY: as above.
        let word =
            unsafe { AtomicU32::from_ptr(self.page.as_ptr().byte_add(offset_of!(Control, sensor)).cast::<u32>()) };
        word.store(tgid, Ordering::Relaxed);
    }

    /// Says which files are told of, by [`sort`]. Until all is said everything is that is asked for in part.
    pub(super) fn watch(&self, files: &[Files; sort::COUNT]) {
        for (sort, files) in files.iter().enumerate() {
            let place = offset_of!(Control, watched) + sort * size_of::<Watched>();
            // SAFETY: as above.
            let what = unsafe {
                AtomicU32::from_ptr(self.page.as_ptr().byte_add(place + offset_of!(Watched, what)).cast::<u32>())
            };
            let names = match files {
                Files::None => {
                    what.store(watched::NOTHING, Ordering::SeqCst);
                    continue;
                }
                Files::All => {
                    what.store(watched::EVERYTHING, Ordering::SeqCst);
                    continue;
                }
                Files::Named(names) => names,
            };
            what.store(watched::EVERYTHING, Ordering::SeqCst);
            let mut bits = watched::Bits::default();
            names.iter().for_each(|name| watched::add(&mut bits, name));
            for (index, word) in bits.as_flattened().iter().enumerate() {
                let place = place + offset_of!(Watched, bits) + index * size_of::<u64>();
                // SAFETY: as above.
                let to = unsafe { AtomicU64::from_ptr(self.page.as_ptr().byte_add(place).cast::<u64>()) };
                to.store(*word, Ordering::SeqCst);
            }
            what.store(watched::NAMES, Ordering::SeqCst);
        }
    }

    /// Whether the drain thread sleeps, or is about to, until the first record.
    pub(super) fn is_idle(&self) -> bool {
        // SAFETY: as above.
        let word = unsafe { AtomicU32::from_ptr(self.page.as_ptr().byte_add(offset_of!(Control, wake)).cast::<u32>()) };
        word.load(Ordering::SeqCst) == Wish::AtOnce as u32
    }

    /// Says when to be woken. To sleep safely, look at the rings once more after this: the store is fully ordered before
    /// whatever follows.
    pub(super) fn wish(&self, wish: Wish) {
        // SAFETY: as above.
        let word = unsafe { AtomicU32::from_ptr(self.page.as_ptr().byte_add(offset_of!(Control, wake)).cast::<u32>()) };
        word.store(wish as u32, Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
    }
}

impl Drop for ControlMap {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `map`; nothing refers to it any more.
        let _ = unsafe { munmap(self.page.as_ptr().cast(), size_of::<Control>()) };
    }
}
