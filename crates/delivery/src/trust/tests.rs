//! Trust files made for the test, against a real TLS server on the loopback.

mod files;
mod lists;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use rcgen::{ExtendedKeyUsagePurpose, KeyIdMethod};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection, Stream};

use super::*;
use crate::test_authority::{Authority, Folder, Server, authority_params, day};

/// Connects to a real server that shows the certificate. Yields what it said, or why it was refused.
fn meet(trust: &TrustFolder, server: &Server) -> Result<Vec<u8>, PeerError> {
    let config = server.config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let _ = stream.write_all(b"welcome");
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = socket.read(&mut [0; 64]);
    });
    let answer = converse(trust, TcpStream::connect(address).unwrap());
    server.join().unwrap();
    answer
}

fn is_revoked(answer: &Result<Vec<u8>, PeerError>) -> bool {
    matches!(answer, Err(PeerError::Revoked { .. }))
}

fn is_missing(answer: &Result<Vec<u8>, PeerError>) -> bool {
    matches!(answer, Err(PeerError::CrlMissing { .. }))
}

/// What is said of a folder that is in force.
fn warnings(trust: &TrustFolder) -> Vec<String> {
    trust.current().unwrap().warnings.iter().map(ToString::to_string).collect()
}

fn converse(trust: &TrustFolder, mut socket: TcpStream) -> Result<Vec<u8>, PeerError> {
    let trust = trust.current().unwrap();
    let mut connection = ClientConnection::new(trust.config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut answer = Vec::new();
    match Stream::new(&mut connection, &mut socket).read_to_end(&mut answer) {
        Ok(_) => Ok(answer),
        Err(error) => Err(PeerError::find(&error).unwrap_or_else(|| panic!("{error:?}"))),
    }
}

#[test]
fn a_good_receiver_is_accepted_in_every_form_of_file() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let server = authority.server(7, |_| {});
    let crl = authority.crl(&[8, 9]);
    let bundle = format!("some words\n{}{}", other.pem, authority.pem);
    let der_bundle = [&other.der[..], &authority.der[..]].concat();
    for certificate in [bundle.as_bytes(), &der_bundle] {
        for list in [crl.pem().unwrap().as_bytes(), crl.der()] {
            let folder = Folder::new(&[("sophosca1.crt", certificate), ("sophosca9.crl", list)]);
            assert_eq!(meet(&folder.trust(CrlPolicy::Refuse), &server), Ok(b"welcome".to_vec()));
        }
    }
}

#[test]
fn bad_receivers_are_refused_and_told_why() {
    let (authority, other) = (Authority::new("one"), Authority::new("one"));
    let folder = Folder::of(&authority, &[]);
    let refusal = |server: &Server| meet(&folder.trust(CrlPolicy::Refuse), server).unwrap_err();
    let expired = authority.server(1, |params| params.not_after = day(-1));
    assert!(matches!(refusal(&expired), PeerError::Expired { at: Some(_) }));
    let early = authority.server(1, |params| params.not_before = day(1));
    assert!(matches!(refusal(&early), PeerError::NotYetValid { at: Some(_) }));
    let elsewhere = authority.server(1, |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("elsewhere.example".try_into().unwrap())];
    });
    let error = refusal(&elsewhere);
    assert!(error.to_string().contains("elsewhere.example"), "{error}");
    // Of an authority with the same name and another key.
    assert_eq!(refusal(&other.server(1, |_| {})), PeerError::UnknownAuthority);
    let no_server =
        authority.server(1, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    assert!(matches!(refusal(&no_server), PeerError::BadCertificate { .. }));
}

