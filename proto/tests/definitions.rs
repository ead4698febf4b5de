//! The definitions themselves: documented whole, and safe to extend.

use proptest::prelude::*;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use sensor_proto::v1::{Alert, AlertBatch, Location};

/// The alert of a version to come: fields in numbers that are not used today, of every kind.
#[derive(Clone, PartialEq, prost::Message)]
struct NewerAlert {
    #[prost(string, tag = "1")]
    uuid: String,
    #[prost(message, optional, tag = "17")]
    location: Option<NewerLocation>,
    #[prost(string, tag = "900")]
    text: String,
    #[prost(fixed64, tag = "901")]
    number: u64,
    #[prost(message, repeated, tag = "902")]
    list: Vec<NewerLocation>,
    #[prost(float, tag = "903")]
    fraction: f32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NewerLocation {
    #[prost(string, tag = "2")]
    node_name: String,
    #[prost(sint32, tag = "800")]
    rack: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NewerBatch {
    #[prost(message, repeated, tag = "1")]
    alerts: Vec<NewerAlert>,
    #[prost(string, tag = "700")]
    sent_by: String,
}

#[test]
fn an_old_reader_reads_what_it_knows_of_a_newer_message() {
    let location = NewerLocation { node_name: "web".into(), rack: -4 };
    let alert = NewerAlert {
        uuid: "u".into(),
        location: Some(location.clone()),
        text: "new".into(),
        number: 7,
        list: vec![location; 2],
        fraction: 0.5,
    };
    let newer = NewerBatch { alerts: vec![alert], sent_by: "a later version".into() };
    let read = AlertBatch::decode(&newer.encode_to_vec()[..]).unwrap();
    let location = Location { node_name: "web".into(), ..Location::default() };
    assert_eq!(read.alerts, [Alert { uuid: "u".into(), location: Some(location), ..Alert::default() }]);
}

#[test]
fn every_message_and_field_is_documented() {
    let definitions = FileDescriptorSet::decode(sensor_proto::DEFINITIONS).unwrap();
    let mut fields = 0;
    for file in &definitions.file {
        let comments = &file.source_code_info.as_ref().unwrap().location;
        let has_comment = |path: &[i32]| {
            comments.iter().any(|location| location.path == path && !location.leading_comments().trim().is_empty())
        };
        for (index, message) in (0..).zip(&file.message_type) {
            // Numbers of FileDescriptorProto.message_type and DescriptorProto.field.
            assert!(has_comment(&[4, index]), "{}", message.name());
            for (number, field) in (0..).zip(&message.field) {
                assert!(has_comment(&[4, index, 2, number]), "{}.{}", message.name(), field.name());
                fields += 1;
            }
        }
    }
    assert!(fields > 100, "{fields}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes: Vec<u8>) {
        if let Ok(batch) = AlertBatch::decode(&bytes[..]) {
            let again = AlertBatch::decode(&batch.encode_to_vec()[..]).unwrap();
            prop_assert_eq!(again, batch);
        }
    }
}
