//! Logging in, and what is refused.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{answer, members};
use crate::program::Central;

#[tokio::test]
async fn a_secret_gets_a_token_in_the_published_members_and_no_others() {
    let central = Central::start();
    let (id, secret) = central.credentials();
    assert!(Uuid::parse_str(&id).is_ok() && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let form =
        [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("scope", "token")];
    let (status, reply) = central.ask_for_token(&form).await;
    assert_eq!(status, 200);
    let published = ["access_token", "errorCode", "expires_in", "message", "refresh_token", "token_type", "trackingId"];
    assert_eq!(members(&reply), published);
    assert_eq!((&reply["expires_in"], &reply["token_type"]), (&json!(3600), &json!("bearer")));
    assert_eq!((&reply["message"], &reply["errorCode"]), (&json!("OK"), &json!("success")));

    let client = central.log_in().await;
    let who = client.got("/whoami/v1").await;
    assert_eq!(
        who,
        json!({
            "id": central.tenant, "idType": "tenant",
            "apiHosts": { "global": central.url, "dataRegion": central.url },
        })
    );
    assert_eq!(client.got("/whoami/v1/").await, who);
}

#[tokio::test]
async fn who_does_not_know_the_secret_is_refused_in_words_for_programs() {
    let central = Central::start();
    let (id, secret) = central.credentials();
    let other = Uuid::new_v4().to_string();
    for (grant, id, secret, status, code) in [
        ("client_credentials", &*id, "x", 401, "oauth.invalid_client_secret"),
        ("client_credentials", &*other, &*secret, 401, "oauth.invalid_client_secret"),
        ("client_credentials", "x", &*secret, 401, "oauth.invalid_client_secret"),
        ("password", &*id, &*secret, 400, "oauth.unsupported_grant_type"),
        ("refresh_token", &*id, &*secret, 401, "oauth.invalid_refresh_token"),
    ] {
        let form = [("grant_type", grant), ("client_id", id), ("client_secret", secret)];
        let (found, reply) = central.ask_for_token(&form).await;
        assert_eq!((found, &reply["errorCode"]), (status, &json!(code)), "{grant}");
        assert_eq!(members(&reply), ["errorCode", "message", "trackingId"]);
    }
    let get = |path: &str| central.client.get(format!("{}{path}", central.url));
    for request in [get("/whoami/v1"), get("/siem/v1/alerts").bearer_auth("x")] {
        let (status, reply) = answer(request).await;
        assert_eq!((status, &reply["error"]), (401, &json!("unauthorized")));
        assert_eq!(members(&reply), ["correlationId", "createdAt", "error", "message", "requestId"]);
    }
    let (status, reply) = answer(get("/live-discover/v1/queries")).await;
    assert_eq!((status, &reply["error"]), (404, &json!("notFound")));
    let (status, reply) = answer(central.client.delete(format!("{}/whoami/v1", central.url))).await;
    assert_eq!((status, &reply["error"]), (405, &json!("methodNotAllowed")));
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_restart_ends_nothing() {
    let central = Central::start();
    let (id, secret) = central.credentials();
    let form = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    let (_, first) = central.ask_for_token(&form).await;
    let central = Central::start_in(central.kill(), &[]);
    let refresh = || async {
        let body = json!({ "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
        answer(central.client.post(format!("{}/api/v2/oauth2/token", central.url)).body(body.to_string())).await
    };
    let (status, second) = refresh().await;
    assert_eq!(status, 200, "{second}");
    assert_eq!(refresh().await.0, 401);
    for token in [&first["access_token"], &second["access_token"]] {
        let request = central.client.get(format!("{}/whoami/v1", central.url)).bearer_auth(token.as_str().unwrap());
        assert_eq!(answer(request).await.0, 200);
    }
    // A refresh token lets nobody in.
    let request = central.client.get(format!("{}/whoami/v1", central.url));
    assert_eq!(answer(request.bearer_auth(second["refresh_token"].as_str().unwrap())).await.0, 401);
    let file = std::fs::read(central.dir.path().join("central.db")).unwrap();
    for secret in [&*secret, first["access_token"].as_str().unwrap()] {
        assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "the database has it in clear");
    }
}

#[tokio::test]
async fn a_client_is_made_listed_and_taken_back_while_the_service_runs() {
    let central = Central::start();
    let (id, secret) = central.create_client(&["--tenant", &central.tenant, "--role", "read-only", "--days", "1"]);
    let client = central.log_in_as(&id, &secret).await;
    let list = central.run_command(&["clients"]);
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(line.contains("read-only") && line.contains(&central.tenant) && !list.contains(&secret), "{list}");
    central.run_command(&["revoke-client", "--id", &id]);
    assert_eq!(client.get("/whoami/v1").await.0, 401);
    let form = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    assert_eq!(central.ask_for_token(&form).await.0, 401);
    let (id, secret) = central.create_client(&["--tenant", &central.tenant, "--days", "0"]);
    let form = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    assert_eq!(central.ask_for_token(&form).await.0, 401, "it has expired");
}

#[tokio::test]
async fn a_token_is_for_its_tenant() {
    let central = Central::start();
    let client = central.log_in().await;
    for (tenant, status) in [(&*central.tenant, 200), (&*Uuid::new_v4().to_string(), 403), ("x", 400)] {
        let request = client.request(Method::GET, "/siem/v1/alerts").header("X-Tenant-ID", tenant);
        assert_eq!(answer(request).await.0, status, "{tenant}");
    }
}

#[tokio::test]
async fn clients_of_the_old_kind_show_a_key() {
    let central = Central::start();
    let (id, secret) = central.credentials();
    let get = |key: &str, pair: String| {
        let request = central.client.get(format!("{}/gateway/siem/v1/events", central.url)).header("x-api-key", key);
        request.header("Authorization", format!("Basic {}", STANDARD.encode(pair)))
    };
    assert_eq!(answer(get(&id, format!("{id}:{secret}"))).await.0, 200);
    for (key, pair) in [(&*id, format!("{id}:x")), ("x", format!("{id}:{secret}")), (&*id, "x".into())] {
        assert_eq!(answer(get(key, pair)).await.0, 401);
    }
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_how_long_to_wait() {
    let dir = Central::start().kill();
    let central = Central::serve(dir, "api: {requests_per_second: null, requests_per_hour: 4}");
    let client = central.log_in().await;
    for _ in 0..3 {
        client.got("/whoami/v1").await;
    }
    let refused = client.request(Method::GET, "/whoami/v1").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().expect("whole seconds");
    assert!((1..=3600).contains(&wait));
    let (status, reply) = client.get("/siem/v1/alerts").await;
    assert_eq!((status, &reply["error"]), (429, &json!("tooManyRequests")));
    let (id, secret) = central.create_client(&["--tenant", &central.tenant]);
    central.log_in_as(&id, &secret).await.got("/whoami/v1").await;
}