#[test]
fn what_is_revoked_is_refused_by_either_policy() {
    let authority = Authority::new("one");
    let folder = Folder::of(&authority, &[6, 7]);
    for policy in [CrlPolicy::Refuse, CrlPolicy::Warn] {
        let trust = folder.trust(policy);
        assert!(is_revoked(&meet(&trust, &authority.server(7, |_| {}))));
        assert!(meet(&trust, &authority.server(8, |_| {})).is_ok());
    }
    // A stale list still revokes.
    folder.put("sophosca1.crl", authority.crl_between(&[7], day(-9), day(-2)).der());
    assert!(is_revoked(&meet(&folder.trust(CrlPolicy::Warn), &authority.server(7, |_| {}))));
}

#[test]
fn a_stale_list_is_refused_or_warned_about() {
    let authority = Authority::new("one");
    let folder = Folder::of(&authority, &[]);
    folder.put("sophosca1.crl", authority.crl_between(&[], day(-9), day(-2)).der());
    let server = authority.server(1, |_| {});
    assert!(matches!(meet(&folder.trust(CrlPolicy::Refuse), &server), Err(PeerError::CrlStale { .. })));
    let lenient = folder.trust(CrlPolicy::Warn);
    assert!(meet(&lenient, &server).is_ok());
    let warnings = lenient.current().unwrap().warnings;
    assert!(matches!(&warnings[..], [TrustWarning::CrlStale { .. }]), "{warnings:?}");
    assert!(warnings[0].to_string().contains("sophosca1.crl"));
}

#[test]
fn a_missing_list_is_refused_or_warned_about() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let server = authority.server(1, |_| {});
    // None at all.
    let folder = Folder::new(&[("sophosca1.crt", authority.pem.as_bytes())]);
    assert!(matches!(folder.trust(CrlPolicy::Refuse).current(), Err(TrustError::NoCrl { .. })));
    assert!(meet(&folder.trust(CrlPolicy::Warn), &server).is_ok());
    // Only another authority's.
    folder.put("sophosca2.crt", other.pem.as_bytes());
    folder.put("sophosca2.crl", other.crl(&[]).der());
    assert!(is_missing(&meet(&folder.trust(CrlPolicy::Refuse), &server)));
    let lenient = folder.trust(CrlPolicy::Warn);
    assert!(meet(&lenient, &server).is_ok());
    assert!(matches!(&lenient.current().unwrap().warnings[..], [TrustWarning::CrlMissing { .. }]));
}

#[test]
fn each_certificate_between_needs_a_list() {
    let root = Authority::new("root");
    let between = root.intermediate("between", 5);
    let server = between.server(7, |_| {}).below(&between);
    let folder = Folder::of(&root, &[]);
    assert!(is_missing(&meet(&folder.trust(CrlPolicy::Refuse), &server)));
    folder.put("sophosca2.crl", between.crl(&[]).der());
    assert!(meet(&folder.trust(CrlPolicy::Refuse), &server).is_ok());
    folder.put("sophosca1.crl", root.crl(&[5]).der());
    assert!(is_revoked(&meet(&folder.trust(CrlPolicy::Refuse), &server)));
    folder.put("sophosca1.crl", root.crl(&[]).der());
    assert!(meet(&folder.trust(CrlPolicy::Refuse), &server).is_ok());
    // It says that the key of the authority between signed it, which only the connection shows to be false.
    folder.put("sophosca2.crl", &forged("between", &between));
    for policy in [CrlPolicy::Refuse, CrlPolicy::Warn] {
        assert!(matches!(meet(&folder.trust(policy), &server), Err(PeerError::CrlForged { .. })));
    }
    // Another key's, with which nobody here has to do.
    folder.put("sophosca2.crl", Authority::new("between").crl(&[]).der());
    assert!(is_missing(&meet(&folder.trust(CrlPolicy::Refuse), &server)));
    assert!(meet(&folder.trust(CrlPolicy::Warn), &server).is_ok());
}

