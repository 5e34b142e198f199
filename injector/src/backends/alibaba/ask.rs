//! The plan's words in those of the cloud client: what is asked where, and the right that it takes.

use cloud::endpoint::host;
use cloud::{AssumedRole, Service, Subject};
use plan::{AlibabaRoute, KmsVersion, Lookup, Plan, Route, Source};

pub(super) fn route(lookup: &Lookup) -> &AlibabaRoute {
    let Route::Alibaba(route) = &lookup.route;
    route
}

pub(crate) fn lookup(plan: &Plan, lookup: &Lookup) -> cloud::Lookup {
    let route = route(lookup);
    let region = route.region.as_str();
    let name = lookup.source.name().to_owned();
    let (service, subject) = match &lookup.source {
        Source::Kms(secret) => {
            let (version_id, version_stage) = match secret.version() {
                Some(KmsVersion::Id(id)) => (Some(id.clone()), None),
                Some(KmsVersion::Stage(stage)) => (None, Some(stage.clone())),
                None => (None, None),
            };
            (Service::Kms, Subject::KmsSecret { name, version_id, version_stage })
        }
        Source::Oos(parameter) => {
            let version = parameter.version().map(u32::from);
            let region = region.to_owned();
            (Service::Oos, Subject::OosSecretParameter { name, version, region })
        }
        Source::OosParameter(_) => {
            (Service::Oos, Subject::OosParameter { name, region: region.to_owned() })
        }
    };
    cloud::Lookup {
        endpoint: match &route.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(service, region, network(plan)),
        },
        subject,
        assume: route.assume.as_ref().map(assumed),
    }
}

/// What a person must allow, so that this role may fetch the value.
pub(super) fn permission(lookup: &Lookup, role: &str) -> String {
    let (name, region) = (lookup.source.name(), route(lookup).region.as_str());
    match &lookup.source {
        Source::Kms(secret) => {
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
        Source::Oos(_) => format!(
            "allow oos:GetSecretParameter on acs:oos:{region}:*:secretparameter/{name} for \
             {role}, kms:GetSecretValue for the KMS secret behind it, and kms:Decrypt on its key"
        ),
        Source::OosParameter(_) => {
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

pub(super) fn network(plan: &Plan) -> cloud::Network {
    match plan.network() {
        plan::Network::Vpc => cloud::Network::Vpc,
        plan::Network::Public => cloud::Network::Public,
    }
}
