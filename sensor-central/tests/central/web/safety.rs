//! What others may try.

use crate::program::Central;

#[tokio::test]
async fn every_answer_tells_browsers_to_run_and_frame_nothing_else() {
    let central = Central::start();
    let mut browser = central.browse().await;
    for path in [
        "/detections",
        "/sensors",
        "/tokens",
        "/audit",
        "/login",
        "/no/such/page",
        "/assets/style.css",
        "/assets/../main.rs",
        "/logout",
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        let kept = if path.ends_with(".css") { "max-age=300" } else { "no-store" };
        assert_eq!(page.header("cache-control"), kept, "{path}");
        // What the policy would not let run or show.
        for forbidden in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.text.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[tokio::test]
async fn forms_of_others_are_refused() {
    let central = Central::start();
    let mut browser = central.browse().await;
    let csrf = browser.csrf.clone();
    let other = central.browse().await.csrf;
    for fields in [vec![], vec![("csrf", "")], vec![("csrf", other.as_str())], vec![("csrf", &csrf[1..])]] {
        let page = browser.post_plain("/logout", &fields).await;
        assert_eq!(page.status, 403, "{fields:?}");
    }
    for site in ["cross-site", "same-site", "none"] {
        let request = browser.request(reqwest::Method::POST, "/logout").header("sec-fetch-site", site);
        let response = request.body(format!("csrf={csrf}")).send().await.unwrap();
        assert_eq!(response.status(), 403, "{site}");
    }
    // A log-in that a page elsewhere sends for somebody is one of these.
    let (name, password) = central.user();
    let mut fresh = central.browser();
    let page = fresh.post_plain("/login", &[("name", &name), ("password", &password), ("csrf", "")]).await;
    assert_eq!((page.status, page.header("set-cookie")), (403, ""));
    let request = browser.request(reqwest::Method::POST, "/logout").body(vec![b'a'; 65 << 10]);
    assert_eq!(request.send().await.unwrap().status(), 413);
    assert_eq!(browser.get("/audit").await.status, 200, "nobody was logged out");
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
}

#[tokio::test]
async fn a_token_that_was_there_before_the_log_in_is_worth_nothing_after_it() {
    let central = Central::start();
    let planted = "a".repeat(64);
    let mut browser = central.browser();
    browser.token.clone_from(&planted);
    browser.get("/login").await;
    assert_eq!(browser.token, planted);
    let (name, password) = central.user();
    assert_eq!(browser.log_in(&name, &password).await.status, 303);
    assert_ne!(browser.token, planted);
    let first = browser.token.clone();
    // Nor is that of the session before, once one logs in again.
    browser.get("/login").await;
    assert_eq!(browser.log_in(&name, &password).await.status, 303);
    assert_eq!(browser.get("/audit").await.status, 200);
    for token in [planted, first] {
        browser.token = token;
        assert_eq!(browser.get("/audit").await.status, 303);
    }
}

#[tokio::test]
async fn a_link_from_elsewhere_leads_to_the_page_and_no_form_leads_elsewhere() {
    let central = Central::start();
    let request = central.browser().request(reqwest::Method::GET, "/audit");
    let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains(r#"<meta http-equiv="refresh" content="0">"#), "{page}");
    let (name, password) = central.user();
    for next in ["//example.org/", "https://example.org/", "/\\example.org", "javascript:alert(1)"] {
        let mut browser = central.browser();
        browser.get("/login").await;
        let page = browser.post("/login", &[("name", &name), ("password", &password), ("next", next)]).await;
        assert_eq!((page.status, page.location()), (303, "/"), "{next}");
    }
}

#[tokio::test]
async fn a_role_does_what_it_may_and_no_more() {
    let central = Central::start();
    for (role, status) in [("reader", 403), ("analyst", 403), ("admin", 200)] {
        let name = format!("some.{role}");
        let password = central.add_user(&central.tenant, &name, role);
        let mut browser = central.browse_as(&name, &password).await;
        assert_eq!(browser.get("/audit").await.status, status, "{role}");
        assert_eq!(browser.get("/tokens").await.status, status, "{role}");
        let made = browser.post("/tokens", &[("label", "x")]).await;
        assert_eq!((made.status, made.text.contains("SLS-")), (status, role == "admin"), "{role}");
        let revoked = browser.post("/tokens/x/revoke", &[]).await.status;
        assert_eq!(revoked, if role == "admin" { 404 } else { 403 }, "{role}");
        assert_eq!(browser.get("/sensors").await.status, 200, "{role}");
    }
}
