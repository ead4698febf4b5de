//! From files to the configuration.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use delivery::{
    receivers::zeromq::{ZeromqSettings, keys::shared},
    trust,
};
use diagnostic::{Report, Span};
use foldhash::{HashMap, HashSet};
use schema::PolicyType;
use secrecy::ExposeSecret;
use settings::files::{self, Missing, Readers, Writers};
use settings::{
    Entry, Environment, FromText as _, Layer, Node, Section, Size, Value, check, environment, find, first_secret,
    merge, named, secrets,
};
use url::Url;
use uuid::Uuid;

use super::keys::{DETECTIONS, POLICY, SCHEMA, TOKEN_PREFIX, TOP};
use super::named_files::named_files;
use super::outputs;
use super::policy::{self, ContentGroup};
use super::words::{Feature, is_built};
use super::{
    AlertOutput, Audit, Config, Crisensor, Investigations, Locations, Mcs, Metrics, Paths, Response, cache, in_vain,
    investigations, lists,
};
use crate::output::target::{CentralSettings, Elsewhere, Target, Waiting, mcs, token};
use crate::redaction;

const MAIN: &str = "/etc/sophos/runtimedetections.yaml";
const RULES_NAME: &str = "runtimedetections-rules.yaml";

/// One file, or the environment.
struct File {
    layer: Layer,
    /// Its path, if others than its owner can read it, and who.
    readers: Option<(PathBuf, Readers)>,
}

/// Reads, checks and merges the configuration.
///
/// Everything that is wrong goes to the report. If it holds errors afterwards, the configuration must not be used: what
/// could not be read counts as not given.
pub fn load(paths: &Paths, environment: &Environment, report: &mut Report) -> Config {
    let main_path = paths.main.clone().unwrap_or_else(|| PathBuf::from(MAIN));
    let main = File::read(&main_path, missing(paths.main.is_some()), report);
    // A service manager that starts a sensor says so to it.
    let supervised = ["NOTIFY_SOCKET", "INVOCATION_ID"].iter().any(|name| environment.get(name).is_some());
    let environment = Layer { root: environment::read(environment, &SCHEMA, report), whole: true };
    let environment = File { layer: environment, readers: None };

    // Where the other files are can be said by the command line, the environment and the main file, in this order.
    let given = |name: &str, named: Option<&PathBuf>| -> Option<(PathBuf, Missing)> {
        if let Some(path) = named {
            return Some((path.clone(), Missing::Named(None)));
        }
        [Some(&environment), main.as_ref()].into_iter().flatten().find_map(|file| {
            let section = Section::new(Some(&file.layer.root), TOP).section("paths");
            section.node(name)?;
            Some((section.get(name)?, Missing::Named(section.span(name))))
        })
    };
    let default = |name: &str| Section::new(None, TOP).section("paths").get::<PathBuf>(name).unwrap_or_default();
    let beside_main = main_path.parent().unwrap_or(Path::new("/")).join(RULES_NAME);
    let (content_path, content_missing) =
        given("content", paths.content.as_ref()).unwrap_or_else(|| (default("content"), Missing::Fine));
    let (rules_path, rules_missing) = given("rules", paths.rules.as_ref()).unwrap_or((beside_main, Missing::Fine));
    let folder = |name, named: Option<&PathBuf>| given(name, named).map_or_else(|| default(name), |(path, _)| path);
    let run_dir = folder("run_dir", paths.run_dir.as_ref());
    let mut state_dir = folder("state_dir", paths.state_dir.as_ref());
    if run_dir != default("run_dir") && given("state_dir", paths.state_dir.as_ref()).is_none() {
        state_dir = own_state_dir(&state_dir, &run_dir);
    }
    let locations = Locations { state_dir, run_dir, main: main_path, content: content_path, rules: rules_path };

    let content = File::read(&locations.content, content_missing, report);
    let rules = File::read(&locations.rules, rules_missing, report);
    for file in [&content, &rules].into_iter().flatten() {
        in_vain::paths(&file.layer.root, report);
    }
    assemble([content, main, rules, Some(environment)].into_iter().flatten().collect(), locations, supervised, report)
}

/// Where a sensor keeps what stays, if nobody says: one with a run directory of its own is another one than the host's, and
/// has a folder of its own in there.
fn own_state_dir(shared: &Path, run_dir: &Path) -> PathBuf {
    let mut name = OsString::from("of");
    for part in run_dir.components() {
        if let Component::Normal(part) = part {
            name.push("-");
            name.push(part);
        }
    }
    shared.join(name)
}

