//! Manifests, YAML or JSON, as Kubernetes reads them: documents whose values know their lines, and
//! the same text with another value in a document, which changes nowhere else.

mod alignment;
mod block;
mod builder;
mod document;
mod flow;
mod layout;
mod lines;
mod node;
mod position;
mod reader;
mod rewrite;
mod scalar;
mod splice;
mod stream;
mod unreadable;
mod value;

pub use document::Document;
pub use node::Node;
pub use reader::read;
pub use rewrite::{Rewritten, Unwritable};
pub use stream::{Stream, append};
pub use unreadable::Unreadable;
