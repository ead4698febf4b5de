//! What keeps items from where they should go is told until it does not any more.

use std::sync::Arc;

use super::*;
use crate::{metrics::Metrics, source::Session};

const OTHER: &str = "33333333-2222-4333-8444-555555555555";

/// A round of these credentials, and what is told after it.
fn troubles(home: &Home, server: &Server, session: Session) -> Vec<String> {
    let (_stop, stopping) = watch::channel(false);
    let metrics = Arc::new(Metrics::default());
    let engine =
        Engine::with(session, home.config(server), Options::default(), Arc::clone(&metrics), stopping).unwrap();
    run(async {
        let mut work = Work::new(Arc::new(engine));
        work.begin();
        while work.go_on().await {}
    });
    metrics.troubles()
}

fn faults(home: &Home) -> Vec<(Option<(String, Stream)>, String)> {
    let store = home.store();
    let faults = &store.output(MAIN).unwrap().faults;
    faults.iter().map(|(place, told)| (place.clone(), told.reason.clone())).collect()
}

#[test]
fn a_central_that_does_not_answer_is_told_of_each_stream_until_it_does() {
    let home = Home::new();
    let whole = || server([dated(&items(1, 2), false, "e"), dated("", false, "a")]);
    let one = whole();
    assert_eq!(troubles(&home, &one, one.of_client(None)), Vec::<String>::new());
    let away = Server::start([token("t"), Reply::With(403, "", "no more".into())]);
    let told = troubles(&home, &away, away.of_client(None));
    assert!(told[0].starts_with("Central: ") && told[0].contains("replied 403"), "{told:?}");
    assert_eq!(told.len(), 3, "and both streams: {told:?}");
    let kept = faults(&home);
    let places: Vec<_> = kept.iter().map(|(place, _)| place.clone().unwrap()).collect();
    assert_eq!(places, [(TENANT.to_owned(), Stream::Events), (TENANT.to_owned(), Stream::Alerts)]);
    assert!(kept.iter().all(|(_, reason)| reason.contains("replied 403")), "{kept:?}");
    // It was not handed over, so it comes again.
    let two = whole();
    assert_eq!(troubles(&home, &two, two.of_client(None)), Vec::<String>::new());
    assert_eq!(faults(&home), []);
}

#[test]
fn a_tenant_that_may_not_be_read_is_told_while_it_is_wanted() {
    let home = Home::new();
    let partner =
        || ok(r#"{"id": "22222222-2222-4333-8444-555555555555", "idType": "partner", "apiHosts": {"global": "SELF"}}"#);
    let refused = Server::start([token("t"), partner(), Reply::With(403, "", "no".into())]);
    let told = troubles(&home, &refused, refused.of_client(Some(OTHER)));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|told| told.starts_with("output main: ") && told.contains(OTHER)), "{told:?}");
    assert_eq!(faults(&home).len(), 2);
    // Nobody asks for it any more.
    let one = server([page("", false, "e"), page("", false, "a")]);
    assert_eq!(troubles(&home, &one, one.of_client(None)), Vec::<String>::new());
}
