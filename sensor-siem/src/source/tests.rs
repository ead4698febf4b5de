//! Against a server that replies as a test says.

use std::sync::Arc;

use super::{
    body::tests::packed,
    test_server::{Reply, Server, TENANT, ok, page, run, token},
    *,
};
use crate::item::Stream;

mod http2;

const PARTNER: &str = "22222222-2222-4333-8444-555555555555";

fn events(server: &Server, session: &Session, begin: &Begin) -> Result<Page, Fault> {
    let tenant = server.tenant();
    run(session.page(Pages { tenant: &tenant, stream: Stream::Events, light: false }, begin))
}

fn whoami(kind: &str, hosts: &str) -> Reply {
    ok(format!(
        r#"{{"id": "{}", "idType": "{kind}", "apiHosts": {{{hosts}}}}}"#,
        if kind == "tenant" { TENANT } else { PARTNER }
    ))
}

#[test]
fn a_tenant_is_found_and_read_page_by_page() {
    let server = Server::start([
        token("tok-a"),
        whoami("tenant", r#""global": "http://g.example", "dataRegion": "http://d.example:8443""#),
        page(r#"{"id": "1"}"#, true, "a+b/c=&"),
        page("", false, "d"),
    ]);
    let session = server.of_client(None);
    let tenants = run(session.tenants()).unwrap().found;
    assert_eq!(tenants[0].id, TENANT);
    assert_eq!(tenants[0].host.as_ref().unwrap().as_str(), "http://d.example:8443/");
    let first = events(&server, &session, &Begin::Time(7)).unwrap();
    assert_eq!((first.items().len(), first.items()[0].id(), first.has_more), (1, Some("1"), true));
    let last = events(&server, &session, &Begin::Cursor(first.next_cursor)).unwrap();
    assert_eq!((last.items().len(), last.has_more, last.next_cursor.as_str()), (0, false, "d"));
    assert_eq!(
        server.lines(),
        [
            "POST /api/v2/oauth2/token",
            "GET /whoami/v1",
            "GET /siem/v1/events?limit=1000&from_date=7",
            "GET /siem/v1/events?limit=1000&cursor=a%2Bb%2Fc%3D%26"
        ]
    );
    assert_eq!(
        server.came(0).body,
        "grant_type=client_credentials&client_id=client-a&client_secret=hunter2+%2B%26%3D&scope=token"
    );
    assert!(server.came(1).headers.contains("authorization: bearer tok-a\r\n"));
    assert!(server.came(2).headers.contains(&format!("x-tenant-id: {TENANT}\r\n")));
}

#[test]
fn a_partner_has_tenants_on_pages_and_one_can_be_asked_for() {
    let tenant = |id: &str, host: &str| format!(r#"{{"id": "{id}", "showAs": "T {id}", "apiHost": "{host}", "x": 1}}"#);
    // A global host that is not named is the one that was asked.
    let listed = |replies: Vec<Reply>, wanted| {
        let server = Server::start(replies);
        let tenants = run(server.of_client(wanted).tenants());
        (server, tenants)
    };
    let (server, tenants) = listed(
        vec![
            token("t"),
            whoami("partner", ""),
            ok(format!(
                r#"{{"items": [{}, {}], "pages": {{"total": 2}}}}"#,
                tenant("a", "http://a.example"),
                tenant("b", "")
            )),
            ok(format!(r#"{{"items": [{}], "pages": {{"total": 2}}}}"#, tenant("c", "http://c.example"))),
        ],
        None,
    );
    let tenants = tenants.unwrap().found;
    assert_eq!(tenants.iter().map(|tenant| tenant.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!((tenants[1].host.as_ref(), tenants[1].name.as_deref()), (None, Some("T b")));
    assert_eq!(
        server.lines()[2..],
        [
            "GET /partner/v1/tenants?page=1&pageSize=100&pageTotal=true",
            "GET /partner/v1/tenants?page=2&pageSize=100&pageTotal=true"
        ]
    );
    assert!(server.came(2).headers.contains(&format!("x-partner-id: {PARTNER}\r\n")));

    let (server, tenants) =
        listed(vec![token("t"), whoami("organization", ""), ok(tenant(TENANT, "http://a.example"))], Some(TENANT));
    assert_eq!(tenants.unwrap().found.len(), 1);
    assert_eq!(server.lines()[2], format!("GET /organization/v1/tenants/{TENANT}"));
    assert!(server.came(2).headers.contains(&format!("x-organization-id: {PARTNER}\r\n")));
}

#[test]
fn credentials_of_another_tenant_are_refused() {
    let server = Server::start([token("t"), whoami("tenant", "")]);
    let fault = run(server.of_client(Some(PARTNER)).tenants()).unwrap_err();
    assert!(matches!(&fault, Fault::Refused(reason) if reason.contains("check `tenant_id`")), "{fault}");
    let server = Server::start([token("t"), whoami("alien", "")]);
    let fault = run(server.of_client(None).tenants()).unwrap_err();
    assert!(matches!(&fault, Fault::Refused(reason) if reason.contains("alien")), "{fault}");
}

#[test]
fn an_old_token_goes_to_its_gateway() {
    let server = Server::start([page("", false, "x"), Reply::With(401, "", "Basic dG9rZW4= is old".into())]);
    let credentials = Credentials::Legacy {
        url: server.url.join("/gateway").unwrap(),
        api_key: SecretString::from("key-a"),
        authorization: SecretString::from("Basic dG9rZW4="),
    };
    let session = server.session(credentials);
    let tenants = run(session.tenants()).unwrap().found;
    assert_eq!(tenants[0].token.as_deref(), Some("dG9rZW4="));
    assert!(tenants[0].id.starts_with("token-") && !tenants[0].id.contains("dG9"), "{}", tenants[0].id);
    let pages = Pages { tenant: &tenants[0], stream: Stream::Alerts, light: true };
    run(session.page(pages, &Begin::Time(1))).unwrap();
    assert_eq!(server.lines(), ["GET /gateway/siem/v1/alerts?limit=1000&from_date=1"]);
    let headers = server.came(0).headers;
    assert!(
        headers.contains("x-api-key: key-a\r\n") && headers.contains("authorization: basic dg9rzw4=\r\n"),
        "{headers}"
    );
    assert!(!headers.contains("x-tenant-id"), "{headers}");
    let fault = run(session.page(pages, &Begin::Time(1))).unwrap_err();
    assert!(
        matches!(&fault, Fault::Refused(reason) if reason.contains("token_info") && !reason.contains("dG9")),
        "{fault}"
    );
}

#[test]
fn light_mode_leaves_out_by_type() {
    let server = Server::start([token("t"), page("", false, "x")]);
    let tenant = server.tenant();
    let pages = Pages { tenant: &tenant, stream: Stream::Events, light: true };
    run(server.of_client(None).page(pages, &Begin::Cursor("c".into()))).unwrap();
    let line = &server.lines()[1];
    let types = line.split_once("&exclude_types=").unwrap().1.replace("%3A", ":").replace("%2C", ",");
    assert_eq!(types.split(',').count(), 9);
    assert!(types.starts_with("Event::Endpoint::NonCompliant,Event::Endpoint::Compliant,"), "{types}");
}

#[test]
fn a_token_that_is_refused_is_fetched_anew_once() {
    let server = Server::start([
        token("one"),
        page("", false, "x"),
        Reply::With(401, "", "{}".into()),
        token("two"),
        page("", false, "y"),
        Reply::With(401, "", "{}".into()),
        token("three"),
        Reply::With(401, "", r#"{"message": "no three here"}"#.into()),
    ]);
    let session = server.of_client(None);
    let begin = Begin::Time(1);
    assert_eq!(events(&server, &session, &begin).unwrap().next_cursor, "x");
    assert_eq!(events(&server, &session, &begin).unwrap().next_cursor, "y");
    assert!(server.came(4).headers.contains("bearer two"));
    let fault = events(&server, &session, &begin).unwrap_err();
    assert!(
        matches!(&fault, Fault::Refused(reason) if reason.contains("a new one") && !reason.contains("three")),
        "{fault}"
    );
}

#[test]
fn a_token_is_used_for_its_time() {
    let short = || ok(r#"{"access_token": "short", "expires_in": 0}"#);
    let server = Server::start([short(), page("", false, "x"), short(), page("", false, "y")]);
    let session = server.of_client(None);
    for _ in 0..2 {
        events(&server, &session, &Begin::Time(1)).unwrap();
    }
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), 2);
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    let server = Server::start([
        Reply::Reset,
        token("t"),
        Reply::With(503, "", "<html>busy</html>".into()),
        Reply::With(429, "retry-after: 0\r\n", String::new()),
        Reply::Cut,
        ok("<html>a portal</html>"),
        Reply::Reset,
        page("", false, "x"),
    ]);
    assert_eq!(events(&server, &server.of_client(None), &Begin::Time(1)).unwrap().next_cursor, "x");
    assert_eq!(server.lines().len(), 8);
}

#[test]
fn replies_may_be_compressed() {
    let body = br#"{"has_more": false, "items": [{"id": "1"}], "next_cursor": "x"}"#;
    let whole = packed(body);
    let cut = Reply::Gzip(whole[..whole.len() - 9].to_vec());
    let server = Server::start([token("t"), cut, Reply::Gzip(whole)]);
    let page = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap();
    assert_eq!((page.items()[0].id(), page.next_cursor.as_str()), (Some("1"), "x"));
    let headers = server.came(1).headers;
    assert!(headers.contains("accept-encoding: gzip\r\n"), "{headers}");
    assert_eq!(server.lines().len(), 3, "one that is cut is asked for again");
}

#[test]
fn a_page_that_is_too_large_comes_in_smaller_ones() {
    let large = || Reply::Gzip(packed(&vec![b' '; 65 << 20]));
    let server = Server::start([token("t"), large(), page(r#"{"id": "1"}"#, true, "y")]);
    let session = server.of_client(None);
    let first = events(&server, &session, &Begin::Cursor("x".into())).unwrap();
    assert_eq!((first.items().len(), first.next_cursor.as_str()), (1, "y"));
    let limits = ["limit=1000&", "limit=200&"];
    assert!(server.lines()[1..].iter().zip(limits).all(|(line, limit)| line.contains(limit)), "{:?}", server.lines());
    // Central does not give fewer.
    let server = Server::start([token("t"), large(), large(), Reply::With(400, "", "200 at least".into())]);
    let fault = events(&server, &server.of_client(None), &Begin::Cursor("x".into())).unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(reason) if reason.contains("more than 64 MiB")), "{fault}");
}

#[test]
fn what_is_no_json_by_a_value_alone_is_read() {
    let items = "{\"id\": \"1\", \"a\": \"x\0y\", \"b\": NaN}, {\"id\": \"2\"}";
    let server = Server::start([token("t"), page(items, false, "x")]);
    let page = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap();
    assert_eq!(page.items().iter().map(|item| item.id()).collect::<Vec<_>>(), [Some("1"), Some("2")]);
}

#[test]
fn a_proxy_is_asked_in_the_place_of_central_and_shown_its_password() {
    let proxy = Server::start([token("t"), page("", false, "x")]);
    let by = |proxy: Url| {
        let credentials = Credentials::Client {
            id: "client-a".into(),
            secret: SecretString::from("hunter2"),
            tenants: Vec::new(),
            auth_url: "http://id.example/token".parse().unwrap(),
            api_host: "http://api.example".parse().unwrap(),
        };
        let connection = Connection { proxy: Some(proxy), ..Server::connection() };
        let pace = Pace { tries: 1, ..Pace::default() };
        let session = Session::new(credentials, &connection, pace).unwrap();
        let host = Some("http://data.example".parse().unwrap());
        let tenant = Tenant { id: TENANT.into(), name: None, host, token: None };
        run(session.page(Pages { tenant: &tenant, stream: Stream::Events, light: false }, &Begin::Time(1)))
    };
    let mut url = proxy.url.clone();
    url.set_username("exporter").unwrap();
    url.set_password(Some("hunter3")).unwrap();
    assert_eq!(by(url.clone()).unwrap().next_cursor, "x");
    let asked = ["POST http://id.example/token", "GET http://data.example/siem/v1/events?limit=1000&from_date=1"];
    assert_eq!(proxy.lines(), asked);
    let headers = proxy.came(1).headers;
    assert!(headers.contains("proxy-authorization: basic zxhwb3j0zxi6ahvudgvymw==\r\n"), "{headers}");
    // Nobody is there: it is the proxy that is not, and its password is nobody's business.
    url.set_port(Some(1)).unwrap();
    let fault = by(url).unwrap_err().to_string();
    assert!(fault.contains("by the proxy 127.0.0.1:1 ") && !fault.contains("hunter3"), "{fault}");
}

#[test]
fn what_does_not_pass_in_time_is_told() {
    let server = Server::start([token("t")].into_iter().chain((0..9).map(|_| Reply::With(500, "", "oops".into()))));
    let fault = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap_err();
    assert!(
        matches!(&fault, Fault::Unavailable(reason) if reason.contains("replied 500: oops; given up after 6")),
        "{fault}"
    );
    assert_eq!(server.lines().len(), 7);
    let server = Server::start([token("t"), Reply::With(429, "retry-after: 86400\r\n", String::new())]);
    let fault = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(reason) if reason.contains("come back in 86400 s")), "{fault}");
    // Nobody listens.
    let gone = Server { url: "http://127.0.0.1:1".parse().unwrap(), came: Arc::default() };
    let fault = run(gone.of_client(None).tenants()).unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(reason) if reason.contains("cannot be reached")), "{fault}");
}

#[test]
fn what_people_have_to_mend_is_told_at_once_and_without_secrets() {
    let said = || r#"{"message": "hunter2 +&= and hunter2+%2B%26%3D\u001b"}"#.to_owned();
    for (replies, wanted) in [
        (vec![Reply::With(401, "", said())], "check `client_id` and `client_secret`"),
        (vec![Reply::With(400, "", said())], "check `client_id` and `client_secret`"),
        (vec![token("t"), Reply::With(403, "", said())], "their role may not read this"),
        (vec![token("t"), Reply::With(404, "", said())], "check `api_host`"),
        (vec![token("t"), Reply::With(302, "location: http://127.0.0.1:1/\r\n", said())], "check `auth_url`"),
    ] {
        let server = Server::start(replies);
        let fault = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap_err();
        assert!(matches!(&fault, Fault::Refused(reason) if reason.contains(wanted)), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
    let server = Server::start([token("t"), Reply::With(400, "", "no such cursor".into())]);
    let fault = events(&server, &server.of_client(None), &Begin::Cursor("x".into())).unwrap_err();
    assert!(matches!(&fault, Fault::Bad(reason) if reason.contains("no such cursor")), "{fault}");
}

#[test]
fn a_page_without_a_cursor_is_none() {
    let replies = [token("t")].into_iter().chain((0..6).map(|_| page(r#"{"id": "1"}"#, false, "")));
    let server = Server::start(replies);
    let fault = events(&server, &server.of_client(None), &Begin::Time(1)).unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(reason) if reason.contains("no cursor")), "{fault}");
}

#[test]
fn credentials_never_leave_tls() {
    let connection =
        Connection { ca_file: None, proxy: None, timeout: Duration::from_secs(1), rates: Rates::default(), replies: 1 };
    let credentials = Credentials::Legacy {
        url: "https://a.example/gateway".parse().unwrap(),
        api_key: SecretString::from("k"),
        authorization: SecretString::from("Basic x"),
    };
    let session = Session::new(credentials, &connection, Pace::default()).unwrap();
    assert!(session.check("http://a.example".parse().unwrap()).is_err());
    assert!(session.check("https://b.example".parse().unwrap()).is_ok());
}
