//! `limits`: what the unit runs before the sensor, with the rights that the sensor does not have.

use diagnostic::Report;
use settings::Environment;

use super::{fail, paths, print};
use crate::cli::{Exit, Options};
use crate::limits;
use crate::sensor::configure;

pub(super) fn limits(options: &Options) -> Exit {
    // What is wrong with the configuration is told by the sensor itself, which starts next.
    let mut report = Report::default();
    let (config, _) = configure(&paths(options), &Environment::of_process(), &mut report);
    match limits::apply(config.use_resource_limits) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => fail(&error),
    }
}
