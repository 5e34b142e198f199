//! `secrets-lab token`.

use std::fs;
use std::io::Write;

use anyhow::{Context, Result};
use lab::cloud::{Issuer, TokenRequest};

use crate::args::TokenArgs;
use crate::run_cloud::write_private;

pub(crate) fn run(args: TokenArgs) -> Result<()> {
    let key =
        fs::read_to_string(&args.key).with_context(|| format!("reading {}", args.key.display()))?;
    let request = TokenRequest {
        audiences: args.audience,
        lifetime_seconds: args.lifetime,
        ..TokenRequest::new(&args.issuer, &args.namespace, &args.service_account)
    };
    let token = Issuer::from_pem(&key)?.mint(&request)?;
    match args.out {
        Some(path) => write_private(&path, &token),
        None => writeln!(std::io::stdout(), "{token}").context("writing the token"),
    }
}
