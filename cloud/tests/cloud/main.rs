//! The client against a small server of its own, through its public interface.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod echoes;
#[cfg(test)]
mod matching;
#[cfg(test)]
mod renewal;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod server;
#[cfg(test)]
mod together;
#[cfg(test)]
mod trust;
