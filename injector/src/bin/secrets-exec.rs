//! The process that becomes an application: a program of its own, because it lies where containers
//! of the Pod read it, and the fetcher's program is one that nobody may read.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Values are in its memory until the application is there.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    injector::exec(std::env::args_os()).into()
}
