//! Files in every form, and what is wrong with one of several.

use super::*;

const POLICIES: [CrlPolicy; 2] = [CrlPolicy::Refuse, CrlPolicy::Warn];

fn wide(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// The same text as other editors and systems write it.
fn writings(pem: &str) -> Vec<Vec<u8>> {
    let texts = [
        pem.to_owned(),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\r"),
        format!("\u{feff}{pem}"),
        format!("subject: somebody\n\n{pem}\nand no more"),
        pem.lines().map(|line| format!("    {line}  \n")).collect(),
        pem.trim_end().to_owned(),
    ];
    texts.into_iter().map(String::into_bytes).chain([wide(pem)]).collect()
}

#[test]
fn every_writing_of_a_file_is_read() {
    let authority = Authority::new("one");
    let (good, revoked) = (authority.server(8, |_| {}), authority.server(7, |_| {}));
    let list = authority.crl(&[7]).pem().unwrap();
    let certificates = writings(&authority.pem);
    let lists = writings(&list);
    let older = authority.pem.replace("CERTIFICATE", "X509 CERTIFICATE");
    for (certificate, list) in certificates.into_iter().zip(lists).chain([(older.into_bytes(), list.into_bytes())]) {
        let folder = Folder::new(&[("sophosca1.crt", &certificate), ("sophosca1.crl", &list)]);
        let trust = folder.trust(CrlPolicy::Refuse);
        assert_eq!(warnings(&trust), [""; 0], "{}", String::from_utf8_lossy(&certificate));
        assert!(meet(&trust, &good).is_ok());
        assert!(is_revoked(&meet(&trust, &revoked)));
    }
}

/// What may stand in a file of certificates in place of one, and what is said of it.
fn bad_certificates(authority: &Authority) -> Vec<(Vec<u8>, &'static str)> {
    let pem = &authority.pem;
    let mut params = authority_params("old");
    params.not_after = day(-1);
    let leaf = authority.server(1, |_| {}).chain[0].to_vec();
    vec![
        (vec![], "copy it anew"),
        (b"nonsense".to_vec(), "copy it anew"),
        (format!("{}\n", &pem[..pem.len() / 2]).into(), "copy it anew"),
        (pem.replacen("MII", "!!!", 1).into(), "copy it anew"),
        (authority.der[..authority.der.len() - 9].into(), "copy it anew"),
        (Authority::with(params).pem.into(), "ran out"),
        (leaf, "no authority"),
        (authority.key_pem.clone().into(), "a private key"),
        (authority.crl(&[]).pem().unwrap().into(), "a revocation list"),
        (authority.crl(&[]).der().to_vec(), "a revocation list"),
        (pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE").into(), "openssl x509"),
        (pem.replace("CERTIFICATE", "PKCS7").into(), "openssl pkcs7"),
        (pem.lines().filter(|line| !line.starts_with('-')).collect::<String>().into(), "base64 without"),
    ]
}

#[test]
fn one_file_of_certificates_costs_the_others_nothing() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let folder = Folder::of(&authority, &[7]);
    for (bytes, told) in bad_certificates(&other) {
        for name in ["sophosca0.crt", "sophosca2.crt"] {
            folder.put(name, &bytes);
            for policy in POLICIES {
                let trust = folder.trust(policy);
                let warnings = warnings(&trust);
                assert!(warnings.iter().any(|text| text.contains(told) && text.contains(name)), "{told}: {warnings:?}");
                assert_eq!(warnings.iter().any(|text| text.contains("copy it anew")), told == "copy it anew");
                assert!(!warnings.concat().contains(&other.key_pem[40..60]));
                assert!(meet(&trust, &authority.server(8, |_| {})).is_ok(), "{told}");
                assert!(is_revoked(&meet(&trust, &authority.server(7, |_| {}))));
                assert_eq!(meet(&trust, &other.server(8, |_| {})), Err(PeerError::UnknownAuthority));
            }
            fs::remove_file(folder.0.path().join(name)).unwrap();
        }
    }
}

#[test]
fn one_certificate_of_a_file_costs_the_others_nothing() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    for (bytes, told) in bad_certificates(&other) {
        let is_pem = bytes.starts_with(b"-----");
        if !is_pem && (bytes[..1.min(bytes.len())] != [0x30] || told == "copy it anew") {
            continue; // Nothing tells where it would end.
        }
        let good = if is_pem { authority.pem.clone().into_bytes() } else { authority.der.to_vec() };
        for both in [[&good[..], &bytes].concat(), [&bytes[..], &good].concat()] {
            let folder = Folder::of(&authority, &[]);
            folder.put("sophosca1.crt", &both);
            let trust = folder.trust(CrlPolicy::Refuse);
            let warnings = warnings(&trust);
            assert!(warnings.iter().any(|text| text.contains(told)), "{told}: {warnings:?}");
            assert!(meet(&trust, &authority.server(8, |_| {})).is_ok(), "{told}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_when_nothing_is_left() {
    let authority = Authority::new("one");
    for (bytes, told) in bad_certificates(&authority) {
        let folder = Folder::of(&authority, &[]);
        folder.put("sophosca1.crt", &bytes);
        let Err(error) = folder.trust(CrlPolicy::Refuse).current() else { panic!("accepted: {told}") };
        assert!(matches!(&error, TrustError::NoAuthority { .. }));
        let error = error.to_string();
        assert!(error.contains(told) && error.contains("sophosca1.crt"), "{error}");
    }
}

#[test]
fn a_list_that_cannot_be_read_stops_only_those_who_need_it() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let whole = other.crl(&[7]).der().to_vec();
    let folder = Folder::of(&authority, &[7]);
    folder.put("sophosca2.crt", other.pem.as_bytes());
    let text = other.crl(&[7]).pem().unwrap();
    for bytes in [&whole[..0], &whole[..whole.len() - 3], b"nonsense", &text.as_bytes()[..text.len() - 9]] {
        folder.put("sophosca2.crl", bytes);
        for policy in POLICIES {
            let trust = folder.trust(policy);
            let told = warnings(&trust);
            assert!(
                told.iter().any(|told| told.contains("sophosca2.crl") && told.contains("copy it anew")),
                "{told:?}"
            );
            assert!(meet(&trust, &authority.server(8, |_| {})).is_ok());
            assert!(is_revoked(&meet(&trust, &authority.server(7, |_| {}))));
            // Not a missing one: it might revoke.
            let refused = meet(&trust, &other.server(8, |_| {})).unwrap_err();
            assert!(matches!(refused, PeerError::CrlMissing { .. }) && refused.to_string().contains("copy it anew"));
        }
    }
}

#[test]
fn what_a_file_held_stays_in_force_while_it_cannot_be_read_and_the_others_go_on() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let folder = Folder::of(&authority, &[]);
    folder.put("sophosca2.crt", other.pem.as_bytes());
    folder.put("sophosca2.crl", other.crl(&[7]).der());
    let trust = folder.trust(CrlPolicy::Refuse);
    assert!(meet(&trust, &other.server(8, |_| {})).is_ok());
    let list = other.crl_with(&[7, 8], |params| params.crl_number = 2.into());
    for name in ["sophosca2.crl", "sophosca2.crt"] {
        folder.put(name, &list.der()[..50]);
        let told = warnings(&trust);
        assert!(told.iter().any(|told| told.contains(name) && told.contains("stays in force")), "{told:?}");
        assert!(meet(&trust, &other.server(8, |_| {})).is_ok());
        assert!(is_revoked(&meet(&trust, &other.server(7, |_| {}))));
    }
    // A good file is taken up although others are bad.
    folder.put("sophosca1.crl", authority.crl_with(&[9], |params| params.crl_number = 2.into()).der());
    assert!(is_revoked(&meet(&trust, &authority.server(9, |_| {}))));
    folder.put("sophosca2.crl", list.der());
    assert!(is_revoked(&meet(&trust, &other.server(8, |_| {}))));
    fs::remove_file(folder.0.path().join("sophosca2.crt")).unwrap();
    assert_eq!(meet(&trust, &other.server(9, |_| {})), Err(PeerError::UnknownAuthority));
}

#[test]
fn files_that_may_not_be_read_or_trusted_cost_the_others_nothing() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let folder = Folder::of(&authority, &[]);
    let path = |name: &str| folder.0.path().join(name);
    // Other names are none of ours.
    folder.put("other.crt", b"nonsense");
    folder.put("sophosca.txt", b"nonsense");
    assert_eq!(warnings(&folder.trust(CrlPolicy::Refuse)), [""; 0]);
    folder.put("sophosca2.crt", other.pem.as_bytes());
    fs::set_permissions(path("sophosca2.crt"), fs::Permissions::from_mode(0o666)).unwrap();
    std::os::unix::fs::symlink("nowhere", path("sophosca3.crt")).unwrap();
    fs::create_dir(path("sophosca4.crt")).unwrap();
    fs::set_permissions(path("sophosca4.crt"), fs::Permissions::from_mode(0o755)).unwrap();
    let trust = folder.trust(CrlPolicy::Refuse);
    let told = warnings(&trust);
    for (name, text) in
        [("sophosca2.crt", "chmod go-w"), ("sophosca3.crt", "cannot be read"), ("sophosca4.crt", "no regular")]
    {
        assert!(told.iter().any(|told| told.contains(name) && told.contains(text)), "{told:?}");
    }
    assert!(meet(&trust, &authority.server(8, |_| {})).is_ok());
    assert_eq!(meet(&trust, &other.server(8, |_| {})), Err(PeerError::UnknownAuthority));
    let nowhere = TrustFolder::new(path("nowhere"), CrlPolicy::Refuse);
    let told = nowhere.current().err().unwrap().to_string();
    assert!(told.starts_with("the trust folder ") && told.contains("nowhere"), "{told}");
    let file = TrustFolder::new(path("sophosca2.crt"), CrlPolicy::Refuse);
    let told = file.current().err().unwrap().to_string();
    assert!(told.starts_with("the trust folder ") && told.contains("Not a directory"), "{told}");
}
