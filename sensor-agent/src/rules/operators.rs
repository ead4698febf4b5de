//! The one table of operators, for the parser, the checker and the manual.

use schema::Type;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    NotMatches,
    Contains,
    StartsWith,
    EndsWith,
    AnyCase,
    Bits,
    In,
    NotIn,
    Exists,
}

/// One operator for the parser, the checker and the manual.
#[derive(Debug)]
pub struct OperatorInfo {
    pub operator: Operator,
    /// As it is written; words may be in any letter case.
    pub symbol: &'static str,
    /// Which fields it compares, in words.
    pub fields: &'static str,
    /// Whether it compares fields of a type.
    pub accepts: fn(Type) -> bool,
    /// One sentence for the manual.
    pub doc: &'static str,
}

/// Every operator.
pub static OPERATORS: &[OperatorInfo] = &[
    OperatorInfo {
        operator: Operator::Equal,
        symbol: "==",
        fields: "all",
        accepts: |_| true,
        doc: "Equal. A text is a glob: `*` stands for any run of characters (also `/`), `?` for one, `[a-z]` for one of a \
              set; a backslash takes the meaning away. On a path, a literal without a slash is compared with the last \
              part. On a list, one element must be equal. On an address, a range such as `10.0.0.0/8` holds for every \
              address in it.",
    },
    OperatorInfo {
        operator: Operator::NotEqual,
        symbol: "!=",
        fields: "all",
        accepts: |_| true,
        doc: "Exactly when `==` does not hold; so also when the event has no such value.",
    },
    OperatorInfo {
        operator: Operator::Less,
        symbol: "<",
        fields: "numbers, sizes, durations, times",
        accepts: is_ordered,
        doc: "Less, or earlier.",
    },
    OperatorInfo {
        operator: Operator::LessOrEqual,
        symbol: "<=",
        fields: "numbers, sizes, durations, times",
        accepts: is_ordered,
        doc: "Less or equal.",
    },
    OperatorInfo {
        operator: Operator::Greater,
        symbol: ">",
        fields: "numbers, sizes, durations, times",
        accepts: is_ordered,
        doc: "Greater, or later.",
    },
    OperatorInfo {
        operator: Operator::GreaterOrEqual,
        symbol: ">=",
        fields: "numbers, sizes, durations, times",
        accepts: is_ordered,
        doc: "Greater or equal.",
    },
    OperatorInfo {
        operator: Operator::Matches,
        symbol: "=~",
        fields: "texts, paths, words",
        accepts: is_text,
        doc: "The regular expression is found somewhere in the value (RE2 syntax; `^` and `$` tie it to the ends). \
              `\\w`, `\\d`, `\\s` and `\\b` know ASCII only, and `.` is one byte.",
    },
    OperatorInfo {
        operator: Operator::NotMatches,
        symbol: "!~",
        fields: "texts, paths, words",
        accepts: is_text,
        doc: "Exactly when `=~` does not hold; so also when the event has no such value.",
    },
    OperatorInfo {
        operator: Operator::Contains,
        symbol: "contains",
        fields: "texts, paths, words",
        accepts: is_text,
        doc: "The text is found somewhere in the value; no character in it has a meaning of its own.",
    },
    OperatorInfo {
        operator: Operator::StartsWith,
        symbol: "startswith",
        fields: "texts, paths, words",
        accepts: is_text,
        doc: "The value begins with the text; no character in it has a meaning of its own.",
    },
    OperatorInfo {
        operator: Operator::EndsWith,
        symbol: "endswith",
        fields: "texts, paths, words",
        accepts: is_text,
        doc: "The value ends with the text; no character in it has a meaning of its own.",
    },
    OperatorInfo {
        operator: Operator::AnyCase,
        symbol: "iglob",
        fields: "texts, paths",
        accepts: |ty| matches!(ty, Type::Text | Type::Texts | Type::Path),
        doc: "The glob matches the whole value in any letter case, or one of several does: `iglob \"*x*\"`, `iglob (\"a\", \
              \"b*\")`, `iglob $Name`. On a path, too, it is the whole value.",
    },
    OperatorInfo {
        operator: Operator::Bits,
        symbol: "&",
        fields: "numbers",
        accepts: |ty| matches!(ty, Type::Number | Type::Numbers),
        doc: "At least one of the bits is set in the value.",
    },
    OperatorInfo {
        operator: Operator::In,
        symbol: "in",
        fields: "all but true or false",
        accepts: |ty| ty != Type::Bool,
        doc: "`==` holds for one of the values: `(\"a\", \"b\")`, or a list: `$Name`.",
    },
    OperatorInfo {
        operator: Operator::NotIn,
        symbol: "not in",
        fields: "all but true or false",
        accepts: |ty| ty != Type::Bool,
        doc: "Exactly when `in` does not hold; so also when the event has no such value.",
    },
    OperatorInfo {
        operator: Operator::Exists,
        symbol: "exists",
        fields: "all",
        accepts: |_| true,
        doc: "The event has such a value; of a list, at least one.",
    },
];

impl Operator {
    /// Its row in [`OPERATORS`].
    #[must_use]
    pub fn info(self) -> &'static OperatorInfo {
        OPERATORS.iter().find(|info| info.operator == self).expect("every operator is in the table; a test says so")
    }

    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        self.info().symbol
    }

    /// The operator that holds exactly when this one does not, and which of the two says what is looked for.
    pub(super) const fn positive(self) -> (Self, bool) {
        match self {
            Self::NotEqual => (Self::Equal, true),
            Self::NotMatches => (Self::Matches, true),
            Self::NotIn => (Self::In, true),
            other => (other, false),
        }
    }
}

const fn is_ordered(ty: Type) -> bool {
    matches!(ty, Type::Number | Type::Numbers | Type::Size | Type::Duration | Type::Time)
}

const fn is_text(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Texts | Type::Path | Type::Word(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_is_in_the_table_once() {
        for (index, info) in OPERATORS.iter().enumerate() {
            assert_eq!(info.operator as usize, index, "{}", info.symbol);
            assert!(info.doc.ends_with('.'), "{}: a doc line is a sentence", info.symbol);
        }
        assert_eq!(OPERATORS.len(), Operator::Exists as usize + 1);
    }
}
