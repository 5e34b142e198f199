//! Credentials of a Secret: keys, a role that is assumed with them, or a role that is given for the
//! token of the Pod's ServiceAccount.

use std::path::Path;

use cloud::provider::{CredentialsProvider, KeySetProvider};
use cloud::{Diagnosis, Network};
use plan::{KEYS_DIRECTORY, Principal, SecretCredentials};

use super::super::words::NODE_CLOCK;
use super::key_files::{KeyFiles, KeyFilesError};
use super::service_account_token::TokenFile;
use super::sts_session::sts;
use crate::input::args::Args;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

pub(crate) struct SecretKeys {
    plan: SecretCredentials,
    principal: String,
    files: KeyFiles,
    token: TokenFile,
}

impl SecretKeys {
    pub(super) fn read(plan: &SecretCredentials, args: &Args) -> Result<Self, Problem> {
        let files = KeyFiles::new(args.under_root(Path::new(KEYS_DIRECTORY)));
        let token = TokenFile::new(args.token());
        let principal = Principal::Secret(&plan.secret).text().into_owned();
        let own = Self { plan: plan.clone(), principal, files, token };
        match own.files.read(&own.plan.sts.session, &own.token) {
            Ok(_) => Ok(own),
            Err(error) => Err(own.problem(&error)),
        }
    }

    /// The files are read at each exchange, and when the kubelet has written others.
    pub(super) fn provider(&self, network: Network) -> CredentialsProvider {
        let sts = sts(&self.plan.sts, network);
        let name = (self.name(), self.files.directory().display().to_string());
        let (files, token) = (self.files.clone(), self.token.clone());
        let session = self.plan.sts.session.clone();
        let read = move || files.read(&session, &token).map_err(|error| error.to_string());
        let files = self.files.clone();
        CredentialsProvider::KeySet(KeySetProvider::new(name, sts, read, move || files.edition()))
    }

    pub(super) fn principal(&self) -> &str {
        &self.principal
    }

    pub(super) fn caller(&self, role: &str) -> String {
        match role == self.principal {
            true => self.name(),
            false => format!("{role}, session {}", self.plan.sts.session),
        }
    }

    pub(super) fn not_given(&self, diagnosis: Diagnosis) -> String {
        let name = self.name();
        match diagnosis {
            Diagnosis::RoleChain => format!(
                "allow sts:AssumeRole on the role that {name} names (rolearn) for the user of its \
                 access key, and that user in the trust policy of the role"
            ),
            Diagnosis::OwnCredentials => self.not_accepted(),
            _ => format!(
                "what {name} names: that rolearn exists and trusts oidcproviderarn, and that this is \
                 the provider of this cluster"
            ),
        }
    }

    pub(super) fn not_accepted(&self) -> String {
        format!(
            "the access key in {}: that it exists and is enabled, that its secret is whole and, where \
             it is a temporary one, that it is not over and has its token; and {NODE_CLOCK}",
            self.name()
        )
    }

    pub(super) fn unusable(&self) -> String {
        format!("the keys of {}: {FORMS}", self.name())
    }

    fn name(&self) -> String {
        format!("Secret {}", self.plan.secret)
    }

    fn problem(&self, error: &KeyFilesError) -> Problem {
        let text = format!("the credentials in {} cannot be used: {error}", self.name());
        Problem::new(Exit::Identity, text).advise(format!("its keys: {FORMS}"))
    }
}

/// The sets that there are.
const FORMS: &str = "id and secret (with token where they are temporary, with rolearn where a role \
                     is assumed with them), or rolearn and oidcproviderarn";
