//! Helpers of the developers, shared by the small programs of this folder.
