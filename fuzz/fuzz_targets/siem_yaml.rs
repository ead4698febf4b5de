//! YAML configurations of the exporter: any bytes are read or refused, with a report that can be shown, and what was read is
//! written as the same.
#![no_main]

use diagnostic::{Appearance, Report};
use libfuzzer_sys::fuzz_target;
use sensor_siem::config::{Config, read, write};
use sensor_siem::destination::Destination;
use settings::Environment;

fuzz_target!(|bytes: &[u8]| {
    let mut report = Report::default();
    let config = read(bytes, &Environment::default(), &mut report);
    assert_eq!(config.is_none(), report.has_errors());
    let _ = report.render(Appearance::PLAIN);
    let Some(config) = config.filter(is_of_the_script) else { return };
    let mut report = Report::default();
    let again = read(write(&config).as_bytes(), &Environment::default(), &mut report);
    let all = |config: &Config| format!("{:?} {:?}", config.outputs, config.state);
    assert!(again.is_some_and(|again| all(&again) == all(&config)), "{report}");
});

/// Whether it says what a `config.ini` can say as well: no more than that is written.
fn is_of_the_script(config: &Config) -> bool {
    config.outputs.iter().all(|output| match &output.destination {
        Destination::File(_) | Destination::Stdout => true,
        // What TLS needs a `config.ini` cannot say.
        Destination::Receiver(receiver) => receiver.yaml().is_some_and(|yaml| !yaml.contains("tls://")),
    })
}
