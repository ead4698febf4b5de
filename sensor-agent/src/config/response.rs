//! What policies may do, and what they ask for in vain.

use diagnostic::Report;
use schema::Class;
use settings::Section;

use super::Policy;

/// What policies may do about what they find.
#[derive(Clone, Debug)]
pub struct Response {
    /// Whether they may do anything.
    pub enabled: bool,
    /// How much one policy does in a minute, at most.
    pub actions_per_minute: u32,
    /// Programs of the host's that nothing is done to: globs of paths.
    pub protected: Vec<String>,
}

impl Response {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            enabled: section.bool("enabled"),
            actions_per_minute: u32::try_from(section.value::<u64>("actions_per_minute")).unwrap_or(u32::MAX),
            protected: section.texts("protected").into_iter().map(|text| text.value).collect(),
        }
    }
}

/// Says what an enabled policy wants done in vain, or to the wrong process.
pub(super) fn asked_in_vain(policy: &Policy, section: &Section<'_>, is_on: bool, report: &mut Report) {
    let Some(action) = policy.actions().next() else {
        if policy.dry_run && policy.enabled {
            let name = &policy.name.value;
            report
                .warning(section.span("dryRun"), format!("`{name}` does nothing that `dryRun` could keep it from"))
                .label("without effect")
                .help("take the key out, or add what is to be tried to `responseActions`");
        }
        return;
    };
    let (name, action) = (&policy.name.value, action.word());
    if policy.policy_type.seen().is_some_and(|seen| seen.class() == Class::Audit) {
        report
            .error(
                section.span("responseActions"),
                format!("`{name}` sees messages, and `{action}` would be done to the program that sent them"),
            )
            .label("that is sshd, sudo or systemd, not whom they are about")
            .help("take the action out, or have a policy on what the program does then");
    } else if policy.enabled && !is_on {
        let instead = if policy.only_audits() { "audit" } else { "alert" };
        report
            .warning(
                section.span("responseActions"),
                format!("`{name}` asks for `{action}`, and responses are off: it will only {instead}"),
            )
            .label("checked, but not done")
            .help("add `response: {enabled: true}`, and restart the sensor: it gives the right to act up at its start");
    }
}
