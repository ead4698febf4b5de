//! Files: created, opened to be changed, deleted, renamed, linked, changed in what is known of them.

use crate::field::{Field, IDS, Integer, Role, Type, Values, event, fields};
use crate::process;
use crate::table::column;
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "file";

/// One whose end is in the event.
const fn kind(is: EventType, word: &'static str, activity: Activity, parts: &'static [&'static Field]) -> Kind {
    Kind { is, word, activity: Some(activity), outcome: None, reach: Reach::Process, parts }
}

pub(super) static KINDS: &[Kind] = &[
    kind(
        EventType::FileCreate,
        "FILE_EVENT_TYPE_CREATE",
        Activity::FileCreation,
        &[&process::FILE_PATH, &TARGET_PATH, &FILE_TYPE, &NEW_MODE, &FILE_ERROR],
    ),
    kind(
        EventType::FileOpenForModify,
        "FILE_EVENT_TYPE_OPEN_FOR_MODIFY",
        Activity::FileChange,
        &[&process::FILE_PATH, &FILE_TYPE, &FILE_ERROR],
    ),
    kind(
        EventType::FileModify,
        "FILE_EVENT_TYPE_MODIFY",
        Activity::FileChange,
        &[&process::FILE_PATH, &FILE_TYPE, &FILE_ERROR],
    ),
    kind(
        EventType::FileDelete,
        "FILE_EVENT_TYPE_DELETE",
        Activity::FileDeletion,
        &[&process::FILE_PATH, &FILE_TYPE, &FILE_ERROR],
    ),
    kind(
        EventType::FileRename,
        "FILE_EVENT_TYPE_RENAME",
        Activity::FileRename,
        &[&process::FILE_PATH, &TARGET_PATH, &FILE_TYPE, &IS_EXCHANGE, &FILE_ERROR],
    ),
    kind(
        EventType::FileLink,
        "FILE_EVENT_TYPE_LINK",
        Activity::FileCreation,
        &[&process::FILE_PATH, &TARGET_PATH, &FILE_TYPE, &FILE_ERROR],
    ),
    kind(
        EventType::FileAttributeChange,
        "FILE_EVENT_TYPE_ATTRIBUTE_CHANGE",
        Activity::FileAttributeChange,
        &[
            &process::FILE_PATH,
            &FILE_TYPE,
            &ATTRIBUTE,
            &ATTRIBUTE_NAME,
            &OLD_MODE,
            &NEW_MODE,
            &OLD_OWNER,
            &NEW_OWNER,
            &FILE_ERROR,
        ],
    ),
    // For reading alone.
    kind(
        EventType::FileOpen,
        "FILE_EVENT_TYPE_OPEN",
        Activity::FileAccess,
        &[&process::FILE_PATH, &FILE_TYPE, &FILE_ERROR],
    ),
];

/// Those that change a file, or which files there are.
const CHANGES: &[EventType] = &[
    EventType::FileCreate,
    EventType::FileOpenForModify,
    EventType::FileModify,
    EventType::FileDelete,
    EventType::FileRename,
    EventType::FileLink,
    EventType::FileAttributeChange,
];

pub(super) const POLICY_TYPES: &[PolicyType] =
    &[PolicyType { word: "fileMonitor", sees: CHANGES }, PolicyType { word: "file", sees: &[EventType::FileOpen] }];

pub(super) static TABLES: &[&Table] = &[&FILE_EVENTS];

pub static FILE_EVENTS: Table = Table {
    name: "file_events",
    aliases: &[],
    kinds: CHANGES,
    mcs: false,
    default_on: false,
    number: 12,
    message: "FileEvent",
    columns: &[
        column(&process::SENSOR_ID, 1),
        column(&process::TIME, 2),
        column(&process::EVENT_TYPE, 3),
        column(&process::FILE_PATH, 4),
        column(&TARGET_PATH, 5),
        column(&FILE_TYPE, 6),
        column(&FILE_INODE, 7),
        column(&FILE_DEVICE, 8),
        column(&OLD_MODE, 9),
        column(&NEW_MODE, 10),
        column(&OLD_OWNER, 11),
        column(&NEW_OWNER, 12),
        column(&OLD_GROUP, 13),
        column(&NEW_GROUP, 14),
        column(&ATTRIBUTE, 15),
        column(&ATTRIBUTE_NAME, 16),
        column(&IS_EXCHANGE, 17),
        column(&IS_FILE_HOST_MOUNTS, 18),
        column(&IS_FILE_USER_MOUNTS, 19),
        column(&FILE_ERROR, 20),
        column(&process::PROCESS_UUID, 21),
        column(&process::PROCESS_PID, 22),
        column(&process::UID, 23),
        column(&process::EUID, 24),
        column(&process::USER_NAME, 25),
        column(&process::PROGRAM_NAME, 26),
        column(&process::COMMAND_LINE, 27),
        column(&process::CONTAINER_ID, 28),
        column(&process::INCIDENT_ID, 29),
    ],
    doc: "Files created, opened to be changed, changed, renamed, linked and deleted.",
};

words! {
    /// What a file is: `S_IFMT` of its mode.
    FileType {
        Regular = "regular",
        Directory = "directory",
        Symlink = "symlink",
        Fifo = "fifo",
        Socket = "socket",
        CharacterDevice = "character_device",
        BlockDevice = "block_device",
    }
}

impl FileType {
    /// Of a mode; none of one that has no type, as that of a file that did not come about.
    #[must_use]
    pub const fn of_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o100_000 => Self::Regular,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            0o020_000 => Self::CharacterDevice,
            0o060_000 => Self::BlockDevice,
            _ => return None,
        })
    }
}

