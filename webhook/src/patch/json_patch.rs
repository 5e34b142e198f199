//! JSON Patch operations, written straight into JSON: the smallest ones that do the job.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// Operations in the order in which they apply.
#[derive(Debug, Default)]
pub struct Patch(Vec<Operation>);

#[derive(Debug, Serialize)]
struct Operation {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

impl Patch {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it writes into the Pod, as JSON.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|operation| operation.value.as_deref()).map(RawValue::get)
    }

    pub(crate) fn add(&mut self, path: String, value: &impl Serialize) -> serde_json::Result<()> {
        self.push("add", path, value)
    }

    pub(crate) fn replace(
        &mut self,
        path: String,
        value: &impl Serialize,
    ) -> serde_json::Result<()> {
        self.push("replace", path, value)
    }

    pub(crate) fn remove(&mut self, path: String) {
        self.0.push(Operation { op: "remove", path, value: None });
    }

    fn push(
        &mut self,
        op: &'static str,
        path: String,
        value: &impl Serialize,
    ) -> serde_json::Result<()> {
        self.0.push(Operation { op, path, value: Some(to_raw_value(value)?) });
        Ok(())
    }

    /// What turns `old` into `new`, as deep down as arrays of the same length allow.
    pub(crate) fn difference(
        &mut self,
        path: &str,
        old: &Value,
        new: &Value,
    ) -> serde_json::Result<()> {
        match (old, new) {
            (Value::Object(before), Value::Object(after)) => {
                for (key, value) in after {
                    let path = format!("{path}/{}", escape(key));
                    match before.get(key) {
                        Some(known) => self.difference(&path, known, value)?,
                        None => self.add(path, value)?,
                    }
                }
                for key in before.keys().filter(|key| !after.contains_key(*key)) {
                    let path = format!("{path}/{}", escape(key));
                    self.remove(path);
                }
                Ok(())
            }
            (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
                for (index, (known, value)) in before.iter().zip(after).enumerate() {
                    self.difference(&format!("{path}/{index}"), known, value)?;
                }
                Ok(())
            }
            _ if old == new => Ok(()),
            _ => self.replace(path.to_owned(), new),
        }
    }
}

impl Serialize for Patch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for operation in &self.0 {
            list.serialize_element(operation)?;
        }
        list.end()
    }
}

/// A key as a part of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
