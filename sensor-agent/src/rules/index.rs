//! From a value to the comparisons that it passes, without trying each.
//!
//! All comparisons of one subject (a field of the event, of an ancestor, of any ancestor) that look for given values
//! are kept in one [`Index`]. Whole values are found by hash; beginnings and ends by one search in a sorted list;
//! parts by an automaton. What remains of a glob is verified only where its longest literal was found. So the time
//! for one value depends on its length and on what it passes, hardly on how many comparisons there are.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;

use aho_corasick::AhoCorasick;
use foldhash::HashMap;
use ipnet::IpNet;
use memchr::memmem::Finder;

use super::fold::fold;
use super::glob::{Glob, Shape};
use super::lists::net_around;
use super::test::{Doubt, Test, any_number, any_text, lacks_beginning};
use crate::event::fields::base_name;
use crate::event::{NOT_WHOLE, Place, Value};

/// The comparisons of one subject.
#[derive(Debug)]
pub(super) enum Index {
    /// Those that want false, those that want true, and those that a value passes that is not known.
    Bool([Vec<u32>; 3]),
    Number(HashMap<i64, Vec<u32>>),
    Word(HashMap<&'static str, Vec<u32>>),
    Address(Nets),
    Text(Box<Texts>),
}

/// Whether a comparison can be kept in an index.
pub(super) const fn is_indexed(test: &Test) -> bool {
    matches!(test, Test::Bool { .. } | Test::Numbers(_) | Test::Words(_) | Test::Globs { .. } | Test::Nets(_))
}

impl Index {
    /// Takes in all these comparisons, which are of one subject and [indexed](is_indexed).
    pub(super) fn new<'t>(tests: impl Iterator<Item = (u32, &'t Test)>) -> Self {
        let mut bools = [Vec::new(), Vec::new(), Vec::new()];
        let mut numbers: HashMap<i64, Vec<u32>> = HashMap::default();
        let mut words: HashMap<&'static str, Vec<u32>> = HashMap::default();
        let mut nets = Nets::default();
        let mut texts = TextsBuilder::default();
        for (atom, test) in tests {
            match test {
                Test::Bool { wanted, unknown } => {
                    bools[usize::from(*wanted)].push(atom);
                    if *unknown {
                        bools[2].push(atom);
                    }
                }
                Test::Numbers(all) => all.iter().for_each(|number| numbers.entry(*number).or_default().push(atom)),
                Test::Words(all) => all.iter().for_each(|word| words.entry(word).or_default().push(atom)),
                Test::Nets(all) => all.iter().for_each(|net| nets.add(*net, atom)),
                Test::Globs { globs, path, doubt, any_case } => {
                    for glob in globs.iter() {
                        let doubt = if glob.is_from_root() { *doubt } else { Doubt::None };
                        let part = match (*any_case, *path && !glob.has_slash()) {
                            (true, _) => Compared::Folded,
                            (false, true) => Compared::Last,
                            (false, false) => Compared::Whole,
                        };
                        texts.add(glob, part, atom, doubt);
                    }
                }
                Test::Exists | Test::Order(..) | Test::Bits(_) | Test::Regex(_) | Test::Hosts(_) => {}
            }
        }
        // One subject has one type, so at most one of these has anything.
        if !numbers.is_empty() {
            Self::Number(numbers)
        } else if !words.is_empty() {
            Self::Word(words)
        } else if !nets.by_length.is_empty() {
            Self::Address(nets)
        } else if bools.iter().any(|atoms| !atoms.is_empty()) {
            Self::Bool(bools)
        } else {
            Self::Text(Box::new(texts.finish()))
        }
    }

    /// Tells which comparisons a value passes; the same one perhaps several times. Where a glob comes along, the
    /// comparison passes only if the glob matches the text, which is for the caller to try unless it knows already.
    ///
    /// The buffer is for values in small letters.
    pub(super) fn find(
        &self,
        value: Value<'_>,
        buffer: &mut Vec<u8>,
        passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>),
    ) {
        let mut plain = |atoms: Option<&Vec<u32>>| atoms.into_iter().flatten().for_each(|atom| passed(*atom, None));
        match self {
            Self::Bool(atoms) => {
                plain(Some(&atoms[if let Value::Bool(value) = value { usize::from(value) } else { 2 }]));
            }
            Self::Number(numbers) => {
                any_number(value, |number| {
                    plain(numbers.get(&number));
                    false
                });
            }
            Self::Word(words) => {
                if let Value::Word(word) = value {
                    plain(words.get(word));
                }
            }
            Self::Address(nets) => {
                if let Value::Addr(address) = value {
                    nets.find(address.to_canonical(), plain);
                }
            }
            Self::Text(texts) => match value {
                Value::Place(place) => texts.find_place(place, buffer, passed),
                Value::Text(text) => {
                    texts.find(text, buffer, passed);
                    texts.find_end(text, buffer, passed);
                }
                _ => {
                    any_text(value, |text| {
                        texts.find(text, buffer, passed);
                        false
                    });
                }
            },
        }
    }
}

