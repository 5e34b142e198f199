//! What a Pod's ServiceAccount says about its identity in the cloud.

/// What is known of the ServiceAccount that a Pod runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// There is no cluster to ask.
    Unknown,
    /// The cluster has none of this name.
    Missing,
    Known(ServiceAccount),
    /// The cluster did not say, for this reason, which is the end of a sentence.
    Unreadable(String),
}

/// The annotations of a ServiceAccount that name a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// `ack.alibabacloud.com/role-arn`: the whole ARN.
    pub role_arn: Option<String>,
    /// `pod-identity.alibabacloud.com/role-name`: a role of the cluster's own account.
    pub role_name: Option<String>,
}

pub const ROLE_ARN: &str = "ack.alibabacloud.com/role-arn";
pub const ROLE_NAME: &str = "pod-identity.alibabacloud.com/role-name";

impl ServiceAccount {
    /// Picks out of all annotations the two that count.
    pub fn from_annotations<'a>(annotations: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut account = Self::default();
        for (key, value) in annotations {
            match key {
                ROLE_ARN => account.role_arn = Some(value.to_owned()),
                ROLE_NAME => account.role_name = Some(value.to_owned()),
                _ => {}
            }
        }
        account
    }
}