/// Checks a configuration that stands alone, whatever its bytes are. No other file is read but the secrets it names.
#[must_use]
pub fn check_text(bytes: &[u8]) -> Report {
    let mut report = Report::default();
    let text = String::from_utf8_lossy(bytes);
    let source = report.add_source("configuration", text);
    let file = File { layer: Layer::read(source, &SCHEMA, &mut report), readers: None };
    let nowhere = PathBuf::new;
    let locations =
        Locations { main: nowhere(), content: nowhere(), rules: nowhere(), state_dir: nowhere(), run_dir: nowhere() };
    assemble(vec![file], locations, true, &mut report);
    report
}

fn missing(named: bool) -> Missing {
    if named { Missing::Named(None) } else { Missing::Fine }
}

impl File {
    /// Reads a file; none if there is none.
    fn read(path: &Path, missing: Missing, report: &mut Report) -> Option<Self> {
        let file = files::configuration(path, missing, Writers::Own, report)?;
        let readers = file.readers.map(|readers| (path.to_owned(), readers));
        Some(Self { layer: Layer::read(file.source, &SCHEMA, report), readers })
    }
}

/// Checks the files, the earliest first, and makes one configuration of them. `supervised`: somebody starts the sensor
/// again when it ends.
fn assemble(files: Vec<File>, locations: Locations, supervised: bool, report: &mut Report) -> Config {
    let layers = || files.iter().map(|file| &file.layer);
    let known: HashSet<String> =
        layers().flat_map(|layer| named(&layer.root, &SCHEMA)).map(|entry| entry.key.value.clone()).collect();
    let mut entries: Vec<Entry> = Vec::new();
    let mut list_layers = Vec::new();
    for File { layer, readers } in &files {
        check(&layer.root, &SCHEMA, &known, report);
        if let Some((path, readers)) = readers
            && let Some(secret) = first_secret(&layer.root, &SCHEMA)
        {
            files::readable_secret(path, *readers, Some(secret), report);
        }
        list_layers.push(lists::read(&layer.root, report));
        merge(&mut entries, &layer.root, &SCHEMA);
    }
    let merged = cache::render(&entries, &list_layers);
    let span = entries.first().map(|entry| entry.key.span.clone());
    let root = span.map(|span| Node { span, value: Value::Mapping(entries) });
    let config = read(root.as_ref(), list_layers, locations, merged, report);
    // What is missing in a file that could not be read is not missing.
    if layers().all(|layer| layer.whole) {
        let top = Section::new(root.as_ref(), TOP);
        consistent(&config, &top, report);
        if config.use_supervisor && !supervised {
            report
                .warning(
                    top.span("use_supervisor"),
                    "nothing starts the sensor again here: `use_supervisor` leaves that to the systemd unit",
                )
                .label("without effect outside of a unit")
                .help("run the sensor as the unit `sophoslinuxsensor`, or have something else start it again");
        }
    }
    // A token may stand where anything else belongs, and be named as what does not.
    report.reword(|text| secrets::without_tokens(text, &SCHEMA));
    config
}

