//! Names of files, as the kernel keeps them: a dentry has its parent, its length and, where it is short, its text side by side.

use super::load::{Address, Memory, Probed, fetch, offset};
use super::scratch::Area;

/// A name that was read into an area: what the verifier loads from there is an unknown number to it, see `scratch`.
///
/// These are the words of a dentry from its parent on: that, the two of a `struct qstr`, the inode, and the text where it is short.
#[derive(Clone, Copy)]
pub(super) struct Name {
    words: *mut u64,
    /// Where the text would be if it were short; zero if not all of this is side by side.
    short: u64,
}

/// Words before the text.
const BEFORE: usize = 4;
/// Words of a text that is short: each kernel keeps 32 bytes at least.
pub(super) const SHORT: usize = 4;
/// Words of an area that it takes.
pub(super) const WORDS: usize = BEFORE + SHORT;

impl Name {
    /// Of a dentry, with so many words of its text, if it is short. None if it cannot be read.
    ///
    /// # Safety
    ///
    /// All is probed.
    #[inline(always)]
    pub(super) unsafe fn of<const TEXT: usize>(area: Area, dentry: u64) -> Option<Self> {
        let (parent, qstr, text) = (offset!(dentry_parent), offset!(dentry_name), offset!(dentry_short_name));
        let base = dentry as Address;
        // SAFETY: within the area; all else is probed.
        unsafe {
            let words = (&raw mut (*area.0).name).cast::<u64>();
            // So it is on every kernel seen; a constant to the verifier.
            let short = if qstr == parent + 8 && text == parent + BEFORE as u32 * 8 {
                fetch(words.cast::<[u64; BEFORE]>(), dentry + u64::from(parent));
                fetch(words.add(BEFORE).cast::<[u64; TEXT]>(), dentry + u64::from(text));
                dentry + u64::from(text)
            } else {
                words.write_volatile(Probed::member(base, parent));
                fetch(words.add(1).cast::<[u64; 2]>(), dentry + u64::from(qstr));
                0
            };
            let name = Self { words, short };
            (name.parent() != 0).then_some(name)
        }
    }

    #[inline(always)]
    pub(super) fn parent(self) -> u64 {
        // SAFETY: within the area.
        unsafe { self.words.read_volatile() }
    }

    #[inline(always)]
    pub(super) fn len(self) -> u64 {
        // SAFETY: within the two words of the `struct qstr`; where is a constant to the verifier.
        let len: u32 = unsafe { self.qstr().add(offset!(qstr_len) as usize).cast::<u32>().read_volatile() };
        u64::from(len)
    }

    /// Where the text is.
    #[inline(always)]
    pub(super) fn text(self) -> u64 {
        // SAFETY: as above.
        unsafe { self.qstr().add(offset!(qstr_name) as usize).cast::<u64>().read_volatile() }
    }

    /// Whether its text is among the words.
    #[inline(always)]
    pub(super) fn is_short(self) -> bool {
        self.short != 0 && self.text() == self.short
    }

    /// Reads the first word of a text that is not short to where it is of one that is.
    #[inline(always)]
    pub(super) fn fetch_first(self) {
        // SAFETY: within the area.
        unsafe { fetch(self.words.add(BEFORE), self.text()) }
    }

    /// A word of the text of a short name, of those that were asked for. What follows the name is anything.
    #[inline(always)]
    pub(super) fn word<const INDEX: usize>(self) -> u64 {
        // SAFETY: within the area.
        unsafe { self.words.add(BEFORE + INDEX).read_volatile() }
    }

    #[inline(always)]
    fn qstr(self) -> *const u8 {
        self.words.wrapping_add(1).cast_const().cast()
    }
}
