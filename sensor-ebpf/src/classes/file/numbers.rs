//! Which system calls do what to files, by their numbers.

use crate::kernel::load::at_most;

/// What a call does, and how it says to which file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Does(u8);

impl Does {
    pub(super) const NOTHING: Self = Self(0);
    pub(super) const OPEN: Self = Self(1);
    pub(super) const DELETE: Self = Self(2);
    pub(super) const RENAME: Self = Self(3);
    pub(super) const LINK: Self = Self(4);
    pub(super) const FOLDER: Self = Self(5);
    pub(super) const SYMLINK: Self = Self(6);
    pub(super) const NODE: Self = Self(7);
    pub(super) const TRUNCATE: Self = Self(8);
    pub(super) const MODE: Self = Self(9);
    pub(super) const OWNER: Self = Self(10);
    pub(super) const TIMES: Self = Self(11);
    pub(super) const XATTR: Self = Self(12);
    pub(super) const XATTR_REMOVED: Self = Self(13);
    pub(super) const FLAGS: Self = Self(14);
    /// Opens it, and does not say in its registers how.
    pub(super) const OPEN_SOMEHOW: Self = Self(15);

    /// To the file of the descriptor that is its first argument.
    const TO_FILE: u8 = 0x40;
    /// The first argument is a descriptor of the folder that the path, its second, begins in; or of the file itself.
    const AT: u8 = 0x80;

    const fn to_file(self) -> Self {
        Self(self.0 | Self::TO_FILE)
    }

    const fn at(self) -> Self {
        Self(self.0 | Self::AT)
    }

    pub(super) const fn is_to_file(self) -> bool {
        self.0 & Self::TO_FILE != 0
    }

    pub(super) const fn is_at(self) -> bool {
        self.0 & Self::AT != 0
    }

    /// What it does alone.
    pub(super) const fn what(self) -> Self {
        Self(self.0 & !(Self::TO_FILE | Self::AT))
    }

    pub(super) const fn is(self, other: Self) -> bool {
        self.what().0 == other.0
    }

    pub(super) const fn opens(self) -> bool {
        matches!(self.what(), Self::OPEN | Self::OPEN_SOMEHOW)
    }

    /// Whether it makes a file that is none of an open.
    pub(super) const fn makes(self) -> bool {
        matches!(self.what(), Self::FOLDER | Self::SYMLINK | Self::NODE)
    }
}

/// Numbers from here on are of nothing that is told.
const COUNT: usize = 480;

const fn by_number(calls: &[(u16, Does)]) -> [u8; COUNT] {
    let mut all = [0; COUNT];
    let mut at = 0;
    while at < calls.len() {
        all[calls[at].0 as usize] = calls[at].1.0;
        at += 1;
    }
    all
}

/// What the call of a number does, that came by the interface of 32 bits or by the other.
#[inline(always)]
pub(super) fn does(number: u32, is_compat: bool) -> Does {
    if number as usize >= COUNT {
        return Does::NOTHING;
    }
    let table = if is_compat { &COMPAT } else { &NATIVE };
    // SAFETY: within the table, as the verifier knows of this copy of the number.
    Does(unsafe { table.as_ptr().add(at_most::<{ COUNT as u64 - 1 }>(number.into()) as usize).read() })
}

