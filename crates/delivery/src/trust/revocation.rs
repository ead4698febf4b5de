//! Holds a certificate against the revocation lists.
//!
//! A list counts for a certificate when the issuer's key signed it and the certificate is in its scope. Of the lists of
//! one key about the same, the newest counts, by number and date.
//!
//! * What one of them revokes is refused, also when the list is stale or left aside.
//! * One that is complete and in its time stands for all other certificates that it is about.
//! * If a certificate does not say which part of a divided list it belongs to, it may be any, so all must be in their time.

use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::OID_X509_EXT_CRL_DISTRIBUTION_POINTS;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::list::{List, Made, name};
use super::scope::{About, Subject};
use super::{Aside, PeerError};
use crate::trust::CrlPolicy;

/// The lists of the folder.
pub(super) struct Revocation {
    pub(super) policy: CrlPolicy,
    pub(super) lists: Vec<Arc<List>>,
    /// What is wrong with files of which nobody can tell whose list they would be.
    pub(super) damaged: Vec<String>,
}

/// The key that signed a certificate, and is to have signed its list.
pub(super) struct Issuer<'a> {
    pub(super) key: &'a SubjectPublicKeyInfo<'a>,
    /// What its certificate calls it.
    pub(super) key_id: Option<&'a [u8]>,
    /// Whether its certificate lets it sign lists. What is trusted because it is in the folder may.
    pub(super) may_sign_lists: bool,
}

/// A list that is about a certificate.
struct Counting<'a> {
    list: &'a List,
    about: About,
    checked: bool,
}

impl Revocation {
    /// Whether a certificate may be accepted at this time, in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) fn check(
        &self,
        certificate: &X509Certificate<'_>,
        is_authority: bool,
        issuer: &Issuer<'_>,
        now: i64,
    ) -> Result<(), PeerError> {
        let subject = subject(certificate, is_authority);
        let mut hints = Vec::new();
        let mut forged = None;
        let mut counting = Vec::new();
        for list in self.lists.iter().filter(|list| list.issuer == certificate.issuer().as_raw()) {
            match list.made(issuer.key, issuer.key_id) {
                Made::Falsely => forged = Some(list.path.clone()),
                Made::ByOther => hints.push(format!("{} is of another key", list.path.display())),
                made @ (Made::ByIt | Made::Unchecked) => match list.scope.about(&subject) {
                    About::No => hints.push(format!("{} is about other certificates", list.path.display())),
                    about => counting.push(Counting { list, about, checked: made == Made::ByIt }),
                },
            }
        }
        let newest: Vec<&Counting<'_>> = counting
            .iter()
            .filter(|this| !counting.iter().any(|other| other.checked && other.list.replaces(this.list)))
            .collect();
        if let Some(counting) = newest.iter().find(|counting| counting.list.revokes(certificate.raw_serial())) {
            return Err(PeerError::Revoked { list: counting.list.path.clone() });
        }
        hints.extend(newest.iter().filter_map(|counting| hint(counting)));
        let complete: Vec<_> = newest.iter().filter(|this| this.checked && this.list.aside.is_none()).collect();
        let is_stale = |list: &List| list.next.is_some_and(|next| next <= now);
        let is_settled = complete.iter().any(|this| this.about == About::Yes && !is_stale(this.list))
            || !complete.is_empty() && complete.iter().all(|this| !is_stale(this.list));
        if is_settled && issuer.may_sign_lists {
            return Ok(());
        }
        if is_settled {
            return Err(PeerError::CrlUnusable { issuer: name(certificate.issuer()) });
        }
        if let Some(path) = forged {
            return Err(PeerError::CrlForged { path });
        }
        let stale = complete.iter().filter(|this| is_stale(this.list)).filter_map(|this| this.list.next).max();
        match (self.policy, stale) {
            (CrlPolicy::Warn, Some(_)) => Ok(()),
            (CrlPolicy::Refuse, Some(at)) => Err(PeerError::CrlStale { issuer: name(certificate.issuer()), at }),
            // What cannot be read may be the list that is missing, and revoke this very certificate.
            (CrlPolicy::Warn, None) if self.damaged.is_empty() => Ok(()),
            (CrlPolicy::Warn | CrlPolicy::Refuse, None) => {
                hints.extend(self.damaged.iter().cloned());
                Err(PeerError::CrlMissing { issuer: name(certificate.issuer()), hints })
            }
        }
    }

    /// Whether there is a list that stands for the certificates of receivers below this key, stale or not.
    pub(super) fn has_list_for_receivers(&self, issuer: &[u8], key: &SubjectPublicKeyInfo<'_>) -> bool {
        self.lists.iter().any(|list| {
            list.issuer == issuer
                && list.aside.is_none()
                && list.scope.about(&Subject::default()) != About::No
                && list.made(key, None) == Made::ByIt
        })
    }

    /// Whether another list of the same key says all that this one says, and newer.
    pub(super) fn is_replaced(&self, list: &List) -> bool {
        self.lists.iter().any(|other| other.issuer == list.issuer && other.is_of_key_of(list) && other.replaces(list))
    }
}

fn hint(counting: &Counting<'_>) -> Option<String> {
    let aside = match &counting.list.aside {
        Some(aside) => aside.clone(),
        None if counting.checked => return None,
        None => Aside::Algorithm(counting.list.algorithm()),
    };
    Some(format!("{} {aside}", counting.list.path.display()))
}

fn subject(certificate: &X509Certificate<'_>, is_authority: bool) -> Subject {
    // What is there twice is not told apart here: the first counts, as it did for the chain.
    let points =
        certificate.extensions().iter().find(|extension| extension.oid == OID_X509_EXT_CRL_DISTRIBUTION_POINTS);
    Subject::new(is_authority, points.map(|extension| extension.value))
}

/// What a certificate calls its own key.
pub(super) fn key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}
