//! What a key can be: its type, default and meaning, as data.
//!
//! Tables of keys are made of these. Checking, defaults, the names of environment variables and the reference manual all
//! read the same entry, so that none of them can say something else.

use std::sync::OnceLock;

use diagnostic::Severity;
use foldhash::HashMap;

use crate::problem::Problem;
use crate::words::Words;

/// All that one sort of configuration file can hold.
#[derive(Debug)]
pub struct Schema {
    /// Keys of the file itself.
    pub(crate) top: &'static [Key],
    pub(crate) named: Option<Named>,
    /// How tokens begin that are secret wherever they stand.
    pub(crate) token_prefix: Option<&'static str>,
    /// How the names of environment variables begin that give keys; none if none does.
    pub(crate) environment: Option<&'static str>,
    /// How bad a key is that is not known.
    pub(crate) unknown: Severity,
    index: OnceLock<Index>,
}

/// Mappings under top-level keys that users choose: the names of what each holds.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// What one of them is called, without an article.
    pub called: &'static str,
    /// [`Kind::Map`] of `keys`.
    pub kind: &'static Kind,
    pub keys: &'static [Key],
    /// A key that anything may have: alone it does not tell that a mapping is one of these.
    pub switch: &'static str,
}

/// What is looked for by the name of a key alone.
#[derive(Debug)]
struct Index {
    keys: HashMap<&'static str, &'static Key>,
    /// Names of keys that hold secrets.
    secrets: Vec<&'static str>,
}

impl Schema {
    #[must_use]
    pub const fn new(top: &'static [Key]) -> Self {
        Self {
            top,
            named: None,
            token_prefix: None,
            environment: None,
            unknown: Severity::Warning,
            index: OnceLock::new(),
        }
    }

    #[must_use]
    pub const fn named(mut self, named: Named) -> Self {
        self.named = Some(named);
        self
    }

    /// What begins like this is a secret, whatever its key.
    #[must_use]
    pub const fn token_prefix(mut self, prefix: &'static str) -> Self {
        self.token_prefix = Some(prefix);
        self
    }

    /// A key that is not known is an error rather than a warning.
    #[must_use]
    pub const fn closed(mut self) -> Self {
        self.unknown = Severity::Error;
        self
    }

    /// Keys can come from environment variables as well, whose names begin like this.
    #[must_use]
    pub const fn from_environment(mut self, prefix: &'static str) -> Self {
        self.environment = Some(prefix);
        self
    }

    /// The key of this name in whichever mapping: for text whose structure is lost.
    #[must_use]
    pub fn anywhere(&self, name: &str) -> Option<&'static Key> {
        self.index().keys.get(name).copied()
    }

    /// The names of keys that hold secrets.
    pub(crate) fn secrets(&self) -> &[&'static str] {
        &self.index().secrets
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut index = Index { keys: HashMap::default(), secrets: Vec::new() };
            for key in self.tables().into_iter().flatten() {
                for name in key.aliases.iter().chain([&key.name]) {
                    index.keys.entry(*name).or_insert(key);
                }
                if key.kind.is_secret() && !index.secrets.contains(&key.name) {
                    index.secrets.push(key.name);
                }
            }
            index
        })
    }

    /// The keys of each mapping.
    #[must_use]
    pub fn tables(&self) -> Vec<Vec<&'static Key>> {
        let mut tables = Vec::new();
        for keys in [Some(self.top), self.named.map(|named| named.keys)].into_iter().flatten() {
            collect(keys.iter().collect(), &mut tables);
        }
        tables
    }
}

fn collect(keys: Vec<&'static Key>, tables: &mut Vec<Vec<&'static Key>>) {
    for key in &keys {
        collect_kind(&key.kind, tables);
    }
    tables.push(keys);
}

fn collect_kind(kind: &'static Kind, tables: &mut Vec<Vec<&'static Key>>) {
    match kind {
        Kind::List(of) | Kind::OneOrMore(of) | Kind::MapOf(of) => collect_kind(of, tables),
        Kind::Map(keys) => collect(keys.iter().collect(), tables),
        Kind::Variants(variants) => {
            for variant in variants.variants {
                collect(variants.common.iter().chain(variant.keys).collect(), tables);
            }
        }
        _ => {}
    }
}

/// One key of a mapping.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// Other spellings that are taken.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    /// As one would write it in the file; empty when there is none.
    pub default: &'static str,
    /// Whether the mapping is wrong without it.
    pub required: bool,
    /// A key of the same mapping that this one takes the place of when a later file gives it.
    pub instead_of: Option<&'static str>,
    /// Whether what several files say of it adds up, which is for the program to do: merging leaves it out.
    pub adds_up: bool,
    /// What `null` means, where that is not the same as leaving the key out.
    pub null: Option<&'static str>,
    /// What it means, for the manual.
    pub doc: &'static str,
}

impl Key {
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Self {
        Self { name, aliases: &[], kind, default, required: false, instead_of: None, adds_up: false, null: None, doc }
    }

    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub const fn instead_of(mut self, other: &'static str) -> Self {
        self.instead_of = Some(other);
        self
    }

    #[must_use]
    pub const fn adds_up(mut self) -> Self {
        self.adds_up = true;
        self
    }

    #[must_use]
    pub const fn null(mut self, meaning: &'static str) -> Self {
        self.null = Some(meaning);
        self
    }

