//! The process of the fetcher: hands over what it was started with, ends with the exit code.

use std::process::ExitCode;

use dlmalloc::GlobalDlmalloc;
use zeroizing_alloc::ZeroAlloc;

/// The libraries of HTTP, TLS, JSON and templates hold parts of values and free them as they are.
/// The allocator below keeps freed memory: musl's own asks the kernel anew for every buffer of a size.
#[global_allocator]
static WIPING: ZeroAlloc<GlobalDlmalloc> = ZeroAlloc(GlobalDlmalloc);

fn main() -> ExitCode {
    // The plan is the one thing that is read from the environment.
    injector::run(std::env::args_os(), std::env::var_os(plan::contract::PLAN_VARIABLE)).into()
}
