//! The files in spec/vectors match the generator, and the README beside them describes them.

mod files;
mod container;
mod archive;
mod envelope;
mod vault;
