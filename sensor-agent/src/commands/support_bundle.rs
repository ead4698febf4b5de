//! `support-bundle`: what somebody who helps needs to see, in one file, without secrets.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::{io, iter};

use diagnostic::{Appearance, Report, printable};
use secrecy::{ExposeSecret as _, SecretString};
use settings::{Environment, secrets::url_secrets};
use url::Url;

use super::{fail, paths, print};
use crate::cli::{Exit, Options, version};
use crate::config::Config;
use crate::control::{client, render};
use crate::doctor;
use crate::output::target::Endpoint;
use crate::redaction::Redaction;
use crate::sensor::configure;

const README: &str = "\
What sophoslinuxsensor support-bundle gathered: the state of the sensor, its configuration with secrets masked, what
doctor found, and warnings of its log. There are no alerts, no rows and no command lines of processes in it. Read it
before you send it: names of hosts, files and receivers are in it.
";

/// Facts of the host that decide what the sensor can do.
const FACTS: &[&str] = &[
    "/proc/version",
    "/etc/os-release",
    "/sys/kernel/security/lockdown",
    "/proc/sys/kernel/unprivileged_bpf_disabled",
    "/proc/sys/kernel/perf_event_paranoid",
    "/proc/sys/kernel/bpf_stats_enabled",
    "/proc/self/cgroup",
    "/proc/loadavg",
    "/proc/meminfo",
];

/// What systemd knows of the unit; not its environment, which may hold secrets.
const UNIT: &str = "ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainStartTimestamp,FragmentPath,DropInPaths,\
                    MemoryCurrent,MemoryMax,CPUUsageNSec,CPUQuotaPerSecUSec,TasksCurrent,WatchdogUSec";

pub(super) fn support_bundle(options: &Options, file: &Path) -> Exit {
    let paths = paths(options);
    let environment = Environment::of_process();
    let mut report = Report::default();
    let (config, _) = configure(&paths, &environment, &mut report);
    let status = match client::status(&config.locations.run_dir) {
        Ok(status) => render::status_json(&status),
        Err(error) => error.to_string(),
    };
    let mut parts = vec![
        ("README.txt", README.to_owned()),
        ("version.txt", version()),
        ("doctor.txt", doctor::render(&doctor::examine(&paths, &environment))),
        ("status.json", status),
        ("configuration.yaml", config.merged_yaml().to_owned()),
        ("configuration-findings.txt", report.render(Appearance::PLAIN)),
        ("host.txt", facts()),
        ("unit.txt", output_of("systemctl", &["show", "sophoslinuxsensor", "-p", UNIT])),
        // Alerts are on standard output, without a priority; the log's warnings are above them.
        ("log.txt", output_of("journalctl", &["-u", "sophoslinuxsensor", "-p", "warning", "-n", "1000", "--no-pager"])),
    ];
    let secrets = secrets(&config);
    let redaction = Redaction::new(config.redaction.clone());
    for (name, text) in &mut parts {
        *text = scrub(std::mem::take(text), &secrets);
        // What may tell what programs were given; a configuration has its own masks, and patterns of secrets in it.
        if *name == "log.txt" {
            *text = String::from_utf8_lossy(&redaction.text(text.as_bytes())).into_owned();
        }
    }
    match write(file, &parts) {
        Ok(()) => print(&format!("{}: written. Read it before you send it.\n", printable(&file.display().to_string()))),
        Err(error) => fail(&format!("{}: {error}", file.display())),
    }
}

fn facts() -> String {
    FACTS
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap_or_else(|error| error.to_string());
            format!("== {path}\n{}\n", text.trim_end())
        })
        .collect()
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        Err(error) => format!("{program}: {error}\n"),
    }
}

/// Every secret of the configuration, as it could stand in a text.
fn secrets(config: &Config) -> Vec<String> {
    let mut secrets: Vec<&SecretString> = config.mcs.token.iter().collect();
    let mut urls: Vec<&Url> = [&config.mcs.url, &config.mcs.proxy].into_iter().flatten().collect();
    let outputs = config.alert_output.outputs.iter().map(|output| &output.target);
    for target in outputs.chain(config.investigations.sinks.iter().map(|sink| &sink.target)) {
        secrets.extend(target.secrets());
        if let Some(Endpoint::Url(url)) = target.endpoint() {
            urls.push(url);
        }
    }
    let mut found: Vec<String> = urls.into_iter().flat_map(url_secrets).collect();
    for secret in secrets.into_iter().map(SecretString::expose_secret) {
        // `Bearer TOKEN`: the token alone is secret too.
        found.extend(secret.split_whitespace().last().map(str::to_owned));
        found.push(secret.to_owned());
    }
    // What is too short to be a secret would blank out half a text.
    found.retain(|secret| secret.len() >= 4);
    // One may be the end of another.
    found.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    found
}

/// The text without these.
fn scrub(text: String, secrets: &[String]) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "********"))
}

fn write(path: &Path, parts: &[(&str, String)]) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut archive = tar::Builder::new(zstd::Encoder::new(file, 0)?);
    for (name, text) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(clock::unix_now() / 1_000_000_000);
        let place: std::path::PathBuf = iter::once("sophoslinuxsensor-support").chain(iter::once(*name)).collect();
        archive.append_data(&mut header, place, text.as_bytes())?;
    }
    archive.into_inner()?.finish()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_every_text() {
        let text = scrub("token=SLS-1234 and SLS-1234\n".into(), &["SLS-1234".into()]);
        assert_eq!(text, "token=******** and ********\n");
    }

    #[test]
    fn every_secret_of_the_configuration_is_known() {
        let text = "\
mcs: {enabled: true, url: 'https://x', token: SLS-hunter2-mcs, proxy: 'http://u:hunter2-proxy@x'}
alert_output:
  outputs:
    - {type: webhook, url: 'http://u:hunter2%40user@x/hunter2-path-0123456789/in?key=hunter2-query', \
headers: {Authorization: Bearer hunter2-bearer, X-Key: hunter2-key}}
    - {type: splunk_hec, url: 'http://hunter2-alone@x', token: hunter2-token}
investigations:
  sinks: [{backend: parquet, name: /tmp/x, bucket: b, access_key_id: AKIA, secret_access_key: hunter2-store}]
";
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main.yaml");
        fs::write(&main, text).unwrap();
        let mut report = Report::default();
        let paths = crate::config::Paths { main: Some(main), ..crate::config::Paths::default() };
        let secrets = secrets(&crate::config::load(&paths, &Environment::default(), &mut report));
        let told = "SLS-hunter2-mcs hunter2-proxy hunter2%40user hunter2@user dTpodW50ZXIyQHVzZXI= \
                    hunter2-path-0123456789 hunter2-query hunter2-bearer hunter2-key hunter2-alone hunter2-token \
                    hunter2-store";
        let left = scrub(told.to_owned(), &secrets);
        assert_eq!(left.replace(['*', '='], "").trim(), "", "{report}");
    }

    #[test]
    fn the_file_is_an_archive_for_the_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bundle.tar.zst");
        write(&path, &[("a.txt", "one".into()), ("b.txt", "two".into())]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut archive = tar::Archive::new(zstd::Decoder::new(fs::File::open(&path).unwrap()).unwrap());
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(names, [Path::new("sophoslinuxsensor-support/a.txt"), Path::new("sophoslinuxsensor-support/b.txt")]);
        assert_eq!(write(&path, &[]).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
