//! Runs loads, each that never touches audit or those that are named: `loops MILLISECONDS [LOAD…]`, so long each. Ends with 1 if one
//! cannot be run.

use std::process::ExitCode;
use std::time::Duration;

use sensor_tests::loads::{Load, Outcome, UNRELATED};

fn main() -> ExitCode {
    let Some(milliseconds) = std::env::args().nth(1).and_then(|word| word.parse().ok()) else {
        eprintln!("usage: loops MILLISECONDS [LOAD…]");
        return ExitCode::from(2);
    };
    let named: Vec<String> = std::env::args().skip(2).collect();
    let loads = if named.is_empty() { UNRELATED.iter().map(ToString::to_string).collect() } else { named };
    let failed = loads.iter().filter_map(|load| Some((load, run(load, milliseconds).err()?)));
    let failed = failed.map(|(load, error)| eprintln!("loops: {load}: {error}")).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(load: &str, milliseconds: u64) -> Outcome<()> {
    let nanoseconds = Load::new(load)?.run(Duration::from_millis(milliseconds))?;
    println!("{load} {nanoseconds:.0}");
    Ok(())
}
