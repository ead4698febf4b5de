//! Categories of policies that name a technique of MITRE ATT&CK.

/// A tactic with one of its techniques.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Technique<'a> {
    pub(super) tactic: &'a str,
    pub(super) name: &'a str,
    /// Such as `T1059.004`.
    pub(super) id: Option<&'a str>,
}

/// What a category such as `MITRE.Execution.Unix Shell (T1059.004)` names; none if it is of another kind.
pub(super) fn technique(category: &str) -> Option<Technique<'_>> {
    let (tactic, rest) = category.strip_prefix("MITRE.")?.split_once('.')?;
    let with_id = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    Some(match with_id {
        Some((name, id)) if id.starts_with('T') => Technique { tactic, name, id: Some(id) },
        _ => Technique { tactic, name: rest, id: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_found() {
        let found = technique("MITRE.Execution.Unix Shell (T1059.004)");
        assert_eq!(found, Some(Technique { tactic: "Execution", name: "Unix Shell", id: Some("T1059.004") }));
        let found = technique("MITRE.Execution.Command-Line Interface");
        assert_eq!(found, Some(Technique { tactic: "Execution", name: "Command-Line Interface", id: None }));
        assert_eq!(technique("PCI.10.2"), None);
    }
}
