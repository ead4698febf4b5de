//! A configuration as YAML that says the same.

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;

use super::{Config, Output, StartWord};
use crate::{destination::Destination, item::Stream, source::Credentials};

/// The YAML. It holds the secrets.
#[must_use]
pub fn write(config: &Config) -> String {
    let mut out = String::from("# Made of a config.ini by `sensor-siem migrate`.\n");
    // Writing to a string does not fail.
    let _ = fill(&mut out, config);
    out
}

fn fill(out: &mut String, config: &Config) -> std::fmt::Result {
    writeln!(out, "central:")?;
    match &config.credentials {
        Credentials::Client { id, secret, auth_url, api_host, .. } => {
            writeln!(out, "  client_id: {}", quoted(id))?;
            writeln!(out, "  # Better in a file of its own, named by `client_secret_file`.")?;
            writeln!(out, "  client_secret: {}", quoted(secret.expose_secret()))?;
            writeln!(out, "  auth_url: {}", quoted(auth_url.as_str()))?;
            writeln!(out, "  api_host: {}", quoted(api_host.as_str()))?;
        }
        Credentials::Legacy { url, api_key, authorization } => {
            writeln!(out, "  gateway: {}", quoted(url.as_str()))?;
            writeln!(out, "  # Better in files of their own, named by `api_key_file` and `authorization_file`.")?;
            writeln!(out, "  api_key: {}", quoted(api_key.expose_secret()))?;
            writeln!(out, "  authorization: {}", quoted(authorization.expose_secret()))?;
        }
    }
    let connection = &config.connection;
    if let Some(path) = &connection.ca_file {
        writeln!(out, "  ca_file: {}", quoted(&path.to_string_lossy()))?;
    }
    if let Some(proxy) = &connection.proxy {
        writeln!(out, "  proxy: {}", quoted(proxy.as_str()))?;
    }
    writeln!(out, "  timeout: {}s", connection.timeout.as_secs())?;
    if let Credentials::Client { tenants, .. } = &config.credentials
        && !tenants.is_empty()
    {
        writeln!(out, "tenants: [{}]", tenants.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", "))?;
    }
    let streams = match config.streams[..] {
        [Stream::Events] => "events",
        [Stream::Alerts] => "alerts",
        _ => "all",
    };
    writeln!(out, "streams: {streams}")?;
    writeln!(out, "overlap: {}s", config.overlap.as_secs())?;
    writeln!(out, "# It goes on where `config.ini` stopped.")?;
    writeln!(out, "state: {}", quoted(&config.state.to_string_lossy()))?;
    writeln!(out, "dead_letters: {}", quoted(&config.dead_letters.to_string_lossy()))?;
    if let Some(path) = &config.script_state {
        writeln!(out, "script_state: {}", quoted(&path.to_string_lossy()))?;
    }
    for (stream, minutes) in ["events", "alerts"].into_iter().zip(config.earlier_minutes) {
        if minutes > 0 {
            writeln!(
                out,
                "# Left out: {stream}_from_date_offset_minutes = {minutes}. A first reading begins where `start` says."
            )?;
        }
    }
    writeln!(out, "log_level: {}", config.log_level.word())?;
    writeln!(out, "outputs:")?;
    for output in &config.outputs {
        let Output { name, destination, layout, start, max_bytes } = output;
        writeln!(out, "  - name: {name}")?;
        match destination {
            Destination::Stdout => writeln!(out, "    type: stdout")?,
            // That it has no bound is said by saying nothing.
            Destination::File(file) => {
                writeln!(out, "    type: file\n    path: {}", quoted(&file.path.to_string_lossy()))?;
            }
            // A config.ini has no others.
            Destination::Receiver(receiver) => {
                receiver.yaml().unwrap_or_default().lines().try_for_each(|line| writeln!(out, "    {line}"))?;
            }
        }
        writeln!(out, "    format: {}", layout.format.word())?;
        writeln!(out, "    compat: {}\n    fqdn: {}", layout.compat, layout.fqdn)?;
        writeln!(out, "    start: {}", StartWord(*start))?;
        if let Some(most) = max_bytes {
            writeln!(out, "    max_bytes: {most}")?;
        }
    }
    Ok(())
}

/// A text of JSON, which is one of YAML as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
