//! What stands behind a field's name: `CommandLine|contains|all`.

use super::value::Wide;

/// A field of a rule and its modifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Empty for what is looked for in the whole event.
    pub(super) field: String,
    pub(super) matching: Matching,
    /// Every value must hold, rather than one.
    pub(super) all: bool,
    /// None of the values may hold.
    pub(super) differs: bool,
}

/// How a value is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    Text {
        /// In order.
        changes: Vec<Change>,
        cased: bool,
    },
    Expression {
        any_case: bool,
        lines: bool,
        dot_takes_all: bool,
    },
    Network,
    /// The operator.
    Order(&'static str),
    Exists,
}

/// A change to a value before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Any run of characters before it, or behind it.
    Unbound(bool, bool),
    AnyDash,
    Wide(Wide),
    Base64,
    Base64Within,
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// A modifier that does not exist, is not built, or does not go with the others.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut words = text.split('|');
        let field = words.next().unwrap_or_default().to_owned();
        let mut key =
            Self { field, matching: Matching::Text { changes: Vec::new(), cased: false }, all: false, differs: false };
        for word in words {
            key.modify(word).map_err(|why| format!("`{text}`: {why}"))?;
        }
        if let Matching::Text { changes, .. } = &key.matching {
            let wide = changes.iter().rposition(|change| matches!(change, Change::Wide(_)));
            let base64 = changes.iter().position(|change| matches!(change, Change::Base64 | Change::Base64Within));
            if wide.is_some() && base64.is_none() {
                return Err(format!("`{text}`: text in UTF-16 is in no value, other than in base64"));
            }
        }
        Ok(key)
    }

    fn modify(&mut self, word: &str) -> Result<(), String> {
        match word {
            "all" => self.all = true,
            "neq" => self.differs = true,
            "contains" => self.change(Change::Unbound(true, true), word)?,
            "startswith" => self.change(Change::Unbound(false, true), word)?,
            "endswith" => self.change(Change::Unbound(true, false), word)?,
            "windash" => self.change(Change::AnyDash, word)?,
            "base64" => self.change(Change::Base64, word)?,
            "base64offset" => self.change(Change::Base64Within, word)?,
            "wide" | "utf16le" => self.change(Change::Wide(Wide::Little), word)?,
            "utf16be" => self.change(Change::Wide(Wide::Big), word)?,
            "utf16" => self.change(Change::Wide(Wide::Marked), word)?,
            "cased" => match &mut self.matching {
                Matching::Text { cased, .. } => *cased = true,
                _ => return Err(alone(word)),
            },
            "re" => self.instead(word, Matching::Expression { any_case: false, lines: false, dot_takes_all: false })?,
            "i" | "m" | "s" => match &mut self.matching {
                Matching::Expression { any_case, lines, dot_takes_all } => {
                    let flag = match word {
                        "i" => any_case,
                        "m" => lines,
                        _ => dot_takes_all,
                    };
                    *flag = true;
                }
                _ => return Err(format!("`{word}` goes with `re`")),
            },
            "cidr" => self.instead(word, Matching::Network)?,
            "exists" => self.instead(word, Matching::Exists)?,
            "lt" => self.instead(word, Matching::Order("<"))?,
            "lte" => self.instead(word, Matching::Order("<="))?,
            "gt" => self.instead(word, Matching::Order(">"))?,
            "gte" => self.instead(word, Matching::Order(">="))?,
            "fieldref" => return Err("comparing two fields (`fieldref`) is not built".into()),
            "expand" => return Err("placeholders (`expand`) are not built: write out what they stand for".into()),
            "minute" | "hour" | "day" | "week" | "month" | "year" => {
                return Err(format!("parts of a date (`{word}`) are not built"));
            }
            _ => return Err(format!("there is no modifier `{word}`")),
        }
        Ok(())
    }

    fn change(&mut self, change: Change, word: &str) -> Result<(), String> {
        let Matching::Text { changes, .. } = &mut self.matching else { return Err(alone(word)) };
        let encodes = matches!(change, Change::Base64 | Change::Base64Within | Change::Wide(_));
        let only_wide = changes.iter().all(|change| matches!(change, Change::Wide(_)));
        if encodes && !(only_wide && (changes.is_empty() || !matches!(change, Change::Wide(_)))) {
            return Err(format!("`{word}` encodes what is written, and so stands first"));
        }
        changes.push(change);
        Ok(())
    }

    fn instead(&mut self, word: &str, matching: Matching) -> Result<(), String> {
        match &self.matching {
            Matching::Text { changes, cased: false } if changes.is_empty() => self.matching = matching,
            _ => return Err(alone(word)),
        }
        Ok(())
    }
}

fn alone(word: &str) -> String {
    format!("`{word}` does not go with the other modifiers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_of_each_sort() {
        let key = Key::read("CommandLine|wide|base64offset|contains|all").unwrap();
        assert_eq!((key.field.as_str(), key.all, key.differs), ("CommandLine", true, false));
        let changes = vec![Change::Wide(Wide::Little), Change::Base64Within, Change::Unbound(true, true)];
        assert_eq!(key.matching, Matching::Text { changes, cased: false });
        let key = Key::read("x|re|i|m|s").unwrap();
        assert_eq!(key.matching, Matching::Expression { any_case: true, lines: true, dot_takes_all: true });
        assert_eq!(Key::read("|all").unwrap().field, "");
        assert!(Key::read("x|neq").unwrap().differs);
        for (text, part) in [
            ("x|contain", "no modifier `contain`"),
            ("x|re|contains", "does not go"),
            ("x|contains|re", "does not go"),
            ("x|i", "goes with `re`"),
            ("x|contains|base64", "stands first"),
            ("x|windash|wide", "stands first"),
            ("x|wide|contains", "UTF-16"),
            ("x|wide|utf16be|base64", "stands first"),
            ("x|fieldref", "two fields"),
            ("x|expand", "placeholders"),
            ("x|hour", "parts of a date"),
            ("x|", "no modifier ``"),
        ] {
            let said = Key::read(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
