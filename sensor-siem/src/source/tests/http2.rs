//! Over TLS, with who speaks HTTP/2.

use std::fs;

use axum::{body::Bytes, http::Response};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Paths that were asked for, and on how many connections.
#[derive(Default)]
struct Asked {
    connections: usize,
    paths: Vec<String>,
}

#[test]
fn who_speaks_http_2_is_asked_over_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    // Nothing else: who does not speak it is not let in.
    config.alpn_protocols = vec![b"h2".to_vec()];
    let asked = Arc::new(std::sync::Mutex::new(Asked::default()));
    let told = Arc::clone(&asked);
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    told.lock().unwrap().connections += 1;
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        let path = request.uri().path().to_owned();
                        let body = match path.as_str() {
                            "/api/v2/oauth2/token" => r#"{"access_token": "t", "expires_in": 3600}"#,
                            _ => r#"{"has_more": false, "items": [], "next_cursor": "x"}"#,
                        };
                        told.lock().unwrap().paths.push(path);
                        let mut sending = respond.send_response(Response::new(()), false).unwrap();
                        sending.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
                    }
                });
            }
        });
        let own = |path: &str| format!("https://localhost:{port}{path}").parse::<Url>().unwrap();
        let credentials = Credentials::Client {
            id: "client-a".into(),
            secret: SecretString::from("hunter2"),
            tenants: Vec::new(),
            auth_url: own("/api/v2/oauth2/token"),
            api_host: own("/"),
        };
        let connection = Connection { ca_file: Some(ca_file), ..Server::connection() };
        let session = Session::new(credentials, &connection, Pace::default()).unwrap();
        let tenant = Tenant { id: TENANT.into(), name: None, host: Some(own("/")), token: None };
        for stream in Stream::ALL {
            let pages = Pages { tenant: &tenant, stream, light: false };
            assert_eq!(session.page(pages, &Begin::Time(1)).await.unwrap().next_cursor, "x");
        }
    });
    let asked = asked.lock().unwrap();
    assert_eq!(asked.paths, ["/api/v2/oauth2/token", "/siem/v1/events", "/siem/v1/alerts"]);
    assert_eq!(asked.connections, 1);
}
