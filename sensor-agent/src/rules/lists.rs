//! Named lists of values, put together from all layers of the configuration.

use std::net::IpAddr;
use std::sync::Arc;

use diagnostic::{Report, Spanned, nearest};
use foldhash::{HashMap, HashMapExt, HashSet};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use schema::Type;

use super::glob::Glob;
use super::{limits, numbers};

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    Names,
    Hosts,
    Paths,
    Numbers,
    Lineage,
}

/// One kind of list, for the checker and the manual.
#[derive(Debug)]
pub struct ListKindInfo {
    pub kind: ListKind,
    /// The `type` in a list's definition.
    pub word: &'static str,
    /// Which fields it compares with, in words.
    pub fields: &'static str,
    /// Whether fields of a type compare with it.
    pub accepts: fn(Type) -> bool,
    /// One sentence for the manual.
    pub doc: &'static str,
}

/// Every kind of list.
pub static LIST_KINDS: &[ListKindInfo] = &[
    ListKindInfo {
        kind: ListKind::Names,
        word: "names",
        fields: "texts, words, paths",
        accepts: |ty| matches!(ty, Type::Text | Type::Texts | Type::Word(_) | Type::Path),
        doc: "Globs. On a path, one without a slash is compared with the last part.",
    },
    ListKindInfo {
        kind: ListKind::Hosts,
        word: "hosts",
        fields: "addresses, texts",
        accepts: |ty| matches!(ty, Type::Address | Type::Text),
        doc: "Addresses, ranges such as 10.0.0.0/8, and domain names, which may be globs such as *.example.com. Names are \
              compared with names, not looked up.",
    },
    ListKindInfo {
        kind: ListKind::Paths,
        word: "paths",
        fields: "paths, lists of texts",
        accepts: |ty| matches!(ty, Type::Path | Type::Texts),
        doc: "Globs of paths; one without a slash is compared with the last part.",
    },
    ListKindInfo {
        kind: ListKind::Numbers,
        word: "numbers",
        fields: "numbers",
        accepts: |ty| matches!(ty, Type::Number | Type::Numbers),
        doc: "Whole numbers: 10, 0x1f, 0o17.",
    },
    ListKindInfo {
        kind: ListKind::Lineage,
        word: "lineage",
        fields: "lineage",
        accepts: |_| false,
        doc: "Globs of program paths, one of which some ancestor runs: `lineage in $Name`, which is short for `any \
              lineage.programName in $Name`.",
    },
];

impl ListKind {
    /// Its row in [`LIST_KINDS`].
    #[must_use]
    pub fn info(self) -> &'static ListKindInfo {
        LIST_KINDS.iter().find(|info| info.kind == self).expect("every kind is in the table; a test says so")
    }
}

/// What one layer of the configuration says of a list.
#[derive(Clone, Debug)]
pub struct ListSource {
    pub name: Spanned<String>,
    /// The `type`; may be left out where an earlier layer gave it.
    pub kind: Option<Spanned<String>>,
    /// In place of what earlier layers gave.
    pub values: Option<Vec<Spanned<String>>>,
    pub add: Vec<Spanned<String>>,
    pub remove: Vec<Spanned<String>>,
}

/// A list as all layers together make it.
#[derive(Clone, Debug)]
pub struct List {
    pub kind: ListKind,
    /// The entries as written, in order.
    pub texts: Vec<String>,
    pub(super) entries: Entries,
}

#[derive(Clone, Debug)]
pub(super) enum Entries {
    Globs(Arc<[Glob]>),
    Hosts(Arc<Hosts>),
    Numbers(Arc<[i64]>),
}

/// Addresses and names.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    pub(super) nets: Arc<[IpNet]>,
    /// In lower case.
    pub(super) names: Arc<[Glob]>,
}

/// All lists by name.
#[derive(Clone, Debug, Default)]
pub struct Lists(HashMap<String, List>);

