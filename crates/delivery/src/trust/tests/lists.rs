//! Which list counts for which certificate.

use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, SerialNumber};

use super::*;

const POLICIES: [CrlPolicy; 2] = [CrlPolicy::Refuse, CrlPolicy::Warn];

/// What openssl writes into a list besides, of its own accord.
const KEY: &str = "authorityKeyIdentifier=keyid\n";

fn point(name: &str) -> CrlDistributionPoint {
    CrlDistributionPoint { uris: vec![format!("http://crl.test/{name}.crl")] }
}

/// A part of an authority's list.
fn part(authority: &Authority, revoked: &[u64], name: &str, scope: Option<CrlScope>, from: i64) -> Vec<u8> {
    let list = authority.crl_with(revoked, |params| {
        params.this_update = day(from);
        params.issuing_distribution_point =
            Some(CrlIssuingDistributionPoint { distribution_point: point(name), scope });
    });
    list.der().to_vec()
}

fn server_of(authority: &Authority, serial: u64, name: &str) -> Server {
    authority.server(serial, |params| params.crl_distribution_points = vec![point(name)])
}

#[test]
fn an_authority_that_changes_its_key_keeps_both_lists() {
    let (old, new) = (Authority::new("Central"), Authority::new("Central"));
    for (first, second) in [("sophosca1", "sophosca2"), ("sophosca2", "sophosca1")] {
        let folder = Folder::new(&[
            (&format!("{first}.crt"), old.pem.as_bytes()),
            (&format!("{second}.crt"), new.pem.as_bytes()),
            // Of the same date and number: each key counts its own.
            (&format!("{first}.crl"), old.crl(&[7]).der()),
            (&format!("{second}.crl"), new.crl(&[8]).der()),
        ]);
        for policy in POLICIES {
            let trust = folder.trust(policy);
            assert_eq!(warnings(&trust), [""; 0]);
            assert!(meet(&trust, &old.server(8, |_| {})).is_ok());
            assert!(meet(&trust, &new.server(7, |_| {})).is_ok());
            assert!(is_revoked(&meet(&trust, &old.server(7, |_| {}))));
            assert!(is_revoked(&meet(&trust, &new.server(8, |_| {}))));
        }
        // The list of a key whose certificate is gone stops nobody, and is told.
        fs::remove_file(folder.0.path().join(format!("{second}.crt"))).unwrap();
        for policy in POLICIES {
            let trust = folder.trust(policy);
            let told = warnings(&trust);
            assert!(told.len() == 1 && told[0].contains("not in the folder"), "{told:?}");
            assert!(meet(&trust, &old.server(8, |_| {})).is_ok());
        }
        // And it is not the list of the other key.
        fs::remove_file(folder.0.path().join(format!("{first}.crl"))).unwrap();
        let refused = meet(&folder.trust(CrlPolicy::Refuse), &old.server(8, |_| {})).unwrap_err();
        assert!(matches!(&refused, PeerError::CrlMissing { .. }) && refused.to_string().contains("another key"));
        assert!(meet(&folder.trust(CrlPolicy::Warn), &old.server(8, |_| {})).is_ok());
    }
}

#[test]
fn a_key_is_found_by_its_signature_where_the_list_does_not_name_it() {
    let (old, new) = (Authority::new("Central"), Authority::new("Central"));
    let folder = Folder::new(&[
        ("sophosca1.crt", old.pem.as_bytes()),
        ("sophosca2.crt", new.pem.as_bytes()),
        ("sophosca1.crl", &old.odd_crl(&[7], "issuerAltName=DNS:central.test")),
        ("sophosca2.crl", &new.odd_crl(&[8], "issuerAltName=DNS:central.test")),
    ]);
    let trust = folder.trust(CrlPolicy::Refuse);
    assert_eq!(warnings(&trust), [""; 0]);
    assert!(meet(&trust, &old.server(8, |_| {})).is_ok() && meet(&trust, &new.server(7, |_| {})).is_ok());
    assert!(is_revoked(&meet(&trust, &old.server(7, |_| {}))) && is_revoked(&meet(&trust, &new.server(8, |_| {}))));
}

