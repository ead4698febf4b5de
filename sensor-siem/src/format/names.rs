//! What the name of an item tells in words.

use crate::item::{Members, Value};

/// Types whose names tell a detection and a path, each within `'`.
const QUOTED: [&str; 9] = [
    "Event::Endpoint::Threat::Detected",
    "Event::Endpoint::Threat::CleanedUp",
    "Event::Endpoint::Threat::HIPSDismissed",
    "Event::Endpoint::Threat::HIPSDetected",
    "Event::Endpoint::Threat::HIPSCleanupFailed",
    "Event::Endpoint::Threat::PuaDetected",
    "Event::Endpoint::Threat::PuaCleanupFailed",
    "Event::Endpoint::Threat::CleanupFailed",
    "Event::Endpoint::Threat::CommandAndControlDismissed",
];

/// The type whose names are a whole report.
const DATA_LOSS: &str = "Event::Endpoint::DataLossPreventionUserAllowed";

/// The report: what stands before each part, the part's member. The last reaches to the end.
const REPORT: [(&str, &str); 9] = [
    ("An ″", "name"),
    ("″ action was taken.  Username: ", "user"),
    ("  Rule names: ′", "rule"),
    ("′  User action: ", "user_action"),
    ("  Application Name: ", "app_name"),
    ("  Data Control action: ", "action"),
    ("  File type: ", "file_type"),
    ("  File size: ", "file_size"),
    ("  Source path: ", "file_path"),
];

/// Makes members of what the name tells. An alert has a description in place of a name. Returns a name that should tell
/// something and could not be read; the item is then as it was.
pub(super) fn read(members: &mut Members<'_>) -> Option<String> {
    if let Some(description) = members.get("description").cloned() {
        members.insert("name".into(), description);
    }
    let Some(Value::Text(kind)) = members.get("type") else { return None };
    let parts = match &**kind {
        DATA_LOSS => report,
        kind if QUOTED.contains(&kind) => quoted,
        _ => return None,
    };
    let name = match members.get("name") {
        Some(Value::Text(name)) => name.to_string(),
        _ => String::new(),
    };
    let Some(parts) = parts(&name) else { return Some(name) };
    for (member, text) in parts {
        members.insert(member.into(), Value::Text(text.to_owned().into()));
    }
    None
}

/// Each part with its member.
type Parts<'a> = Vec<(&'static str, &'a str)>;

/// The detection is the first quoted text of a line; the path the last, with something between the two. Without a path there
/// is no telling what the quoted text is.
fn quoted(name: &str) -> Option<Parts<'_>> {
    name.split('\n').find_map(|line| {
        let quotes: Vec<usize> = line.match_indices('\'').map(|(at, _)| at).collect();
        let [first, second, .., before_last, last] = quotes[..] else { return None };
        let (detection, path) = (&line[first + 1..second], &line[before_last + 1..last]);
        (before_last > second + 1)
            .then(|| vec![("detection_identity_name", detection), ("name", detection), ("filePath", path)])
    })
}

fn report(name: &str) -> Option<Parts<'_>> {
    let begin = name.find(REPORT[0].0)?;
    let mut rest = name[begin..].split('\n').next()?.strip_prefix(REPORT[0].0)?;
    let mut parts = Parts::new();
    for (at, (_, member)) in REPORT.iter().enumerate() {
        let text = match REPORT.get(at + 1) {
            Some((next, _)) => {
                let (text, behind) = rest.split_once(next)?;
                rest = behind;
                text
            }
            None => rest,
        };
        parts.push((member, text));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<(&str, &str)> {
        quoted(name).map(|parts| (parts[0].1, parts[2].1))
    }

    #[test]
    fn the_first_and_the_last_quoted_text() {
        assert_eq!(of("Malware: 'A/b' at '/x y/z'"), Some(("A/b", "/x y/z")));
        assert_eq!(of("'A' at 'it's' in '/z'."), Some(("A", "/z")));
        assert_eq!(of("'' at ''"), Some(("", "")));
        assert_eq!(of("'A'-'/z'"), Some(("A", "/z")));
        assert_eq!(of("'A' at '/it's'"), Some(("A", "s")), "the script knows no better");
        assert_eq!(of("one\n'A' at '/z'\n"), Some(("A", "/z")));
    }

    #[test]
    fn fewer_quotes_or_nothing_between_tell_nothing() {
        for name in ["", "plain", "'A'", "'A' at '/z", "'A''/z'", "''''", "'A\n' at '/z'", "'A' at\n'/z'"] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_report_is_read_whole_or_not_at_all() {
        let all: String = REPORT.iter().enumerate().map(|(at, (before, _))| format!("{before}part {at}")).collect();
        let parts = report(&all).unwrap();
        assert_eq!(parts.len(), 9);
        assert_eq!((parts[0], parts[8]), (("name", "part 0"), ("file_path", "part 8")));
        for (before, _) in REPORT {
            assert_eq!(report(&all.replacen(before, " ", 1)), None, "{before}");
        }
        assert_eq!(report(&all.replace("part 3", "part\n3")), None);
        assert_eq!(report(&format!("{all}\nmore")).unwrap()[8].1, "part 8");
    }
}
