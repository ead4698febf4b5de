//! MITRE ATT&CK as the sensor's detections name it: `MITRE.<Tactic>.<Technique> (T1234)`.

use serde_json::{Value, json};

/// The tactics of April 2026 with their ids, and those of before by which older sensors call them.
const TACTICS: [(&str, &str); 16] = [
    ("Initial Access", "TA0001"),
    ("Execution", "TA0002"),
    ("Persistence", "TA0003"),
    ("Privilege Escalation", "TA0004"),
    ("Stealth", "TA0005"),
    ("Defense Evasion", "TA0005"),
    ("Credential Access", "TA0006"),
    ("Discovery", "TA0007"),
    ("Lateral Movement", "TA0008"),
    ("Collection", "TA0009"),
    ("Exfiltration", "TA0010"),
    ("Command and Control", "TA0011"),
    ("Impact", "TA0040"),
    ("Resource Development", "TA0042"),
    ("Reconnaissance", "TA0043"),
    ("Defense Impairment", "TA0112"),
];

/// A technique for a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique<'a> {
    pub tactic: &'a str,
    /// Of the tactic; empty if it is not known.
    pub tactic_id: &'static str,
    pub name: &'a str,
    /// Empty if the category names none.
    pub id: &'a str,
}

/// What a category names; nothing if it is no such one.
#[must_use]
pub fn technique(category: &str) -> Option<Technique<'_>> {
    let (tactic, rest) = category.strip_prefix("MITRE.")?.split_once('.')?;
    let with_id = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    let (name, id) = with_id.filter(|(_, id)| id.starts_with('T')).unwrap_or((rest, ""));
    let tactic_id = TACTICS.iter().find(|(name, _)| *name == tactic).map_or("", |(_, id)| id);
    Some(Technique { tactic, tactic_id, name, id })
}

/// Every tactic's name, those of before too.
#[must_use]
pub fn tactic_names() -> [&'static str; TACTICS.len()] {
    TACTICS.map(|(name, _)| name)
}

/// All of a detection's, by tactic in the order in which they are named.
#[must_use]
pub fn by_tactic(categories: &[&str]) -> Value {
    let mut tactics: Vec<(Technique<'_>, Vec<Value>)> = Vec::new();
    for found in categories.iter().filter_map(|category| technique(category)) {
        let technique = json!({ "id": found.id, "name": found.name });
        match tactics.iter_mut().find(|(first, _)| first.tactic == found.tactic) {
            Some((_, techniques)) => techniques.push(technique),
            None => tactics.push((found, vec![technique])),
        }
    }
    let tell = |(first, techniques): (Technique<'_>, Vec<Value>)| json!({ "tactic": { "id": first.tactic_id, "name": first.tactic, "techniques": techniques } });
    tactics.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_techniques_below_their_tactics() {
        let found = by_tactic(&[
            "MITRE.Persistence.Kernel Modules and Extensions (T1547.006)",
            "MITRE.Stealth.Rootkit (T1014)",
            "Something else",
            "MITRE.Persistence.Cron",
            "MITRE.New Tactic.A Thing (of sorts) (T9999)",
        ]);
        assert_eq!(
            found,
            json!([
                { "tactic": { "id": "TA0003", "name": "Persistence", "techniques": [
                    { "id": "T1547.006", "name": "Kernel Modules and Extensions" }, { "id": "", "name": "Cron" } ] } },
                { "tactic": { "id": "TA0005", "name": "Stealth", "techniques": [{ "id": "T1014", "name": "Rootkit" }] } },
                { "tactic": { "id": "", "name": "New Tactic", "techniques": [
                    { "id": "T9999", "name": "A Thing (of sorts)" }] } },
            ])
        );
    }
}