#[test]
fn each_part_of_a_list_counts_for_its_certificates() {
    let authority = Authority::new("one");
    let (in_a, in_b) = (server_of(&authority, 7, "a"), server_of(&authority, 8, "b"));
    // Whichever is the newer one, and whatever the files are called.
    for (a, b, days) in [("sophosca1.crl", "sophosca2.crl", (-2, -1)), ("sophosca2.crl", "sophosca1.crl", (-1, -2))] {
        let folder = Folder::new(&[("sophosca1.crt", authority.pem.as_bytes())]);
        let put = |name: &str, revoked: &[u64], part_name: &str, from: i64| {
            folder.put(name, &part(&authority, revoked, part_name, None, from));
        };
        put(a, &[], "a", days.0);
        put(b, &[], "b", days.1);
        for policy in POLICIES {
            let trust = folder.trust(policy);
            assert_eq!(warnings(&trust), [""; 0]);
            assert!(meet(&trust, &in_a).is_ok() && meet(&trust, &in_b).is_ok());
            assert_eq!(is_missing(&meet(&trust, &server_of(&authority, 9, "c"))), policy == CrlPolicy::Refuse);
        }
        put(a, &[7], "a", days.0);
        put(b, &[9], "b", days.1);
        for policy in POLICIES {
            let trust = folder.trust(policy);
            assert!(is_revoked(&meet(&trust, &in_a)));
            assert!(meet(&trust, &in_b).is_ok());
            // It does not say which part it is in, so it may be in any.
            assert!(is_revoked(&meet(&trust, &authority.server(9, |_| {}))));
            assert!(meet(&trust, &authority.server(10, |_| {})).is_ok());
        }
    }
}

#[test]
fn lists_about_receivers_or_authorities_alone_count_for_these() {
    let root = Authority::new("root");
    let between = root.intermediate("between", 5);
    let below = between.server(7, |_| {}).below(&between);
    let list = |revoked: &[u64], kind: &str| {
        root.odd_crl(revoked, &format!("{KEY}issuingDistributionPoint=critical,@p\n[p]\n{kind}=TRUE\n"))
    };
    let folder = Folder::new(&[("sophosca1.crt", root.pem.as_bytes()), ("sophosca2.crl", between.crl(&[]).der())]);
    folder.put("sophosca1.crl", &list(&[], "onlyCA"));
    let trust = folder.trust(CrlPolicy::Refuse);
    let told = warnings(&trust);
    assert!(told.iter().any(|told| told.contains("about authorities alone")), "{told:?}");
    assert!(!told.concat().contains("copy it anew"));
    assert!(meet(&trust, &below).is_ok());
    let refused = meet(&trust, &root.server(8, |_| {})).unwrap_err().to_string();
    assert!(refused.contains("about other certificates"), "{refused}");
    // Both together are as good as one about all.
    folder.put("sophosca3.crl", &list(&[8], "onlyuser"));
    for policy in POLICIES {
        let trust = folder.trust(policy);
        assert!(meet(&trust, &root.server(9, |_| {})).is_ok() && meet(&trust, &below).is_ok());
        assert!(is_revoked(&meet(&trust, &root.server(8, |_| {}))));
    }
    folder.put("sophosca1.crl", &list(&[5], "onlyCA"));
    for policy in POLICIES {
        assert!(is_revoked(&meet(&folder.trust(policy), &below)));
        assert!(meet(&folder.trust(policy), &root.server(9, |_| {})).is_ok());
    }
    // Alone, the one about receivers does not tell of the authority between.
    fs::remove_file(folder.0.path().join("sophosca1.crl")).unwrap();
    assert!(is_missing(&meet(&folder.trust(CrlPolicy::Refuse), &below)));
}

