//! What the host's files and its containers' runtimes name.

use super::{containers, users};

/// The path of a control group, its parts between slashes, of which the namespace's root is one.
///
/// # Panics
///
/// If a container has an id that is not in the path, or none at all where one was found.
pub fn groups(root: usize, path: &str) {
    let parts: Vec<&str> = path.split('/').collect();
    for at in 0..=parts.len() {
        let Some(found) = containers::container_at(&parts, at) else { continue };
        assert!(!found.id.is_empty() && found.id.len() <= path.len(), "{found:?}");
    }
    let found = containers::unproven(&parts, root);
    assert!(found.id.len() <= path.len(), "{found:?}");
}

/// The text of `/etc/passwd`.
///
/// # Panics
///
/// If there is a name that no line begins with.
pub fn passwd(text: &str) {
    for name in users::fuzzing::passwd(text) {
        assert!(text.lines().any(|line| line.split(':').next() == Some(&name)), "{name:?}");
    }
}
