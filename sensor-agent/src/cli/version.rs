//! Which sensor this is.

use sensor_ebpf::record::LAYOUT_VERSION;

use super::PROGRAM;

/// The version of the crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was built from, when the build knew it.
const COMMIT: Option<&str> = option_env!("SENSOR_COMMIT");

/// The line that `-version` prints: the version, the commit, and the version of the records that the kernel programs
/// and the agent share.
#[must_use]
pub fn version() -> String {
    match COMMIT {
        Some(commit) => format!("{PROGRAM} {VERSION} (commit {commit}, record layout {LAYOUT_VERSION})"),
        None => format!("{PROGRAM} {VERSION} (record layout {LAYOUT_VERSION})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_names_what_it_was_built_from() {
        let version = version();
        assert!(version.starts_with(&format!("sophoslinuxsensor {VERSION} (")), "{version}");
        assert!(version.ends_with(&format!("record layout {LAYOUT_VERSION})")), "{version}");
        if let Some(commit) = COMMIT {
            assert!(commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
        }
    }
}
