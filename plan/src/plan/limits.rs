//! How much a plan may have.

/// Lower ones need a capability.
pub const MIN_PORT: u16 = 1024;

/// Files in one Pod. Beyond it a Pod wants another tool, and the plan would not fit.
pub const MAX_FILES: usize = 256;

/// Values that one Pod asks for, whatever is made of them: a template names many in one file.
pub const MAX_LOOKUPS: usize = 256;

/// An environment variable may have 128 KiB (the kernel's limit for one string); the rest is room
/// for what the kubelet adds.
pub const MAX_ENCODED_BYTES: usize = 96 * 1024;
