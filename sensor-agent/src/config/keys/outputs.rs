//! Keys of `alert_output`.

use settings::{Key, Kind, Variants, Word as _};

use super::kinds::TEMPLATE;
use crate::alert::shorten::MIN_BYTES;
use crate::output::{Format, target};
use crate::policy::MessageType;

pub(super) static ALERT_OUTPUT: &[Key] = &[
    Key::new("template", Kind::Own(&TEMPLATE), "", "The template of outputs that have none of their own."),
    Key::new("outputs", Kind::List(&Kind::Variants(&OUTPUTS)), "", "The outputs. Each gets every alert."),
];

/// The outputs of alerts.
pub(crate) static OUTPUTS: Variants = Variants {
    tag: "type",
    called: "an output",
    common: &[
        Key::new("type", Kind::Word(&target::OUTPUT_TYPES), "", "What kind of output it is.").required(),
        Key::new("enabled", Kind::Bool, "true", "Whether alerts go there."),
        Key::new("name", Kind::Text, "", "Its name in the log and in metrics; of a `file`, the path."),
        Key::new(
            "template",
            Kind::Own(&TEMPLATE),
            "",
            "The shape of an alert, instead of JSON. An alert whose text comes out empty is not sent.",
        ),
        Key::new(
            "message_types",
            Kind::OneOrMore(&Kind::Word(MessageType::WORDS)),
            "[alert, smart_policy]",
            "The kinds of messages it carries.",
        ),
        Key::new("format", Kind::Word(Format::WORDS), "json", "The shape of an alert without a template."),
        Key::new(
            "max_bytes",
            Kind::Size(MIN_BYTES as u64, u64::MAX),
            "",
            "The longest alert that the receiver takes. Longer ones are cut, and stay valid. Without it: 8000 bytes of a \
             `syslog` message, 256 KiB elsewhere.",
        ),
    ],
    variants: target::OUTPUTS,
};
