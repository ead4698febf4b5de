//! Which certificates a revocation list is about, and what each certificate says of its lists.
//!
//! RFC 5280, section 5.2.5 (issuing distribution point of a list) and 4.2.1.13 (distribution points of a certificate).

use x509_parser::asn1_rs::{Any, Class, FromDer as _, Tag};

/// What a list is about. Without an issuing distribution point: all certificates of its issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The names of the part that it is, in DER. A name relative to the issuer keeps its own tag and so is no other name.
    names: Option<Vec<Vec<u8>>>,
    pub(super) users_alone: bool,
    pub(super) authorities_alone: bool,
    pub(super) attributes_alone: bool,
    pub(super) some_reasons: bool,
    pub(super) indirect: bool,
}

/// Whether a list is about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    No,
    /// The list is a part, and the certificate does not say which part it belongs to.
    Perhaps,
    Yes,
}

/// What a certificate says of itself that decides which lists are about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) is_authority: bool,
    /// The names of its lists, in DER, of those distribution points that are about all reasons and of its own issuer.
    /// Nothing if it has no distribution points at all.
    pub(super) points: Option<Vec<Vec<u8>>>,
}

impl Scope {
    /// Reads an issuing distribution point. Nothing if it is malformed.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let mut scope = Self::default();
        for (part, _) in parts(sequence(value)?)? {
            if part.class() != Class::ContextSpecific {
                return None;
            }
            match part.tag().0 {
                0 => scope.names = Some(names(part.data)?),
                1 => scope.users_alone = boolean(&part)?,
                2 => scope.authorities_alone = boolean(&part)?,
                3 => scope.some_reasons = true,
                4 => scope.indirect = boolean(&part)?,
                5 => scope.attributes_alone = boolean(&part)?,
                _ => return None,
            }
        }
        Some(scope)
    }

    pub(super) fn about(&self, subject: &Subject) -> About {
        if self.attributes_alone
            || self.users_alone && subject.is_authority
            || self.authorities_alone && !subject.is_authority
        {
            return About::No;
        }
        match (&self.names, &subject.points) {
            (None, _) => About::Yes,
            (Some(_), None) => About::Perhaps,
            (Some(names), Some(points)) if points.iter().any(|point| names.contains(point)) => About::Yes,
            (Some(_), Some(_)) => About::No,
        }
    }
}

impl Subject {
    /// Of a certificate with these distribution points, as its extension has them. What is malformed names no list.
    pub(super) fn new(is_authority: bool, points: Option<&[u8]>) -> Self {
        Self { is_authority, points: points.map(|value| point_names(value).unwrap_or_default()) }
    }
}

fn point_names(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for (point, _) in parts(sequence(value)?)? {
        let parts = parts(point.data)?;
        // For some reasons alone, or in another authority's list.
        if parts.iter().any(|(part, _)| matches!(part.tag().0, 1 | 2)) {
            continue;
        }
        for (part, _) in parts.iter().filter(|(part, _)| part.tag().0 == 0) {
            all.extend(names(part.data)?);
        }
    }
    Some(all)
}

/// The names within a distribution point's name: its full names, or the one that is relative to the issuer.
fn names(name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let [(choice, whole)] = &parts(name)?[..] else { return None };
    match choice.tag().0 {
        0 => Some(parts(choice.data)?.into_iter().map(|(_, name)| name.to_vec()).collect()),
        1 => Some(vec![whole.to_vec()]),
        _ => None,
    }
}

fn sequence(value: &[u8]) -> Option<&[u8]> {
    match Any::from_der(value) {
        Ok(([], any)) if any.tag() == Tag::Sequence => Some(any.data),
        _ => None,
    }
}

/// What stands one after the other, each also as it is written.
fn parts(mut bytes: &[u8]) -> Option<Vec<(Any<'_>, &[u8])>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (rest, part) = Any::from_der(bytes).ok()?;
        parts.push((part, &bytes[..bytes.len() - rest.len()]));
        bytes = rest;
    }
    Some(parts)
}

fn boolean(part: &Any<'_>) -> Option<bool> {
    match part.data {
        [0] => Some(false),
        [0xff] => Some(true),
        _ => None,
    }
}
