//! Revocation lists held against certificates, as if their signatures were right: no fuzzer finds one that is.

use std::path::Path;
use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::PeerError;
use super::item::{Wanted, items};
use super::list::List;
use super::revocation::{Issuer, Revocation, key_id};
use crate::trust::CrlPolicy;

/// Certificates and lists, PEM or DER, each certificate as one of a receiver and as that of its authority.
///
/// # Panics
///
/// If a policy takes what the stricter one takes not, other than for want of a list.
pub fn revocation(bytes: &[u8]) {
    let certificates: Vec<Vec<u8>> = items(bytes, Wanted::Certificates).into_iter().flatten().take(8).collect();
    let certificates: Vec<X509Certificate<'_>> =
        certificates.iter().filter_map(|der| Some(X509Certificate::from_der(der).ok()?.1)).collect();
    let lists: Vec<Vec<u8>> = items(bytes, Wanted::Lists).into_iter().flatten().take(8).collect();
    for issuer in &certificates {
        let read = |der: &Vec<u8>| Some(Arc::new(List::read(Path::new("list"), der.clone()).ok()?));
        let lists: Vec<Arc<List>> = lists.iter().filter_map(read).collect();
        for list in &lists {
            list.assume_signed_by(issuer.public_key());
            assert!(!list.replaces(list));
        }
        let [strict, lenient] = [CrlPolicy::Refuse, CrlPolicy::Warn].map(|policy| Revocation {
            policy,
            lists: lists.clone(),
            damaged: Vec::new(),
        });
        let issuer = Issuer { key: issuer.public_key(), key_id: key_id(issuer), may_sign_lists: true };
        for certificate in &certificates {
            for is_authority in [false, true] {
                let strict = strict.check(certificate, is_authority, &issuer, 1_800_000_000);
                let lenient = lenient.check(certificate, is_authority, &issuer, 1_800_000_000);
                match strict {
                    Ok(()) | Err(PeerError::Revoked { .. }) => assert_eq!(strict, lenient),
                    Err(error) => {
                        assert!(!error.to_string().contains('\n'));
                        assert!(lenient.is_ok());
                    }
                }
            }
        }
    }
}
