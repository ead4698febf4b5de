//! What a key can be: its type, default and meaning, as data.
//!
//! The tables in [`super::keys`] are made of these. Checking, defaults, the names of environment variables and the
//! reference manual all read the same entry, so that none of them can say something else.

use super::words::Words;

/// One key of a mapping.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// Other spellings that are taken.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) kind: Kind,
    /// As one would write it in the file; empty when there is none.
    pub(crate) default: &'static str,
    /// Whether the mapping is wrong without it.
    pub(crate) required: bool,
    /// A key of the same mapping that this one takes the place of when a later file gives it.
    pub(crate) instead_of: Option<&'static str>,
    /// What it means, for the manual.
    pub(crate) doc: &'static str,
}

impl Key {
    pub(crate) const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Self {
        Self { name, aliases: &[], kind, default, required: false, instead_of: None, doc }
    }

    pub(crate) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn instead_of(mut self, other: &'static str) -> Self {
        self.instead_of = Some(other);
        self
    }

    /// Whether this key is meant by what was written.
    pub(crate) fn is(&self, written: &str) -> bool {
        self.name == written || self.aliases.contains(&written)
    }
}

/// The key that was meant.
pub(crate) fn find(keys: &'static [Key], written: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.is(written))
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
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
    /// The name of a table.
    Table,
    /// The name of an event field.
    Field,
    /// The dotted path of a group of detections.
    ContentGroup,
    /// A Unix socket, udp://, tcp:// or tls:// address.
    SyslogAddress,
    /// A ZeroMQ endpoint.
    ZeromqEndpoint,
    /// A Unix socket, `unix://` in front.
    UnixSocket,
    /// An address and port of this host, or a Unix socket.
    Listen,
    /// A rule of the rule language.
    Rule,
    /// A Go template.
    Template,
    List(&'static Kind),
    /// A list, or one of its values alone.
    OneOrMore(&'static Kind),
    /// Free keys, each with such a value.
    MapOf(&'static Kind),
    /// Flight recorder tables as keys, each with its topic.
    Topics,
    Map(&'static [Key]),
    /// Mappings of several kinds, told apart by one key.
    Variants(&'static Variants),
}

/// Mappings of several kinds, told apart by one key.
#[derive(Debug)]
pub(crate) struct Variants {
    /// The key that tells them apart.
    pub(crate) tag: &'static str,
    /// What one of them is called, article included.
    pub(crate) called: &'static str,
    /// Keys that all of them have.
    pub(crate) common: &'static [Key],
    pub(crate) variants: &'static [Variant],
}

/// One kind of mapping.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// Its own keys.
    pub(crate) keys: &'static [Key],
    pub(crate) doc: &'static str,
}

impl Variants {
    pub(crate) fn find(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name.eq_ignore_ascii_case(name))
    }
}

impl Kind {
    /// What to write, for messages: "expected …".
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Text | Self::Secret | Self::Template => "text".into(),
            Self::Path => "a path".into(),
            Self::Url(schemes) => format!("a URL that begins with {}", schemes_in_words(schemes)),
            Self::Uuid => "an id (UUID)".into(),
            Self::Duration(_) => "a duration, such as 500ms, 5s, 5m".into(),
            Self::Count(..) => "a whole number".into(),
            Self::Size(..) => "a size in bytes, such as 10000 or 64KiB".into(),
            Self::Word(words) => format!("one of {}", words.current.join(", ")),
            Self::Table => "the name of a table".into(),
            Self::Field => "the name of a field".into(),
            Self::ContentGroup => "the name of a content group".into(),
            Self::SyslogAddress => "a socket path or an address (udp://, tcp://, tls://)".into(),
            Self::ZeromqEndpoint => "an endpoint, such as tcp://127.0.0.1:5556 or ipc:///run/sophos/alerts.sock".into(),
            Self::UnixSocket => "a socket, such as unix:///var/run/crio/crio.sock".into(),
            Self::Listen => "an address and port, such as 127.0.0.1:9464, or unix:///path".into(),
            Self::Rule => "a rule, such as: match programName == \"/usr/bin/wget\"".into(),
            Self::List(of) => format!("a list, each item {}", of.expected()),
            Self::OneOrMore(of) => format!("{}, or a list of such", of.expected()),
            Self::MapOf(of) => format!("a mapping, each value {}", of.expected()),
            Self::Topics => "a list of `table: topic`".into(),
            Self::Map(_) => "a mapping".into(),
            Self::Variants(variants) => format!("{}: a mapping with `{}`", variants.called, variants.tag),
        }
    }

    /// The type, for the manual.
    pub(crate) fn name(&self) -> String {
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
            Self::Word(words) => words.current.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Self::Table => "table name".into(),
            Self::Field => "field name".into(),
            Self::ContentGroup => "content group".into(),
            Self::SyslogAddress => "address".into(),
            Self::ZeromqEndpoint => "endpoint".into(),
            Self::UnixSocket => "socket".into(),
            Self::Listen => "address and port, or socket".into(),
            Self::Rule => "rule".into(),
            Self::Template => "Go template".into(),
            Self::List(of) => format!("list: {}", of.name()),
            Self::OneOrMore(of) => format!("one or a list: {}", of.name()),
            Self::MapOf(of) => format!("mapping: {}", of.name()),
            Self::Topics => "list of mappings, table to topic".into(),
            Self::Map(_) => "mapping".into(),
            Self::Variants(_) => "mapping".into(),
        }
    }

    /// Whether it is one piece of text, so that an environment variable can give it.
    pub(crate) const fn is_scalar(&self) -> bool {
        !matches!(
            self,
            Self::List(_) | Self::OneOrMore(_) | Self::MapOf(_) | Self::Topics | Self::Map(_) | Self::Variants(_)
        )
    }
}

fn schemes_in_words(schemes: &[&str]) -> String {
    schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" or ")
}
