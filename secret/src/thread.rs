//! Work that blocks, on a thread of its own. A runtime's pool panics where no thread can be made, and
//! whether one can is decided by whoever shares the Pod's limit of processes.

use std::io;
use std::thread::Builder;

/// Begins at once. The caller bounds how many threads there are at once, and hears of the end by what
/// the work does then.
pub fn start_thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    with_stack(STACK, work)
}

fn with_stack(bytes: usize, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().stack_size(bytes).spawn(work).map(drop)
}

/// Several times what a look-up takes. It may be locked into memory.
const STACK: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_work_is_done() {
        let (tell, told) = mpsc::channel();
        start_thread(move || tell.send(7).unwrap()).unwrap();
        assert_eq!(told.recv(), Ok(7));
    }

    #[test]
    fn a_thread_that_cannot_be_made_is_an_error() {
        assert!(with_stack(usize::MAX / 4, || ()).is_err());
    }
}
