//! Who is asking: the token, and that it is of the tenant that is named.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use sensor_proto::header as sensor_header;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Failure, blocking, text_header};
use crate::store::{Origin, Role, Store, Token, Use, hash};

/// Checks the headers of a request.
///
/// Tokens are read from the database each time, so that a new one works at once and a removed one no longer.
pub(super) async fn authenticate(store: &Store, headers: &HeaderMap) -> Result<Origin, Failure> {
    let shown = hash(bearer(headers).ok_or(Failure::NoToken)?);
    let reader = Arc::clone(store.reader());
    let tokens = blocking(move || Ok(reader.tokens()?)).await?;
    let named = |headers| text_header(headers, sensor_header::TENANT_ID, "the tenant's id");
    let tenant = match owner(&tokens, shown, crate::now()) {
        Some(tenant) if Uuid::parse_str(&named(headers)?) == Ok(tenant) => tenant,
        Some(_) => return Err(Failure::OtherTenant),
        None => of_client(store, shown, named(headers)).await?,
    };
    let sensor = text_header(headers, sensor_header::SENSOR_ID, "the same for all that one sensor sends")?;
    Ok(Origin { tenant, sensor })
}

/// The tenant that is named, if this is the access token of a client that may deliver for it.
async fn of_client(store: &Store, shown: [u8; 32], named: Result<String, Failure>) -> Result<Uuid, Failure> {
    let reader = Arc::clone(store.reader());
    let client = blocking(move || Ok(reader.session(shown, Use::Access, crate::now())?)).await?;
    let client = client.filter(|client| client.role == Role::IngestOnly).ok_or(Failure::BadToken)?;
    let tenant = Uuid::parse_str(&named?).map_err(|_| Failure::OtherTenant)?;
    let reader = Arc::clone(store.reader());
    let found = blocking(move || Ok(reader.tenant(tenant)?)).await?;
    let is_of = found.is_some_and(|tenant| tenant.is_of(client.id_type, client.owner));
    if is_of { Ok(tenant) } else { Err(Failure::OtherTenant) }
}

/// The token of an `Authorization: Bearer` header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Whose token it is. Compares with every token and every byte, so that the time it takes tells nothing.
fn owner(tokens: &[Token], hash: [u8; 32], now: i64) -> Option<Uuid> {
    let mut owner = None;
    for token in tokens {
        if bool::from(token.hash.ct_eq(&hash)) && token.expires.is_none_or(|expires| now < expires) {
            owner = Some(token.tenant);
        }
    }
    owner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_tokens_are_read_and_nothing_else() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("bearer SLS-1"), Some("SLS-1".into()));
        for wrong in ["SLS-1", "Basic SLS-1", "Bearer", "Bearer ", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_expired_token_is_nobodys() {
        let (tenant, shown) = (Uuid::new_v4(), hash("SLS-1"));
        let tokens = [Token { tenant, hash: shown, expires: Some(10) }];
        assert_eq!(owner(&tokens, shown, 9), Some(tenant));
        assert_eq!(owner(&tokens, shown, 10), None);
        assert_eq!(owner(&tokens, hash("SLS-2"), 9), None);
    }
}
