//! Verifies a receiver's certificate: the way to an authority by the TLS library, each certificate on it against the lists.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::PeerError;
use super::revocation::{Issuer, Revocation, key_id};

/// An authority of the folder that is in force.
pub(super) struct Anchor {
    pub(super) anchor: TrustAnchor<'static>,
    /// Its public key, in DER.
    pub(super) key: Vec<u8>,
    pub(super) key_id: Option<Vec<u8>>,
}

pub(super) struct Verifier {
    /// Finds the way to an authority, holds the receiver against its name, and knows nothing of lists.
    chain: Arc<WebPkiServerVerifier>,
    anchors: Vec<TrustAnchor<'static>>,
    authorities: Vec<Anchor>,
    algorithms: WebPkiSupportedAlgorithms,
    revocation: Revocation,
}

impl Verifier {
    pub(super) fn new(
        chain: Arc<WebPkiServerVerifier>,
        authorities: Vec<Anchor>,
        algorithms: WebPkiSupportedAlgorithms,
        revocation: Revocation,
    ) -> Self {
        let anchors = authorities.iter().map(|authority| authority.anchor.clone()).collect();
        Self { chain, anchors, authorities, algorithms, revocation }
    }

    /// Holds each certificate on the way against the lists of the one above it; that of the folder needs none.
    fn check_path(&self, end: &CertificateDer<'_>, path: &webpki::VerifiedPath<'_>, now: i64) -> Result<(), PeerError> {
        let bad = |reason: &dyn fmt::Display| PeerError::BadCertificate { reason: reason.to_string() };
        let between: Vec<CertificateDer<'_>> = path.intermediate_certificates().map(webpki::Cert::der).collect();
        let mut chain = Vec::new();
        for der in std::iter::once(end).chain(&between) {
            chain.push(X509Certificate::from_der(der).map_err(|error| bad(&error))?.1);
        }
        let anchor = path.anchor();
        let authority = self.authorities.iter().find(|authority| authority.anchor == *anchor);
        let authority = authority.ok_or_else(|| bad(&"its authority is not in the trust folder"))?;
        let (_, anchor_key) = SubjectPublicKeyInfo::from_der(&authority.key).map_err(|error| bad(&error))?;
        for (index, certificate) in chain.iter().enumerate() {
            let issuer = match chain.get(index + 1) {
                Some(above) => Issuer {
                    key: above.public_key(),
                    key_id: key_id(above),
                    may_sign_lists: above.key_usage().ok().flatten().is_none_or(|usage| usage.value.crl_sign()),
                },
                None => Issuer { key: &anchor_key, key_id: authority.key_id.as_deref(), may_sign_lists: true },
            };
            self.revocation.check(certificate, index > 0, &issuer, now)?;
        }
        Ok(())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let refusal = RefCell::new(None);
        let other = |error: PeerError| Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))));
        let bad = |error: webpki::Error| other(PeerError::BadCertificate { reason: error.to_string() });
        let end = webpki::EndEntityCert::try_from(end_entity).map_err(bad)?;
        // There may be several ways to authorities: one whose certificates are all good is enough.
        let found = end.verify_for_usage(
            self.algorithms.all,
            &self.anchors,
            intermediates,
            now,
            webpki::KeyUsage::server_auth(),
            None,
            Some(&|path| {
                self.check_path(end_entity, path, seconds).map_err(|error| {
                    *refusal.borrow_mut() = Some(error);
                    webpki::Error::UnknownRevocationStatus
                })
            }),
        );
        match (found, refusal.into_inner()) {
            (Ok(_), _) => Ok(verified),
            (Err(_), Some(error)) => Err(other(error)),
            (Err(error), None) => Err(bad(error)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Verifier({} authorities, {} lists)", self.authorities.len(), self.revocation.lists.len())
    }
}