words! {
    /// What of a file was changed that is not its content.
    Attribute {
        Mode = "mode",
        Owner = "owner",
        Times = "times",
        Xattr = "xattr",
        XattrRemoved = "xattr_removed",
        Flags = "flags",
    }
}

/// Mode bits, the file's type among them.
const MODES: Values = Values::Within(&[0..=0xffff]);

const fn own(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    event(Class::File, name, column, ty, doc)
}

const ATTRIBUTE_CHANGES: &[EventType] = &[EventType::FileAttributeChange];

fields! {
    TARGET_PATH = own(
        "targetPath",
        "target_path",
        Type::Path,
        "The second name: the new one of a file that is renamed or gets another name; what a symbolic link holds that is made.",
    )
    .only_in(&[EventType::FileCreate, EventType::FileRename, EventType::FileLink])
    .role(Role::TargetPath);
    FILE_TYPE = own("fileType", "file_type", Type::Word(FileType::WORDS), "What filePath is; absent where it did not come about.")
        .role(Role::FileType);
    FILE_INODE = own("fileInode", "file_inode", Type::Number, "Inode number of filePath.").integers(Integer::Int64);
    FILE_DEVICE = own(
        "fileDevice",
        "file_device",
        Type::Number,
        "Device of filePath as stat(2) numbers it; with fileInode, the same file under any name.",
    )
    .integers(Integer::Int64);
    OLD_MODE = own("oldMode", "old_mode", Type::Number, "Mode bits of filePath before its mode or owner was changed (inode(7)).")
        .values(MODES)
        .only_in(ATTRIBUTE_CHANGES);
    NEW_MODE = own("newMode", "new_mode", Type::Number, "Mode bits of filePath, after whatever was done (inode(7)).").values(MODES);
    OLD_OWNER = own("oldOwner", "old_owner", Type::Number, "User id of filePath's owner before its mode or owner was changed.")
        .values(IDS)
        .only_in(ATTRIBUTE_CHANGES);
    NEW_OWNER = own("newOwner", "new_owner", Type::Number, "User id of filePath's owner, after whatever was done.").values(IDS);
    OLD_GROUP = own("oldGroup", "old_group", Type::Number, "Group id of filePath before its mode or owner was changed.")
        .values(IDS)
        .only_in(ATTRIBUTE_CHANGES);
    NEW_GROUP = own("newGroup", "new_group", Type::Number, "Group id of filePath, after whatever was done.").values(IDS);
    ATTRIBUTE = own("attribute", "attribute", Type::Word(Attribute::WORDS), "What of filePath was changed.")
        .only_in(ATTRIBUTE_CHANGES);
    ATTRIBUTE_NAME = own(
        "attributeName",
        "attribute_name",
        Type::Text,
        "The name of an extended attribute, such as security.capability.",
    )
    .only_in(ATTRIBUTE_CHANGES);
    IS_EXCHANGE = own("isExchange", "is_exchange", Type::Bool, "Whether filePath and targetPath exchanged their names.")
        .only_in(&[EventType::FileRename]);
    IS_FILE_HOST_MOUNTS = own(
        "isFileHostMounts",
        "is_file_host_mounts",
        Type::Bool,
        "Whether filePath is on the host's own mounts, those of pid 1, so that it is the host's path.",
    );
    IS_FILE_USER_MOUNTS = own(
        "isFileUserMounts",
        "is_file_user_mounts",
        Type::Bool,
        "Whether it is on mounts that a user could make: of a mount namespace that belongs to a user namespace. filePath is what that user wants it to be.",
    );
    FILE_ERROR = own("fileError", "file_error", Type::Number, "Why it failed (errno(3)); absent if it did not.");
}
