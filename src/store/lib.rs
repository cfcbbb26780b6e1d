//! SQLite and files; the only crate on the data partition.