/// Address ranges by prefix length: one look-up for each length in use.
#[derive(Debug, Default)]
pub(super) struct Nets {
    by_length: BTreeMap<u8, HashMap<IpNet, Vec<u32>>>,
}

impl Nets {
    fn add(&mut self, net: IpNet, atom: u32) {
        self.by_length.entry(net.prefix_len()).or_default().entry(net).or_default().push(atom);
    }

    fn find<'s>(&'s self, address: IpAddr, mut passed: impl FnMut(Option<&'s Vec<u32>>)) {
        for (length, nets) in &self.by_length {
            if let Some(net) = net_around(address, *length) {
                passed(nets.get(&net));
            }
        }
    }
}

/// Globs, for whole values and for the last parts of paths.
#[derive(Debug)]
pub(super) struct Texts {
    whole: Part,
    last: Part,
    /// For whole values in small letters.
    folded: Part,
    /// For the last parts of paths that lack their beginning.
    end: Part,
    folded_end: Part,
    globs: Box<[Glob]>,
}

/// What of a value a glob is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Compared {
    Whole,
    /// The last part of a path.
    Last,
    /// The whole, in small letters.
    Folded,
}

/// A comparison, and the glob of which only the longest literal has been found as yet.
#[derive(Clone, Copy, Debug)]
struct Hit {
    atom: u32,
    /// Index in [`Texts::globs`], or [`FOUND`].
    glob: u32,
    /// Of a glob that begins with a slash.
    doubt: Doubt,
}

/// Nothing remains to be verified.
const FOUND: u32 = u32::MAX;

impl Texts {
    fn find(&self, text: &[u8], buffer: &mut Vec<u8>, passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>)) {
        self.find_part(&self.whole, text, |_| true, passed);
        if !self.last.is_empty {
            self.find_part(&self.last, base_name(text), |_| true, passed);
        }
        self.find_folded(text, buffer, |_| true, passed);
    }

    fn find_folded(
        &self,
        text: &[u8],
        buffer: &mut Vec<u8>,
        counts: impl Fn(Doubt) -> bool,
        passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>),
    ) {
        if !self.folded.is_empty {
            self.find_part(&self.folded, fold(text, buffer), counts, passed);
        }
    }

    /// What a path without its beginning may pass.
    fn find_end(&self, text: &[u8], buffer: &mut Vec<u8>, passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>)) {
        if self.end.is_empty && self.folded_end.is_empty || !lacks_beginning(text) {
            return;
        }
        if text == NOT_WHOLE {
            self.end.each(|hit| passed(hit.atom, None));
            return self.folded_end.each(|hit| passed(hit.atom, None));
        }
        self.find_part(&self.end, base_name(text), |_| true, passed);
        if !self.folded_end.is_empty {
            self.find_part(&self.folded_end, fold(base_name(text), buffer), |_| true, passed);
        }
    }

    /// What a path by mounts that are not certain passes: as it is told what speaks for a match, and as the host has the file
    /// what begins with a slash.
    fn find_place(&self, place: Place<'_>, buffer: &mut Vec<u8>, passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>)) {
        self.find_part(&self.whole, place.text, |doubt| doubt != Doubt::Fails, passed);
        self.find_folded(place.text, buffer, |doubt| doubt != Doubt::Fails, passed);
        self.find_part(&self.last, base_name(place.text), |_| true, passed);
        if place.may_be_any {
            self.find_end(place.text, buffer, passed);
        }
        if let Some(host) = place.host {
            self.find_part(&self.whole, host, |doubt| doubt != Doubt::None, passed);
            self.find_folded(host, buffer, |doubt| doubt != Doubt::None, passed);
        }
    }

    fn find_part(
        &self,
        part: &Part,
        text: &[u8],
        counts: impl Fn(Doubt) -> bool,
        passed: &mut impl FnMut(u32, Option<(&Glob, &[u8])>),
    ) {
        part.find(text, |hits| {
            for hit in hits.iter().filter(|hit| counts(hit.doubt)) {
                passed(hit.atom, self.globs.get(hit.glob as usize).map(|glob| (glob, text)));
            }
        });
    }
}

