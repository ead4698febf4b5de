//! Why a store cannot do its work.

use rusqlite::ffi;

/// What keeps a store from doing its work. The texts are parts of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::spool) enum StoreError {
    /// The disk is full; what is stored stays readable.
    #[error("the disk is full")]
    Full,
    /// The contents make no sense: to be set aside.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Not now: rights, a read-only or failing disk, another process.
    #[error("{0}")]
    Unusable(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        let Some(code) = error.sqlite_error() else { return Self::Damaged(text) };
        match code.code {
            ffi::ErrorCode::DiskFull => Self::Full,
            ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase | ffi::ErrorCode::ConstraintViolation => {
                Self::Damaged(text)
            }
            // A table or a column that is not there: the schema was hit.
            ffi::ErrorCode::Unknown | ffi::ErrorCode::NotFound | ffi::ErrorCode::TypeMismatch => Self::Damaged(text),
            // A sector that cannot be read will not come back; what lies around it may.
            _ if code.extended_code == ffi::SQLITE_IOERR_READ => Self::Damaged(text),
            ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => {
                Self::Unusable("another process holds the store".to_owned())
            }
            ffi::ErrorCode::ReadOnly => Self::Unusable("the file or its file system is read-only".to_owned()),
            ffi::ErrorCode::CannotOpen | ffi::ErrorCode::PermissionDenied => {
                Self::Unusable(format!("the file cannot be opened ({text})"))
            }
            _ => Self::Unusable(text),
        }
    }
}