/// Takes the values out of the merged tree.
fn read(
    root: Option<&Node>,
    lists: Vec<Vec<super::ListConfig>>,
    locations: Locations,
    merged: String,
    report: &mut Report,
) -> Config {
    let top = Section::new(root, TOP);
    let mcs = top.section("mcs");
    let crisensor = top.section("crisensor");
    let spool = top.section("spool");
    let metrics = top.section("metrics");
    let audit = top.section("audit");
    let groups = content_groups(&top);
    let enabled_types: Vec<_> =
        top.texts("enabled_policy_types").iter().filter_map(|word| PolicyType::from_word(&word.value)).collect();
    let response = Response::read(&top.section("response"));
    let on =
        policy::On { groups: &groups, types: &enabled_types, content: &locations.content, responses: response.enabled };
    let entries = root.map_or(&[][..], Node::entries);
    let typed: Vec<&str> = entries
        .iter()
        .filter(|entry| Section::new(Some(&entry.value), POLICY).node("policy").is_some())
        .map(|entry| entry.key.value.as_str())
        .collect();
    let policies: Vec<policy::Policy> = entries
        .iter()
        .filter(|entry| find(TOP, &entry.key.value).is_none() && !entry.value.entries().is_empty())
        // Only switched on or off, and nothing more known of it: that was said where it stands.
        .filter(|entry| DETECTIONS.is_one(&entry.value))
        .filter_map(|entry| policy::read(entry, &on, &typed, report))
        .collect();
    let mcs = Mcs {
        enabled: mcs.bool("enabled"),
        url: mcs.get::<Url>("url"),
        token: token(&mcs, report),
        certs_dir: mcs.get("certs_dir"),
        proxy: mcs.get("proxy"),
        crl_policy: mcs.value("crl_policy"),
    };
    let customer_id = top.get::<Uuid>("customer_id");
    let spool = Waiting { max_bytes: spool.value::<Size>("max_bytes").0, max_age: spool.value("max_age") };
    let mut elsewhere = Elsewhere {
        central: central(&mcs, customer_id, &locations, top.bool("send_labs_telemetry")),
        rows_to_central: top.bool("endpoint_telemetry_enabled"),
        topics: Vec::new(),
        waiting: spool,
        files: HashMap::default(),
    };
    let alert_output = outputs::read(&top.section("alert_output"), &mut elsewhere, report);
    let investigations = investigations::read(&top.section("investigations"), &mut elsewhere, report);
    shared(sockets(&alert_output, &investigations), report);
    Config {
        locations,
        customer_id,
        mcs,
        send_labs_telemetry: top.bool("send_labs_telemetry"),
        endpoint_telemetry_enabled: top.bool("endpoint_telemetry_enabled"),
        cloud_meta: top.value("cloud_meta"),
        alert_output,
        enabled_content_groups: groups,
        investigations,
        use_supervisor: top.bool("use_supervisor"),
        use_resource_limits: top.bool("use_resource_limits"),
        metrics: Metrics { enabled: metrics.bool("enabled"), listen: metrics.get("listen") },
        audit: Audit { hooks: audit.value("hooks"), multicast_fallback: audit.bool("multicast_fallback") },
        crisensor: Crisensor {
            enabled: crisensor.bool("enabled"),
            addr: crisensor.get("addr"),
            poll_interval: crisensor.value("poll_interval"),
        },
        spool,
        redaction: redaction(&top.section("redaction")),
        response,
        memory_budget: top.value::<Size>("memory_budget").0,
        policies,
        lists,
        named_files: root.map(named_files).unwrap_or_default(),
        merged,
    }
}

/// Where the top-level `mcs` leads; none while it is off, or lacks what it needs.
fn central(mcs: &Mcs, tenant: Option<Uuid>, locations: &Locations, statistics: bool) -> Option<CentralSettings> {
    if !mcs.enabled {
        return None;
    }
    Some(CentralSettings {
        url: mcs.url.clone()?,
        token: mcs.token.clone()?,
        tenant: tenant?,
        certs_dir: trust::folder(mcs.certs_dir.as_deref()),
        crl_policy: mcs.crl_policy,
        proxy: mcs.proxy.clone(),
        state_dir: locations.state_dir.clone(),
        statistics,
    })
}

fn redaction(section: &Section<'_>) -> redaction::Settings {
    let texts = |name| section.texts(name).into_iter().map(|text| text.value).collect();
    redaction::Settings {
        enabled: section.bool("enabled"),
        defaults: section.bool("defaults"),
        patterns: texts("patterns"),
        exceptions: texts("exceptions"),
    }
}

/// The groups that are on: those named, or all.
fn content_groups(top: &Section<'_>) -> Vec<ContentGroup> {
    if top.node("enabled_content_groups").is_none() {
        return ContentGroup::ROOTS.iter().filter_map(|root| ContentGroup::from_text(root).ok()).collect();
    }
    top.texts("enabled_content_groups").iter().filter_map(|text| ContentGroup::from_text(&text.value).ok()).collect()
}

