//! What the running sensor says of itself, and what its cgroup allows it.

use super::Finding;
use crate::capture::{Capture, Options, State, missed};
use crate::config::Config;
use crate::control::Status;
use crate::control::client::{self, ClientError};
use crate::control::problems::problems;
use crate::control::status::{Hook, Runtime};
use crate::{health, privilege};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    match client::status(&config.locations.run_dir) {
        Ok(status) => of_status(&status),
        Err(ClientError::NotRunning { died: true, .. }) => vec![Finding::failure(
            "sensor",
            "the sensor ended without warning",
            "systemctl restart sophoslinuxsensor; journalctl -u sophoslinuxsensor tells what came before",
        )],
        Err(ClientError::NotRunning { .. }) => {
            let mut found = try_hooks();
            found.push(Finding::warning("sensor", "the sensor does not run", "systemctl start sophoslinuxsensor"));
            found
        }
        Err(error @ ClientError::NotAllowed { .. }) => {
            vec![Finding::warning("sensor", error.to_string(), "run doctor as root")]
        }
        Err(error) => vec![Finding::failure("sensor", error.to_string(), "systemctl restart sophoslinuxsensor")],
    }
}

/// Loads and attaches the kernel programs for a moment: whether that works is known only by doing it.
fn try_hooks() -> Vec<Finding> {
    if !privilege::missing(privilege::START).is_empty() {
        // Said already, and the kernel would say no more than that it is not permitted.
        return Vec::new();
    }
    match Capture::start(&Options::default()) {
        Err(error) => vec![Finding::failure("hooks", error.to_string(), "see the findings about the kernel above")],
        Ok(capture) => {
            let tell = |program: crate::capture::ProgramStatus| {
                let place = format!("{}: {}", program.source.name(), program.hook);
                let text = format!("{place}: {}", program.state);
                match &program.state {
                    State::NotAvailable(_) => done_without(&text, missed(program.source, program.rung)),
                    _ => Finding::fine("hooks", text),
                }
            };
            capture.status().into_iter().map(tell).collect()
        }
    }
}

fn of_status(status: &Status) -> Vec<Finding> {
    let mut found = Vec::new();
    match health::lacking(status).as_slice() {
        [] => found.push(Finding::fine("sensor", format!("it runs (pid {}) and hears what happens", status.pid))),
        lacking => found.push(Finding::failure("sensor", lacking.join("\n"), "systemctl restart sophoslinuxsensor")),
    }
    for hook in &status.hooks {
        found.push(of_hook(hook));
    }
    for runtime in &status.containers.runtimes {
        found.extend(of_runtime(runtime));
    }
    for problem in problems(status) {
        found.push(Finding::warning(
            "sensor",
            problem,
            "sophoslinuxsensor status shows the numbers; operations.md what helps",
        ));
    }
    found
}

/// A hook that the sensor does without: what is `missed` by it, if the next rung does not tell the same.
fn done_without(text: &str, missed: Option<&str>) -> Finding {
    match missed {
        None => Finding::lower_rung("hooks", text, "nothing here: the next rung, if it is attached, tells the same"),
        Some(missed) => Finding::lower_rung(
            "hooks",
            format!("{text}\nso {missed}"),
            "nothing here: a kernel that lets programs be attached to its functions (fexit) offers it, as those of \
             distributions do; see kernels.md",
        ),
    }
}

/// One that answers; of the others it is said among the problems.
fn of_runtime(runtime: &Runtime) -> Option<Finding> {
    (runtime.answers == Some(true)).then(|| {
        let Runtime { name, socket, named, not_known, failed, longest_ms, .. } = runtime;
        let text = format!(
            "{name} at {socket} answers, after {longest_ms} ms at most: {named} containers named, {not_known} questions about \
             containers of others, {failed} without an answer"
        );
        Finding::fine("containers", text)
    })
}

fn of_hook(hook: &Hook) -> Finding {
    let place = format!("{}: {} (rung {})", hook.name, hook.hook, hook.rung);
    match (&hook.absent, hook.attached) {
        (Some(reason), _) => done_without(&format!("{place}: {reason}"), hook.missed.as_deref()),
        (None, true) => Finding::fine("hooks", place),
        (None, false) => {
            Finding::failure("hooks", format!("{place}: not attached"), "systemctl restart sophoslinuxsensor")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn only_a_hook_that_is_attached_is_fine() {
        let hook = |attached, absent: Option<&str>, missed: Option<&str>| {
            let (absent, missed) = (absent.map(str::to_owned), missed.map(str::to_owned));
            of_hook(&Hook {
                name: "bpf".into(),
                hook: "fexit/bpf_check".into(),
                attached,
                absent,
                missed,
                ..Hook::default()
            })
        };
        let not_here = Some("not available: the kernel has no such function");
        assert_eq!(hook(true, None, None).level, Level::Fine);
        assert_eq!(hook(false, None, None).level, Level::Failure);
        assert_eq!(hook(false, not_here, None).level, Level::LowerRung);
        let missed = hook(false, not_here, Some("loads of BPF programs are not told"));
        assert_eq!(missed.level, Level::LowerRung);
        assert!(missed.text.ends_with("so loads of BPF programs are not told"), "{}", missed.text);
    }
}