#[test]
fn a_list_whose_authority_only_a_receiver_shows_is_told_until_then() {
    let root = Authority::new("root");
    let between = root.intermediate("between", 5);
    let folder = Folder::of(&root, &[]);
    folder.put("sophosca2.crl", between.crl(&[]).der());
    let trust = folder.trust(CrlPolicy::Refuse);
    let told = warnings(&trust);
    assert!(told.len() == 1 && told[0].contains("authority CN=between"), "{told:?}");
    assert!(meet(&trust, &root.server(8, |_| {})).is_ok());
    assert_eq!(warnings(&trust).len(), 1);
    assert!(meet(&trust, &between.server(7, |_| {}).below(&between)).is_ok());
    assert_eq!(warnings(&trust), [""; 0]);
}

/// A list in the name and the key identifier of an authority, signed by another.
fn forged(name: &str, authority: &Authority) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(&authority.der).unwrap();
    let id = key_id(&certificate).unwrap().to_vec();
    let list =
        Authority::new(name).crl_with(&[], |params| params.key_identifier_method = KeyIdMethod::PreSpecified(id));
    list.der().to_vec()
}

#[test]
fn a_forged_list_is_refused_by_either_policy() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let folder = Folder::of(&authority, &[7]);
    folder.put("sophosca1.crl", &forged("one", &authority));
    folder.put("sophosca2.crt", other.pem.as_bytes());
    folder.put("sophosca2.crl", other.crl(&[]).der());
    for policy in [CrlPolicy::Refuse, CrlPolicy::Warn] {
        let trust = folder.trust(policy);
        let told = warnings(&trust);
        assert!(told.iter().any(|told| told.contains("sophosca1.crl") && told.contains("tampered")), "{told:?}");
        assert!(matches!(meet(&trust, &authority.server(8, |_| {})), Err(PeerError::CrlForged { .. })));
        assert!(meet(&trust, &other.server(8, |_| {})).is_ok());
    }
    // The true one beside it counts.
    folder.put("sophosca3.crl", authority.crl(&[7]).der());
    for policy in [CrlPolicy::Refuse, CrlPolicy::Warn] {
        assert!(meet(&folder.trust(policy), &authority.server(8, |_| {})).is_ok());
        assert!(is_revoked(&meet(&folder.trust(policy), &authority.server(7, |_| {}))));
    }
}

#[test]
fn the_newest_list_of_an_issuer_counts() {
    let authority = Authority::new("one");
    let server = authority.server(7, |_| {});
    for (old, new) in [("sophosca1.crl", "sophosca2.crl"), ("sophosca2.crl", "sophosca1.crl")] {
        let folder = Folder::new(&[
            ("sophosca1.crt", authority.pem.as_bytes()),
            (old, authority.crl_between(&[], day(-5), day(5)).der()),
            (new, authority.crl_between(&[7], day(-1), day(1)).der()),
        ]);
        assert!(is_revoked(&meet(&folder.trust(CrlPolicy::Refuse), &server)));
    }
}

#[test]
fn authorities_out_of_their_time_are_not_trusted() {
    let mut params = authority_params("old");
    params.not_after = day(-1);
    let old = Authority::with(params);
    let folder = Folder::of(&old, &[]);
    assert!(matches!(folder.trust(CrlPolicy::Refuse).current(), Err(TrustError::NoAuthority { .. })));
    let authority = Authority::new("one");
    folder.put("sophosca2.crt", authority.pem.as_bytes());
    folder.put("sophosca2.crl", authority.crl(&[]).der());
    let trust = folder.trust(CrlPolicy::Refuse);
    assert!(matches!(&trust.current().unwrap().warnings[..], [TrustWarning::AuthorityExpired { .. }]));
    assert_eq!(meet(&trust, &old.server(1, |_| {})), Err(PeerError::UnknownAuthority));
    assert!(meet(&trust, &authority.server(1, |_| {})).is_ok());
}

