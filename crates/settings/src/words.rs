//! Closed sets of words.
//!
//! [`words!`](crate::words!) declares each once: the enum that the program works with, the words that users write, and
//! the older spellings that are taken as well.

use diagnostic::nearest;

use crate::problem::Problem;
use crate::scalar::FromText;

/// A closed set of words.
pub trait Word: FromText + Copy + 'static {
    /// All words.
    const WORDS: &'static Words;

    /// The value of a word, in any letter case.
    fn from_word(word: &str) -> Option<Self>;
}

/// The words of a closed set, as users write them.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// In the order of the enum.
    pub current: &'static [&'static str],
    /// Older spellings, which are taken as well.
    pub older: &'static [&'static str],
}

impl Words {
    /// Whether this is one of them, in any letter case.
    pub(crate) fn check(&self, text: &str) -> Result<(), Problem> {
        let mut all = self.current.iter().chain(self.older);
        if all.any(|word| word.eq_ignore_ascii_case(text)) { Ok(()) } else { Err(self.unknown(text)) }
    }

    /// What is wrong with a text that is none of them.
    #[must_use]
    pub fn unknown(&self, text: &str) -> Problem {
        let problem = Problem::new(format!("unknown word `{text}`"));
        match nearest(text, self.current.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
    }
}

/// Declares an enum and its words: `pub Name { Variant = "word" | "older word", … }`.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal $(| $older:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $name {
            /// All of them.
            $vis const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that a configuration has for it.
            #[must_use]
            $vis const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl $crate::FromText for $name {
            fn from_text(text: &str) -> Result<Self, $crate::Problem> {
                $crate::Word::from_word(text).ok_or_else(|| <Self as $crate::Word>::WORDS.unknown(text))
            }
        }

        impl $crate::Word for $name {
            const WORDS: &'static $crate::Words = &$crate::Words { current: &[$($word,)*], older: &[$($($older,)*)*] };

            fn from_word(word: &str) -> Option<Self> {
                let known: &[(&str, Self)] = &[$(($word, Self::$variant), $(($older, Self::$variant),)*)*];
                known.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::Word as _;

    words! {
        Cloud {
            Off = "off",
            /// With an older spelling.
            Ec2 = "ec2" | "aws",
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_older_ones_too() {
        assert_eq!(Cloud::from_word("OFF"), Some(Cloud::Off));
        assert_eq!(Cloud::from_word("aws").map(Cloud::word), Some("ec2"));
        assert_eq!(Cloud::ALL, [Cloud::Off, Cloud::Ec2]);
        assert_eq!(Cloud::from_word("aw"), None);
        assert_eq!(Cloud::WORDS.check("of").unwrap_err().help.as_deref(), Some("did you mean `off`?"));
    }
}
