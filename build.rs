//! Rebuilds when files are added to what the binary carries.

fn main() {
    println!("cargo::rerun-if-changed=cases");
    println!("cargo::rerun-if-changed=spec");
}