    /// Whether this key is meant by what was written.
    #[must_use]
    pub fn is(&self, written: &str) -> bool {
        self.name == written || self.aliases.contains(&written)
    }
}

/// The key that was meant.
#[must_use]
pub fn find(keys: &'static [Key], written: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.is(written))
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool,
    Text,
    /// Never shown.
    Secret,
    Path,
    /// A URL of one of these schemes.
    Url(&'static [&'static str]),
    Uuid,
    /// A time span of at least so many milliseconds.
    Duration(u64),
    /// A whole number within these bounds.
    Count(u64, u64),
    /// Bytes, within these bounds.
    Size(u64, u64),
    Word(&'static Words),
    /// What the program reads itself.
    Own(&'static Own),
    List(&'static Kind),
    /// A list, or one of its values alone.
    OneOrMore(&'static Kind),
    /// Free keys, each with such a value.
    MapOf(&'static Kind),
    /// A mapping, or a list of such, whose keys are checked as well.
    Pairs(&'static Pairs),
    Map(&'static [Key]),
    /// Mappings of several kinds, told apart by one key.
    Variants(&'static Variants),
}

/// Text with a meaning that the program knows.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// What it is, for the manual.
    pub name: &'static str,
    /// What to write, for messages: "expected …".
    pub expected: &'static str,
    pub check: fn(&str) -> Result<(), Problem>,
    /// What one of them is called, article included, if quotes, colons and braces in it have a meaning of its own.
    pub prose: Option<&'static str>,
}

/// Keys of a sort, each with a value.
#[derive(Clone, Copy, Debug)]
pub struct Pairs {
    /// What it is, for the manual.
    pub name: &'static str,
    /// What to write, for messages: "expected …".
    pub expected: &'static str,
    pub key: &'static Own,
    pub value: &'static Kind,
}

/// Mappings of several kinds, told apart by one key.
#[derive(Debug)]
pub struct Variants {
    /// The key that tells them apart.
    pub tag: &'static str,
    /// What one of them is called, article included.
    pub called: &'static str,
    /// Keys that all of them have.
    pub common: &'static [Key],
    pub variants: &'static [Variant],
}

/// One kind of mapping.
#[derive(Debug)]
pub struct Variant {
    pub name: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
    pub doc: &'static str,
}

impl Variants {
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name.eq_ignore_ascii_case(name))
    }
}

impl Kind {
    /// What to write, for messages: "expected …".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Text | Self::Secret => "text".into(),
            Self::Path => "a path".into(),
            Self::Url(schemes) => format!("a URL that begins with {}", schemes_in_words(schemes)),
            Self::Uuid => "an id (UUID)".into(),
            Self::Duration(_) => "a duration, such as 500ms, 5s, 5m".into(),
            Self::Count(..) => "a whole number".into(),
            Self::Size(..) => "a size in bytes, such as 10000 or 64KiB".into(),
            Self::Own(own) => own.expected.into(),
            Self::Word(words) => format!("one of {}", words.current.join(", ")),
            Self::List(of) => format!("a list, each item {}", of.expected()),
            Self::OneOrMore(of) => format!("{}, or a list of such", of.expected()),
            Self::MapOf(of) => format!("a mapping, each value {}", of.expected()),
            Self::Pairs(pairs) => pairs.expected.into(),
            Self::Map(_) => "a mapping".into(),
            Self::Variants(variants) => format!("{}: a mapping with `{}`", variants.called, variants.tag),
        }
    }

    /// The type, for the manual.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Text => "text".into(),
            Self::Secret => "secret".into(),
            Self::Path => "path".into(),
            Self::Url(schemes) => format!("URL ({})", schemes_in_words(schemes)),
            Self::Uuid => "UUID".into(),
            Self::Duration(_) => "duration".into(),
            Self::Count(0, u64::MAX) => "number".into(),
            Self::Count(least, u64::MAX) => format!("number, {least} or more"),
            Self::Count(least, most) => format!("number, {least} to {most}"),
            Self::Size(..) => "size".into(),
            Self::Own(own) => own.name.into(),
            Self::Word(words) => words.current.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Self::List(of) => format!("list: {}", of.name()),
            Self::OneOrMore(of) => format!("one or a list: {}", of.name()),
            Self::MapOf(of) => format!("mapping: {}", of.name()),
            Self::Pairs(pairs) => pairs.name.into(),
            Self::Map(_) => "mapping".into(),
            Self::Variants(_) => "mapping".into(),
        }
    }

    /// Whether its values are never shown.
    pub(crate) const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret | Self::MapOf(Self::Secret))
    }

    /// What one of them is called, if quotes, colons and braces in it have a meaning of its own.
    pub(crate) const fn prose(&self) -> Option<&'static str> {
        match self {
            Self::Text => Some("a text"),
            Self::Own(own) => own.prose,
            _ => None,
        }
    }

    /// Whether blanks and `#` can be meant as a part of one of them.
    pub(crate) const fn is_free(&self) -> bool {
        self.prose().is_some() || matches!(self, Self::Path | Self::Secret)
    }

    /// Whether it is one piece of text, so that an environment variable can give it.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        !matches!(
            self,
            Self::List(_) | Self::OneOrMore(_) | Self::MapOf(_) | Self::Pairs(_) | Self::Map(_) | Self::Variants(_)
        )
    }
}

fn schemes_in_words(schemes: &[&str]) -> String {
    schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ")
}
