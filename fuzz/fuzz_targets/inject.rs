//! A manifest given to `secrets-webhook inject`.
#![no_main]

use clap::Parser as _;
use webhook::args::{Cli, Command};

libfuzzer_sys::fuzz_target!(|manifest: &[u8]| {
    let Some(once) = injected(manifest) else { return };
    let twice = injected(&once).expect("our own output is read again");
    assert_eq!(once, twice, "our own output is left as it is");
});

/// What the command prints, `None` where it found problems.
fn injected(manifest: &[u8]) -> Option<Vec<u8>> {
    let cli = Cli::try_parse_from(["secrets-webhook", "inject", "-f", "-"]).expect("valid flags");
    let Command::Inject(args) = cli.command else { unreachable!("inject was asked for") };
    let environment = [("SECRETS_WEBHOOK_SETTING_REGION", "cn-hangzhou")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (mut output, mut findings) = (Vec::new(), Vec::new());
    webhook::offline::inject::run(&args, environment, manifest, &mut output, &mut findings)
        .is_ok()
        .then_some(output)
}
