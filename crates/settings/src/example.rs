//! Keys for tests.

use crate::schema::{Key, Kind, Schema};

pub(crate) static SCHEMA: Schema = Schema::new(TOP).token_prefix("SLS-").from_environment("");

static TOP: &[Key] = &[
    Key::new("id", Kind::Uuid, "", "An id."),
    Key::new("mode", Kind::Text, "off", "A mode."),
    Key::new("server", Kind::Map(SERVER), "", "A server."),
    Key::new("groups", Kind::List(&Kind::Text), "", "Groups."),
    Key::new("client", Kind::Map(CLIENT), "", "A client."),
    Key::new("outputs", Kind::List(&Kind::Map(OUTPUT)), "", "Outputs."),
];

static SERVER: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether it is on."),
    Key::new("url", Kind::Url(&["https"]), "", "Where it is."),
    Key::new("token", Kind::Secret, "", "A token.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file with the token.").instead_of("token"),
    Key::new("proxy", Kind::Url(&["http"]), "", "The proxy."),
];

static CLIENT: &[Key] = &[
    Key::new("interval", Kind::Duration(100), "5s", "How often."),
    Key::new("rows", Kind::Count(0, u64::MAX), "1000", "How many."),
    Key::new("kept", Kind::Count(1, 100), "30", "How long.").null("for ever"),
];

static OUTPUT: &[Key] = &[
    Key::new("type", Kind::Text, "", "What kind it is."),
    Key::new("headers", Kind::MapOf(&Kind::Secret), "", "Headers."),
];
