//! Whose credentials these are, and the tenants that they may read.

use diagnostic::printable;
use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Credentials, Session, client::Fault};

/// Tenants on a page, at most.
const PAGE: u32 = 100;
/// More pages than anyone has tenants: a server that counts wrong does not hold us for ever.
const MOST_PAGES: u32 = 10_000;

/// One that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// A UUID. With an old token, which tells none, `token-` and a part of its SHA-256.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Where its data are; none if Central names no place, as for one that is not set up yet.
    pub host: Option<Url>,
    /// What the vendor's script knows an old token by.
    pub token: Option<String>,
}

/// As it is told.
impl std::fmt::Display for Tenant {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&printable(&self.id))?;
        match &self.name {
            Some(name) => write!(out, " ({})", printable(name)),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whoami {
    id: String,
    id_type: String,
    api_hosts: ApiHosts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiHosts {
    global: Option<String>,
    data_region: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TenantItem {
    id: String,
    #[serde(default)]
    show_as: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    api_host: Option<String>,
}

#[derive(Deserialize)]
struct TenantPage {
    items: Vec<TenantItem>,
    #[serde(default)]
    pages: PageCount,
}

#[derive(Default, Deserialize)]
struct PageCount {
    #[serde(default)]
    total: Option<u32>,
}

fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Those that are read.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    pub found: Vec<Tenant>,
    /// Ids of those that cannot be read, and why.
    pub faults: Vec<(String, Fault)>,
}

impl Tenants {
    fn one(tenant: Tenant) -> Result<Self, Fault> {
        Ok(Self { found: vec![tenant], faults: Vec::new() })
    }

    fn put(&mut self, id: &str, tenant: Result<Tenant, Fault>) {
        match tenant {
            Ok(tenant) => self.found.push(tenant),
            Err(fault) => self.faults.push((id.to_owned(), fault)),
        }
    }
}

impl Session {
    /// The tenants to read: the one that the credentials are of, those that are wanted, or all of a partner or an
    /// organization. What is wrong with one of several does not keep the others from being read.
    ///
    /// # Errors
    /// Central does not answer, or not with what is wanted.
    pub async fn tenants(&self) -> Result<Tenants, Fault> {
        let (wanted, api_host) = match self.credentials() {
            Credentials::Legacy { url, authorization, .. } => {
                let token = authorization.expose_secret().split_whitespace().last().unwrap_or_default().to_owned();
                let hash = Sha256::digest(format!("{url} {token}"));
                let id: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
                let host = Some(url.clone());
                return Tenants::one(Tenant { id: format!("token-{id}"), name: None, host, token: Some(token) });
            }
            Credentials::Client { tenants, api_host, .. } => (tenants.clone(), api_host.clone()),
        };
        let (whoami, _): (Whoami, _) = self.get(&at(&api_host, &["whoami", "v1"]), &[], |body| json(body)).await?;
        let header = match whoami.id_type.as_str() {
            "tenant" => {
                if let Some(wanted) = wanted.iter().find(|wanted| !wanted.eq_ignore_ascii_case(&whoami.id)) {
                    let reason =
                        format!("the credentials are of the tenant {}, not of {wanted}: check `tenant_id`", whoami.id);
                    return Err(Fault::Refused(reason));
                }
                let host = self.host(whoami.api_hosts.data_region.as_deref())?;
                return Tenants::one(Tenant { id: whoami.id, name: None, host, token: None });
            }
            "partner" => "X-Partner-ID",
            "organization" => "X-Organization-ID",
            other => {
                let reason = format!(
                    "the credentials are of a `{}`, which has no tenants that are known",
                    diagnostic::printable(other)
                );
                return Err(Fault::Refused(reason));
            }
        };
        let headers = [(header, whoami.id.as_str())];
        let global = self.host(whoami.api_hosts.global.as_deref())?.unwrap_or(api_host);
        let list = at(&global, &[&whoami.id_type, "v1", "tenants"]);
        let mut tenants = Tenants::default();
        for id in &wanted {
            let asked = self.get(&at(&list, &[id]), &headers, |body| json(body)).await;
            tenants.put(id, asked.and_then(|(item, _)| self.tenant(item)));
        }
        if !wanted.is_empty() {
            return Ok(tenants);
        }
        for page in 1..=MOST_PAGES {
            let mut url = list.clone();
            url.query_pairs_mut()
                .append_pair("page", &page.to_string())
                .append_pair("pageSize", &PAGE.to_string())
                .append_pair("pageTotal", "true");
            let (answer, _): (TenantPage, _) = self.get(&url, &headers, |body| json(body)).await?;
            let is_last = match answer.pages.total {
                Some(total) => page >= total,
                None => answer.items.len() < PAGE as usize,
            };
            for item in answer.items {
                let id = item.id.clone();
                tenants.put(&id, self.tenant(item));
            }
            if is_last {
                break;
            }
        }
        Ok(tenants)
    }

    fn tenant(&self, item: TenantItem) -> Result<Tenant, Fault> {
        let host = self.host(item.api_host.as_deref())?;
        Ok(Tenant { id: item.id, name: item.show_as.or(item.name), host, token: None })
    }

    fn host(&self, named: Option<&str>) -> Result<Option<Url>, Fault> {
        let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
        let url = Url::parse(named).map_err(|error| {
            Fault::Refused(format!(
                "Central names `{}` as a host, which is no URL: {error}",
                diagnostic::printable(named)
            ))
        })?;
        self.check(url).map(Some)
    }
}

/// What stands there below a URL.
pub(super) fn at(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
