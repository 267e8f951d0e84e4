//! The running process: decode, ask, encode.
