//! How alerts and rows are written.

use settings::words;

words! {
    /// How an alert is written that has no template.
    #[derive(Default)]
    pub Format {
        #[default]
        Json = "json",
        Cef = "cef",
        Ecs = "ecs",
        Ocsf = "ocsf",
    }
}

words! {
    /// How a row is written where rows are texts.
    #[derive(Default)]
    pub RowFormat {
        #[default]
        Json = "json",
        Ocsf = "ocsf",
    }
}
