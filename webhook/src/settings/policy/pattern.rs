//! Patterns of the operator's for names of secrets and parameters.

use plan::Glob;

use crate::settings::service::Service;

/// Names of secrets and parameters, of one product or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) product: Option<Service>,
    pub(crate) name: Glob,
}

impl Pattern {
    /// A pattern of names, with the scheme of its product before it or without.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (product, name) = match text.split_once("://") {
            None => (None, text),
            Some((product, name)) => (Some(Service::with_secrets(product)?), name),
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_/+=.@:-*?".contains(&b);
        let name = Glob::parse(name).ok().filter(|_| name.bytes().all(fits))?;
        Some(Self { product, name })
    }

    pub(super) fn is_about(&self, product: Service) -> bool {
        self.product.is_none_or(|own| own == product)
    }
}