/// Of x86-64.
static NATIVE: [u8; COUNT] = by_number(&[
    (2, Does::OPEN),                      // open
    (16, Does::FLAGS.to_file()),          // ioctl
    (49, Does::NODE.to_file()),           // bind
    (76, Does::TRUNCATE),                 // truncate
    (77, Does::TRUNCATE.to_file()),       // ftruncate
    (82, Does::RENAME),                   // rename
    (83, Does::FOLDER),                   // mkdir
    (84, Does::DELETE),                   // rmdir
    (85, Does::OPEN_SOMEHOW),             // creat
    (86, Does::LINK),                     // link
    (87, Does::DELETE),                   // unlink
    (88, Does::SYMLINK),                  // symlink
    (90, Does::MODE),                     // chmod
    (91, Does::MODE.to_file()),           // fchmod
    (92, Does::OWNER),                    // chown
    (93, Does::OWNER.to_file()),          // fchown
    (94, Does::OWNER),                    // lchown
    (132, Does::TIMES),                   // utime
    (133, Does::NODE),                    // mknod
    (188, Does::XATTR),                   // setxattr
    (189, Does::XATTR),                   // lsetxattr
    (190, Does::XATTR.to_file()),         // fsetxattr
    (197, Does::XATTR_REMOVED),           // removexattr
    (198, Does::XATTR_REMOVED),           // lremovexattr
    (199, Does::XATTR_REMOVED.to_file()), // fremovexattr
    (235, Does::TIMES),                   // utimes
    (257, Does::OPEN.at()),               // openat
    (258, Does::FOLDER.at()),             // mkdirat
    (259, Does::NODE.at()),               // mknodat
    (260, Does::OWNER.at()),              // fchownat
    (261, Does::TIMES.at()),              // futimesat
    (263, Does::DELETE.at()),             // unlinkat
    (264, Does::RENAME.at()),             // renameat
    (265, Does::LINK.at()),               // linkat
    (266, Does::SYMLINK),                 // symlinkat
    (268, Does::MODE.at()),               // fchmodat
    (280, Does::TIMES.at()),              // utimensat
    (304, Does::OPEN_SOMEHOW),            // open_by_handle_at
    (316, Does::RENAME.at()),             // renameat2
    (437, Does::OPEN_SOMEHOW),            // openat2
    (452, Does::MODE.at()),               // fchmodat2
    (463, Does::XATTR.at()),              // setxattrat
    (466, Does::XATTR_REMOVED.at()),      // removexattrat
    (469, Does::FLAGS.at()),              // file_setattr
]);

/// Of the interface of 32 bits on x86.
static COMPAT: [u8; COUNT] = by_number(&[
    (5, Does::OPEN),                      // open
    (8, Does::OPEN_SOMEHOW),              // creat
    (9, Does::LINK),                      // link
    (10, Does::DELETE),                   // unlink
    (14, Does::NODE),                     // mknod
    (15, Does::MODE),                     // chmod
    (16, Does::OWNER),                    // lchown16
    (30, Does::TIMES),                    // utime
    (38, Does::RENAME),                   // rename
    (39, Does::FOLDER),                   // mkdir
    (40, Does::DELETE),                   // rmdir
    (54, Does::FLAGS.to_file()),          // ioctl
    (83, Does::SYMLINK),                  // symlink
    (92, Does::TRUNCATE),                 // truncate
    (93, Does::TRUNCATE.to_file()),       // ftruncate
    (94, Does::MODE.to_file()),           // fchmod
    (95, Does::OWNER.to_file()),          // fchown16
    (102, Does::NODE),                    // socketcall
    (182, Does::OWNER),                   // chown16
    (193, Does::TRUNCATE),                // truncate64
    (194, Does::TRUNCATE.to_file()),      // ftruncate64
    (198, Does::OWNER),                   // lchown
    (207, Does::OWNER.to_file()),         // fchown
    (212, Does::OWNER),                   // chown
    (226, Does::XATTR),                   // setxattr
    (227, Does::XATTR),                   // lsetxattr
    (228, Does::XATTR.to_file()),         // fsetxattr
    (235, Does::XATTR_REMOVED),           // removexattr
    (236, Does::XATTR_REMOVED),           // lremovexattr
    (237, Does::XATTR_REMOVED.to_file()), // fremovexattr
    (271, Does::TIMES),                   // utimes
    (295, Does::OPEN.at()),               // openat
    (296, Does::FOLDER.at()),             // mkdirat
    (297, Does::NODE.at()),               // mknodat
    (298, Does::OWNER.at()),              // fchownat
    (299, Does::TIMES.at()),              // futimesat
    (301, Does::DELETE.at()),             // unlinkat
    (302, Does::RENAME.at()),             // renameat
    (303, Does::LINK.at()),               // linkat
    (304, Does::SYMLINK),                 // symlinkat
    (306, Does::MODE.at()),               // fchmodat
    (320, Does::TIMES.at()),              // utimensat
    (342, Does::OPEN_SOMEHOW),            // open_by_handle_at
    (353, Does::RENAME.at()),             // renameat2
    (361, Does::NODE.to_file()),          // bind
    (412, Does::TIMES.at()),              // utimensat of long times
    (437, Does::OPEN_SOMEHOW),            // openat2
    (452, Does::MODE.at()),               // fchmodat2
    (463, Does::XATTR.at()),              // setxattrat
    (466, Does::XATTR_REMOVED.at()),      // removexattrat
    (469, Does::FLAGS.at()),              // file_setattr
]);
