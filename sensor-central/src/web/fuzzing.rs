//! What browsers ask for, and what sensors tell that pages show.

use uuid::Uuid;

use super::{detections, fields::Fields, filter::Filter, lineage};
use crate::{
    store::{Listed, Place, StoredAlert},
    told,
};

/// Bytes, read as everything that they could be.
///
/// # Panics
///
/// If an address that was read is another one when it is written, or a row that is shown has more than what is ours.
pub fn web(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(filter) = Filter::read(&Fields::parse(&text), 0) {
        let again = Filter::read(&Fields::parse(&filter.query()), 0).expect("what was understood is understood again");
        assert_eq!((again.query(), again.sought), (filter.query(), filter.sought));
    }
    let told = told::value(&text);
    assert!(!lineage::draw(&told).into_string().contains("<script"), "{text}");
    let row = detections::row(&listed(text)).into_string();
    assert_eq!((row.matches("<td").count(), row.contains("<script")), (8, false), "{row}");
}

fn listed(text: String) -> Listed {
    let alert = StoredAlert {
        place: Place { raised: 1, row: 1 },
        public_id: Uuid::nil(),
        sensor: String::new(),
        time: 1,
        severity: 8,
        policy: text.clone(),
        host: text.clone(),
        json: text.clone(),
    };
    Listed { alert, user: text.clone(), container: text.clone(), incident: text, is_closed: false }
}
