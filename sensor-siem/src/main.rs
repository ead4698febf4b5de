//! Hands Central's alerts and events to a SIEM.

fn main() -> std::process::ExitCode {
    sensor_siem::commands::main()
}
