//! Links `tiny` without the C runtime, so that running it costs the kernel's part and nothing else.

fn main() {
    for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie"] {
        println!("cargo::rustc-link-arg-bin=tiny={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
