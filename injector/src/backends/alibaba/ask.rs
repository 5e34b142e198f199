//! The plan's words in those of the cloud client: what is asked where, and the right that it takes.

use cloud::endpoint::host;
use cloud::{AssumedRole, Batching, KmsBatching, Service, Subject};
use plan::{AlibabaLookup, AlibabaSource, KmsVersion, Plan};

pub(crate) fn lookup(plan: &Plan, lookup: &AlibabaLookup) -> cloud::Lookup {
    let region = lookup.region.as_str();
    let name = lookup.source.name().to_owned();
    let (service, subject) = match &lookup.source {
        AlibabaSource::Kms(secret) => {
            let (version_id, version_stage) = match secret.version() {
                Some(KmsVersion::Id(id)) => (Some(id.clone()), None),
                Some(KmsVersion::Stage(stage)) => (None, Some(stage.clone())),
                None => (None, None),
            };
            (Service::Kms, Subject::KmsSecret { name, version_id, version_stage })
        }
        AlibabaSource::Oos(parameter) => {
            let version = parameter.version().map(u32::from);
            let region = region.to_owned();
            (Service::Oos, Subject::OosSecretParameter { name, version, region })
        }
        AlibabaSource::OosParameter(_) => {
            (Service::Oos, Subject::OosParameter { name, region: region.to_owned() })
        }
    };
    cloud::Lookup {
        endpoint: match &lookup.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(service, region, network(plan)),
        },
        subject,
        assume: lookup.assume.as_ref().map(assumed),
    }
}

/// What a person must allow, so that this role may fetch the value.
pub(super) fn permission(lookup: &AlibabaLookup, role: &str) -> String {
    let (name, region) = (lookup.source.name(), lookup.region.as_str());
    match &lookup.source {
        AlibabaSource::Kms(secret) => {
            let full = format!("acs:kms:{region}:*:secret/{name}");
            let resource = if secret.arn_region().is_some() { name } else { &full };
            let key = match resource.split_once(":secret/") {
                Some((place, _)) => format!(" ({place}:key/...)"),
                None => String::new(),
            };
            format!(
                "allow kms:GetSecretValue on {resource}, and kms:Decrypt on its key{key}, for \
                 {role}"
            )
        }
        AlibabaSource::Oos(_) => format!(
            "allow oos:GetSecretParameter on acs:oos:{region}:*:secretparameter/{name} for \
             {role}, kms:GetSecretValue for the KMS secret behind it, and kms:Decrypt on its key"
        ),
        AlibabaSource::OosParameter(_) => {
            format!("allow oos:GetParameter on acs:oos:{region}:*:parameter/{name} for {role}")
        }
    }
}

/// What the local agent asks; each client says for which secret.
pub(crate) fn for_agent(plan: &Plan, agent: &plan::Agent) -> cloud::Lookup {
    cloud::Lookup {
        endpoint: match &agent.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(Service::Kms, agent.region.as_str(), network(plan)),
        },
        subject: Subject::KmsSecret { name: String::new(), version_id: None, version_stage: None },
        assume: agent.assume.as_ref().map(assumed),
    }
}

fn assumed(assume: &plan::Assume) -> AssumedRole {
    AssumedRole {
        role_arn: assume.role.to_string(),
        external_id: assume.external_id.as_ref().map(ToString::to_string),
    }
}

/// Which values may be asked for together.
pub(super) fn batching(plan: &Plan) -> Batching {
    let plan::Batches { kms, oos } = plan.batches();
    Batching {
        kms: match kms {
            plan::KmsBatches::Shared => KmsBatching::Shared,
            plan::KmsBatches::All => KmsBatching::All,
            plan::KmsBatches::Never => KmsBatching::Never,
        },
        oos,
    }
}

pub(super) fn network(plan: &Plan) -> cloud::Network {
    match plan.network() {
        plan::Network::Vpc => cloud::Network::Vpc,
        plan::Network::Public => cloud::Network::Public,
    }
}
