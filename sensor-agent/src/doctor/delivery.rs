//! Whether receivers can be reached and trusted. Nothing is sent to them.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use delivery::{
    mcs::on_the_way,
    trust::{self, TrustFolder},
};
use settings::{Environment, HostPort};
use url::Url;

use super::Finding;
use crate::config::Config;
use crate::output::target::Endpoint;

/// How long a receiver may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);

pub(super) fn examine(config: &Config, environment: &Environment) -> Vec<Finding> {
    let mut found = Vec::new();
    if config.mcs.enabled {
        found.push(trusted(config));
        found.extend(config.mcs.url.as_ref().and_then(|url| first_hop(url, config.mcs.proxy.as_ref(), environment)));
    }
    let outputs = config.alert_output.outputs.iter().filter(|output| output.enabled);
    let outputs = outputs.map(|output| (&output.target, output.name.as_deref()));
    let sinks = config.investigations.sinks.iter().map(|sink| (&sink.target, sink.name.as_deref()));
    for (target, name) in outputs.chain(sinks) {
        let name = name.unwrap_or(target.kind());
        match target.endpoint() {
            Some(Endpoint::Url(url)) => found.extend(of_url(name, url)),
            Some(Endpoint::Address(to)) => found.push(connect(name, to)),
            Some(Endpoint::Socket(path)) => found.push(socket(name, path)),
            None => {}
        }
    }
    found
}

fn trusted(config: &Config) -> Finding {
    let folder = trust::folder(config.mcs.certs_dir.as_deref());
    match TrustFolder::new(&folder, config.mcs.crl_policy).current() {
        Ok(trust) if trust.warnings.is_empty() => {
            Finding::fine("trust", format!("{}: authorities and revocation lists are right", folder.display()))
        }
        Ok(trust) => {
            let warnings: Vec<String> = trust.warnings.iter().map(ToString::to_string).collect();
            Finding::warning(
                "trust",
                warnings.join("\n"),
                "do what each line says; the files are in force without them",
            )
        }
        Err(error) => Finding::failure(
            "trust",
            error.to_string(),
            format!("put sophosca*.crt and sophosca*.crl of your tenant into {}, owned by root", folder.display()),
        ),
    }
}

/// What the transport connects to on the way to Central: a proxy, or Central itself.
fn first_hop(url: &Url, proxy: Option<&Url>, environment: &Environment) -> Option<Finding> {
    let variable = |name: &str| Some(environment.get(name)?.to_str()?.to_owned());
    match on_the_way(url, proxy, variable) {
        Ok(None) => of_url("mcs.url", url),
        Ok(Some((origin, place))) => {
            let (host, port) = place.rsplit_once(':')?;
            let host = host.trim_matches(['[', ']']).to_owned();
            Some(connect(origin, &HostPort { host, port: port.parse().ok()? }))
        }
        Err(error) => Some(Finding::failure("endpoints", error.to_string(), "name another proxy, or none")),
    }
}

fn of_url(name: &str, url: &Url) -> Option<Finding> {
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some(connect(name, &HostPort { host, port: url.port_or_known_default()? }))
}

fn connect(name: &str, to: &HostPort) -> Finding {
    let HostPort { host, port } = to;
    let addresses = match (host.as_str(), *port).to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            return Finding::failure(
                "endpoints",
                format!("{name}: the name {host} is not known: {error}"),
                "check the name and /etc/resolv.conf",
            );
        }
    };
    let mut last = String::from("it has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => return Finding::fine("endpoints", format!("{name}: {host}:{port} takes connections")),
            Err(error) => last = error.to_string(),
        }
    }
    Finding::failure(
        "endpoints",
        format!("{name}: no connection to {host}:{port}: {last}"),
        "check that the receiver runs and that firewalls on the way let the sensor through",
    )
}

fn socket(name: &str, path: &Path) -> Finding {
    if path.exists() {
        Finding::fine("endpoints", format!("{name}: {} is there", path.display()))
    } else {
        Finding::failure(
            "endpoints",
            format!("{name}: {} is not there", path.display()),
            "start the syslog service, or name its socket",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::doctor::Level;

    fn hop(url: &str, environment: &[(&str, &str)]) -> Finding {
        let environment = environment.iter().copied().collect();
        first_hop(&Url::parse(url).unwrap(), None, &environment).unwrap()
    }

    #[test]
    fn what_the_transport_connects_to_is_tried() {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = proxy.local_addr().unwrap().to_string();
        let central = "https://127.0.0.1:1/";
        let direct = hop(central, &[]);
        assert!(direct.text.starts_with("mcs.url: ") && direct.level == Level::Failure, "{direct:?}");
        let proxied = hop(central, &[("HTTPS_PROXY", &proxy)]);
        assert_eq!(
            (proxied.level, proxied.text.as_str()),
            (Level::Fine, &*format!("HTTPS_PROXY: {proxy} takes connections"))
        );
        let excepted = hop(central, &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "127.0.0.1")]);
        assert_eq!(excepted, direct);
        let wrong = hop(central, &[("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1")]);
        assert!(wrong.level == Level::Failure && !wrong.text.contains("hunter2"), "{wrong:?}");
    }
}