impl Lists {
    /// Puts the layers together, in their order: `values` takes the place of what was there, `add` and `remove`
    /// change it. What is wrong goes to the report and is left out.
    #[must_use]
    pub fn merge(sources: &[ListSource], report: &mut Report) -> Self {
        let mut order = Vec::new();
        let mut merged: HashMap<&str, Merged> = HashMap::new();
        for source in sources {
            let list = merged.entry(&source.name.value).or_insert_with(|| {
                order.push(source);
                Merged::default()
            });
            list.apply(source, report);
        }
        let typed: Vec<&str> = sources.iter().filter(|source| source.kind.is_some()).map(name_of).collect();
        let lists = order.into_iter().filter_map(|source| {
            let name = &source.name.value;
            let list = merged.remove(name.as_str())?;
            Some((name.clone(), list.finish(source, &typed, report)?))
        });
        Self(lists.collect())
    }

    /// The list of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&List> {
        self.0.get(name)
    }

    /// Every name, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn name_of(source: &ListSource) -> &str {
    &source.name.value
}

/// A list while its layers are put together.
#[derive(Default)]
struct Merged {
    kind: Option<ListKind>,
    /// The type was given and is unknown: said once.
    bad_kind: bool,
    values: Vec<Spanned<String>>,
    present: HashSet<String>,
}

impl Merged {
    fn apply(&mut self, source: &ListSource, report: &mut Report) {
        if let Some(word) = &source.kind {
            self.set_kind(word, source, report);
        }
        if let Some(values) = &source.values {
            self.values.clear();
            self.present.clear();
            self.add(values);
        }
        self.add(&source.add);
        self.remove(source, report);
    }

