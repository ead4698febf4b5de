//! Pages of Central's items: any bytes are refused, or every item becomes one line in each format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_siem::format::{Format, Layout};
use sensor_siem::item::{Page, Stream, mended, readable};

fuzz_target!(|bytes: &[u8]| {
    let text = readable(bytes.into());
    let mended = mended(&text);
    let strict = Page::read(&text);
    assert!(strict.is_err() || mended == text, "what is JSON stays as it is");
    let Ok(page) = strict.or_else(|_| Page::read(&mended)) else { return };
    for item in &page.items {
        for &format in Format::ALL {
            for (compat, stream) in [(true, Stream::Alerts), (false, Stream::Events)] {
                let line = Layout { format, compat, fqdn: true }.line(item, stream).text;
                assert!(compat || !line.contains(['\n', '\r', '\0', '\u{85}', '\u{2028}']), "{line:?}");
                if format == Format::Json && !compat {
                    let again: &serde_json::value::RawValue = serde_json::from_str(&line).expect("JSON");
                    assert!(again.get().starts_with('{'));
                }
            }
        }
    }
});
