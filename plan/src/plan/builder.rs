//! A plan in the making.

use std::collections::HashMap;

use super::{InvalidPlan, Parts, Plan};
use crate::all_keys::{AllKeys, VariableRules};
use crate::batches::Batches;
use crate::cloud::Network;
use crate::content::{Content, Selection, Template, TemplateSecret};
use crate::credentials::Credentials;
use crate::env::Environment;
use crate::file::{File, FileName, FileOptions};
use crate::gateway_ca::GatewayCa;
use crate::https_proxy::HttpsProxy;
use crate::lookup::Lookup;
use crate::mode::Mode;
use crate::mount::MountPath;
use crate::options::FetcherOptions;
use crate::selector::Selector;

/// Collects what a plan is made of; the same lookup is kept once.
#[derive(Debug)]
pub struct PlanBuilder {
    parts: Parts,
    indexes: HashMap<Lookup, usize>,
}

impl PlanBuilder {
    #[must_use]
    pub fn new(credentials: impl Into<Option<Credentials>>, mount: MountPath) -> Self {
        Self { parts: Parts::new(credentials.into(), mount), indexes: HashMap::new() }
    }

    pub fn file(
        &mut self,
        name: FileName,
        lookup: Lookup,
        select: Option<Selector>,
        options: FileOptions,
    ) -> &mut Self {
        let content = self.value(lookup, select);
        self.parts.files.push(File { name, content, options });
        self
    }

    /// `secrets` are all that the text names, each as it is written there.
    pub fn template(
        &mut self,
        name: FileName,
        text: String,
        secrets: Vec<(String, Lookup, Option<Selector>)>,
        options: FileOptions,
    ) -> &mut Self {
        let content = self.text(text, secrets);
        self.parts.files.push(File { name, content, options });
        self
    }

    /// A value of a lookup, which is added if it is new, or a part of it.
    pub fn value(&mut self, lookup: Lookup, select: Option<Selector>) -> Content {
        Content::Value(Selection { from: self.lookup(lookup), select })
    }

    /// A text around the values of lookups, each as it is written there.
    pub fn text(
        &mut self,
        text: String,
        secrets: impl IntoIterator<Item = (String, Lookup, Option<Selector>)>,
    ) -> Content {
        let secret = |(written, lookup, select)| {
            let from = self.lookup(lookup);
            TemplateSecret { written, from, select }
        };
        Content::Template(Template { text, secrets: secrets.into_iter().map(secret).collect() })
    }

    /// The index of a lookup, which is added if it is new.
    pub fn lookup(&mut self, lookup: Lookup) -> usize {
        let next = self.parts.lookups.len();
        *self.indexes.entry(lookup).or_insert_with_key(|lookup| {
            self.parts.lookups.push(lookup.clone());
            next
        })
    }

    pub fn env(&mut self, env: Option<Environment>) -> &mut Self {
        self.parts.env = env;
        self
    }

    /// A file or a variable for each key.
    pub fn all_keys(&mut self, keys: Vec<AllKeys>, rules: Option<VariableRules>) -> &mut Self {
        self.parts.all_keys = keys;
        self.parts.variable_rules = rules;
        self
    }

    pub fn mode(&mut self, mode: Mode) -> &mut Self {
        self.parts.mode = mode;
        self
    }

    pub fn network(&mut self, network: Network) -> &mut Self {
        self.parts.network = network;
        self
    }

    pub fn group(&mut self, group: Option<u32>) -> &mut Self {
        self.parts.group = group;
        self
    }

    pub fn options(&mut self, options: FetcherOptions) -> &mut Self {
        self.parts.set(options);
        self
    }

    pub fn batches(&mut self, batches: Batches) -> &mut Self {
        self.parts.batches = batches;
        self
    }

    pub fn gateway_ca(&mut self, ca: impl Into<Option<GatewayCa>>) -> &mut Self {
        self.parts.gateway_ca = ca.into();
        self
    }

    pub fn https_proxy(&mut self, proxy: Option<HttpsProxy>) -> &mut Self {
        self.parts.https_proxy = proxy;
        self
    }

    pub fn timeout_seconds(&mut self, seconds: u32) -> &mut Self {
        self.parts.timeout = seconds;
        self
    }

    pub fn consumers(&mut self, names: Vec<String>) -> &mut Self {
        self.parts.consumers = names;
        self
    }

    pub fn build(self) -> Result<Plan, InvalidPlan> {
        Plan::try_from(self.parts)
    }
}
