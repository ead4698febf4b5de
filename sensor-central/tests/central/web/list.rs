//! The list of detections: what is asked for, page by page, and live.

use std::time::Duration;

use sensor_proto::v1::{Alert, Location, Notification, ProcessInfo};
use uuid::Uuid;

use crate::program::{Central, alert, reply};

/// An alert with what lists show.
pub(crate) fn told(policy: &str, priority: &str, host: &str, user: &str, text: &str) -> Alert {
    Alert {
        strategy_name: policy.into(),
        priority: priority.into(),
        categories: vec!["MITRE.Execution.Unix Shell (T1059.004)".into()],
        location: Some(Location { node_name: host.into(), ..Location::default() }),
        process_info: Some(ProcessInfo { user: user.into(), uid: Some(1000), ..ProcessInfo::default() }),
        notifications: vec![Notification { message: text.into(), ..Notification::default() }],
        ..alert()
    }
}

impl Central {
    pub(crate) async fn tell(&self, alerts: &[Alert]) {
        reply(self.send(&Uuid::new_v4().to_string(), alerts).await).await;
    }
}

/// What stands in the cells of this class.
pub(crate) fn cells<'a>(page: &'a str, class: &str) -> Vec<&'a str> {
    let begin = format!("<td class=\"{class}\" role=\"cell\">");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split("</td>").next().unwrap()).collect()
}

/// The address that a link of this text leads to.
pub(crate) fn link(page: &str, text: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!(">{text}</a>"))?;
    let (_, tag) = before.rsplit_once("href=\"")?;
    Some(tag.split('"').next().unwrap().replace("&amp;", "&"))
}

#[tokio::test]
async fn a_list_shows_what_is_asked_for() {
    let central = Central::start();
    central
        .tell(&[
            told("Shell", "High", "web-1", "root", "a shell was run"),
            told("Module", "Medium", "web-1", "anna", "a module was loaded"),
            told("Shell", "Info", "db-1", "", "another shell was run"),
        ])
        .await;
    let mut browser = central.browse().await;
    let page = browser.get("/detections").await;
    assert_eq!(page.status, 200);
    assert_eq!(cells(&page.text, "what"), ["another shell was run", "a module was loaded", "a shell was run"]);
    assert_eq!(cells(&page.text, "host"), ["db-1", "web-1", "web-1"]);
    assert_eq!(cells(&page.text, "user"), ["1000", "anna", "root"]);
    assert_eq!(cells(&page.text, "tactic"), ["Execution"; 3]);
    for (query, hosts) in [
        ("host=web-1", vec!["web-1", "web-1"]),
        ("host=web-1&user=anna", vec!["web-1"]),
        ("user=1000", vec!["db-1"]),
        ("policy=Shell", vec!["db-1", "web-1"]),
        ("priority=High", vec!["web-1"]),
        ("tactic=Execution", vec!["db-1", "web-1", "web-1"]),
        ("tactic=Impact", vec![]),
        ("q=SHELL+another", vec!["db-1"]),
        ("since=1h&state=open", vec!["db-1", "web-1", "web-1"]),
        ("to=PT1H", vec![]),
        ("state=closed", vec![]),
    ] {
        let page = browser.get(&format!("/detections?{query}")).await;
        assert_eq!((page.status, cells(&page.text, "host")), (200, hosts), "{query}");
    }
    let page = browser.get("/detections?priority=urgent&host=web-1").await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("must be one of High, Medium, Low, Info"), "{}", page.text);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let central = Central::start();
    let many: Vec<_> = (0..120).map(|number| told("P", "Low", &format!("host-{number}"), "u", "t")).collect();
    central.tell(&many).await;
    let mut browser = central.browse().await;
    let (mut path, mut hosts) = ("/detections?user=u&priority=Low".to_owned(), Vec::new());
    loop {
        let page = browser.get(&path).await;
        hosts.extend(cells(&page.text, "host").into_iter().map(str::to_owned));
        // What comes in meanwhile moves nothing.
        central.tell(&[told("P", "Low", "later", "u", "t")]).await;
        match link(&page.text, "Older detections") {
            Some(next) => path = next,
            None => break,
        }
    }
    let wanted: Vec<_> = (0..120).rev().map(|number| format!("host-{number}")).collect();
    assert_eq!(hosts, wanted);
}

#[tokio::test]
async fn the_plot_counts_what_the_list_shows() {
    let central = Central::start();
    central.tell(&[told("A", "High", "h", "u", "t"), told("B", "Low", "h", "u", "t")]).await;
    let mut browser = central.browse().await;
    for (query, counted) in
        [("", "2 detections from"), ("priority=Low", "1 detections from"), ("host=h", "2 detections from")]
    {
        let page = browser.get(&format!("/detections?{query}")).await.text;
        assert!(page.contains("<svg") && page.contains(counted), "{query}: {page}");
    }
    let page = browser.get("/detections?q=t").await.text;
    assert!(!page.contains("<svg"), "what would have to be looked at row by row is not plotted");
}

