use std::path::Path;

use settings::Value;

use super::*;

/// A file with this text, and the flags above it; what is wrong with it, if it is refused.
fn load(yaml: &str, flags: &Flags) -> Result<Config, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), yaml).unwrap();
    let mut report = Report::default();
    Config::load(Some(file.path()), flags, &mut report).ok_or_else(|| report.to_string())
}

fn parse(yaml: &str) -> Result<Config, String> {
    load(yaml, &Flags::default())
}

/// What it says besides where the certificate is.
fn all(config: &Config) -> impl PartialEq + std::fmt::Debug + use<> {
    (config.limits, config.retention, config.watch, config.metrics.clone(), config.rates)
}

/// The file of the package, with what it shows in comments switched on.
#[test]
fn the_shipped_file_shows_every_key_as_it_is_without_being_said() {
    let shipped = include_str!("../../../packaging/central.yaml");
    assert!(parse(shipped).is_ok(), "{:?}", parse(shipped));
    let (_, body) = shipped.split_once("\nlisten:").unwrap();
    // Words for people begin with a space after the sign, keys at once or further in.
    let is_words = |line: &str| line.strip_prefix("# ").is_some_and(|rest| !rest.starts_with(' '));
    let lines = body.lines().filter(|line| !is_words(line)).map(|line| line.strip_prefix('#').unwrap_or(line));
    let whole = parse(&format!("listen:{}", lines.collect::<Vec<_>>().join("\n"))).unwrap();
    let short = parse("tls: {certificate: a.crt, key: a.key}").unwrap();
    assert_eq!(all(&whole), all(&short));
    let web = whole.web.unwrap();
    assert_eq!((web, short.web), (Web::at(web.listen), None));
    assert_eq!((short.listen.port(), short.data_dir.as_path()), (8443, Path::new("/var/lib/sensor-central")));
    for key in SCHEMA.tables().into_iter().flatten() {
        assert!(shipped.contains(&format!("{}:", key.name)), "{}", key.name);
    }
}

/// The default of a list is for the manual: what is in force without it is the same.
#[test]
fn the_ranges_that_may_ask_are_those_of_the_manual() {
    let key = METRICS.iter().find(|key| key.name == "allow").unwrap();
    let mut report = Report::default();
    let source = report.add_source("a", format!("metrics: {{allow: {}}}", key.default));
    let layer = Layer::read(source, &SCHEMA, &mut report);
    assert!(matches!(layer.root.value, Value::Mapping(_)));
    let written = Metrics::read(&Section::new(Some(&layer.root), TOP).section("metrics"));
    assert_eq!(written, Metrics::default());
    assert!(written.allow.iter().any(|range| range.contains(&std::net::IpAddr::from([127, 0, 0, 7]))));
}

#[test]
fn null_keeps_for_ever_and_nothing_said_does_not() {
    let tls = "tls: {certificate: a.crt, key: a.key}\n";
    let retention = |text: &str| parse(&format!("{tls}{text}")).unwrap().retention;
    assert_eq!(retention("retention: {events_days: null, alerts_days: ~}").events_days, None);
    assert_eq!(retention("retention:\n  events_days:\n").events_days, None);
    assert_eq!(retention("retention: {alerts_days: null}"), Retention { alerts_days: None, ..Retention::default() });
    assert_eq!(retention("retention: {max_bytes: 67108864}").max_bytes, Some(64 << 20));
    assert_eq!(Retention::default().events_days, Some(30));
}

