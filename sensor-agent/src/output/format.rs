//! How alerts and rows are written.

/// How an alert is written that has no template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Cef,
    Ecs,
    Ocsf,
}

/// How a row is written where rows are texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowFormat {
    #[default]
    Json,
    Ocsf,
}
