//! Rules of Sigma: any text is taken in or refused in words, and what is made of it is a configuration without a fault.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_agent::config::check_text;
use sensor_agent::sigma::{Options, Outcome, import};

fuzz_target!(|text: &str| {
    let imported = import(&[("rule.yml".to_owned(), Ok(text.to_owned()))], &Options::default());
    let refused = imported.told.iter().filter(|told| matches!(told.what, Outcome::NotTaken(_))).count();
    assert_eq!(imported.rules, imported.taken + refused);
    let report = check_text(imported.text.as_bytes());
    assert!(report.diagnostics().is_empty(), "{report}\n{}", imported.text);
});
