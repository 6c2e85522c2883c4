//! Builds again when a file is added below `mappings/` or `recipes/`, all of which are part of the binary.

fn main() {
    println!("cargo:rerun-if-changed=mappings");
    println!("cargo:rerun-if-changed=recipes");
}
