//! References to images: `registry.example.test:5000/web:1.2@sha256:…`.

/// The parts of a reference; what it does not have is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) name: &'a str,
    pub(crate) tag: &'a str,
    pub(crate) digest: &'a str,
}

impl<'a> Reference<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        // Only an id: what somebody runs who has no name for it.
        if is_digest(text) || crate::is_id(text) {
            return Self::default();
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, digest),
            _ => (text, ""),
        };
        // A colon before a slash is that of the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (rest, ""),
        };
        Self { name, tag, digest }
    }
}

/// Whether this is `sha256:` and 64 digits.
pub(crate) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(crate::is_id)
}

/// The id with its algorithm in front, which some leave out; nothing of what is no id.
pub(crate) fn image_id(text: &str) -> String {
    match text {
        _ if is_digest(text) => text.to_owned(),
        _ if crate::is_id(text) => format!("sha256:{text}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_have_parts() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (text, name, tag, has_digest) in [
            ("nginx".to_owned(), "nginx", "", false),
            ("nginx:1.27".to_owned(), "nginx", "1.27", false),
            ("localhost:5000/web".to_owned(), "localhost:5000/web", "", false),
            ("localhost:5000/web:1".to_owned(), "localhost:5000/web", "1", false),
            (format!("a/b@{digest}"), "a/b", "", true),
            (format!("a/b:2@{digest}"), "a/b", "2", true),
            (digest.clone(), "", "", false),
            ("0f".repeat(32), "", "", false),
        ] {
            let expected = Reference { name, tag, digest: if has_digest { &digest } else { "" } };
            assert_eq!(Reference::parse(&text), expected, "{text}");
        }
        assert_eq!((image_id(&digest), image_id(&"0f".repeat(32))), (digest.clone(), digest));
        assert_eq!(image_id("../containers"), "");
    }

    proptest! {
        #[test]
        fn parts_are_of_the_text(text in ".{0,60}") {
            let parts = Reference::parse(&text);
            prop_assert!(text.starts_with(parts.name));
        }
    }
}
