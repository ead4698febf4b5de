//! Who is let in, and how long.

use std::sync::Arc;

use rusqlite::Connection;

use crate::program::Central;

#[tokio::test]
async fn who_logs_in_sees_pages_until_they_log_out() {
    let central = Central::start();
    let mut browser = central.browser();
    let sent_away = browser.get("/audit?below=7").await;
    assert_eq!((sent_away.status, sent_away.location()), (303, "/login?next=%2Faudit%3Fbelow%3D7"));
    let page = browser.get("/login?next=%2Faudit%3Fbelow%3D7").await;
    assert!(page.text.contains(r#"name="next" value="/audit?below=7""#), "{}", page.text);
    let (name, password) = central.user();
    let fields = [("name", name.as_str()), ("password", &password), ("next", "/audit?below=7")];
    let page = browser.post("/login", &fields).await;
    assert_eq!((page.status, page.location()), (303, "/audit?below=7"));
    let cookie = page.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    let page = browser.get("/audit").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("logged in") && page.text.contains("(admin)"), "{}", page.text);
    let token = browser.token.clone();
    let page = browser.post("/logout", &[]).await;
    assert_eq!((page.status, page.location(), browser.token.as_str()), (303, "/login", ""));
    browser.token = token;
    assert_eq!(browser.get("/audit").await.status, 303, "the session is over here, too");
}

#[tokio::test]
async fn guesses_are_refused_alike_and_run_out() {
    let central = Central::start();
    let mut browser = central.browser();
    browser.get("/login").await;
    let (name, password) = central.user();
    let wrong = browser.log_in(&name, "not the password").await;
    let unknown = browser.log_in("nobody", "not the password").await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.text, unknown.text);
    assert!(wrong.text.contains("Name or password is wrong."));
    for _ in 0..9 {
        assert_eq!(browser.log_in(&name, &"x".repeat(200)).await.status, 401);
    }
    let refused = browser.log_in(&name, &password).await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(central.metric("central_logins_total{outcome=\"failed\"}").await, Some(11.0));
    assert_eq!(central.metric("central_logins_total{outcome=\"limited\"}").await, Some(1.0));
    // Others go on, and see who it was.
    let password = central.add_user(&central.tenant, "berta", "admin");
    let mut berta = central.browse_as("berta", &password).await;
    let log = berta.get("/audit").await.text;
    assert_eq!(log.matches("log-in failed").count(), 10, "{log}");
    assert!(log.contains("from 127.0.0.1"));
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let central =
        Central::serve(Central::start().kill(), "web: {listen: '127.0.0.1:0', idle_minutes: 5, session_hours: 1}");
    let database = Connection::open(central.dir.path().join("central.db")).unwrap();
    let minute = 60 * 1_000_000_000_i64;
    for (column, lasts, is_over) in [("used", 4 * minute, 6 * minute), ("began", 59 * minute, 61 * minute)] {
        let mut browser = central.browse().await;
        let passes = |time: i64| database.execute(&format!("UPDATE web_sessions SET {column} = {column} - ?"), [time]);
        assert_eq!(passes(lasts).unwrap(), 1);
        assert_eq!(browser.get("/audit").await.status, 200, "{column}");
        passes(is_over).unwrap();
        assert_eq!(browser.get("/audit").await.status, 303, "{column}");
        let expired = browser.post("/logout", &[]).await;
        assert_eq!((expired.status, expired.location()), (303, "/login"), "{column}");
        // The next log-in clears it away.
    }
}

#[tokio::test]
async fn the_database_lets_nobody_in() {
    let central = Central::start();
    let browser = central.browse().await;
    let (_, password) = central.user();
    let mut files = 0;
    for name in ["central.db", "central.db-wal"] {
        let bytes = std::fs::read(central.dir.path().join(name)).unwrap();
        for secret in [&browser.token, &password, &browser.csrf] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{name}");
        }
        files += usize::from(bytes.windows(9).any(|part| part == b"$argon2id"));
    }
    assert!(files > 0);
}

#[tokio::test]
async fn sessions_outlive_a_restart_and_end_with_a_new_password() {
    let central = Central::start();
    let password = central.add_user(&central.tenant, "anna", "admin");
    let browser = central.browse_as("anna", &password).await;
    let (token, dir) = (browser.token.clone(), central.kill());
    let central = Central::start_in(Arc::clone(&dir), &[]);
    let mut browser = central.browser();
    browser.token = token;
    assert_eq!(browser.get("/audit").await.status, 200);
    let said = central.run_command(&["user", "password", "--name", "Anna"]);
    assert_eq!(browser.get("/audit").await.status, 303);
    let mut browser = central.browser();
    browser.get("/login").await;
    assert_eq!(browser.log_in("anna", &password).await.status, 401);
    let password = said.strip_prefix("password: ").unwrap().trim();
    let mut browser = central.browse_as("anna", password).await;
    central.run_command(&["user", "remove", "--name", "anna"]);
    assert_eq!(browser.get("/audit").await.status, 303);
}
