//! From keys to what they mean.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use diagnostic::Report;
use secrecy::SecretString;
use settings::{
    Environment, Layer, ListenAddress, Section, check, environment,
    files::{self, Missing, Writers},
    merge,
};
use url::Url;
use uuid::Uuid;

use super::{
    Config, LogFormat, LogLevel, REPLIES,
    keys::{SCHEMA, TOP},
    outputs::outputs,
    words::Streams,
};
use crate::{
    destination::authorities,
    item::Stream,
    source::{Connection, Credentials, Rates, Start},
};

/// A longer overlap would leave nothing of Central's 24 hours for an outage.
const MOST_OVERLAP: Duration = Duration::from_secs(12 * 3600);

/// The file with the environment above it; none if it must not be used, and the report says why.
#[must_use]
pub fn load(path: &Path, environment: &Environment, report: &mut Report) -> Option<Config> {
    let file = files::configuration(path, Missing::Named(None), Writers::Own, report)?;
    let layer = Layer::read(file.source, &SCHEMA, report);
    check(&layer.root, &SCHEMA, &Default::default(), report);
    if let (Some(readers), Some(span)) = (file.readers, settings::first_secret(&layer.root, &SCHEMA)) {
        files::readable_secret(path, readers, Some(span), report);
    }
    of_layer(&layer, environment, report)
}

/// The same of a file's bytes, whatever they are. No other file is read but those that they name.
#[must_use]
pub fn read(bytes: &[u8], environment: &Environment, report: &mut Report) -> Option<Config> {
    let source = report.add_source("config.yaml", String::from_utf8_lossy(bytes));
    let layer = Layer::read(source, &SCHEMA, report);
    check(&layer.root, &SCHEMA, &Default::default(), report);
    of_layer(&layer, environment, report)
}

fn of_layer(layer: &Layer, environment: &Environment, report: &mut Report) -> Option<Config> {
    let from_environment = environment::read(environment, &SCHEMA, report);
    check(&from_environment, &SCHEMA, &Default::default(), report);
    let mut root = layer.root.clone();
    let mut entries = Vec::new();
    merge(&mut entries, &layer.root, &SCHEMA);
    merge(&mut entries, &from_environment, &SCHEMA);
    root.value = settings::Value::Mapping(entries);
    let top = Section::new(Some(&root), TOP);
    // What is missing in a file that could not be read is not missing.
    let config = if layer.whole { whole(&top, report) } else { None };
    (!report.has_errors()).then_some(config).flatten()
}

fn whole(top: &Section<'_>, report: &mut Report) -> Option<Config> {
    let central = top.section("central");
    let tenants: Vec<Uuid> = top.values("tenants").unwrap_or_default();
    let credentials = credentials(&central, &tenants, top, report);
    let overlap: Duration = top.value("overlap");
    if overlap > MOST_OVERLAP {
        report
            .error(top.span("overlap"), "`overlap` is too long")
            .help("write 12h at most: what Central keeps longer is for outages");
    }
    if top.node("outputs").is_none_or(|node| node.items().is_empty()) {
        report
            .error(top.span("outputs"), "there is no output")
            .help("add `outputs:` with one at least, such as `- {type: file, path: /var/log/sensor-siem/items.json}`");
    }
    let script_state: Option<PathBuf> = top.get("script_state");
    let outputs = outputs(top, script_state.is_some(), report);
    if let Some(span) = top.span("script_state").filter(|_| outputs.iter().all(|output| output.start != Start::Script))
    {
        report
            .error(span, "`script_state` has no effect: no output begins where the script stopped")
            .help("add `start: script` to the output that takes its place, or take this out");
    }
    let state: PathBuf = top.value("state");
    let streams = match top.value("streams") {
        Streams::All => Stream::ALL.to_vec(),
        Streams::Events => vec![Stream::Events],
        Streams::Alerts => vec![Stream::Alerts],
    };
    let poll: Duration = top.value("poll");
    often(poll, streams.len(), &central, top, report);
    let config = Config {
        connection: connection(&central, report),
        credentials: credentials?,
        streams,
        light: top.bool("light"),
        earlier_minutes: [0, 0],
        overlap,
        poll,
        outputs,
        dead_letters: top.get("dead_letters").unwrap_or_else(|| state.with_file_name("dead-letters.jsonl")),
        state,
        script_state,
        metrics: top.section("metrics").get::<ListenAddress>("listen"),
        log_level: top.value::<LogLevel>("log_level"),
        log_format: top.value::<LogFormat>("log_format"),
        idle: Vec::new(),
    };
    Some(config)
}

