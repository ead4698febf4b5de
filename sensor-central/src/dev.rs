//! Everything that a sensor and this side need to talk to each other on one machine: a CA with its revocation list,
//! a certificate for this host, a tenant, a token, a client of the API and a user of the web pages, in one folder, made at the first start and kept.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    config::{Config, Retention, Tls, Web},
    sensors,
    store::{self, IdType, NewClient, NewToken, NewUser, Role, Secret, StoreError, UserRole, password},
};

/// How long certificates are good.
const VALID: Duration = Duration::days(365);

/// How long a revocation list is good. A new one is made at each start.
const LIST_VALID: Duration = Duration::days(30);

/// Who may look at the web pages.
const USER: &str = "admin";

/// What the revocation list is to say; other than [`Crl::Good`] it is for tests of the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Crl {
    /// Nothing is revoked.
    #[default]
    Good,
    /// The server's certificate is revoked.
    Revoked,
    /// Nothing is revoked, but a newer list should have come yesterday.
    Stale,
}

/// The folder, made.
#[derive(Debug)]
pub struct Dev {
    dir: PathBuf,
    tenant: String,
    token: String,
    client: (Uuid, String),
    password: String,
}

/// Why it could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error("cannot use {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not an id: {fault}; remove it and start again", path.display())]
    Id { path: PathBuf, fault: uuid::Error },
    #[error("cannot make certificates: {0}; if ca.key was changed, remove it and start again")]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Dev {
    /// Makes what is missing in the folder, and certificate and revocation list anew.
    ///
    /// # Errors
    /// The folder cannot be written, or what is in it is not what this made.
    pub fn prepare(dir: &Path, crl: Crl) -> Result<Self, DevError> {
        // Sensors are told this path, and run elsewhere.
        let dir = std::path::absolute(dir).map_err(|source| DevError::File { path: dir.to_path_buf(), source })?;
        fs::create_dir_all(&dir).map_err(|source| DevError::File { path: dir.clone(), source })?;
        let folder = Folder(&dir);
        make_certificates(&folder, crl)?;
        let tenant = folder.kept_id("tenant")?;
        let new = NewToken { tenant, label: "dev".into(), expires: None };
        let make = || Ok(store::create_token(&dir, &new)?.reveal().to_owned());
        let token = folder.kept("token", 0o600, make)?.trim().to_owned();
        // The database may have been removed since.
        store::add_token(&dir, &new, &token)?;

        let role = Role::SuperAdmin;
        let new = NewClient { id_type: IdType::Tenant, owner: tenant, role, label: "dev".into(), expires: None };
        let id = folder.kept_id("client_id")?;
        let make = || Ok(Secret::random("")?.reveal().to_owned());
        let secret = folder.kept("client_secret", 0o600, make)?.trim().to_owned();
        store::add_client(&dir, &new, id, &secret)?;

        let password = folder.kept("web_password", 0o600, || Ok(password::random()?))?.trim().to_owned();
        store::add_user(&dir, &NewUser { tenant, name: USER.into(), role: UserRole::Admin }, &password)?;
        Ok(Self { dir, tenant: tenant.to_string(), token, client: (id, secret), password })
    }

    /// How the service is to run: nothing is ever removed, and the web pages are at this address or at the next port.
    #[must_use]
    pub fn config(&self, listen: SocketAddr, web_listen: Option<SocketAddr>) -> Config {
        let tls = Tls { certificate: self.dir.join("server.crt"), key: self.dir.join("server.key") };
        let next = match listen.port() {
            0 => 0,
            port => port.checked_add(1).unwrap_or(port - 1),
        };
        let web = Some(Web::at(web_listen.unwrap_or(SocketAddr::new(listen.ip(), next))));
        Config { listen, retention: Retention::OFF, web, ..Config::new(self.dir.clone(), tls) }
    }

    /// What people log in with at the web pages: name and password.
    #[must_use]
    pub fn user(&self) -> (&str, &str) {
        (USER, &self.password)
    }

    /// What clients of the public API log in with: id and secret.
    #[must_use]
    pub fn client(&self) -> (Uuid, &str) {
        (self.client.0, &self.client.1)
    }

    /// What to put into the sensor's `runtimedetections.yaml`.
    #[must_use]
    pub fn sensor_configuration(&self, address: SocketAddr) -> String {
        let (url, certs_dir) = (format!("https://{address}"), self.dir.to_string_lossy());
        sensors::configuration(&self.tenant, &url, &self.token, Some(&certs_dir))
    }
}

fn make_certificates(folder: &Folder<'_>, crl: Crl) -> Result<(), DevError> {
    let now = OffsetDateTime::now_utc();
    let ca_key = KeyPair::from_pem(&folder.kept("ca.key", 0o600, || Ok(KeyPair::generate()?.serialize_pem()))?)?;
    let ca = ca(now);
    folder.kept("sophosca1.crt", 0o644, || Ok(ca.self_signed(&ca_key)?.pem()))?;
    let ca = Issuer::new(ca, ca_key);

    let server_key = KeyPair::generate()?;
    let server = server(now)?;
    folder.write("server.crt", 0o644, &server.signed_by(&server_key, &ca)?.pem())?;
    folder.write("server.key", 0o600, &server_key.serialize_pem())?;

    let revoked = server.serial_number.filter(|_| crl == Crl::Revoked).map(|serial_number| RevokedCertParams {
        serial_number,
        revocation_time: now - Duration::hours(1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let stale = crl == Crl::Stale;
    let list = CertificateRevocationListParams {
        this_update: if stale { now - LIST_VALID } else { now - Duration::hours(1) },
        next_update: if stale { now - Duration::days(1) } else { now + LIST_VALID },
        crl_number: SerialNumber::from(now.unix_timestamp().unsigned_abs()),
        issuing_distribution_point: None,
        revoked_certs: revoked.into_iter().collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    folder.write("sophosca1.crl", 0o644, &list.signed_by(&ca)?.pem()?)
}

fn ca(now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Sensor Central development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (now - Duration::hours(1), now + VALID * 10);
    params
}

fn server(now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.serial_number = Some(SerialNumber::from(Uuid::new_v4().as_u64_pair().0 >> 1));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (now - Duration::hours(1), now + VALID);
    Ok(params)
}

/// Files with the rights that they need from their first moment.
struct Folder<'a>(&'a Path);

impl Folder<'_> {
    /// A file's text; makes the file if there is none.
    fn kept(&self, name: &str, mode: u32, make: impl FnOnce() -> Result<String, DevError>) -> Result<String, DevError> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = make()?;
                self.write(name, mode, &text)?;
                Ok(text)
            }
            Err(source) => Err(DevError::File { path, source }),
        }
    }

    /// An id that a file has; makes one if there is none.
    fn kept_id(&self, name: &str) -> Result<Uuid, DevError> {
        let text = self.kept(name, 0o644, || Ok(Uuid::new_v4().to_string()))?;
        Uuid::parse_str(text.trim()).map_err(|fault| DevError::Id { path: self.0.join(name), fault })
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> Result<(), DevError> {
        let path = self.0.join(name);
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&path);
        open.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| DevError::File { path, source })
    }
}