#[derive(Default)]
struct TextsBuilder<'t> {
    globs: Vec<(&'t Glob, Compared, u32, Doubt)>,
    /// How many globs need the same.
    needs: HashMap<(Compared, Shape<'t>), u32>,
}

impl<'t> TextsBuilder<'t> {
    fn add(&mut self, glob: &'t Glob, compared: Compared, atom: u32, doubt: Doubt) {
        self.globs.push((glob, compared, atom, doubt));
        if glob.shape().is_none() {
            glob.needs().for_each(|need| *self.needs.entry((compared, need)).or_default() += 1);
        }
    }

    /// Of what a glob needs, that which tells most: what few others need, and then what is longest. What is at an end
    /// is found without a scan, and so worth more.
    fn choose(&self, glob: &'t Glob, compared: Compared) -> Shape<'t> {
        let worth = |need: &Shape<'t>| {
            let shared = self.needs.get(&(compared, *need)).map_or(0, |count| count.ilog2());
            let length = match need {
                Shape::Prefix(text) | Shape::Suffix(text) | Shape::Exact(text) => text.len() + 4,
                Shape::Contains(text) => text.len(),
                Shape::Any => 0,
            };
            (std::cmp::Reverse(shared), length)
        };
        glob.needs().max_by_key(worth).unwrap_or(Shape::Any)
    }

    fn finish(self) -> Texts {
        let [mut whole, mut last, mut folded, mut end, mut folded_end]: [PartBuilder; 5] = Default::default();
        let mut globs = Vec::new();
        for (glob, compared, atom, doubt) in &self.globs {
            let mut hit = Hit { atom: *atom, glob: FOUND, doubt: *doubt };
            if *doubt == Doubt::Holds {
                let end = if *compared == Compared::Folded { &mut folded_end } else { &mut end };
                end.add(glob.end(), hit);
            }
            let shape = glob.shape().unwrap_or_else(|| {
                hit.glob = u32::try_from(globs.len()).expect("fewer than 2^32 globs");
                globs.push((*glob).clone());
                self.choose(glob, *compared)
            });
            let part = match compared {
                Compared::Whole => &mut whole,
                Compared::Last => &mut last,
                Compared::Folded => &mut folded,
            };
            part.add(shape, hit);
        }
        let [whole, last, folded, end, folded_end] = [whole, last, folded, end, folded_end].map(PartBuilder::finish);
        Texts { whole, last, folded, end, folded_end, globs: globs.into() }
    }
}

#[derive(Default)]
struct PartBuilder {
    exact: HashMap<Box<[u8]>, Vec<Hit>>,
    prefixes: BTreeMap<Box<[u8]>, Vec<Hit>>,
    suffixes: BTreeMap<Box<[u8]>, Vec<Hit>>,
    inner: BTreeMap<Box<[u8]>, Vec<Hit>>,
    any: Vec<Hit>,
}

impl PartBuilder {
    fn add(&mut self, shape: Shape<'_>, hit: Hit) {
        match shape {
            Shape::Exact(text) => self.exact.entry(text.into()).or_default().push(hit),
            Shape::Prefix(text) => self.prefixes.entry(text.into()).or_default().push(hit),
            Shape::Suffix(text) => {
                self.suffixes.entry(text.iter().rev().copied().collect()).or_default().push(hit);
            }
            Shape::Contains(text) => self.inner.entry(text.into()).or_default().push(hit),
            Shape::Any => self.any.push(hit),
        }
    }

    fn finish(self) -> Part {
        Part {
            is_empty: self.exact.is_empty()
                && self.prefixes.is_empty()
                && self.suffixes.is_empty()
                && self.inner.is_empty()
                && self.any.is_empty(),
            lengths: self.exact.keys().fold(0, |lengths, text| lengths | length_bit(text)),
            exact: self.exact,
            prefixes: Affixes::new(self.prefixes),
            suffixes: Affixes::new(self.suffixes),
            inner: Inner::new(self.inner),
            any: self.any,
        }
    }
}

#[derive(Debug)]
struct Part {
    is_empty: bool,
    exact: HashMap<Box<[u8]>, Vec<Hit>>,
    /// The lengths that occur in `exact`: most values need no hashing.
    lengths: u64,
    prefixes: Affixes,
    /// Their bytes reversed.
    suffixes: Affixes,
    inner: Inner,
    any: Vec<Hit>,
}

const fn length_bit(text: &[u8]) -> u64 {
    1 << if text.len() < 63 { text.len() } else { 63 }
}

impl Part {
    /// Calls for everything in it that ends of paths can ask for.
    fn each(&self, mut call: impl FnMut(&Hit)) {
        self.exact.values().flatten().for_each(&mut call);
        self.suffixes.keys.iter().flat_map(|affix| &affix.hits).for_each(&mut call);
        self.any.iter().for_each(call);
    }

    fn find<'s>(&'s self, text: &[u8], mut found: impl FnMut(&'s [Hit])) {
        if self.lengths & length_bit(text) != 0
            && let Some(hits) = self.exact.get(text)
        {
            found(hits);
        }
        self.prefixes.find(|key| key.iter().cmp(text.iter()), |key| text.starts_with(key), &mut found);
        self.suffixes.find(
            |key| key.iter().cmp(text.iter().rev()),
            |key| text.len() >= key.len() && key.iter().eq(text.iter().rev().take(key.len())),
            &mut found,
        );
        self.inner.find(text, &mut found);
        if !self.any.is_empty() {
            found(&self.any);
        }
    }
}

/// Texts that a value may begin with, sorted.
#[derive(Debug, Default)]
struct Affixes {
    keys: Box<[Affix]>,
}

#[derive(Debug)]
struct Affix {
    key: Box<[u8]>,
    hits: Vec<Hit>,
    /// The longest other key that this one begins with.
    shorter: Option<u32>,
}

impl Affixes {
    fn new(sorted: BTreeMap<Box<[u8]>, Vec<Hit>>) -> Self {
        let mut keys: Vec<Affix> = Vec::with_capacity(sorted.len());
        for (key, hits) in sorted {
            // The key before, or one that it begins with: whatever else begins alike lies in between.
            let mut shorter = keys.len().checked_sub(1);
            while let Some(at) = shorter
                && !key.starts_with(&keys[at].key)
            {
                shorter = keys[at].shorter.map(|at| at as usize);
            }
            let shorter = shorter.map(|at| u32::try_from(at).expect("fewer than 2^32 globs"));
            keys.push(Affix { key, hits, shorter });
        }
        Self { keys: keys.into() }
    }

    /// All keys that the value begins with are the greatest key not above the value or keys that this one begins with.
    fn find<'s>(
        &'s self,
        compare: impl Fn(&[u8]) -> Ordering,
        begins_with: impl Fn(&[u8]) -> bool,
        found: &mut impl FnMut(&'s [Hit]),
    ) {
        let mut at = self.keys.partition_point(|affix| compare(&affix.key).is_le()).checked_sub(1);
        while let Some(affix) = at.map(|at| &self.keys[at]) {
            if begins_with(&affix.key) {
                found(&affix.hits);
            }
            at = affix.shorter.map(|at| at as usize);
        }
    }
}

/// Texts that a value may have somewhere.
#[derive(Debug)]
enum Inner {
    /// So few that one search for each is fastest.
    Few(Vec<(Finder<'static>, Vec<Hit>)>),
    Many {
        automaton: AhoCorasick,
        hits: Vec<Vec<Hit>>,
    },
}

/// From how many texts on the automaton is faster.
const MANY: usize = 4;

impl Inner {
    fn new(texts: BTreeMap<Box<[u8]>, Vec<Hit>>) -> Self {
        if texts.len() >= MANY
            && let Ok(automaton) = AhoCorasick::new(texts.keys())
        {
            return Self::Many { automaton, hits: texts.into_values().collect() };
        }
        Self::Few(texts.into_iter().map(|(text, hits)| (Finder::new(&text).into_owned(), hits)).collect())
    }

    fn find<'s>(&'s self, text: &[u8], found: &mut impl FnMut(&'s [Hit])) {
        match self {
            Self::Few(finders) => {
                for (finder, hits) in finders {
                    if finder.find(text).is_some() {
                        found(hits);
                    }
                }
            }
            Self::Many { automaton, hits } => {
                for at in automaton.find_overlapping_iter(text) {
                    found(&hits[at.pattern().as_usize()]);
                }
            }
        }
    }
}
