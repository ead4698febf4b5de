//! Two tenants that must not see each other, whatever they try.

use prost::Message as _;
use sensor_proto::{header, path, v1::AlertBatch};
use uuid::Uuid;

use super::{Browser, detection::shell};
use crate::program::{Central, reply};

/// A tenant with an alert, a token of a sensor, and users who may do least and most.
struct Tenant {
    id: String,
    /// What must not be seen elsewhere.
    word: String,
    users: Vec<(String, String)>,
}

async fn tenant(central: &Central, word: &str) -> Tenant {
    let id = Uuid::new_v4().to_string();
    let token = central.run_command(&["create-token", "--tenant", &id, "--label", &format!("token-{word}")]);
    let mut alert = shell(&format!("policy-{word}"), &format!("incident-{word}"), 1);
    alert.location.as_mut().unwrap().node_name = format!("host-{word}");
    let request = central.post(path::ALERTS, "k").header(header::TENANT_ID, &id);
    // Of the last one set, which is what counts for a header that is there twice.
    let mut request = request.build().unwrap();
    request.headers_mut().insert(header::TENANT_ID, id.parse().unwrap());
    request.headers_mut().insert("authorization", format!("Bearer {}", token.trim()).parse().unwrap());
    *request.body_mut() = Some(AlertBatch { alerts: vec![alert] }.encode_to_vec().into());
    reply(central.client.execute(request).await.unwrap()).await;
    let users = ["reader", "admin"].map(|role| {
        let name = format!("{role}-{word}");
        let password = central.add_user(&id, &name, role);
        (name, password)
    });
    Tenant { id, word: word.into(), users: users.into() }
}

/// Every id that the database has, and some that are near them.
fn ids(central: &Central) -> Vec<String> {
    let database = rusqlite::Connection::open(central.dir.path().join("central.db")).unwrap();
    let mut ids: Vec<String> = Vec::new();
    for column in [
        "uuid FROM alerts",
        "id FROM alerts",
        "sensor FROM alerts",
        "id FROM users",
        "id FROM tokens",
        "id FROM tenants",
        "id FROM views",
    ] {
        let mut statement =
            database.prepare(&format!("SELECT CAST({column}",).replace(" FROM", " AS TEXT) FROM")).unwrap();
        ids.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    let mut statement = database.prepare("SELECT public_id FROM alerts").unwrap();
    let public = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    ids.extend(public.map(|id| Uuid::from_slice(&id.unwrap()).unwrap().to_string()));
    ids.extend(["0", "-1", "..", "%2e%2e", "null", "00000000-0000-0000-0000-000000000000"].map(str::to_owned));
    ids
}

/// What a browser gets for a path, in whatever way it asks.
async fn all_of(browser: &mut Browser, path: &str) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    let page = browser.get(path).await;
    found.push((page.status, page.text));
    let page = browser.post(path, &[("to", "x"), ("message", "x"), ("label", "x")]).await;
    found.push((page.status, page.text));
    found
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_anothers() {
    let central = Central::start();
    let (one, other) = (tenant(&central, "alpha7").await, tenant(&central, "omega7").await);
    for tenant in [&one, &other] {
        let (name, password) = &tenant.users[0];
        let (view, query) = (format!("view-{}", tenant.word), format!("user={}", tenant.word));
        let mut browser = central.browse_as(name, password).await;
        assert_eq!(browser.post("/views", &[("name", &view), ("query", &query)]).await.status, 303);
    }
    let ids = ids(&central);
    assert!(ids.len() > 20, "{ids:?}");
    let mut own = 0;
    for (tenant, stranger) in [(&one, &other), (&other, &one)] {
        for (name, password) in &tenant.users {
            let mut browser = central.browse_as(name, password).await;
            let mut paths: Vec<String> =
                ["/", "/audit", "/sensors", "/tokens", "/detections"].map(str::to_owned).into();
            for name in ["host", "policy", "incident", "user", "q", "container", "tenant"] {
                for word in ["host-", "policy-", "incident-", ""] {
                    paths.push(format!("/detections?{name}={word}{}", stranger.word));
                }
                paths.push(format!("/detections?{name}={}&tenant={0}", stranger.id));
            }
            for id in &ids {
                paths.extend(["detections", "sensors", "tokens", "audit"].map(|place| format!("/{place}/{id}")));
                paths.extend(
                    ["acknowledge", "close", "assign", "comment", "revoke"]
                        .map(|act| format!("/detections/{id}/{act}")),
                );
                paths.push(format!("/tokens/{id}/revoke"));
                // Of the reader, whose view it may be, later tries would find nothing.
                if name.starts_with("admin") {
                    paths.push(format!("/views/{id}/remove"));
                }
                paths.push(format!("/detections?before={id}.{id}"));
            }
            for path in &paths {
                for (status, text) in all_of(&mut browser, path).await {
                    assert!(status < 500, "{name} {path}: {status}");
                    // What was asked for may stand in the form and in addresses again, and nowhere else.
                    let asked = path.rsplit('=').next().unwrap();
                    let text = text.replace(&format!("value=\"{asked}\""), "").replace(&format!("={asked}&amp;"), "");
                    let text = text.replace(&format!("={asked}\""), "");
                    for shown in ["view-", "host-", "policy-", "incident-", "token-", "reader-", "admin-"] {
                        let word = format!("{shown}{}", stranger.word);
                        assert!(!text.contains(&word), "{name} sees {word} at {path}");
                    }
                    own += usize::from(text.contains(&format!("host-{}", tenant.word)));
                }
            }
        }
    }
    assert!(own > 20, "what is one's own is seen: {own}");
    // What each did to what is its own is the only thing that was done.
    let database = rusqlite::Connection::open(central.dir.path().join("central.db")).unwrap();
    let strange: i64 = database
        .query_row(
            "SELECT count(*) FROM actions JOIN alerts ON alerts.id = actions.alert
             JOIN users ON users.name = actions.user WHERE users.tenant <> alerts.tenant",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let done: i64 = database.query_row("SELECT count(*) FROM actions", [], |row| row.get(0)).unwrap();
    assert!((strange, done > 0) == (0, true), "{strange} of {done}");
    let views: i64 = database.query_row("SELECT count(*) FROM views", [], |row| row.get(0)).unwrap();
    assert_eq!(views, 2, "nobody has removed another's");
}

#[tokio::test]
async fn without_a_session_there_is_nothing() {
    let central = Central::start();
    let tenant = tenant(&central, "alpha7").await;
    let mut browser = central.browser();
    browser.get("/login").await;
    for id in ids(&central) {
        for path in ["/", "/detections", "/audit", "/sensors", "/detections/live?after=0.0"]
            .map(str::to_owned)
            .into_iter()
            .chain([
                format!("/detections/{id}"),
                format!("/detections/{id}/close"),
                format!("/tokens/{id}/revoke"),
                format!("/sensors/{id}"),
            ])
        {
            for (status, text) in all_of(&mut browser, &path).await {
                assert!([303, 403, 404, 405].contains(&status), "{path}: {status}");
                assert!(!text.contains(&tenant.word), "{path}: {text}");
            }
        }
    }
}
