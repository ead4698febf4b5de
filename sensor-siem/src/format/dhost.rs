//! Host names that are none: people name their machines as they like.

use super::python;

/// The longest label and the longest name (RFC 1123, RFC 1035).
const LABEL: usize = 63;
const NAME: usize = 255;

/// The name if it is a valid host name, else one made of it. If the output is not to be `compat`, what is made is within
/// the bounds too, and a name of which nothing would remain is left as it is.
pub(super) fn valid(name: &str, compat: bool) -> String {
    if is_valid(name) {
        return name.to_owned();
    }
    let lower = name.to_lowercase();
    let labels: Vec<String> =
        lower.split('.').map(|part| label(part, compat)).filter(|label| !label.is_empty()).collect();
    let mut made = labels.join(".");
    if compat {
        return made;
    }
    // The first labels are the machine's own.
    while made.len() > NAME {
        made.truncate(made.rfind('.').unwrap_or(NAME));
    }
    if made.is_empty() { name.to_owned() } else { made }
}

fn label(part: &str, compat: bool) -> String {
    let mut label = String::new();
    for char in python::strip(part).chars() {
        if matches!(char, 'a'..='z' | '0'..='9' | '-') {
            label.push(char);
        } else if !label.ends_with('\0') {
            // Stands for a run, so that hyphens of the name itself stay as many as they are.
            label.push('\0');
        }
    }
    let mut label = label.replace('\0', "-").trim_matches('-').to_owned();
    if !compat {
        label.truncate(LABEL);
        label.truncate(label.trim_end_matches('-').len());
    }
    label
}

/// Labels of letters and digits with single hyphens within, parted by dots; one dot may stand at the end.
fn is_valid(name: &str) -> bool {
    let labels = name.strip_suffix('.').unwrap_or(name);
    name.len() <= NAME
        && labels.split('.').all(|label| {
            label.len() <= LABEL
                && label.split('-').all(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_names_stay() {
        for name in ["host-a", "HOST.example.org", "a.b.", "192.0.2.1", "7", "xn-p1ai"] {
            assert_eq!(valid(name, true), name);
            assert_eq!(valid(name, false), name);
        }
    }

    #[test]
    fn others_are_made_valid() {
        for (name, made) in [
            ("Jörg’s Rechner.example.org", "j-rg-s-rechner.example.org"),
            ("My_PC", "my-pc"),
            (" A . B ", "a.b"),
            ("-a-.--b--.c..", "a.b.c"),
            ("a--b", "a--b"),
            ("a -- b", "a----b"),
            ("日本 a", "a"),
            ("K\u{212a}", "kk"),
        ] {
            assert_eq!(valid(name, true), made, "{name}");
            assert_eq!(valid(name, false), made, "{name}");
        }
    }

    #[test]
    fn bounds_are_kept_and_nothing_is_emptied_unless_it_is_to_be_as_it_was() {
        let long = format!("{}_.{}", "a".repeat(62), "b-".repeat(40));
        assert_eq!(valid(&long, true), format!("{}.{}", "a".repeat(62), &"b-".repeat(40)[..79]));
        assert_eq!(valid(&long, false), format!("{}.{}", "a".repeat(62), &"b-".repeat(40)[..63]));
        assert_eq!(valid(&format!("_{}", "a.".repeat(200)), false).len(), 255);
        assert_eq!((valid("日本", true), valid("日本", false)), (String::new(), "日本".into()));
        assert_eq!(valid("", false), "");
    }

    proptest! {
        #[test]
        fn what_is_made_is_within_the_bounds(name in "[ -~äÖ日\\.]{0,300}") {
            let made = valid(&name, false);
            let is_ours = made.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
            if made != name {
                prop_assert!(is_ours && made.len() <= NAME && made.split('.').all(|label| label.len() <= LABEL), "{}", made);
            }
        }
    }
}
