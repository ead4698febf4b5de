//! Keys of Parquet files.

use delivery::receivers::s3::keys as s3;
use settings::{Key, Kind};

use super::{CA_FILE, CERT_FILE, KEY_FILE};

pub(in crate::config) static PARQUET: &[Key] = &[
    Key::new(
        "path",
        Kind::Path,
        "",
        "The folder. It is made if it is not there, mode 0700, and must be no one else's.",
    )
    .instead_of("bucket"),
    Key::new("bucket", Kind::Text, "", "The bucket of a store, in place of a folder.").instead_of("path"),
    s3::PREFIX,
    s3::ENDPOINT,
    s3::REGION,
    s3::PATH_STYLE,
    s3::ACCESS_KEY_ID,
    s3::SECRET_ACCESS_KEY,
    s3::SECRET_ACCESS_KEY_FILE,
    s3::TIMEOUT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];
