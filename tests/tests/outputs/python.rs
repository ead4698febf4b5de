//! Python, with what `setup/install.sh test` installs for it.

use std::path::{Path, PathBuf};

/// The Python that `setup/install.sh test` installs packages for.
pub(crate) fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.exists(), "{}: not there; run `setup/install.sh test`", python.display());
    python
}
