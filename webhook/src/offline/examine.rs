//! Runs the admission decision on every Pod template of the manifests, and gathers what there is
//! to say and what there is to change.

use std::io::Read;

use manifest::{Document, Node, Stream, read};
use serde_json::Value;

use super::accounts::Accounts;
use super::classes::Classes;
use super::input::{self, Manifest};
use super::namespaces::{ENABLED, LABEL, Namespaces};
use super::workload::{PodTemplate, WorkloadObject, annotations, objects};
use super::{finding::Finding, lookalikes, mistyped, position};
use crate::Failure;
use crate::args::ManifestArgs;
use crate::ask::layers::Layers;
use crate::ask::rules;
use crate::decide::inject::{Injection, inject};
use crate::facts::{Fact, Facts, Subject};
use crate::pod::Pod;
use crate::problem::{Origin, PREFIX};
use crate::settings::{Inputs, Settings};

/// What the manifests are examined with.
pub(super) struct Examiner {
    settings: Settings,
    namespace: String,
    accounts: Accounts,
    namespaces: Namespaces,
}

#[derive(Debug, Default)]
pub(super) struct Examination {
    pub(super) findings: Vec<Finding>,
    /// Pod templates that were looked at, and those of them that ask for secrets.
    pub(super) templates: usize,
    pub(super) annotated: usize,
}

/// Reads settings and manifests.
pub(super) fn open(
    args: &ManifestArgs,
    environment: impl IntoIterator<Item = (String, String)>,
    stdin: &mut impl Read,
) -> Result<(Examiner, Vec<Manifest>), Failure> {
    let inputs = Inputs::new(args.settings.file.clone(), &args.settings.settings, environment);
    let inputs = inputs.map_err(Failure::usage)?;
    let settings = rules::load(&inputs).map_err(Failure::usage)?;
    let paths = args.files.iter().chain(&args.more);
    let manifests =
        input::read(paths, stdin).map_err(|error| Failure::Problems(error.to_string()))?;
    let examiner = Examiner {
        settings,
        namespace: args.namespace.clone(),
        accounts: Accounts::default(),
        namespaces: Namespaces::default(),
    };
    Ok((examiner, manifests))
}

