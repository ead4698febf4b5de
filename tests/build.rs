//! Links `tiny` without the C runtime, so that running it costs the kernel's part and nothing else.

fn main() {
    // What can be linked statically is without the standard library; see `tiny`.
    let aborts = std::env::var("CARGO_CFG_PANIC").is_ok_and(|strategy| strategy == "abort");
    let library: &[&str] = if aborts { &["-nostdlib", "-static"] } else { &["-Wl,--no-dynamic-linker"] };
    for argument in ["-nostartfiles", "-no-pie"].iter().chain(library) {
        println!("cargo::rustc-link-arg-bin=tiny={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
