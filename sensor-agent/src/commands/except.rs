//! `rules except`: exceptions that would have kept an alert back.

use std::path::Path;

use clock::unix_now;
use diagnostic::printable;
use jiff::{Span, Timestamp, tz::TimeZone};

use super::{fail, print, rules};
use crate::alert::rfc3339;
use crate::cli::{Exit, Look, PROGRAM};
use crate::control::{Update as Shown, client};
use crate::live::Subject;
use crate::sigma::yaml_text;
use crate::tuning::except::{PastAlert, Proposal, proposals};

/// For how long an exception is proposed, days.
const DAYS: i64 = 90;
/// Who else would be silenced: so many are named.
const NAMED: usize = 5;
/// The least characters of a uuid that stand for it.
const LEAST: usize = 8;

pub(super) fn except(run_dir: &Path, alert: &Path) -> Exit {
    let held = held(run_dir);
    let (told, place) = match wanted(alert, &held) {
        Ok(told) => told,
        Err(error) => return fail(&error),
    };
    let others = held.as_deref().unwrap_or_default();
    let proposals = proposals(&told, others);
    if proposals.is_empty() {
        return fail(&format!("{place}: the alert does not say what a rule could except"));
    }
    if let Err(error) = &held {
        eprintln!("{PROGRAM}: what else would be silenced is not known: {}", printable(&error.to_string()));
    }
    print(&page(&told, &proposals, held.is_ok().then_some(others)))
}

/// The alerts that the running sensor holds.
fn held(run_dir: &Path) -> Result<Vec<PastAlert>, client::ClientError> {
    let mut held = Vec::new();
    let look = Look { json: true, ..Look::default() };
    client::show(run_dir, Subject::Alerts, &super::show::query(Subject::Alerts, &look), |shown| {
        if let Shown::Json(json) = shown {
            // One of a sensor of another version may not be understood; it is not counted.
            held.extend(PastAlert::read(json).ok());
        }
        true
    })?;
    Ok(held)
}

/// The alert that was meant, and how it was named.
fn wanted(named: &Path, held: &Result<Vec<PastAlert>, client::ClientError>) -> Result<(PastAlert, String), String> {
    let place = printable(&named.display().to_string()).into_owned();
    let id = named.to_str().filter(|text| {
        text.len() >= LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') && !named.exists()
    });
    let Some(id) = id else {
        let text = rules::read(named).map_err(|error| format!("{place}: {error}"))?;
        return PastAlert::read(text.as_bytes())
            .map(|told| (told, place.clone()))
            .map_err(|error| format!("{place}: {error}"));
    };
    let held = held.as_ref().map_err(ToString::to_string)?;
    let is_it =
        |told: &&PastAlert| told.uuid.is_some_and(|uuid| uuid.to_string().starts_with(&id.to_ascii_lowercase()));
    let mut found = held.iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(told), None) => Ok((told.clone(), place)),
        (Some(_), Some(_)) => Err(format!("{place} is the beginning of several alerts: write more of it")),
        (None, _) => Err(format!(
            "{place}: the sensor holds no such alert. It holds the newest {}; give the alert's JSON as a file",
            held.len()
        )),
    }
}

/// YAML to be pasted: the narrowest exception, the others as comments.
fn page(told: &PastAlert, proposals: &[Proposal], others: Option<&[PastAlert]>) -> String {
    let of_policy = others.map(|others| others.iter().filter(|other| other.policy == told.policy).count());
    let mut page = format!(
        "# {}: {}, {}.\n# Put this into the file of rules; where the policy has `exceptions:` there already, only the item.\n",
        comment(&told.policy),
        comment(&told.summary()),
        rfc3339(told.event.time)
    );
    for (number, proposal) in proposals.iter().enumerate() {
        let silences = match of_policy {
            None => String::new(),
            Some(_) if proposal.others == 0 => "; silences no other alert that the sensor holds".to_owned(),
            Some(all) => {
                let named: Vec<String> = proposal
                    .silenced
                    .iter()
                    .take(NAMED)
                    .map(|(who, count)| format!("{count} x {}", comment(who)))
                    .chain((proposal.silenced.len() > NAMED).then(|| "more".to_owned()))
                    .collect();
                format!("; silences {} more of {all}: {}", proposal.others, named.join(", "))
            }
        };
        let rule = yaml_text(&proposal.rule);
        if number == 0 {
            page.push_str(&format!(
                "\n# {}{silences}\n{}:\n  exceptions:\n    - rule: {rule}\n      comment: \"\"   # why this is all right, and who says so\n      until: {}\n",
                proposal.called,
                yaml_text(&told.policy),
                last_day()
            ));
        } else {
            page.push_str(&format!("\n# {}{silences}\n#     - rule: {rule}\n", proposal.called));
        }
    }
    page
}

/// A text in a comment: in one line.
fn comment(text: &str) -> String {
    printable(text).replace('\n', " ")
}

fn last_day() -> String {
    let now = Timestamp::from_nanosecond(unix_now().into()).unwrap_or_default().to_zoned(TimeZone::UTC);
    let day = now.date().checked_add(Span::new().days(DAYS)).unwrap_or_else(|_| now.date());
    day.to_string()
}