impl Examiner {
    /// Parses the manifests; what cannot be read becomes a finding.
    pub(super) fn parse<'m>(
        &mut self,
        manifests: &'m [Manifest],
        examination: &mut Examination,
    ) -> Vec<(&'m Manifest, Stream<'m>)> {
        let mut streams = Vec::with_capacity(manifests.len());
        for manifest in manifests {
            let stream = read(&manifest.text);
            for unreadable in &stream.unreadable {
                let finding = Finding::unreadable(&manifest.name, unreadable);
                examination.findings.push(finding);
            }
            for object in stream.documents.iter().flat_map(|document| objects(document.root())) {
                self.accounts.note(&object, object.namespace.unwrap_or(&self.namespace));
                self.namespaces.note(&object);
            }
            streams.push((manifest, stream));
        }
        streams
    }

    /// The SecretProviderClasses among them.
    pub(super) fn classes<'s>(&'s self, streams: &'s [(&'s Manifest, Stream<'s>)]) -> Classes<'s> {
        Classes::of(streams, &self.namespace)
    }

    /// The document's value after injection, if that differs.
    pub(super) fn examine(
        &self,
        manifest: &Manifest,
        document: &Document<'_>,
        classes: &Classes<'_>,
        examination: &mut Examination,
    ) -> Option<Value> {
        let mut root = None;
        for object in objects(document.root()) {
            let template = object.template();
            self.strayed(manifest, &object, template.as_ref(), examination);
            look_alike(manifest, &object, template.as_ref(), examination);
            let Some(template) = template else { continue };
            examination.templates += 1;
            let within = Within { manifest, document, classes };
            let Some(injected) = self.template(within, &object, &template, examination) else {
                continue;
            };
            let root = root.get_or_insert_with(|| document.root().value());
            if let Some(place) = root.pointer_mut(&template.pointer) {
                *place = injected;
            }
        }
        root
    }

    fn template(
        &self,
        Within { manifest, document, classes }: Within<'_>,
        object: &WorkloadObject<'_>,
        template: &PodTemplate<'_>,
        examination: &mut Examination,
    ) -> Option<Value> {
        let namespace = object.namespace.unwrap_or(&self.namespace);
        let before = template.node.value();
        let text = format!("{before:#}");
        let pod = match Pod::read(&text) {
            Ok(pod) => pod,
            Err(unreadable) => {
                let (line, problem) = mistyped::problem(&before, template.node, unreadable.line);
                let finding = Finding::problem(&manifest.name, line, object, &problem);
                examination.findings.push(finding);
                return None;
            }
        };
        let mut facts = Facts::from(self.accounts.of(namespace, template.node).clone());
        let layers = Layers::without_class(&pod.metadata.annotations, namespace, &self.settings);
        let named = layers.class();
        let class = named.and_then(|name| classes.get(namespace, name));
        if let Some(found) = class {
            facts = facts.with(Fact::Class(found.class.clone()));
        }
        let subject = Subject { namespace, facts: &facts };
        let (patch, warnings) = match inject(&text, &subject, &self.settings) {
            Ok(Injection::Untouched) => return None,
            Ok(Injection::Patched { patch, warnings }) => (patch, warnings),
            Err(problems) => {
                self.count_annotated(manifest, object, template, examination);
                let findings = problems.as_slice().iter().map(|problem| {
                    let (file, line) = match (&problem.origin, class) {
                        (Origin::Class(at), Some(class)) => class.position(&at.field, problem.line),
                        _ => {
                            let line = position::line(document, template.node, problem);
                            (manifest.name.as_str(), line)
                        }
                    };
                    Finding::problem(file, line, object, problem)
                });
                examination.findings.extend(findings);
                return None;
            }
        };
        self.count_annotated(manifest, object, template, examination);
        let line = position::annotated(template.node);
        let warn = |warning: &String| Finding::warning(&manifest.name, line, object, warning);
        examination.findings.extend(warnings.iter().map(warn));
        if class.is_some() && !self.settings.secret_provider_classes() {
            examination.findings.push(warn(&READS_NONE.to_owned()));
        }
        let mut after = before.clone();
        let operations =
            serde_json::to_value(&patch).and_then(serde_json::from_value::<json_patch::Patch>).ok();
        let applied = operations.map(|operations| json_patch::patch(&mut after, &operations));
        if !matches!(applied, Some(Ok(()))) {
            let finding = Finding::defect(&manifest.name, line, object, "its patch does not apply");
            examination.findings.push(finding);
            return None;
        }
        (after != before).then_some(after)
    }

    /// Counts an annotated template, which gets nothing in a namespace that is not opted in.
    fn count_annotated(
        &self,
        manifest: &Manifest,
        object: &WorkloadObject<'_>,
        template: &PodTemplate<'_>,
        examination: &mut Examination,
    ) {
        examination.annotated += 1;
        let namespace = object.namespace.unwrap_or(&self.namespace);
        if self.namespaces.opted_in(namespace) == Some(false) {
            let line = position::annotated(template.node);
            let what = format!(
                "nothing is injected in namespace {namespace}: \
                 set the label {LABEL}: {ENABLED} on it"
            );
            examination.findings.push(Finding::warning(&manifest.name, line, object, &what));
        }
    }

    /// Annotations of ours on a workload instead of its template: the commonest mistake.
    fn strayed(
        &self,
        manifest: &Manifest,
        object: &WorkloadObject<'_>,
        template: Option<&PodTemplate<'_>>,
        examination: &mut Examination,
    ) {
        let (places, remedy): (Vec<&Node<'_>>, _) = match template {
            Some(template) => (
                template.outer.clone(),
                "it does nothing here; move it to the metadata of the Pod template",
            ),
            None => (
                object.node.field("metadata").into_iter().collect(),
                "it does nothing here; only Pods and Pod templates are injected",
            ),
        };
        for (key, _) in places.into_iter().flat_map(annotations) {
            let Some(name) = key.scalar().filter(|name| name.starts_with(PREFIX)) else { continue };
            let what = format!("annotation {name}: {remedy}");
            examination.findings.push(Finding::warning(&manifest.name, key.line(), object, &what));
        }
    }
}

/// Where a template stands, and what stands around it.
#[derive(Clone, Copy)]
struct Within<'a> {
    manifest: &'a Manifest,
    document: &'a Document<'a>,
    classes: &'a Classes<'a>,
}

const READS_NONE: &str = "with these settings the webhook of a cluster reads no SecretProviderClass, and refuses the Pod; the chart's value settings.secretProviderClasses: read turns it on";

/// Keys and labels that look like ours.
fn look_alike(
    manifest: &Manifest,
    object: &WorkloadObject<'_>,
    template: Option<&PodTemplate<'_>>,
    examination: &mut Examination,
) {
    let own = object.node.field("metadata");
    let found: Vec<(usize, String)> = match template {
        Some(template) => {
            let metadata = template.node.field("metadata").into_iter();
            let metadata = metadata.chain(template.outer.iter().copied());
            metadata.flat_map(lookalikes::in_metadata).collect()
        }
        None if object.kind == "Namespace" => {
            own.and_then(lookalikes::in_namespace).into_iter().collect()
        }
        None => Vec::new(),
    };
    for (line, what) in found {
        examination.findings.push(Finding::warning(&manifest.name, line, object, &what));
    }
}
