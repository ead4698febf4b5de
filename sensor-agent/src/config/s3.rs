//! An S3-compatible store, as a sink's keys describe it.

use delivery::receivers::s3::{S3Settings, keys as s3};
use diagnostic::Report;
use settings::Section;

use super::keys;
use super::outputs;

/// The key of a sink that has no store. All others of a `parquet` sink say nothing without one.
const WITHOUT_STORE: &str = "roll_interval";

/// Takes the store; none inside if files stay in their folder, none at all if something is wrong, which is reported.
#[expect(clippy::option_option, reason = "as everywhere here, none means that the report says what is wrong")]
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> Option<Option<S3Settings>> {
    let Some(bucket) = section.get::<String>("bucket") else {
        s3::without_bucket(section, keys::PARQUET.iter().filter(|key| key.name != WITHOUT_STORE), report);
        return Some(None);
    };
    let http = |endpoint: &_, report: &mut _| outputs::single_requests(section, endpoint, true, report);
    s3::read(section, bucket, report, http).map(Some)
}
