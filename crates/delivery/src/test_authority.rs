//! Authorities, certificates, revocation lists and folders of them, made for tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::trust::TrustFolder;
use crate::trust::CrlPolicy;

/// Days from now.
pub(super) fn day(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

pub(super) fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (day(-10), day(10));
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(authority_params(name))
    }

    pub(super) fn with(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::of(&certificate, params, key)
    }

    fn of(certificate: &Certificate, params: CertificateParams, key: KeyPair) -> Self {
        let (der, pem, key_pem) = (certificate.der().clone(), certificate.pem(), key.serialize_pem());
        Self { der, pem, key_pem, issuer: Issuer::new(params, key) }
    }

    /// An authority below this one.
    pub(super) fn intermediate(&self, name: &str, serial: u64) -> Self {
        let mut params = authority_params(name);
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self::of(&certificate, params, key)
    }

    pub(super) fn server(&self, serial: u64, change: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = (day(-5), day(5));
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Server { chain: vec![certificate.der().clone()], key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    }

    pub(super) fn crl(&self, revoked: &[u64]) -> rcgen::CertificateRevocationList {
        self.crl_between(revoked, day(-1), day(1))
    }

    pub(super) fn crl_between(
        &self,
        revoked: &[u64],
        from: OffsetDateTime,
        to: OffsetDateTime,
    ) -> rcgen::CertificateRevocationList {
        self.crl_with(revoked, |params| (params.this_update, params.next_update) = (from, to))
    }

    pub(super) fn crl_with(
        &self,
        revoked: &[u64],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> rcgen::CertificateRevocationList {
        let mut params = CertificateRevocationListParams {
            this_update: day(-1),
            next_update: day(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: day(-1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer).unwrap()
    }

    /// A list of a sort that rcgen does not make, by openssl: with these lines of extensions, or of version 1 without.
    pub(super) fn odd_crl(&self, revoked: &[u64], extensions: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("ca.crt"), &self.pem).unwrap();
        fs::write(at("ca.key"), &self.key_pem).unwrap();
        let index =
            revoked.iter().map(|serial| format!("R\t401231000000Z\t251101000000Z\t{serial:02X}\tunknown\t/CN=x\n"));
        fs::write(at("index"), index.collect::<String>()).unwrap();
        fs::write(at("number"), "02\n").unwrap();
        let numbered = if extensions.is_empty() { "" } else { "crlnumber=number\ncrl_extensions=e\n" };
        let config =
            format!("[ca]\ndefault_ca=x\n[x]\ndatabase=index\ndefault_md=sha256\n{numbered}[e]\n{extensions}\n");
        fs::write(at("ca.cnf"), config).unwrap();
        let made = Command::new("openssl")
            .args("ca -config ca.cnf -cert ca.crt -keyfile ca.key -gencrl -crldays 7 -out list.crl".split(' '))
            .current_dir(folder.path())
            .output()
            .expect("openssl is there, as `make setup` installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::read(at("list.crl")).unwrap()
    }
}

/// A certificate with its key.
pub(super) struct Server {
    pub(super) chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Server {
    /// The configuration of a server that shows it.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap();
        Arc::new(config)
    }

    /// Shows a further certificate.
    pub(super) fn below(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.der.clone());
        self
    }
}

/// A folder of trust files.
pub(super) struct Folder(pub(super) TempDir);

impl Folder {
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            folder.put(name, bytes);
        }
        folder
    }

    /// With one authority and its list.
    pub(super) fn of(authority: &Authority, revoked: &[u64]) -> Self {
        Self::new(&[
            ("sophosca1.crt", authority.pem.as_bytes()),
            ("sophosca1.crl", authority.crl(revoked).pem().unwrap().as_bytes()),
        ])
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    pub(super) fn trust(&self, policy: CrlPolicy) -> TrustFolder {
        TrustFolder::new(self.0.path(), policy)
    }
}
