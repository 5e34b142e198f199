//! Plans of the demo's identity, or of another one, by the files that are wanted.

use anyhow::{Context, Result};
use plan::{
    AlibabaLookup, Assume, Credentials, ExternalId, FileMode, FileName, FileOptions, Host, Lookup,
    MountPath, OnMissing, Plan, PlanBuilder, ProviderArn, Reference, Region, RoleArn, RoleSession,
    Rrsa, SessionName,
};

use super::demo::{PROVIDER, REGION, ROLE};

/// One wanted file; the methods say what is not as usual.
#[derive(Clone)]
pub struct Want {
    name: String,
    source: String,
    region: String,
    endpoint: Option<String>,
    assume: Option<(String, Option<String>)>,
    mode: &'static str,
    on_missing: OnMissing,
}

impl Want {
    pub fn new(name: &str, source: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: source.to_owned(),
            region: REGION.to_owned(),
            endpoint: None,
            assume: None,
            mode: "0400",
            on_missing: OnMissing::Fail,
        }
    }

    #[must_use]
    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    #[must_use]
    pub fn assuming(mut self, role: &str, external_id: Option<&str>) -> Self {
        self.assume = Some((role.to_owned(), external_id.map(str::to_owned)));
        self
    }

    #[must_use]
    pub fn mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    #[must_use]
    pub fn skipped_if_missing(mut self) -> Self {
        self.on_missing = OnMissing::Skip;
        self
    }

    /// Where its value is asked for.
    pub fn lookup(&self) -> Result<Lookup> {
        let source = Reference::parse(&self.source)?.source.into_alibaba();
        let assume = match &self.assume {
            None => None,
            Some((role, external_id)) => Some(Assume {
                role: RoleArn::parse(role)?,
                external_id: external_id.as_deref().map(ExternalId::parse).transpose()?,
            }),
        };
        let lookup = AlibabaLookup {
            source: source.context("the source is not of Alibaba Cloud")?,
            region: Region::parse(&self.region)?,
            endpoint: self.endpoint.as_deref().map(Host::parse).transpose()?,
            assume,
        };
        Ok(lookup.into())
    }

    fn add_to(&self, builder: &mut PlanBuilder) -> Result<()> {
        let lookup = self.lookup()?;
        let reference = Reference::parse(&self.source)?;
        let (name, mode) = (FileName::parse(&self.name)?, FileMode::parse(self.mode)?);
        builder.file(name, lookup, reference.selector, FileOptions::new(mode, self.on_missing));
        Ok(())
    }
}

/// A plan of any identity, before files are added.
pub fn builder_of(credentials: Credentials) -> PlanBuilder {
    let mut builder = PlanBuilder::new(credentials, MountPath::default());
    builder.timeout_seconds(30);
    builder
}

/// A plan of the demo's identity, before files are added.
pub fn builder() -> Result<PlanBuilder> {
    let rrsa = Rrsa {
        role: RoleArn::parse(ROLE)?,
        named_by: plan::RoleNamer::default(),
        provider: ProviderArn::parse(PROVIDER)?,
        sts: role_session()?,
    };
    Ok(builder_of(rrsa.into()))
}

/// How STS is asked for roles of the demo.
pub fn role_session() -> Result<RoleSession> {
    Ok(RoleSession {
        session: SessionName::parse("shop.checkout")?,
        duration: 3600,
        region: Region::parse(REGION)?,
        endpoint: None,
    })
}

/// `builder` with these files in it.
pub fn plan(mut builder: PlanBuilder, wants: &[Want]) -> Result<Plan> {
    for want in wants {
        want.add_to(&mut builder)?;
    }
    Ok(builder.build()?)
}