/// Every spelling that earlier versions took.
#[test]
fn files_of_earlier_versions_go_on_working() {
    let config = parse(
        "tls: {certificate: a.crt, key: a.key}\nlisten: '[::]:1'\n\
         limits: {body_bytes: 4_194_304, decoded_bytes: '33554432', items: 0x10, in_flight: 0b11, body_seconds: 0o17}\n\
         retention: {events_days: \"7\", alerts_days: 0}\nmetrics: {allow: [10.0.0.0/8, 'fd00::/8']}\n",
    )
    .unwrap();
    let limits = config.limits;
    assert_eq!((limits.body_bytes, limits.decoded_bytes, limits.items), (4 << 20, 32 << 20, 16));
    assert_eq!((limits.in_flight, limits.body_time), (3, Duration::from_secs(15)));
    assert_eq!((config.retention.events_days, config.retention.alerts_days), (Some(7), Some(0)));
    assert_eq!((config.listen.port(), config.metrics.allow.len()), (1, 2));
    assert!(parse("metrics: {allow: []}\ntls: {certificate: a.crt, key: a.key}\n").unwrap().metrics.allow.is_empty());
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let report = parse(
        "lisen: 127.0.0.1:1\nlisten: localhost\ntls: {certificate: a}\nlimits: {body_byte: 3, items: 0}\n\
         retention: {max_bytes: 1000, events_days: -1}\nmetrics: {allow: [10.0.0.1]}\n",
    )
    .unwrap_err();
    for (place, what) in [
        (":1:1", "did you mean `listen`?"),
        (":2:9", "write an address and a port"),
        (":3:6", "`tls.key` is missing"),
        (":4:10", "did you mean `body_bytes`?"),
        (":4:31", "0 is too small; the least is 1"),
        (":5:24", "1000 is too small; the least is 67108864"),
        (":5:43", "this is not a whole number"),
        (":6:19", "write \"10.0.0.1/32\" for this address alone"),
    ] {
        assert!(report.contains(place) && report.contains(what), "{place} {what}\n{report}");
    }
    assert!(report.ends_with("8 errors\n"), "{report}");
}

#[test]
fn there_are_no_web_pages_unless_it_is_said_where() {
    let tls = "tls: {certificate: a.crt, key: a.key}\n";
    assert_eq!(parse(tls).unwrap().web, None);
    let web = parse(&format!("{tls}web: {{listen: '127.0.0.1:1', idle_minutes: 5}}")).unwrap().web.unwrap();
    assert_eq!((web.listen.port(), web.lasting.idle), (1, Duration::from_secs(300)));
    assert_eq!(web.lasting.longest, Duration::from_secs(12 * 3600));
    for without_effect in ["web: {}", "web: {idle_minutes: 7}"] {
        let report = parse(&format!("{tls}{without_effect}")).unwrap_err();
        assert!(report.contains("`web.listen` is missing"), "{report}");
    }
    assert!(
        parse(&format!("{tls}web: {{listen: '127.0.0.1:1', idle_minutes: 4}}")).unwrap_err().contains("4 is too small")
    );
    let flags = Flags { web_listen: Some(([127, 0, 0, 1], 2).into()), ..Flags::default() };
    for file in
        [tls.to_owned(), format!("{tls}web: {{listen: '127.0.0.1:1'}}"), format!("{tls}web: {{session_hours: 1}}")]
    {
        assert_eq!(load(&file, &flags).unwrap().web.unwrap().listen.port(), 2, "{file}");
    }
}

#[test]
fn flags_stand_above_the_file() {
    let flags = Flags {
        listen: Some(([127, 0, 0, 1], 1).into()),
        tls_certificate: Some("c".into()),
        tls_key: Some("k".into()),
        ..Flags::default()
    };
    let mut report = Report::default();
    let config = Config::load(None, &flags, &mut report).unwrap();
    assert_eq!((config.listen.port(), config.tls.key), (1, PathBuf::from("k")));
    assert!(Config::load(None, &Flags::default(), &mut report).is_none());
    assert!(report.to_string().contains("name a file with --config, or give --tls-certificate"), "{report}");
    // A file may leave to flags what they give.
    let config = load("data_dir: /x\n", &flags).unwrap();
    assert_eq!((config.tls.certificate, config.data_dir), (PathBuf::from("c"), PathBuf::from("/x")));
    assert!(parse("data_dir: /x\n").unwrap_err().contains("add it, or give --tls-key"));
}

const BEGIN: &str = "<!-- keys: begin; made from the table of keys by `UPDATE_DOCS=1 cargo test` -->\n";
const END: &str = "<!-- keys: end -->\n";

#[test]
fn the_manual_holds_the_keys() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/central.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the mark where the keys begin");
    let (keys, after) = rest.split_once(END).expect("the page has the mark where the keys end");
    let wanted = format!("\n{}", reference());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert!(keys == wanted, "docs/central.md is stale: run UPDATE_DOCS=1 cargo test the_manual");
    }
}
