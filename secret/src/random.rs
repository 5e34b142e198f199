//! Randomness from the operating system: jitter, nonces, and tokens that nobody can guess.

use ring::rand::{SecureRandom, SystemRandom};

use crate::sensitive::Sensitive;

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no randomness from the operating system")]
pub struct NoRandomness;

pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Uniform over u32, for jitter: it needs no secret randomness, and does without rather than fail.
#[must_use]
pub fn roll() -> u32 {
    random().map_or(u32::MAX, u32::from_ne_bytes)
}

/// 64 hex digits that nobody can guess; `None` where the system has no randomness.
#[must_use]
pub fn secret_hex() -> Option<Sensitive> {
    let bytes = Sensitive::new(random::<32>().ok()?.to_vec());
    Some(Sensitive::from(hex(bytes.expose())))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::secret_hex;

    #[test]
    fn a_secret_has_64_digits_and_is_another_each_time() {
        let (one, two) = (secret_hex().unwrap(), secret_hex().unwrap());
        assert!(one.len() == 64 && one.expose().iter().all(u8::is_ascii_hexdigit));
        assert!(one.expose() != two.expose());
    }
}
