//! Programs that the kernel itself has run, where it allows programs at functions; where it does not, that is said.

use std::process::Command;

use sensor_tests::hooks::{assert_accounted, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};

const HELPER: &str = "Kernel Helper";

#[test]
fn what_the_kernel_has_run_is_told_with_who_gave_occasion_to_it() {
    let mark = Mark::new("helper");
    let policy =
        format!("{HELPER}:\n  policy: userHelper\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule());
    let sensor = Sensor::start(&mark.config_with(&policy));
    let hook_of = || hook(&sensor, "user_helper");
    let pid = sensor.finish(Command::new(programs::act()).args(["raw", "module", mark.word()]));
    if hook_of()["attached"] == true {
        let told = sensor.until("the helper", || told_of(&sensor, HELPER, pid).into_iter().next());
        assert!(told["helper_cmdline"].as_str().is_some_and(|line| line.contains("net-pf-9")), "{told:#}");
        assert_accounted(&hook_of());
    } else {
        let log = sensor.home().log();
        assert!(log.contains("programs that the kernel itself has run are not told"), "{log}");
    }
}
