//! Texts, lists and arguments of an alert, as much of each as is kept.

use serde::{Serialize, Serializer};

use crate::alert::cuts::{Cuts, cut_args, cut_text};
use crate::event::{Arguments, json::lossless};

/// A kernel string, up to so many bytes.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) limit: usize,
}

impl Text<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&lossless(cut_text(self.bytes, self.limit)))
    }
}

/// Text of the configuration or the sensor's own, up to so many bytes.
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    pub(super) limit: usize,
}

impl Words<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text[..self.text.floor_char_boundary(self.limit)])
    }
}

pub(super) struct Texts<'a> {
    pub(super) items: &'a [String],
    pub(super) cuts: &'a Cuts,
}

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = self.items.iter().take(self.cuts.lists);
        serializer.collect_seq(items.map(|item| Words { text: item, limit: self.cuts.texts }))
    }
}

pub(super) struct Map<'a> {
    pub(super) items: &'a [(String, String)],
    pub(super) cuts: &'a Cuts,
}

impl Map<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = |text| Words { text, limit: self.cuts.texts };
        serializer.collect_map(self.items.iter().take(self.cuts.lists).map(|(key, value)| (words(key), words(value))))
    }
}

pub(super) struct Args<'a> {
    pub(super) args: &'a Arguments,
    pub(super) limit: usize,
}

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.args.kept() <= self.limit {
            serializer.collect_seq(self.args.iter().map(lossless))
        } else {
            serializer.collect_seq(cut_args(self.args, self.limit).iter().map(lossless))
        }
    }
}
