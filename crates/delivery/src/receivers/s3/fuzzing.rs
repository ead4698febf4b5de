//! What a store replies to a file that was put.

use super::{AccessKey, Duration, HttpSettings, Reply, S3Settings, Store};
use crate::tls::TlsSettings;

const SECRET: &str = "wJalrXUtnFEMI";
/// A place, a bucket and a hint beside the words of a reply.
const LONGEST: usize = 2000;

/// A reply with this status.
///
/// # Panics
///
/// If what is said of it holds the secret or commands to a terminal, or is endless.
pub fn store_reply(status: u16, body: &[u8]) {
    thread_local!(static STORE: Store = store());
    let reply = Reply { status, wish: None, body: body.to_vec() };
    let reason = STORE.with(|store| store.setback(&reply).reason);
    assert!(!reason.contains(SECRET), "{reason}");
    assert!(!reason.contains(char::is_control) && reason.len() < LONGEST, "{reason:?}");
}

fn store() -> Store {
    let settings = S3Settings {
        endpoint: "https://store.example".parse().expect("an address"),
        bucket: "lake".to_owned(),
        prefix: String::new(),
        region: "local".to_owned(),
        path_style: true,
        access_key: Some(AccessKey { id: "AKIA".to_owned(), secret: SECRET.to_owned().into() }),
        http: HttpSettings {
            agent: "fuzzing",
            batch_size: 1,
            batch_delay: Duration::ZERO,
            timeout: Duration::from_secs(1),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(1),
            tls: TlsSettings::default(),
        },
    };
    Store::new(&settings).expect("a store")
}