/// Warns of rounds that follow one another faster than a tenant may be asked: a page of each stream is asked for in each.
fn often(poll: Duration, streams: usize, central: &Section<'_>, top: &Section<'_>, report: &mut Report) {
    let Some(per_minute) = central.get::<u64>("requests_per_minute") else { return };
    let least = Duration::from_secs(60) * u32::try_from(streams).unwrap_or(u32::MAX)
        / u32::try_from(per_minute).unwrap_or(u32::MAX);
    if poll < least {
        report
            .warning(top.span("poll"), format!("rounds come no faster than every {:.1} s", least.as_secs_f64()))
            .label(format!(
                "a tenant is asked {per_minute} times a minute at most, and once for each of {streams} streams"
            ))
            .help("write more, or raise `central.requests_per_minute` if this Central takes more");
    }
}

/// What a key says, or the file that it names.
fn secret(section: &Section<'_>, name: &str, report: &mut Report) -> Option<SecretString> {
    let file = format!("{name}_file");
    section.secret(name).or_else(|| {
        let path: PathBuf = section.get(&file)?;
        files::secret(&path, section.span(&file), report)
    })
}

fn is_given(section: &Section<'_>, secret: &str) -> bool {
    section.node(secret).is_some() || section.node(&format!("{secret}_file")).is_some()
}

fn credentials(central: &Section<'_>, tenants: &[Uuid], top: &Section<'_>, report: &mut Report) -> Option<Credentials> {
    let place = top.span("central");
    let mut lacks = |name: &str, with: &str| {
        report
            .error(place.clone(), format!("`central` needs a `{name}` with `{with}`"))
            .help(format!("add it, or `{name}_file` with the path of a file that holds it"));
    };
    if central.node("gateway").is_some() {
        for name in ["api_key", "authorization"].into_iter().filter(|name| !is_given(central, name)) {
            lacks(name, "gateway");
        }
        let others = ["client_id", "client_secret", "client_secret_file", "auth_url", "api_host"];
        let others = others.into_iter().filter_map(|name| Some((name, central.span(name)?)));
        for (name, span) in others.chain(top.span("tenants").map(|span| ("tenants", span))) {
            report
                .error(span, format!("`{name}` has no effect beside `central.gateway`"))
                .help("access of before is that of one tenant, and needs no more than itself: take this out");
        }
        return Some(Credentials::Legacy {
            url: central.get("gateway")?,
            api_key: secret(central, "api_key", report)?,
            authorization: secret(central, "authorization", report)?,
        });
    }
    for name in ["api_key", "api_key_file", "authorization", "authorization_file"] {
        if let Some(span) = central.span(name) {
            report
                .error(span, format!("`{name}` has no effect without `central.gateway`"))
                .help("add the URL that it is for, or take this out");
        }
    }
    if central.node("client_id").is_none() {
        report.error(place.clone(), "there are no credentials for Central").help(
            "add `central.client_id` and `central.client_secret_file`: Global Settings, API Credentials Management",
        );
        return None;
    }
    if !is_given(central, "client_secret") {
        report
            .error(place, "`central` needs a `client_secret` with `client_id`")
            .help("add `client_secret_file` with the path of a file that holds it: both are shown when they are made");
    }
    Some(Credentials::Client {
        id: central.get("client_id")?,
        secret: secret(central, "client_secret", report)?,
        tenants: tenants.iter().map(Uuid::to_string).collect(),
        auth_url: central.value("auth_url"),
        api_host: central.value("api_host"),
    })
}

fn connection(central: &Section<'_>, report: &mut Report) -> Connection {
    Connection {
        ca_file: authorities(central, report),
        proxy: central.get::<Url>("proxy"),
        timeout: central.value("timeout"),
        rates: Rates { per_second: central.get("requests_per_second"), per_minute: central.get("requests_per_minute") },
        replies: REPLIES,
    }
}