    fn set_kind(&mut self, word: &Spanned<String>, source: &ListSource, report: &mut Report) {
        let Some(info) = LIST_KINDS.iter().find(|info| info.word == word.value) else {
            self.bad_kind = true;
            let words = LIST_KINDS.iter().map(|info| info.word);
            let help = match nearest(&word.value, words.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("the types are {}", words.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` is no type of list", word.value);
            report.error(word.span.clone(), message).label("unknown type").help(help);
            return;
        };
        match self.kind {
            Some(before) if before != info.kind => {
                let message = format!(
                    "the list `{}` is of type `{}` here and of type `{}` before",
                    source.name.value,
                    info.word,
                    before.info().word
                );
                report
                    .error(word.span.clone(), message)
                    .label("another type")
                    .help("leave `type` out to add to the list that is there, or choose another name");
            }
            _ => self.kind = Some(info.kind),
        }
    }

    fn add(&mut self, values: &[Spanned<String>]) {
        for value in values {
            if self.present.insert(value.value.clone()) {
                self.values.push(value.clone());
            }
        }
    }

    fn remove(&mut self, source: &ListSource, report: &mut Report) {
        let mut gone = HashSet::default();
        for value in &source.remove {
            if self.present.remove(&value.value) {
                gone.insert(value.value.as_str());
            } else {
                let near = nearest(&value.value, self.present.iter().map(String::as_str)).map(str::to_owned);
                let message = format!("the list `{}` has no entry `{}`", source.name.value, value.value);
                let diagnostic = report.warning(value.span.clone(), message).label("nothing to remove");
                diagnostic.help = near.map(|near| format!("did you mean `{near}`?"));
            }
        }
        if !gone.is_empty() {
            self.values.retain(|value| !gone.contains(value.value.as_str()));
        }
    }

    /// `typed` are the lists that somebody gave a type.
    fn finish(self, source: &ListSource, typed: &[&str], report: &mut Report) -> Option<List> {
        let name = &source.name;
        let Some(kind) = self.kind else {
            if let Some(near) =
                nearest(&name.value, typed.iter().copied()).filter(|_| !self.bad_kind && name.value.len() > 3)
            {
                report
                    .error(name.span.clone(), format!("there is no list `{}`", name.value))
                    .label("adds to nothing, and takes from nothing")
                    .help(format!("did you mean `{near}`?"));
            } else if !self.bad_kind {
                let words = LIST_KINDS.iter().map(|info| info.word).collect::<Vec<_>>().join(", ");
                report
                    .error(name.span.clone(), format!("the list `{}` has no type", name.value))
                    .label("`type` is missing")
                    .help(format!("of a list of your own, say what it holds: `type:` one of {words}"));
            }
            return None;
        };
        if self.values.len() > limits::LIST_ENTRIES {
            let message = format!("the list `{}` has {} entries", name.value, self.values.len());
            report.error(name.span.clone(), message).label(format!("at most {} fit", limits::LIST_ENTRIES));
            return None;
        }
        let entries = match kind {
            ListKind::Names | ListKind::Paths | ListKind::Lineage => Entries::Globs(each(&self.values, report, glob)),
            ListKind::Numbers => {
                let mut numbers: Vec<i64> = each(&self.values, report, |text, _| numbers::integer(text)).to_vec();
                numbers.sort_unstable();
                numbers.dedup();
                Entries::Numbers(numbers.into())
            }
            ListKind::Hosts => {
                let hosts = each(&self.values, report, host);
                Entries::Hosts(Arc::new(Hosts {
                    nets: hosts.iter().filter_map(|host| host.as_ref().ok().copied()).collect(),
                    names: hosts.iter().filter_map(|host| host.as_ref().err().cloned()).collect(),
                }))
            }
        };
        Some(List { kind, texts: self.values.into_iter().map(|value| value.value).collect(), entries })
    }
}

/// Reads every entry; the bad ones are reported and left out.
fn each<T>(
    values: &[Spanned<String>],
    report: &mut Report,
    read: impl Fn(&str, &mut Option<String>) -> Result<T, String>,
) -> Arc<[T]> {
    values
        .iter()
        .filter_map(|value| {
            let mut warning = None;
            let result = read(value.value.trim(), &mut warning);
            if let Some(warning) = warning {
                report.warning(value.span.clone(), warning);
            }
            result
                .map_err(|message| {
                    report.error(value.span.clone(), message).label("bad entry");
                })
                .ok()
        })
        .collect()
}

fn glob(text: &str, _: &mut Option<String>) -> Result<Glob, String> {
    if text.is_empty() {
        return Err("an empty entry matches nothing".into());
    }
    Glob::new(text.as_bytes()).map_err(|error| error.to_string())
}

/// An address range, or else a name.
fn host(text: &str, warning: &mut Option<String>) -> Result<Result<IpNet, Glob>, String> {
    if text.contains('/') || text.contains(':') || text.parse::<IpAddr>().is_ok() {
        return net(text, warning).map(Ok);
    }
    let name = text.trim_end_matches('.');
    let valid = |char: char| char.is_alphanumeric() || "-_.*?[]!".contains(char);
    if name.is_empty() || !name.chars().all(valid) {
        return Err(format!("`{text}` is neither an address, nor a range such as 10.0.0.0/8, nor a domain name"));
    }
    if name.chars().all(|char| char.is_ascii_digit() || char == '.') {
        return Err(format!("`{text}` is not a whole address; a range is written 10.0.0.0/8"));
    }
    Glob::new(name.to_lowercase().as_bytes()).map(Err).map_err(|error| error.to_string())
}

/// Reads an address or a range of addresses.
pub(super) fn net(text: &str, warning: &mut Option<String>) -> Result<IpNet, String> {
    let net: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => text
            .parse()
            .map_err(|_| format!("`{text}` is neither an address nor a range such as 10.0.0.0/8 or fd00::/8"))?,
    };
    if net.addr() != net.network() {
        *warning = Some(format!("`{text}` has bits set behind its prefix; it means `{}`", net.trunc()));
    }
    Ok(canonical(net.trunc()))
}

/// IPv4 addresses written as IPv6 become IPv4.
fn canonical(net: IpNet) -> IpNet {
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6
            .addr()
            .to_ipv4_mapped()
            .and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - 96).ok())
            .map_or(IpNet::V6(v6), IpNet::V4),
        other => other,
    }
}

/// The range of this length that an address is in.
pub(super) fn net_around(address: IpAddr, prefix_len: u8) -> Option<IpNet> {
    match address {
        IpAddr::V4(v4) => Ipv4Net::new(v4, prefix_len).ok().map(|net| IpNet::V4(net.trunc())),
        IpAddr::V6(v6) => Ipv6Net::new(v6, prefix_len).ok().map(|net| IpNet::V6(net.trunc())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Span;

    #[test]
    fn every_kind_is_in_the_table_once() {
        for (index, info) in LIST_KINDS.iter().enumerate() {
            assert_eq!(info.kind as usize, index, "{}", info.word);
            assert!(info.doc.ends_with('.'), "{}", info.word);
        }
        assert_eq!(LIST_KINDS.len(), ListKind::Lineage as usize + 1);
    }

    /// Name, type, values, add, remove.
    type Layer<'a> = (&'a str, Option<&'a str>, Option<&'a [&'a str]>, &'a [&'a str], &'a [&'a str]);

    fn merge(layers: &[Layer<'_>]) -> (Lists, Report) {
        let mut report = Report::default();
        let source = report.add_source("lists", "");
        let spanned =
            |text: &str| Spanned { value: text.to_owned(), span: Span { source, bytes: 0..0 }, verbatim: false };
        let all = |texts: &[&str]| texts.iter().map(|text| spanned(text)).collect::<Vec<_>>();
        let sources: Vec<_> = layers
            .iter()
            .map(|(name, kind, values, add, remove)| ListSource {
                name: spanned(name),
                kind: kind.map(spanned),
                values: values.map(all),
                add: all(add),
                remove: all(remove),
            })
            .collect();
        let lists = Lists::merge(&sources, &mut report);
        (lists, report)
    }

    fn messages(report: &Report) -> String {
        report
            .diagnostics()
            .iter()
            .map(|found| format!("{:?}: {} {}\n", found.severity, found.message, found.help.as_deref().unwrap_or("")))
            .collect()
    }

    #[test]
    fn layers_change_what_was_there() {
        let (lists, report) = merge(&[
            ("L", Some("paths"), Some(&["/a", "/b"]), &[], &[]),
            ("M", Some("numbers"), None, &["0x10", "2", "16"], &[]),
            ("L", None, None, &["/c", "/a"], &["/b"]),
            ("N", Some("names"), Some(&["x"]), &[], &[]),
            ("N", Some("names"), Some(&["y"]), &["z"], &[]),
        ]);
        assert_eq!(messages(&report), "");
        assert_eq!(lists.get("L").unwrap().texts, ["/a", "/c"]);
        assert_eq!(lists.get("N").unwrap().texts, ["y", "z"]);
        assert!(matches!(&lists.get("M").unwrap().entries, Entries::Numbers(numbers) if **numbers == [2, 16]));
    }

    #[test]
    fn hosts_are_ranges_and_names() {
        let (lists, report) = merge(&[(
            "H",
            Some("hosts"),
            Some(&["10.0.0.0/8", "::ffff:1.2.3.4", "fd00::/8", "*.Example.test."]),
            &[],
            &[],
        )]);
        assert_eq!(messages(&report), "");
        let Entries::Hosts(hosts) = &lists.get("H").unwrap().entries else { panic!("hosts") };
        assert_eq!(
            hosts.nets.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "1.2.3.4/32", "fd00::/8"]
        );
        assert!(hosts.names[0].matches(b"a.example.test"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (lists, report) = merge(&[
            ("A", None, Some(&["x"]), &[], &[]),
            ("B", Some("path"), Some(&["x"]), &[], &[]),
            ("C", Some("paths"), Some(&["/a[", "/usr/bin/strace"]), &[], &["/usr/bin/strac"]),
            ("C", Some("names"), None, &[], &[]),
            ("D", Some("numbers"), Some(&["ten"]), &[], &[]),
            ("E", Some("hosts"), Some(&["10.0.0.0/99", "10.1.2.3/8", "10.0", "a b"]), &[], &[]),
        ]);
        let said = messages(&report);
        for part in [
            "Error: the list `A` has no type",
            "Error: `path` is no type of list did you mean `paths`?",
            "Error: the set that begins with `[` has no `]`",
            "Warning: the list `C` has no entry `/usr/bin/strac` did you mean `/usr/bin/strace`?",
            "Error: the list `C` is of type `names` here and of type `paths` before",
            "Error: `ten` is no whole number",
            "Error: `10.0.0.0/99` is neither",
            "Warning: `10.1.2.3/8` has bits set behind its prefix; it means `10.0.0.0/8`",
            "Error: `10.0` is not a whole address",
            "Error: `a b` is neither",
        ] {
            assert!(said.contains(part), "lacks {part}:\n{said}");
        }
        assert!(lists.get("A").is_none() && lists.get("B").is_none() && lists.get("C").is_some());
    }
}