#[test]
fn a_list_that_is_not_supported_stops_only_those_who_need_it() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let distribution = |kind: &str| format!("{KEY}issuingDistributionPoint=critical,@p\n[p]\n{kind}\n");
    let cases = [
        (format!("{KEY}2.5.29.27=critical,ASN1:INTEGER:01"), "a delta"),
        (format!("{KEY}1.2.3.4=critical,ASN1:NULL"), "critical extension 1.2.3.4"),
        (String::new(), "version 1"),
        (distribution("indirectCRL=TRUE"), "indirect"),
        (distribution("onlysomereasons=keyCompromise,CACompromise"), "some reasons alone"),
        (distribution("onlyAA=TRUE"), "attribute certificates alone"),
    ];
    for (extensions, told) in cases {
        let odd = |authority: &Authority, revoked: &[u64]| authority.odd_crl(revoked, &extensions);
        // Beside a complete list it stops nobody, however they are called.
        for name in ["sophosca0.crl", "sophosca1+.crl"] {
            let folder = Folder::of(&authority, &[6]);
            folder.put(name, &odd(&authority, &[7]));
            for policy in POLICIES {
                let trust = folder.trust(policy);
                let warnings = warnings(&trust);
                assert!(
                    warnings.len() == 1 && warnings[0].contains(told) && warnings[0].contains(name),
                    "{warnings:?}"
                );
                assert!(!warnings[0].contains("copy it anew"));
                assert!(meet(&trust, &authority.server(8, |_| {})).is_ok(), "{told}");
                assert!(is_revoked(&meet(&trust, &authority.server(6, |_| {}))));
                // What it revokes is revoked, if it is about receivers at all.
                assert_eq!(
                    is_revoked(&meet(&trust, &authority.server(7, |_| {}))),
                    !told.contains("attribute"),
                    "{told}"
                );
            }
        }
        // Alone it stops its own, who need one, and not those of another authority.
        let folder = Folder::of(&authority, &[]);
        folder.put("sophosca2.crt", other.pem.as_bytes());
        folder.put("sophosca2.crl", &odd(&other, &[]));
        let trust = folder.trust(CrlPolicy::Refuse);
        assert!(meet(&trust, &authority.server(8, |_| {})).is_ok(), "{told}");
        let refused = meet(&trust, &other.server(8, |_| {})).unwrap_err();
        assert!(matches!(&refused, PeerError::CrlMissing { .. }), "{told}: {refused}");
        assert!(
            refused.to_string().contains("sophosca2.crl") && !refused.to_string().contains("copy it anew"),
            "{refused}"
        );
        assert!(meet(&folder.trust(CrlPolicy::Warn), &other.server(8, |_| {})).is_ok());
    }
}

#[test]
fn number_and_date_decide_which_list_is_newer() {
    let authority = Authority::new("one");
    let server = authority.server(7, |_| {});
    let list = |number: u64, from: i64, revoked: &[u64]| {
        let list = authority.crl_with(revoked, |params| {
            params.crl_number = SerialNumber::from(number);
            params.this_update = day(from);
        });
        list.der().to_vec()
    };
    let revoked = |one: &[u8], two: &[u8]| {
        let answers = [(one, two), (two, one)].map(|(one, two)| {
            let folder = Folder::new(&[
                ("sophosca1.crt", authority.pem.as_bytes()),
                ("sophosca1.crl", one),
                ("sophosca2.crl", two),
            ]);
            let trust = folder.trust(CrlPolicy::Refuse);
            assert_eq!(warnings(&trust), [""; 0]);
            is_revoked(&meet(&trust, &server))
        });
        assert_eq!(answers[0], answers[1], "names of files decide");
        answers[0]
    };
    // Of the same moment, the number: what was on hold may be good again.
    assert!(revoked(&list(2, -1, &[7]), &list(1, -1, &[])));
    assert!(!revoked(&list(2, -1, &[]), &list(1, -1, &[7])));
    // A number beyond 8 bytes, and of another length.
    assert!(revoked(&list(300, -1, &[7]), &list(2, -1, &[])));
    assert!(!revoked(&list(300, -1, &[]), &list(2, -1, &[7])));
    // The newer one by both.
    assert!(!revoked(&list(2, -1, &[]), &list(1, -2, &[7])));
    // They contradict each other, or are as new as each other: then what either revokes is revoked.
    assert!(revoked(&list(2, -2, &[]), &list(1, -1, &[7])));
    assert!(revoked(&list(2, -2, &[7]), &list(1, -1, &[])));
    assert!(revoked(&list(1, -1, &[]), &list(1, -1, &[7])));
}

#[test]
fn a_stale_list_does_not_stop_where_a_newer_one_is() {
    let authority = Authority::new("one");
    let folder = Folder::of(&authority, &[]);
    folder.put("sophosca0.crl", authority.crl_between(&[], day(-9), day(-2)).der());
    folder.put("sophosca2.crl", authority.crl_between(&[], day(-8), day(-3)).der());
    let trust = folder.trust(CrlPolicy::Refuse);
    assert_eq!(warnings(&trust), [""; 0]);
    assert!(meet(&trust, &authority.server(8, |_| {})).is_ok());
}