#[test]
fn an_outdated_receiver_is_refused() {
    let authority = Authority::new("one");
    let folder = Folder::of(&authority, &[]);
    // What a server answers whose newest version is TLS 1.1 (0x0302): a ServerHello of that version.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut hello = [0; 4096];
        let length = socket.read(&mut hello).unwrap();
        assert!(length > 0 && hello[0] == 22);
        let mut answer = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        answer.extend([7; 32]);
        answer.extend([0, 0xc0, 0x14, 0]);
        socket.write_all(&answer).unwrap();
        let _ = socket.read(&mut hello);
    });
    let error = converse(&folder.trust(CrlPolicy::Refuse), TcpStream::connect(address).unwrap()).unwrap_err();
    assert!(matches!(error, PeerError::Outdated { .. }), "{error:?}");
    server.join().unwrap();
}

#[test]
fn what_is_no_tls_is_told() {
    let authority = Authority::new("one");
    let folder = Folder::of(&authority, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 4096]);
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = socket.read(&mut [0; 64]);
    });
    let error = converse(&folder.trust(CrlPolicy::Refuse), TcpStream::connect(address).unwrap()).unwrap_err();
    assert!(matches!(error, PeerError::Tls { .. }), "{error:?}");
    server.join().unwrap();
}

#[test]
fn files_that_change_are_read_again() {
    let (authority, new) = (Authority::new("one"), Authority::new("two"));
    let folder = Folder::of(&authority, &[]);
    let trust = folder.trust(CrlPolicy::Refuse);
    let server = authority.server(7, |_| {});
    let first = trust.current().unwrap();
    assert_eq!(trust.current().unwrap().generation, first.generation);
    assert!(meet(&trust, &server).is_ok());

    folder.put("sophosca1.crl", authority.crl(&[7]).der());
    assert!(is_revoked(&meet(&trust, &server)));
    assert!(trust.current().unwrap().generation > first.generation);

    // Caught half-written: the others stay in force, and it is said.
    let newer = new.pem.as_bytes();
    for half in [&newer[..0], &newer[..20], &newer[..newer.len() / 2], &newer[..newer.len() - 5]] {
        folder.put("sophosca2.crt", half);
        for trust in [&trust, &folder.trust(CrlPolicy::Refuse)] {
            let warnings = trust.current().unwrap().warnings;
            assert!(
                matches!(&warnings[..], [TrustWarning::File { error: TrustError::Malformed { path, .. }, kept: false }]
                    if path.ends_with("sophosca2.crt")),
                "{warnings:?}"
            );
            assert!(is_revoked(&meet(trust, &server)));
            assert!(meet(trust, &authority.server(8, |_| {})).is_ok());
            assert_eq!(meet(trust, &new.server(1, |_| {})), Err(PeerError::UnknownAuthority));
        }
    }
    folder.put("sophosca2.crt", newer);
    folder.put("sophosca2.crl", new.crl(&[]).der());
    assert_eq!(warnings(&trust), [""; 0]);
    assert!(meet(&trust, &new.server(1, |_| {})).is_ok());

    // Removed is no longer trusted.
    fs::remove_file(folder.0.path().join("sophosca1.crt")).unwrap();
    assert_eq!(meet(&trust, &authority.server(8, |_| {})), Err(PeerError::UnknownAuthority));
    fs::remove_file(folder.0.path().join("sophosca2.crt")).unwrap();
    assert!(matches!(trust.current(), Err(TrustError::NoAuthority { .. })));
}

proptest::proptest! {
    #[test]
    fn arbitrary_files_are_refused_without_a_panic(bytes: Vec<u8>, place in 0..400_usize, byte: u8) {
        let folder = Folder::new(&[("sophosca1.crt", &bytes), ("sophosca1.crl", &bytes)]);
        proptest::prop_assert!(folder.trust(CrlPolicy::Warn).current().is_err());
        // One byte changed in a good one: whatever it is, it is decided.
        let authority = Authority::new("one");
        let mut damaged = authority.der.to_vec();
        let place = place % damaged.len();
        damaged[place] = byte;
        folder.put("sophosca1.crt", &damaged);
        folder.put("sophosca1.crl", authority.crl(&[]).der());
        let _ = folder.trust(CrlPolicy::Refuse).current();
    }
}
