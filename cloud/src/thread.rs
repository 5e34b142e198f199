//! Work that blocks, on a thread of its own. The runtime's pool panics where no thread can be made, and
//! whether one can is decided by whoever shares the Pod's limit of processes.

use std::io;
use std::thread::Builder;

use tokio::sync::oneshot;

/// Begins at once. The receiver gets what the work returns. The caller bounds how many threads there
/// are at once.
pub fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    with_stack(STACK, work)
}

fn with_stack<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (tell, told) = oneshot::channel();
    Builder::new().stack_size(bytes).spawn(move || {
        let _ = tell.send(work());
    })?;
    Ok(told)
}

/// Several times what a look-up takes. It may be locked into memory.
const STACK: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_thread_made_is_heard() {
        assert_eq!(start(|| 7).unwrap().await, Ok(7));
    }

    #[test]
    fn a_thread_that_cannot_be_made_is_an_error() {
        assert!(with_stack(usize::MAX / 4, || 7).is_err());
    }
}
