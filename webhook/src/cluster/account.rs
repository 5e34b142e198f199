//! One ServiceAccount, read for a Pod that waits for it.

use super::bounded::METADATA;
use super::is_name;
use super::object::Object;
use super::reader::{Extent, ObjectAnswer, ObjectQuestion, ObjectReader};
use crate::account::{Account, ServiceAccount};
use crate::metrics::{Metrics, ObjectRead};

pub(super) async fn read(
    reader: &ObjectReader,
    metrics: &Metrics,
    namespace: &str,
    name: &str,
) -> Account {
    // Names go into a path; no account has another one.
    if !is_name(namespace, 63) || !is_name(name, 253) {
        return Account::Missing;
    }
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}");
    let question = ObjectQuestion { path, extent: Extent::Metadata };
    let account = of(reader.read(question, names_role).await);
    let read = match &account {
        Account::Known(_) => ObjectRead::Found,
        Account::Missing => ObjectRead::Missing,
        Account::Unreadable(why) => {
            tracing::warn!(namespace, name, reason = why, "a ServiceAccount was not read");
            ObjectRead::Failed
        }
        Account::Unknown => ObjectRead::Failed,
    };
    metrics.cluster.account_read(read);
    account
}

fn of(answer: ObjectAnswer) -> Account {
    match answer {
        ObjectAnswer::Object(text) => match serde_json::from_str::<Object>(&text) {
            Ok(object) => Account::Known(object.account()),
            Err(_) => Account::Unreadable("the answer could not be understood".to_owned()),
        },
        ObjectAnswer::Missing => Account::Missing,
        ObjectAnswer::TooLarge => Account::Unreadable(format!(
            "its metadata has more than {} KiB, remove labels and annotations",
            METADATA / 1024
        )),
        ObjectAnswer::Unreadable(why) => Account::Unreadable(why),
    }
}

/// An account without a role may have got one since a read began that somebody else made.
fn names_role(answer: &ObjectAnswer) -> bool {
    matches!(of(answer.clone()), Account::Known(ServiceAccount { role_arn, role_name })
        if role_arn.is_some() || role_name.is_some())
}