/// Reads events until one has this text; everything that came.
async fn events(response: &mut reqwest::Response, until: &str) -> String {
    let mut all = String::new();
    let reading = async {
        while !all.contains(until) {
            let chunk = response.chunk().await.unwrap().expect("more events");
            all.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap_or_else(|_| panic!("{until}: {all}"));
    all
}

#[tokio::test]
async fn what_comes_in_is_told_at_once_if_it_is_asked_for() {
    let central = Central::start();
    central.tell(&[told("Old", "High", "web-1", "u", "before")]).await;
    let mut browser = central.browse().await;
    let page = browser.get("/detections?host=web-1").await.text;
    let (_, live) = page.split_once("data-live=\"").unwrap();
    let live = live.split('"').next().unwrap().replace("&amp;", "&");
    let mut stream = browser.request(reqwest::Method::GET, &live).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    central.tell(&[told("New", "High", "db-1", "u", "elsewhere")]).await;
    central.tell(&[told("New", "High", "web-1", "u", "first <b>"), told("New", "Low", "web-1", "u", "second")]).await;
    let text = events(&mut stream, "first").await;
    assert!(text.contains("event: rows") && text.contains("first &lt;b&gt;"), "{text}");
    assert!(!text.contains("elsewhere") && !text.contains("before"), "{text}");
    assert!(text.find("second") < text.find("first"), "{text}");
    // A browser that comes again goes on from there.
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(stream);
    central.tell(&[told("New", "High", "web-1", "u", "third")]).await;
    let again = browser.request(reqwest::Method::GET, &live).header("last-event-id", id);
    let mut stream = again.send().await.unwrap();
    let text = events(&mut stream, "third").await;
    assert!(!text.contains("second"), "{text}");
    // Who logs out is told nothing more.
    browser.post("/logout", &[]).await;
    central.tell(&[told("New", "High", "web-1", "u", "fourth")]).await;
    let text = events(&mut stream, "event: end").await;
    assert!(!text.contains("fourth"), "{text}");
    while let Some(rest) = stream.chunk().await.unwrap() {
        assert!(!String::from_utf8_lossy(&rest).contains("event: rows"));
    }
}

#[tokio::test]
async fn an_open_page_does_not_hold_up_a_stop() {
    let mut central = Central::start();
    let browser = central.browse().await;
    let mut stream = browser.request(reqwest::Method::GET, "/detections/live?after=0.0").send().await.unwrap();
    central.signal(nix::sys::signal::Signal::SIGTERM);
    while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
    assert!(central.wait().success());
}

#[tokio::test]
async fn what_is_told_is_shown_as_text_and_searched_as_text() {
    let central = Central::start();
    let text = r#"<script>alert(1)</script> "quoted" 'too' & <img src=x onerror=alert(2)>"#;
    central.tell(&[told(text, "High", text, text, text), told("it's", "Low", "h' OR '1'='1", "a\\\"b", "100%_")]).await;
    let mut browser = central.browse().await;
    let page = browser.get("/detections").await.text;
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    let escaped =
        "&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; 'too' &amp; &lt;img src=x onerror=alert(2)&gt;";
    for class in ["policy", "host", "user", "what"] {
        assert!(cells(&page, class)[1].contains(escaped), "{class}");
    }
    let one = cells(&page, "policy")[1].split('"').nth(1).unwrap().to_owned();
    let one = browser.get(&one).await;
    assert!(one.status == 200 && one.text.matches("&lt;script&gt;").count() > 5, "{}", one.text);
    assert!(!one.text.contains("<script") && !one.text.contains("<img"), "{}", one.text);
    for (name, value, count) in [
        ("host", "h' OR '1'='1", 1),
        ("host", "' OR '1'='1' --", 0),
        ("policy", "it's", 1),
        ("policy", "'; DROP TABLE alerts; --", 0),
        ("user", "a\\\"b", 1),
        ("q", "100%_", 1),
        ("q", "%", 1),
        ("q", "\"quoted\"", 1),
        ("tactic", "Execution' OR 1=1", 0),
        ("incident", "x' UNION SELECT password FROM users --", 0),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let page = browser.get(&format!("/detections?{query}")).await;
        assert_eq!((page.status, cells(&page.text, "what").len()), (200, count), "{name}={value}");
        assert!(!page.text.contains("argon2"), "{name}={value}");
        // What was asked for stands in the form again.
        let again = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(page.text.contains(&format!("value=\"{again}\"")) || name == "tactic", "{name}={value}");
    }
    assert_eq!(cells(&browser.get("/detections").await.text, "what").len(), 2, "all is still there");
}