/// Checks what no key can be wrong about alone.
fn consistent(config: &Config, top: &Section<'_>, report: &mut Report) {
    let mcs = top.section("mcs");
    if config.mcs.enabled {
        let lacking = [
            ("customer_id", top.node("customer_id").is_none(), "the tenant's id"),
            ("mcs.url", mcs.node("url").is_none(), "where MCS is"),
            (
                "mcs.token",
                mcs.node("token").is_none() && mcs.node("token_file").is_none(),
                "the registration token, or `mcs.token_file`",
            ),
        ];
        for (key, _, what) in lacking.into_iter().filter(|(_, lacking, _)| *lacking) {
            report
                .error(mcs.span("enabled"), format!("MCS is enabled, and `{key}` is missing"))
                .label(format!("needs `{key}`"))
                .help(format!("add `{key}`: {what}"));
        }
    }
    if let Some(token) = &config.mcs.token {
        let span = mcs.span("token").or_else(|| mcs.span("token_file"));
        if token.expose_secret().contains("####") {
            report
                .warning(span, "`mcs.token` is a placeholder")
                .label("not a token")
                .help("put in the registration token of your own tenant");
        } else if !token.expose_secret().starts_with(TOKEN_PREFIX) {
            report
                .warning(span, format!("`mcs.token` does not begin with `{}`", TOKEN_PREFIX))
                .label("unlike a registration token")
                .help("check that it is the token of the sensor, not another one");
        }
    }
    remote_metrics(config, &top.section("metrics"), report);
    in_vain::redaction(config, &top.section("redaction"), report);
    in_vain::response(config, &top.section("response"), report);
    in_vain::groups(config, top, report);
    in_vain::types(config, top, report);
    // Whoever has errors to mend is not bothered with what is merely switched off.
    if !report.has_errors() {
        in_vain::switches(config, top, report);
    }
    mcs_in_vain(config, top, report);
    not_built(config, top, report);
}

/// Metrics name programs and outputs: other hosts get them only where that was said.
fn remote_metrics(config: &Config, metrics: &Section<'_>, report: &mut Report) {
    let Some(listen) = config.metrics.listen.as_ref().filter(|listen| !listen.is_local()) else { return };
    if config.metrics.enabled && !metrics.bool("allow_remote") {
        report
            .error(metrics.span("listen"), format!("other hosts reach {listen}"))
            .label("not an address of this host alone")
            .help("write 127.0.0.1 for the address, or add `allow_remote: true` if a firewall decides who may ask");
    }
}

/// Says what is sent to MCS in vain.
fn mcs_in_vain(config: &Config, top: &Section<'_>, report: &mut Report) {
    let outputs = config.alert_output.outputs.iter();
    let output = outputs.filter(|output| output.enabled).find(|output| is_central(&*output.target));
    let sink = config.investigations.sinks.iter().find(|sink| is_central(&*sink.target));
    if let (Some(output), false) = (output, config.mcs.enabled) {
        report
            .warning(output.span.clone(), "no alert goes to MCS: `mcs.enabled` is false")
            .label("this output sends nothing")
            .help("set `enabled: true` in `mcs`, or take the output out");
    }
    if config.send_labs_telemetry && (!config.mcs.enabled || (output.is_none() && sink.is_none())) {
        let lacking = if config.mcs.enabled { "no output or sink goes to MCS" } else { "`mcs.enabled` is false" };
        report
            .warning(top.span("send_labs_telemetry"), format!("no statistics are sent: {lacking}"))
            .label("they go along with what goes to MCS")
            .help("they are of no use to anything else: take the key out, or have an output of type `mcs`");
    }
    let Some(sink) = sink else { return };
    let lacking = if !config.mcs.enabled {
        "mcs.enabled"
    } else if !config.endpoint_telemetry_enabled {
        "endpoint_telemetry_enabled"
    } else {
        return;
    };
    report
        .warning(sink.span.clone(), format!("no rows go to MCS: `{lacking}` is false"))
        .label("this sink sends nothing")
        .help(format!("set `{lacking}` to true, or take the sink out"));
}

/// Says what is asked for in vain.
fn not_built(config: &Config, top: &Section<'_>, report: &mut Report) {
    if !is_built(Feature::CloudMeta(config.cloud_meta)) {
        let word = config.cloud_meta.word();
        report
            .warning(
                top.span("cloud_meta"),
                format!("`cloud_meta: {word}` is not built yet: alerts carry no instance metadata"),
            )
            .label("checked, but not used");
    }
}

fn is_central(target: &dyn Target) -> bool {
    target.kind() == mcs::NAME
}

/// The sockets of outputs that are on, and of sinks.
fn sockets<'a>(
    alerts: &'a AlertOutput,
    rows: &'a Investigations,
) -> impl Iterator<Item = (&'a Span, &'a ZeromqSettings)> {
    let outputs = alerts.outputs.iter().filter(|output| output.enabled);
    let outputs = outputs.map(|output| (&output.span, &output.target));
    let all = outputs.chain(rows.sinks.iter().map(|sink| (&sink.span, &sink.target)));
    all.filter_map(|(span, target)| Some((span, target.socket()?)))
}
