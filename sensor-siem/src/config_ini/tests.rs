use std::{fs, path::Path};

use diagnostic::{Appearance, Report};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    config::{Config, LogLevel, Output},
    format::Format,
    item::Stream,
    source::Credentials,
};

fn parse(text: &str) -> Result<(Config, String), String> {
    let mut report = Report::default();
    let config = read("config.ini", text, Path::new("/home"), &mut report);
    let shown = report.render(Appearance::PLAIN);
    config.map(|config| (config, shown.clone())).ok_or(shown)
}

/// With credentials, and these further lines.
fn with(lines: &str) -> Result<(Config, String), String> {
    parse(&format!("[login]\nclient_id = a\nclient_secret = s3cret-s3cret\n{lines}"))
}

fn golden() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config.ini")).unwrap()
}

#[test]
fn the_scripts_file_is_read_as_it_is() {
    let (config, shown) = parse(&golden()).unwrap();
    assert_eq!(shown, "");
    let Credentials::Client { id, secret, tenants, auth_url, api_host } = &config.credentials else { panic!() };
    assert_eq!((id.as_str(), secret.expose_secret()), ("client-a", "secret-a/+%25&="));
    assert_eq!(*tenants, ["11111111-2222-4333-8444-555555555555"]);
    assert_eq!(auth_url.as_str(), "https://central.example:4443/api/v2/oauth2/token");
    assert_eq!(api_host.as_str(), "https://central.example:4443/");
    let Output { layout, destination, .. } = &config.outputs[0];
    assert_eq!((layout.format, layout.fqdn, layout.compat), (Format::Json, true, false));
    assert_eq!(config.streams, [Stream::Events, Stream::Alerts]);
    assert_eq!(destination.to_string(), "/home/log/result.txt");
    assert_eq!(config.script_state.as_deref(), Some(Path::new("/home/state/siem_sophos.json")));
    assert_eq!(config.state, Path::new("/home/state/siem_sophos.sensor-siem.jsonl"));
    assert_eq!((config.earlier_minutes, config.log_level), ([0, 0], LogLevel::Debug));
    assert_eq!(
        config.idle,
        ["token_info (with `client_id`)", "address, facility, socktype, append_nul (with `filename = result.txt`)"]
    );
}

#[test]
fn the_old_token_is_read_without_a_client() {
    let text: String =
        golden().lines().filter(|line| !line.starts_with("client_")).map(|line| line.to_owned() + "\n").collect();
    let (config, _) = parse(&text).unwrap();
    let Credentials::Legacy { url, api_key, authorization } = config.credentials else { panic!() };
    assert_eq!(url.as_str(), "https://central.example:4443/gateway");
    assert_eq!((api_key.expose_secret(), authorization.expose_secret()), ("key-a", "Basic dG9rZW4tYQ=="));
    assert!(config.idle[0].starts_with("tenant_id, auth_url, api_host"), "{:?}", config.idle);
    let several =
        "[login]\ntoken_info = url: https://a.example/gateway,\n  Authorization: Basic eA==,\n  x-api-key: k\n";
    assert!(parse(several).is_ok());
    let shown = parse("[login]\ntoken_info = url: https://a.example/gateway, x-api-key: kkkkkk\n").unwrap_err();
    assert!(shown.contains("`token_info` is not whole") && !shown.contains("kkkk"), "{shown}");
}

#[test]
fn a_short_file_gets_the_defaults() {
    let (config, shown) = with("").unwrap();
    assert_eq!(shown, "");
    assert_eq!(config.streams, [Stream::Events]);
    assert_eq!(config.outputs[0].destination.to_string(), "/home/log/result.txt");
    let Credentials::Client { tenants, auth_url, api_host, .. } = config.credentials else { panic!() };
    assert_eq!(
        (tenants, auth_url.host_str(), api_host.as_str()),
        (vec![], Some("id.sophos.com"), "https://api.central.sophos.com/")
    );
    assert_eq!(config.idle, Vec::<String>::new());
}

