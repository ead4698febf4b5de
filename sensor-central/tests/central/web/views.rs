//! Filters that people keep under names.

use crate::program::Central;

fn id(page: &str) -> String {
    page.split("action=\"/views/").nth(1).unwrap().split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_view_is_its_owners_alone_and_goes_with_them() {
    let central = Central::start();
    let passwords = ["anna", "berta"].map(|name| central.add_user(&central.tenant, name, "reader"));
    let mut anna = central.browse_as("anna", &passwords[0]).await;
    let mut berta = central.browse_as("berta", &passwords[1]).await;
    let page = anna.get("/detections").await.text;
    assert!(!page.contains("Keep this filter"), "of everything there is no view");
    let page = anna.get("/detections?host=web-1&priority=High").await.text;
    assert!(page.contains("Keep this filter as"), "{page}");
    let kept = anna.post("/views", &[("name", "web <1>"), ("query", "host=web-1&priority=High&x=<script>")]).await;
    assert_eq!((kept.status, kept.location()), (303, "/detections?host=web-1&priority=High"));
    let page = anna.get("/detections?host=web-1&priority=High").await.text;
    assert!(page.contains("web &lt;1&gt;") && page.contains("aria-current=\"page\">web &lt;1&gt;"), "{page}");
    assert!(anna.get("/detections").await.text.contains("/detections?host=web-1&amp;priority=High"));
    // The same name once more is the new filter.
    anna.post("/views", &[("name", "web <1>"), ("query", "host=web-2")]).await;
    let page = anna.get("/detections?host=web-2").await.text;
    assert_eq!(page.matches(">web &lt;1&gt;</a>").count(), 1);
    let of_anna = id(&page);
    // Nobody else has it, sees it or can remove it.
    let page = berta.get("/detections?host=web-2").await.text;
    assert!(!page.contains("web &lt;1&gt;"), "{page}");
    assert_eq!(berta.post(&format!("/views/{of_anna}/remove"), &[]).await.status, 404);
    berta.post("/views", &[("name", "web <1>"), ("query", "host=db")]).await;
    assert!(!anna.get("/detections").await.text.contains("host=db"));
    // Not without what a form has to show, and not without a session.
    assert_eq!(anna.post_plain("/views", &[("name", "x"), ("query", "host=a")]).await.status, 403);
    assert_eq!(anna.post_plain(&format!("/views/{of_anna}/remove"), &[]).await.status, 403);
    let mut nobody = central.browser();
    nobody.get("/login").await;
    assert_eq!(nobody.post("/views", &[("name", "x"), ("query", "host=a")]).await.location(), "/login");
    for (name, query, why) in [
        ("", "host=a", "1 to 50 characters"),
        (&*"x".repeat(51), "host=a", "1 to 50 characters"),
        ("x", "priority=huge", "must be one of"),
    ] {
        let page = anna.post("/views", &[("name", name), ("query", query)]).await;
        assert!(page.status == 400 && page.text.contains(why), "{why}: {}", page.text);
    }
    let page = anna.post(&format!("/views/{of_anna}/remove"), &[]).await;
    assert_eq!((page.status, page.location()), (303, "/detections"));
    assert_eq!(anna.post(&format!("/views/{of_anna}/remove"), &[]).await.status, 404, "once");
    for number in 0..50 {
        assert_eq!(anna.post("/views", &[("name", &number.to_string()), ("query", "host=a")]).await.status, 303);
    }
    let page = anna.post("/views", &[("name", "one more"), ("query", "host=a")]).await;
    assert!(page.status == 400 && page.text.contains("remove one first"), "{}", page.text);
    central.run_command(&["user", "remove", "--name", "anna"]);
    let database = rusqlite::Connection::open(central.dir.path().join("central.db")).unwrap();
    let left: i64 = database.query_row("SELECT count(*) FROM views", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "Berta's");
}
