//! Receivers that messages go to one by one, each known by an id, and not as lines of text.

use std::{fmt::Debug, io, path::Path};

use delivery::{receivers::zeromq::ZeromqSettings, remote::Remote};

use crate::item::{Item, Stream};

/// One of them, as it is configured.
pub trait Receiver: Debug + Send + Sync {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// What speaks to it.
    ///
    /// # Errors
    /// It cannot be spoken to with these settings.
    fn remote(&self) -> io::Result<Box<dyn Remote>>;

    /// Whether it is there and trusted, as far as that can be found out without sending it anything.
    ///
    /// # Errors
    /// Why it is not.
    fn reach(&self) -> Result<(), String>;

    /// What is known of messages that are handed over, for people; none where the receiver confirms them.
    fn known(&self) -> Option<&'static str> {
        None
    }

    /// Appends the key of an item's message, for receivers that have such.
    fn put_key(&self, _out: &mut Vec<u8>, _tenant: &str, _item: &Item<'_>) {}

    /// Appends the message that an item becomes, and its line.
    fn put(&self, out: &mut Vec<u8>, _tenant: &str, _stream: Stream, _item: &Item<'_>, line: &str) {
        out.extend_from_slice(line.as_bytes());
    }

    /// The folder on this host that it is.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// A socket that all outputs of the same endpoint share.
    fn socket(&self) -> Option<&ZeromqSettings> {
        None
    }

    /// The keys that say the same, each on a line of its own, for those that a `config.ini` can name.
    fn yaml(&self) -> Option<String> {
        None
    }
}

/// Declares the modules of receivers. Each has its `VARIANT`, which are its keys and what is told of it, and `read`, which
/// takes it from a configuration.
macro_rules! receivers {
    ($($name:ident,)*) => {
        $(pub mod $name;)*

        /// What sorts of outputs there are, with their keys.
        pub const VARIANTS: &[Variant] = &[file::VARIANT, stdout::VARIANT, $($name::VARIANT,)*];

        /// What they are called.
        pub static SORTS: Words =
            Words { current: &[file::VARIANT.name, stdout::VARIANT.name, $($name::VARIANT.name,)*], older: &[] };

        /// Takes a receiver of this sort; none if it cannot be one, and the report says why.
        fn receiver(
            sort: &str,
            section: &Section<'_>,
            node: &Node,
            report: &mut Report,
        ) -> Option<Arc<dyn Receiver>> {
            $(if sort == $name::VARIANT.name {
                return $name::read(section, node, report).map(|receiver| Arc::new(receiver) as Arc<dyn Receiver>);
            })*
            None
        }
    };
}
