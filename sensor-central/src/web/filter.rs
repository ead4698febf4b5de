//! What a page of detections is asked for, behind the question mark of its address: so that it can be kept and sent on.

use std::fmt;

use super::fields::Fields;
use crate::{
    api::times,
    severity::DEGREES,
    store::{Place, Sought},
};

/// Longest value, characters.
const LONGEST: usize = 300;

/// How far back, in words of the address and of the page, and milliseconds.
pub(super) const SPANS: [(&str, &str, i64); 4] = [
    ("1h", "last hour", HOUR),
    ("24h", "last 24 hours", 24 * HOUR),
    ("7d", "last 7 days", 7 * 24 * HOUR),
    ("30d", "last 30 days", 30 * 24 * HOUR),
];

const HOUR: i64 = 3_600_000;

/// What is asked for, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Name and value of each that is not empty, in the order of [`NAMES`].
    said: Vec<(&'static str, String)>,
    pub(super) sought: Sought,
    /// Where the page begins; at the newest if it is not said.
    pub(super) before: Option<Place>,
}

/// The names that are known. Others are let pass.
const NAMES: [&str; 12] =
    ["q", "host", "user", "container", "policy", "incident", "tactic", "priority", "state", "since", "from", "to"];

/// The states that can be asked for, in words of the address and of the page.
pub(super) const STATES: [(&str, &str, bool); 2] = [("open", "open", false), ("closed", "closed", true)];

/// What is not understood, and what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misunderstood(pub(super) String);

impl fmt::Display for Misunderstood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Filter {
    /// Reads it. `now` is milliseconds since the Unix epoch.
    pub(super) fn read(fields: &Fields, now: i64) -> Result<Self, Misunderstood> {
        let said: Vec<(&str, String)> =
            NAMES.iter().filter_map(|&name| Some((name, fields.one(name)?.to_owned()))).collect();
        if let Some((name, _)) = said.iter().find(|(_, value)| value.chars().count() > LONGEST) {
            return Err(Misunderstood(format!("“{name}” is longer than {LONGEST} characters.")));
        }
        let mut filter = Self { said, ..Self::default() };
        filter.sought = filter.sought(now)?;
        filter.before = fields.one("before").map(place).transpose()?;
        Ok(filter)
    }

    /// What was said of a name; empty if nothing was.
    pub(super) fn said(&self, name: &str) -> &str {
        self.said.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The same, in an address: what stands behind the question mark, without the place.
    pub(super) fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.said).finish()
    }

    /// Whether anything is asked for at all.
    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    fn sought(&self, now: i64) -> Result<Sought, Misunderstood> {
        let text = |name| Some(self.said(name)).filter(|text| !text.is_empty()).map(str::to_owned);
        let time = |name| {
            let not = || {
                let what = format!(
                    "“{name}” is not a time: write it as 2026-11-29 08:00 (UTC), or as PT2H for two hours ago."
                );
                Misunderstood(what)
            };
            text(name).map(|text| times::read(&text, now.saturating_mul(1_000_000)).ok_or_else(not)).transpose()
        };
        let since = one_of("since", self.said("since"), &SPANS)?.map(|length| now - length);
        let priority = |word: String| {
            let known = DEGREES.iter().find(|degree| degree.priority.eq_ignore_ascii_case(&word));
            let words = DEGREES.map(|degree| degree.priority).join(", ");
            known
                .map(|degree| degree.number)
                .ok_or_else(|| Misunderstood(format!("“priority” must be one of {words}.")))
        };
        let (from, to) = (time("from")?.or(since), time("to")?);
        if from.zip(to).is_some_and(|(from, to)| to <= from) {
            return Err(Misunderstood("“to” must be later than “from”.".into()));
        }
        Ok(Sought {
            from,
            to,
            host: text("host"),
            user: text("user"),
            container: text("container"),
            policy: text("policy"),
            incident: text("incident"),
            severity: text("priority").map(priority).transpose()?,
            tactic: text("tactic"),
            words: self.said("q").split_whitespace().map(in_json).collect(),
            closed: one_of("state", self.said("state"), &STATES)?,
        })
    }
}

/// A word as the JSON of an alert has it, in small letters.
fn in_json(word: &str) -> String {
    let quoted = serde_json::Value::from(word.to_lowercase()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn one_of<T: Copy>(name: &str, said: &str, known: &[(&str, &str, T)]) -> Result<Option<T>, Misunderstood> {
    if said.is_empty() {
        return Ok(None);
    }
    let words = || known.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(", ");
    let found = known.iter().find(|(word, ..)| *word == said).map(|(.., value)| Some(*value));
    found.ok_or_else(|| Misunderstood(format!("“{name}” must be one of {}.", words())))
}

/// A place as an address has it: `RAISED.ROW`.
pub(super) fn place(text: &str) -> Result<Place, Misunderstood> {
    let read = || {
        let (raised, row) = text.split_once('.')?;
        Some(Place { raised: raised.parse().ok()?, row: row.parse().ok()? })
    };
    read().ok_or_else(|| Misunderstood("This address is not one of a page of ours: go to the newest ones.".into()))
}

/// The same written.
pub(super) fn write_place(place: Place) -> String {
    format!("{}.{}", place.raised, place.row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_795_939_200_000;

    fn read(query: &str) -> Result<Filter, Misunderstood> {
        Filter::read(&Fields::parse(query), NOW)
    }

    #[test]
    fn what_is_asked_for_is_sought() {
        let filter = read(
            "host=web-1&user=&priority=high&state=open&q=Shell+a%22b&from=2026-11-29+07:00&to=PT30M&tactic=Impact&before=5.7&x=y",
        );
        let filter = filter.unwrap();
        let wanted = Sought {
            host: Some("web-1".into()),
            severity: Some(8),
            closed: Some(false),
            words: vec!["shell".into(), "a\\\"b".into()],
            from: Some(NOW - HOUR),
            to: Some(NOW - HOUR / 2),
            tactic: Some("Impact".into()),
            ..Sought::default()
        };
        assert_eq!((filter.sought.clone(), filter.before), (wanted, Some(Place { raised: 5, row: 7 })));
        assert_eq!(filter.said("q"), "Shell a\"b");
        assert_eq!(read("since=24h").unwrap().sought.from, Some(NOW - 24 * HOUR));
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (query, why) in [
            ("priority=urgent", "one of High, Medium, Low, Info"),
            ("state=lost", "one of open, closed"),
            ("since=1y", "one of 1h, 24h, 7d, 30d"),
            ("from=yesterday", "write it as 2026-11-29 08:00 (UTC)"),
            ("from=PT1H&to=PT1H", "must be later"),
            ("before=1", "not one of a page of ours"),
            ("before=1.x", "not one of a page of ours"),
        ] {
            let Misunderstood(said) = read(query).unwrap_err();
            assert!(said.contains(why), "{query}: {said}");
        }
        assert!(read(&format!("q={}", "ä".repeat(301))).unwrap_err().0.contains("longer than 300"));
    }

    proptest! {
        #[test]
        fn an_address_is_the_same_when_it_is_read_again(values: Vec<(String, String)>, host: String, text: String) {
            let fields = values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let fields = fields.chain([("host", host.as_str()), ("q", text.as_str()), ("since", "7d")]);
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            if let Ok(filter) = read(&query) {
                let again = read(&filter.query()).unwrap();
                prop_assert_eq!(again, Filter { before: None, ..filter });
            }
        }

        #[test]
        fn places_come_back(raised: i64, row: i64) {
            prop_assert_eq!(place(&write_place(Place { raised, row })), Ok(Place { raised, row }));
        }
    }
}
