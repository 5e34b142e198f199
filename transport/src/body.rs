//! Bodies of answers: how much of one is read, and how many may be large at once.

use reqwest::Response;
use secret::Sensitive;
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

use crate::client_error;
use crate::failure::{NoAnswer, Unreachable};

/// What one process has for the bodies that arrive. Ordinary ones take no place: a server that
/// announces or sends more keeps large ones of its own host waiting, and nobody else.
#[derive(Debug)]
pub(crate) struct Room(Semaphore);

/// What of the room one host may have: one that does not send what it announces leaves the rest.
#[derive(Debug)]
pub(crate) struct Share(Semaphore);

/// Room for one large body.
struct BodyRoom<'r> {
    _own: SemaphorePermit<'r>,
    _of_all: SemaphorePermit<'r>,
}

impl Default for Share {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(LARGE_AT_ONCE))
    }
}

impl Room {
    pub(crate) async fn read(
        &self,
        share: &Share,
        answer: &mut Response,
    ) -> Result<Sensitive, NoAnswer> {
        let announced = answer.content_length().unwrap_or(0);
        let too_large = || NoAnswer::TooLarge { limit: LIMIT };
        let announced = usize::try_from(announced).ok().filter(|length| *length <= LIMIT);
        let announced = announced.ok_or_else(too_large)?;
        let mut place = None;
        self.take(share, announced, &mut place).await?;
        let mut body = Zeroizing::new(Vec::with_capacity(announced.max(FIRST)));
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| client_error::no_answer(&error))?
        {
            let length = body.len() + chunk.len();
            if length > LIMIT {
                return Err(too_large());
            }
            self.take(share, length, &mut place).await?;
            if length > body.capacity() {
                // Growing in place would leave a copy behind that nobody wipes.
                let mut larger = Zeroizing::new(Vec::with_capacity(2 * length));
                larger.extend_from_slice(&body);
                body = larger;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Sensitive::from(body))
    }

    /// Waits for a place where the body is large and has none, within the time of its request.
    async fn take<'r>(
        &'r self,
        share: &'r Share,
        length: usize,
        place: &mut Option<BodyRoom<'r>>,
    ) -> Result<(), Unreachable> {
        if length > ORDINARY && place.is_none() {
            let over = |_| Unreachable::Timeout;
            // The host's own place is taken first, or bodies of one host would wait at the others' expense.
            let own = share.0.acquire().await.map_err(over)?;
            *place = Some(BodyRoom { _own: own, _of_all: self.0.acquire().await.map_err(over)? });
        }
        Ok(())
    }
}

/// Thirty times the largest secret.
const LIMIT: usize = 1 << 20;
/// The largest secret as base64, or with a backslash before every byte.
const ORDINARY: usize = 64 * 1024;
const LARGE_AT_ONCE: usize = 4;
/// An ordinary answer fits without growing.
const FIRST: usize = 2048;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn answer(length: usize) -> Response {
        hyper::Response::new(reqwest::Body::from(vec![b'x'; length])).into()
    }

    #[tokio::test(start_paused = true)]
    async fn answers_larger_than_any_secret_are_read_a_few_at_a_time_and_others_beside_them() {
        let (room, host) = (Room::default(), Share::default());
        let others: Vec<_> = (0..LARGE_AT_ONCE).map(|_| Share::default()).collect();
        let mut places = Vec::new();
        for other in &others {
            let mut place = None;
            room.take(other, ORDINARY + 1, &mut place).await.unwrap();
            places.push(place);
        }
        let mut large = answer(ORDINARY + 1);
        let waits = timeout(Duration::from_secs(60), room.read(&host, &mut large)).await;
        assert!(waits.is_err());
        for _ in 0..2 * LARGE_AT_ONCE {
            let read = room.read(&host, &mut answer(ORDINARY)).await.unwrap();
            assert_eq!(read.expose().len(), ORDINARY);
        }
        places.pop();
        // Twice, since a place is given back.
        for _ in 0..2 {
            let read = room.read(&host, &mut answer(LIMIT)).await.unwrap();
            assert_eq!(read.expose().len(), LIMIT);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_host_whose_large_answers_do_not_come_leaves_room_for_those_of_others() {
        let (room, stalls, well) = (Room::default(), Share::default(), Share::default());
        let mut places = Vec::new();
        for _ in 0..LARGE_AT_ONCE {
            let mut place = None;
            let take = room.take(&stalls, ORDINARY + 1, &mut place);
            let _ = timeout(Duration::from_secs(60), take).await;
            places.push(place);
        }
        let mut large = answer(LIMIT);
        let read = room.read(&well, &mut large);
        let read = timeout(Duration::from_secs(60), read).await.expect("a place").unwrap();
        assert_eq!(read.expose().len(), LIMIT);
    }
}
