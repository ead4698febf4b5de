//! Named lists, as each file gives them. They add up in the order of the files, which is for the rules to do.

use diagnostic::{Report, Spanned};
use settings::{Node, Section};

use super::keys;
use super::words::ListType;

/// What one file says about a list.
#[derive(Clone, Debug)]
pub struct ListConfig {
    pub name: Spanned<String>,
    /// The type, where it is given.
    pub list_type: Option<Spanned<ListType>>,
    /// All values, instead of those of earlier files.
    pub values: Option<Vec<Spanned<String>>>,
    /// Values on top.
    pub add: Vec<Spanned<String>>,
    /// Values to take out.
    pub remove: Vec<Spanned<String>>,
}

/// Takes the lists of one file.
pub(crate) fn read(root: &Node, report: &mut Report) -> Vec<ListConfig> {
    let Some(lists) = root.entries().iter().find(|entry| entry.key.value == "lists") else { return Vec::new() };
    let mut read = Vec::new();
    for entry in lists.value.entries() {
        let section = Section::new(Some(&entry.value), keys::LIST);
        let given = |name| section.node(name).map(|_| section.texts(name));
        let (values, add, remove) = (given("values"), given("add"), given("remove"));
        if let (Some(span), true) = (section.span("values"), add.is_some() || remove.is_some()) {
            report
                .error(
                    span,
                    format!("`{}`: `values` replaces the list, so there is nothing to add or remove", entry.key.value),
                )
                .help("give either `values`, or `add` and `remove`");
        }
        if values.is_none() && add.is_none() && remove.is_none() {
            report
                .warning(entry.key.span.clone(), format!("nothing is said about the list `{}`", entry.key.value))
                .help("give `values`, or `add` and `remove`");
        }
        let list_type = section.spanned("type").zip(section.get::<ListType>("type"));
        read.push(ListConfig {
            name: entry.key.clone(),
            list_type: list_type.map(|(text, value)| text.map(|_| value)),
            values,
            add: add.unwrap_or_default(),
            remove: remove.unwrap_or_default(),
        });
    }
    read
}