#[test]
fn syntax_is_pythons() {
    let text = "\u{feff}# first\n[DEFAULT]\r\nhost = central.example\r\n[login]\n; a comment\nCLIENT_ID: a\nclient_secret = x;y#z = :\n\
                api_host = %(HOST)s:4443\nformat =\n    cef\n\n# within\n  \nfilename = a b.txt\n";
    let (config, shown) = parse(text).unwrap();
    let Credentials::Client { id, secret, api_host, .. } = config.credentials else { panic!() };
    assert_eq!((id.as_str(), secret.expose_secret(), api_host.port()), ("a", "x;y#z = :", Some(4443)));
    let output = &config.outputs[0];
    assert_eq!(output.layout.format, Format::Cef);
    assert_eq!(output.destination.to_string(), "/home/log/a b.txt");
    assert!(shown.contains("unknown key `host`") && shown.contains("1 warning"), "{shown}");
}

#[test]
fn all_faults_are_told_at_once_with_what_to_do() {
    let shown = with(
        "formt = cef\nendpoint = alerts\nfilename = syslog\naddress = a b\ncompat = maybe\nevents_from_date_offset_minutes = -1\n\
         auth_url = http://a.example\ntenant_id = me\nproxy = socks5://a\nformat = non-streamed-json\n",
    )
    .unwrap_err();
    for part in [
        "unknown key `formt`",
        "did you mean `format`?",
        "did you mean `alert`?",
        "`address` is none of a syslog receiver",
        "unknown word `maybe`",
        "a whole number from 0 to 1440",
        "`auth_url` is no https URL",
        "`tenant_id` is no id",
        "no URL of an HTTP proxy",
        "one array for a whole file is not built",
        "8 errors, 1 warning",
    ] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
}

#[test]
fn faults_of_the_syntax_are_told() {
    for (text, part) in [
        ("", "there are no credentials"),
        ("a = b\n", "stands in no section"),
        ("[login]\nclient_id\n", "no `key = value`"),
        ("[login]\n= b\n", "no `key = value`"),
        ("[login]\nformat = cef\nFORMAT = json\n", "`FORMAT` stands twice"),
        ("[login]\n[login]\n", "section `login` stands twice"),
        ("[Login]\n", "did you mean `[login]`?"),
        ("[login]\nfilename = 50%\n", "write `%%`"),
        ("[login]\nfilename = %(nothing)s\n", "there is no key `nothing`"),
        ("[login]\nclient_id = a\n  client_secret = b\n", "more than one line"),
        ("[login]\nclient_id = a\n", "no `client_secret`"),
        ("[login]\nclient_secret = a\n", "no `client_id`"),
    ] {
        let shown = parse(text).unwrap_err();
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
}

#[test]
fn secrets_are_never_shown() {
    for text in [
        "[login]\nclient_secret = hunter2\nclient_secret = hunter2\n",
        "[login]\nclient_secret = hunter2%\n",
        "[login]\nclient_secrte = hunter2\nformat = hunter\n",
        "[login]\ntoken_info = hunter2\n",
        "[login]\nclient_secret = a\n  hunter2\n",
        "[login]\nx_api_key = hunter2\nx_api_key = hunter2\n",
    ] {
        let shown = parse(text).unwrap_err();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let (config, _) = parse(&golden()).unwrap();
    assert!(!format!("{config:?}").contains("secret-a"), "{config:?}");
}

/// Each key with what it is without being said: the table is right.
#[test]
fn the_table_of_keys_has_their_defaults() {
    let lines: String = keys::KEYS
        .iter()
        .filter(|key| !key.is_secret && !key.default.is_empty())
        .map(|key| format!("{} = {}\n", key.name, key.default))
        .collect();
    let ((said, shown), (unsaid, _)) = (with(&lines).unwrap(), with("").unwrap());
    assert_eq!(shown, "");
    let all = |config: Config| {
        format!(
            "{:?}",
            (config.credentials, config.connection, config.streams, config.outputs, config.state, config.overlap)
        )
    };
    assert_eq!(all(said), all(unsaid));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\[login\\]\n)?([a-z_%()=:;#\\[\\] \n]|client_id|client_secret|%\\(|\\)s|ä){0,80}") {
        if let Err(shown) = parse(&text) {
            prop_assert!(shown.contains("error"), "{}", shown);
        }
    }

    #[test]
    fn values_are_read_back(value in "[ -~ä]{1,40}") {
        let value = value.trim();
        prop_assume!(!value.is_empty());
        let text = format!("[login]\nclient_id = {}\nclient_secret = s\n", value.replace('%', "%%"));
        let Credentials::Client { id, .. } = parse(&text).unwrap().0.credentials else { panic!() };
        prop_assert_eq!(id, value);
    }
}
