//! The files in spec/vectors match the generator, and the README in that directory describes them.

mod files;
mod container;
mod archive;
mod envelope;
mod vault;
