//! The proxy on the way to Central.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy};
use url::Url;

/// Why a proxy cannot be used. Never shows its user or password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    #[error("the proxy's URL of {origin} cannot be read ({reason}); write it like http://proxy.example:3128")]
    Malformed { origin: &'static str, reason: String },
    #[error(
        "the proxy of {origin} is to be spoken to by {scheme}, which is not supported; write http://, what is sent to \
         Central is encrypted all the same"
    )]
    Scheme { origin: &'static str, scheme: String },
}

/// Which proxy to use: the one that is set, else that of the environment, which has exceptions.
pub(super) fn choose(
    set: Option<&Url>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<(Proxy, String)>, ProxyError> {
    if let Some(url) = set {
        return proxy("mcs.proxy", url).map(Some);
    }
    let Some(text) = ["HTTPS_PROXY", "https_proxy"].into_iter().find_map(&environment).filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let text = if text.contains("://") { text } else { format!("http://{text}") };
    let url = Url::parse(&text)
        .map_err(|error| ProxyError::Malformed { origin: "HTTPS_PROXY", reason: error.to_string() })?;
    let (proxy, place) = proxy("HTTPS_PROXY", &url)?;
    Ok(Some((proxy.no_proxy(exceptions(environment).as_deref().and_then(NoProxy::from_string)), place)))
}

/// The proxy on the way to a receiver: what names it, and its host and port. None if the way is direct.
///
/// # Errors
///
/// When the one that is named cannot be used.
pub fn on_the_way(
    to: &Url,
    set: Option<&Url>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<(&'static str, String)>, ProxyError> {
    let Some((_, place)) = choose(set, &environment)? else { return Ok(None) };
    if set.is_some() {
        return Ok(Some(("mcs.proxy", place)));
    }
    let matcher = Matcher::builder().all("http://proxy").no(exceptions(environment).unwrap_or_default()).build();
    let is_excepted = to.as_str().parse().is_ok_and(|to| matcher.intercept(&to).is_none());
    Ok((!is_excepted).then_some(("HTTPS_PROXY", place)))
}

fn exceptions(environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    ["NO_PROXY", "no_proxy"].into_iter().find_map(environment)
}

/// The proxy, and what it is called in messages.
fn proxy(origin: &'static str, url: &Url) -> Result<(Proxy, String), ProxyError> {
    if url.scheme() != "http" {
        return Err(ProxyError::Scheme { origin, scheme: url.scheme().to_owned() });
    }
    let malformed = |reason: &str| ProxyError::Malformed { origin, reason: reason.to_owned() };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| malformed("it names no host"))?;
    let place = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
    let proxy = Proxy::all(url.as_str()).map_err(|_| malformed("it is no URL of a proxy"))?;
    Ok((proxy, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: Option<&str>, environment: &[(&str, &str)]) -> Result<Option<String>, ProxyError> {
        let set = set.map(|url| Url::parse(url).unwrap());
        let environment =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        choose(set.as_ref(), environment).map(|chosen| chosen.map(|(_, place)| place))
    }

    #[test]
    fn what_is_set_comes_before_the_environment() {
        let environment = [("HTTPS_PROXY", "http://env:1"), ("https_proxy", "http://lower:2")];
        assert_eq!(chosen(Some("http://set"), &environment), Ok(Some("set:80".to_owned())));
        assert_eq!(chosen(None, &environment), Ok(Some("env:1".to_owned())));
        assert_eq!(chosen(None, &environment[1..]), Ok(Some("lower:2".to_owned())));
        assert_eq!(chosen(None, &[("HTTPS_PROXY", "bare:3128")]), Ok(Some("bare:3128".to_owned())));
        assert_eq!(chosen(None, &[("HTTPS_PROXY", "")]), Ok(None));
        assert_eq!(chosen(None, &[]), Ok(None));
    }

    #[test]
    fn the_environment_s_proxy_has_exceptions() {
        let on_the_way = |to: &str, set: Option<&str>, exceptions: &str| {
            let environment = |name: &str| match name {
                "HTTPS_PROXY" => Some("env:1".to_owned()),
                "NO_PROXY" => Some(exceptions.to_owned()),
                _ => None,
            };
            let set = set.map(|url| Url::parse(url).unwrap());
            super::on_the_way(&Url::parse(to).unwrap(), set.as_ref(), environment).unwrap()
        };
        let central = "https://central.example.test:8443/";
        let by_environment = Some(("HTTPS_PROXY", "env:1".to_owned()));
        assert_eq!(on_the_way(central, None, ""), by_environment);
        assert_eq!(on_the_way(central, None, "other.test, 10.0.0.0/8"), by_environment);
        assert_eq!(on_the_way(central, None, ".example.test"), None);
        assert_eq!(on_the_way("https://10.1.2.3/", None, "other.test, 10.0.0.0/8"), None);
        assert_eq!(on_the_way(central, Some("http://set:2"), "*"), Some(("mcs.proxy", "set:2".to_owned())));
    }

    #[test]
    fn what_cannot_be_used_is_told_without_its_password() {
        for url in ["https://user:hunter2@proxy", "socks5://user:hunter2@proxy"] {
            let error = chosen(Some(url), &[]).unwrap_err();
            assert!(matches!(&error, ProxyError::Scheme { origin: "mcs.proxy", .. }));
            assert!(!error.to_string().contains("hunter2"));
        }
        for text in ["http://user:hunter2@:80", "http://user:hunter2@", "user:hunter2@[::"] {
            let error = chosen(None, &[("HTTPS_PROXY", text)]).unwrap_err();
            assert!(error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("hunter2"), "{error}");
        }
        let place = chosen(Some("http://user:hunter2@proxy:8080"), &[]).unwrap().unwrap();
        assert_eq!(place, "proxy:8080");
    }
}
