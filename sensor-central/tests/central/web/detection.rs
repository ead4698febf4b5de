//! One detection, and what is done about it.

use reqwest::Method;
use sensor_proto::v1::{Alert, ProcessInfo};
use serde_json::json;

use super::{
    Browser,
    list::{cells, link, told},
};
use crate::program::Central;

fn process(pid: u32, name: &str, line: &str) -> ProcessInfo {
    let args = line.split(' ').map(str::to_owned).collect();
    ProcessInfo { pid: Some(pid), name: name.into(), args, uid: Some(0), user: "root".into(), ..ProcessInfo::default() }
}

/// A chain of processes of an incident.
pub(crate) fn shell(policy: &str, incident: &str, second: u64) -> Alert {
    Alert {
        incident_id: incident.into(),
        unix_nano_timestamp: Some((1_700_000_000 + second) * 1_000_000_000),
        process_info: Some(process(30, "/bin/sh", "sh -c id")),
        lineage: vec![process(20, "/usr/sbin/nginx", "nginx: worker"), process(1, "/sbin/init", "/sbin/init")],
        comments: "Look at the web server's log".into(),
        ..told(policy, "High", "web-1", "root", "a shell was run by a web server")
    }
}

/// The path of the first detection of a list.
pub(crate) async fn first(browser: &mut Browser, query: &str) -> String {
    let page = browser.get(&format!("/detections?{query}")).await.text;
    let cell = cells(&page, "policy").first().copied().expect("a detection");
    cell.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_detection_is_told_whole() {
    let central = Central::start();
    // The later one came in first.
    central.tell(&[shell("Second", "i-1", 9)]).await;
    central.tell(&[shell("First", "i-1", 1), shell("Second", "i-2", 5), shell("Other", "i-3", 7)]).await;
    let mut browser = central.browse().await;
    let path = first(&mut browser, "incident=i-1&policy=Second").await;
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200);
    let page = page.text;
    for told in [
        "a shell was run by a web server",
        "Look at the web server's log",
        r#"<a href="https://attack.mitre.org/techniques/T1059/004/" rel="noreferrer">Unix Shell (T1059.004)</a>"#,
        "Execution (TA0002): ",
        "sh -c id",
        "&quot;incident_id&quot;: &quot;i-1&quot;",
        "(this one)",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let at = |part: &str, text: &str| {
        let (_, rest) = page.split_once(part).unwrap();
        rest.find(text).unwrap_or_else(|| panic!("{text} behind {part}: {page}"))
    };
    assert!(at("class=\"tree\"", "/sbin/init") < at("class=\"tree\"", "/usr/sbin/nginx"));
    assert!(at("class=\"tree\"", "/usr/sbin/nginx") < at("class=\"tree\"", "/bin/sh"));
    // By when it happened, and nothing of other incidents.
    assert!(at("id=\"incident\"", ">First<") < at("id=\"incident\"", "(this one)"));
    assert!(at("id=\"incident\"", "(this one)") < at("id=\"incident\"", "id=\"similar\""));
    assert!(!page.contains(">Other<"));
    let similar = link(&page, "All of this policy").unwrap();
    assert_eq!(cells(&browser.get(&similar).await.text, "policy").len(), 2);
}

#[tokio::test]
async fn what_is_done_is_kept_with_who_did_it() {
    let central = Central::start();
    central.tell(&[shell("Shell", "i-1", 1)]).await;
    let password = central.add_user(&central.tenant, "anna", "analyst");
    central.add_user("00000000-0000-4000-8000-000000000001", "stranger", "analyst");
    let mut anna = central.browse_as("anna", &password).await;
    let path = first(&mut anna, "").await;
    let standing = async |browser: &mut Browser| {
        let page = browser.get(&path).await.text;
        let (_, rest) = page.split_once("<p class=\"standing\">").unwrap();
        rest.split("</p>").next().unwrap().to_owned()
    };
    assert!(standing(&mut anna).await.contains(">open<"));
    let api = central.log_in().await;
    let open = async || api.got("/common/v1/alerts").await["items"].as_array().unwrap().len();
    for (act, fields, now) in [
        ("acknowledge", vec![], ">acknowledged<"),
        ("assign", vec![("to", "anna")], "<strong>anna</strong>"),
        // Nobody else's users.
        ("assign", vec![("to", "stranger")], "<strong>anna</strong>"),
        ("comment", vec![("message", "is it <b>ours</b>?")], ">acknowledged<"),
        ("comment", vec![("message", " ")], ">acknowledged<"),
        ("close", vec![("message", "a test")], ">closed<"),
        ("close", vec![], ">closed<"),
        ("acknowledge", vec![], ">closed<"),
    ] {
        assert_eq!(open().await, usize::from(now != ">closed<" || act == "close" && !fields.is_empty()), "{act}");
        let done = anna.post(&format!("{path}/{act}"), &fields).await;
        assert_eq!((done.status, done.location()), (303, format!("{path}#done").as_str()), "{act}");
        let standing = standing(&mut anna).await;
        assert!(standing.contains(now), "{act}: {standing}");
    }
    assert_eq!(open().await, 0);
    assert_eq!(cells(&anna.get("/detections?state=closed").await.text, "host"), ["web-1"]);
    anna.post(&format!("{path}/reopen"), &[]).await;
    assert_eq!(open().await, 1);
    // The public API's way to close it.
    let id = path.trim_start_matches("/detections/");
    let (status, _) =
        api.send(Method::POST, &format!("/common/v1/alerts/{id}/actions"), &json!({ "action": "acknowledge" })).await;
    assert_eq!(status, 201);
    let page = anna.get(&path).await.text;
    let (_, history) = page.split_once("<ol class=\"history\">").unwrap();
    let history: Vec<&str> = history.split("</ol>").next().unwrap().split("<li>").skip(1).collect();
    let wanted = [
        "acknowledged it",
        "assigned it to anna",
        "is it &lt;b&gt;ours&lt;/b&gt;?",
        "a test",
        "opened it again",
        "client ",
    ];
    assert_eq!(history.len(), wanted.len(), "{history:?}");
    for (line, wanted) in history.iter().zip(wanted) {
        assert!(line.contains(wanted), "{wanted}: {line}");
    }
    assert!(history[..5].iter().all(|line| line.contains("<strong>anna</strong>")));
    let log = central.browse().await.get("/audit").await.text;
    for entry in ["seen", "assign", "comment", "close", "reopen"] {
        assert_eq!(log.matches(&format!("<td>{entry}</td>")).count(), 1, "{entry}: {log}");
    }
}

#[tokio::test]
async fn who_may_only_look_is_offered_nothing_else_and_refused() {
    let central = Central::start();
    central.tell(&[shell("Shell", "i-1", 1)]).await;
    let password = central.add_user(&central.tenant, "rita", "reader");
    let mut rita = central.browse_as("rita", &password).await;
    let path = first(&mut rita, "").await;
    let page = rita.get(&path).await.text;
    assert!(!page.contains("class=\"act\""), "{page}");
    for act in ["acknowledge", "close", "reopen", "assign", "comment"] {
        let refused = rita.post(&format!("{path}/{act}"), &[("message", "x")]).await;
        assert_eq!(refused.status, 403, "{act}");
        assert!(refused.text.contains("takes the role analyst"), "{}", refused.text);
    }
    let mut admin = central.browse().await;
    assert!(admin.get(&path).await.text.contains(">open<"));
    for unknown in [format!("{path}/explode"), "/detections/0/close".into(), format!("{path}x/close")] {
        assert_eq!(admin.post(&unknown, &[]).await.status, 404, "{unknown}");
    }
    assert_eq!(admin.post(&format!("{path}/comment"), &[("message", &"x".repeat(4001))]).await.status, 413);
}
