//! Compares.
mod memory;
mod pairs;
fn main() {
    memory::compare(256 << 20, 7);
}
