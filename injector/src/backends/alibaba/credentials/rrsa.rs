//! Credentials by RRSA: the token of the Pod's ServiceAccount, and the role that it is exchanged for.

use std::path::PathBuf;

use cloud::provider::{CredentialsProvider, OidcRole, RrsaProvider};
use cloud::{Diagnosis, Network};
use plan::RoleNamer;

use super::super::words::{self, NODE_CLOCK};
use super::service_account_token::{self, TokenError, TokenFile};
use super::sts_session::sts;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

pub(crate) struct Rrsa {
    plan: plan::Rrsa,
    token_file: PathBuf,
    /// The ServiceAccount that the token says it is for, where that could be read.
    subject: Option<String>,
}

impl Rrsa {
    pub(super) fn read(plan: &plan::Rrsa, token_file: PathBuf) -> Result<Self, Problem> {
        let token = TokenFile::new(token_file.clone()).read().map_err(|error| no_token(&error))?;
        Ok(Self::new(plan, token_file, service_account_token::subject(&token)))
    }

    pub(crate) fn new(plan: &plan::Rrsa, token_file: PathBuf, subject: Option<String>) -> Self {
        Self { plan: plan.clone(), token_file, subject }
    }

    /// The file is read at each exchange.
    pub(super) fn provider(&self, network: Network) -> CredentialsProvider {
        let role = OidcRole {
            role_arn: self.plan.role.to_string(),
            oidc_provider_arn: self.plan.provider.to_string(),
        };
        let sts = sts(&self.plan.sts, network);
        let token_file = TokenFile::new(self.token_file.clone());
        let token = move || token_file.read().map_err(Into::into);
        CredentialsProvider::Rrsa(RrsaProvider::new(role, sts, token))
    }

    pub(super) fn role(&self) -> &str {
        self.plan.role.as_str()
    }

    pub(super) fn caller(&self, role: &str) -> String {
        format!("{role}, session {}", self.plan.sts.session)
    }

    pub(super) fn not_given(&self, diagnosis: Diagnosis) -> String {
        let (role, provider) = (self.role(), self.plan.provider.as_str());
        match diagnosis {
            Diagnosis::TokenExpired => {
                format!("{NODE_CLOCK}, and that the kubelet renews the token")
            }
            Diagnosis::TokenAudience => {
                format!("the client ids of {provider} must contain sts.aliyuncs.com")
            }
            Diagnosis::NoRole => {
                format!("that {role} exists, which {} names, and {provider}", self.namer())
            }
            Diagnosis::Provider => {
                format!("that {provider} belongs to this cluster (RRSA: issuer and keys)")
            }
            Diagnosis::NoToken => self.no_token(),
            _ => match &self.subject {
                Some(subject) => format!(
                    "the trust policy of {role} must allow oidc:sub {subject} from {provider}; the role is named by {}",
                    self.namer()
                ),
                None => self.no_token(),
            },
        }
    }

    /// The annotation that named the role.
    fn namer(&self) -> &'static str {
        match self.plan.named_by {
            RoleNamer::Pod => "the Pod's annotation kms.alibabacloud/role-arn",
            RoleNamer::ServiceAccount => {
                "the annotation ack.alibabacloud.com/role-arn of its ServiceAccount"
            }
            RoleNamer::RoleName => {
                "the annotation pod-identity.alibabacloud.com/role-name of its ServiceAccount (in the account of the webhook's settings)"
            }
        }
    }

    pub(super) fn not_accepted(&self) -> String {
        words::not_accepted(self.role())
    }

    pub(super) fn no_token(&self) -> String {
        let file = self.token_file.display();
        format!(
            "the token file {file}: it does not hold a ServiceAccount token; the kubelet writes \
             one, so look for what else is mounted there"
        )
    }
}

fn no_token(error: &TokenError) -> Problem {
    Problem::new(Exit::Identity, error.to_string()).advise(match error {
        TokenError::Unreadable(..) => {
            "that the webhook's projected token volume is mounted in this container; locally, \
             --token"
        }
        TokenError::Empty(_) => {
            "what else is mounted there: the kubelet writes a ServiceAccount token into it; \
             locally, --token"
        }
    })
}
