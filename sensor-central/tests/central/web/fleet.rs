//! Sensors, and the tokens that let them in.

use rusqlite::{Connection, params};

use super::list::{cells, link};
use crate::{
    api::endpoints::hello,
    program::{Central, alert, reply},
};

const HOUR: i64 = 3600 * 1_000_000_000;

#[tokio::test]
async fn sensors_that_need_somebody_come_first() {
    let central = Central::start();
    for (sensor, host) in
        [("s-good", "a-good"), ("s-late", "b-late"), ("s-losing", "c-losing"), ("s-silent", "d-silent")]
    {
        hello(&central, sensor, host, "192.0.2.1").await;
    }
    let database = Connection::open(central.dir.path().join("central.db")).unwrap();
    let passes = |sensor: &str, time: i64| {
        let sql = "UPDATE sensors SET last_seen = last_seen - ? WHERE sensor = ?";
        database.execute(sql, params![time, sensor]).unwrap();
    };
    passes("s-late", 3 * HOUR);
    passes("s-silent", 30 * HOUR);
    database.execute("UPDATE sensors SET skew = 90000000000 WHERE sensor = 's-good'", []).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    // Of before a day, and of now; what is no number counts nothing.
    for (raised, json) in
        [(now - 25 * 3_600_000, r#"{"count":1000}"#), (now, r#"{"count":40}"#), (now, r#"{"count":2}"#), (now, "{}")]
    {
        let sql = "INSERT INTO rows (tenant, sensor, received, table_name, time, json, event, raised)
                   VALUES (?, 's-losing', 1, 'lost_records', 1, ?, 'Event::Endpoint::Sensor::RecordsLost', ?)";
        database.execute(sql, params![central.tenant, json, raised]).unwrap();
    }
    let mut browser = central.browse().await;
    let page = browser.get("/sensors").await.text;
    let hosts: Vec<&str> = cells(&page, "host")
        .into_iter()
        .map(|cell| cell.trim_end_matches("</a>").rsplit('>').next().unwrap())
        .collect();
    assert_eq!(hosts, ["d-silent", "c-losing", "b-late", "a-good"]);
    assert_eq!(cells(&page, "lost"), ["", "42", "", ""]);
    assert_eq!(cells(&page, "kernel"), ["6.12.0-amd64"; 4]);
    assert_eq!(cells(&page, "version"), ["0.1.0"; 4]);
    assert_eq!(cells(&page, "system"), ["Debian GNU/Linux 12"; 4]);
    for told in ["1 silent", "1 losing records", "1 late", "1 well", "(30 hours ago)", "its clock is 1 minute behind"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = browser.get("/sensors?host=LATE").await.text;
    assert_eq!(cells(&page, "host").len(), 1);
    assert!(page.contains("1 silent"), "the whole fleet is summed up");
}

#[tokio::test]
async fn a_large_fleet_has_pages() {
    let central = Central::start();
    let database = Connection::open(central.dir.path().join("central.db")).unwrap();
    for number in 0..250 {
        let sql = "INSERT INTO sensors (tenant, sensor, hostname, first_seen, last_seen) VALUES (?, ?, ?, 1, ?)";
        database.execute(sql, params![central.tenant, number.to_string(), format!("h{number}"), number]).unwrap();
    }
    let mut browser = central.browse().await;
    let (mut path, mut found) = ("/sensors?host=h".to_owned(), 0);
    loop {
        let page = browser.get(&path).await.text;
        found += cells(&page, "host").len();
        match link(&page, "Further sensors") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(found, 250);
}

#[tokio::test]
async fn a_token_is_made_with_the_block_to_paste_and_revoked() {
    let central = Central::start();
    let mut browser = central.browse().await;
    let page = browser.post("/tokens", &[("label", "web <servers>"), ("days", "30")]).await;
    assert_eq!(page.status, 200);
    let (_, block) = page.text.split_once("<pre class=\"block\" tabindex=\"0\">").unwrap();
    let block = block.split("</pre>").next().unwrap().replace("&quot;", "\"");
    // It is what the sensor takes: the port is that of sensors, not that of this page.
    let line = |name: &str| {
        let line =
            block.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {block}"));
        line.trim_matches(['"', ' ']).to_owned()
    };
    assert_eq!((line("customer_id:"), line("url:")), (central.tenant.clone(), central.url.clone()));
    let token = line("token:");
    let send = async || {
        let mut request = central.post("/sensor/v1/hello", "k").build().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        central.client.execute(request).await.unwrap().status()
    };
    assert_eq!(send().await, 200);
    let page = browser.get("/tokens").await.text;
    assert!(page.contains("web &lt;servers&gt;") && !page.contains(&token), "{page}");
    let (_, form) = page.split_once("web &lt;servers&gt;").unwrap();
    let revoke = form.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(browser.post(&revoke, &[]).await.location(), "/tokens");
    assert_eq!(send().await, 401);
    assert_eq!(browser.post(&revoke, &[]).await.status, 404, "once");
    let log = browser.get("/audit").await.text;
    for entry in ["token made", "token revoked"] {
        assert!(log.contains(entry) && !log.contains(&token), "{entry}: {log}");
    }
    for (label, days) in [("", ""), (&*"x".repeat(51), ""), ("x", "0"), ("x", "many"), ("x", "99999999999")] {
        let page = browser.post("/tokens", &[("label", label), ("days", days)]).await;
        assert!(page.status == 400 && page.text.contains("no token was made"), "{label} {days}");
    }
    // The one of `dev` goes on.
    reply(central.send("k2", &[alert()]).await).await;
}
