//! A state that cannot be read any more.

use super::*;
use crate::source::earliest;

#[test]
fn a_state_that_is_lost_costs_no_item_that_central_keeps() {
    let home = Home::new();
    let path = home.folder.path().join("state/own.jsonl");
    home.round(&server([dated(&items(0, 2), false, "e"), dated("", false, "a")]));
    for damage in [&b""[..], b"\0\0\0\0", b"{\"tenants\": {}}\n", b"{\"format\": \"sensor-siem state\", \"ver"] {
        fs::write(&path, damage).unwrap();
        // Central is away as it is seen; the next round begins as far back as can be all the same.
        let away = server([Reply::With(403, "", "no".into()), Reply::With(403, "", "no".into())]);
        assert_eq!(home.round(&away).faults.len(), 2);
        let server = server([dated(&items(0, 3), false, "e"), dated("", false, "a")]);
        home.round(&server);
        for line in &server.lines()[2..] {
            assert!((from_date(line) - earliest(now())).abs() < 60, "{line}");
        }
    }
    // From there on as ever.
    let server = server([dated("", false, "e"), dated("", false, "a")]);
    home.round(&server);
    assert!(from_date(&server.lines()[2]) > now() - 1000, "{:?}", server.lines());
}
