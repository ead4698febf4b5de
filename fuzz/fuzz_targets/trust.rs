//! Trust files: the input is one of certificates and one of revocation lists at once.
#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

use delivery::{trust::CrlPolicy, trust::TrustFolder};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir_in("/dev/shm").expect("there is a /dev/shm"));

fuzz_target!(|bytes: &[u8]| {
    let folder: &Path = FOLDER.path();
    for name in ["sophosca1.crt", "sophosca1.crl"] {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }
    let texts = [CrlPolicy::Refuse, CrlPolicy::Warn].map(|policy| match TrustFolder::new(folder, policy).current() {
        Ok(trust) => trust.warnings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    });
    assert!(texts.iter().flatten().all(|text| !text.contains('\n')));
});
