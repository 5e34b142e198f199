//! What is decided for the secrets of each backend: where they are fetched, as whom, and whether the
//! operator lets the Pod. Each backend is a folder beside this file; what is asked of all of them is
//! asked here, by matches that name a backend which was forgotten.

mod alibaba;
mod unplaced;

use plan::{Lookup, Source};

pub(crate) use self::alibaba::{AlibabaDecision, ServedSecrets, ca_config_map};
use self::alibaba::{AlibabaSecret, Places};
pub(crate) use self::unplaced::Unplaced;
use crate::ask::annotations::SecretsRequest;
use crate::ask::secrets::SecretRef;
use crate::facts::Subject;
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;

/// What a Pod and its operator say of the secrets of each backend.
pub(crate) struct Backends<'a> {
    alibaba: Places<'a>,
}

/// A secret, with where it is fetched.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) secret: SecretRef,
    lookup: Result<Lookup, Unplaced>,
}

impl<'a> Backends<'a> {
    /// Problems of the Pod's own annotations are found here once, and not for each secret.
    pub(crate) fn of_pod(
        request: &'a SecretsRequest<'a>,
        settings: &'a Settings,
        problems: &mut Problems,
    ) -> Self {
        Self { alibaba: Places::of_pod(request, settings, problems) }
    }

    pub(crate) fn place(&self, secret: SecretRef, problems: &mut Problems) -> Placed {
        let lookup = match &secret.source {
            Source::Alibaba(source) => {
                self.alibaba.lookup(source, &secret, problems).map(Lookup::Alibaba)
            }
        };
        Placed { secret, lookup }
    }

    /// Reports all problems of as whom the secrets are asked for, and of their places together.
    pub(crate) fn decide<'p>(
        self,
        placed: impl Iterator<Item = &'p Placed>,
        subject: &Subject<'_>,
        account_name: &str,
        comparisons: &mut Comparisons,
        problems: &mut Problems,
    ) -> Option<AlibabaDecision> {
        let Self { alibaba: places } = self;
        let mut alibaba = Vec::new();
        for Placed { secret, lookup } in placed {
            match (lookup, &secret.source) {
                (Ok(Lookup::Alibaba(lookup)), _) => {
                    let source = &lookup.source;
                    alibaba.push(AlibabaSecret { secret, source, lookup: Ok(lookup) });
                }
                (Err(why), Source::Alibaba(source)) => {
                    alibaba.push(AlibabaSecret { secret, source, lookup: Err(*why) });
                }
            }
        }
        alibaba::decide(places, &alibaba, subject, account_name, comparisons, problems)
    }
}

impl Placed {
    /// The secret and its place, where both are known.
    pub(crate) fn located(self) -> Result<(SecretRef, Lookup), Unplaced> {
        Ok((self.secret, self.lookup?))
    }
}
