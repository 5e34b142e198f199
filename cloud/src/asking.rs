//! What is asked of a service with credentials: one value, or several at once.

use crate::batch::Batch;
use crate::call::{self, Call};
use crate::keys::Credentials;
use crate::lookup::{AssumedRole, Lookup};
use crate::parts::AnsweredParts;
use crate::response::{AnswerContent, ReadError};
use crate::value::Value;

pub(crate) trait Asking {
    type Content: AnswerContent;

    fn role(&self) -> Option<&AssumedRole>;

    fn host(&self) -> &str;

    fn call<'c>(&'c self, with: &'c Credentials) -> Call<'c>;

    fn read(&self, body: &[u8], with: &Credentials) -> Result<Self::Content, ReadError>;
}

impl Asking for Lookup {
    type Content = Value;

    fn role(&self) -> Option<&AssumedRole> {
        self.assume.as_ref()
    }

    fn host(&self) -> &str {
        &self.endpoint
    }

    fn call<'c>(&'c self, with: &'c Credentials) -> Call<'c> {
        Call::Fetch { lookup: self, with }
    }

    fn read(&self, body: &[u8], _: &Credentials) -> Result<Value, ReadError> {
        call::read(&self.subject, body)
    }
}

impl Asking for Batch<'_> {
    type Content = AnsweredParts;

    fn role(&self) -> Option<&AssumedRole> {
        self.group.route.assume.as_ref()
    }

    fn host(&self) -> &str {
        &self.group.route.endpoint
    }

    fn call<'c>(&'c self, with: &'c Credentials) -> Call<'c> {
        Call::FetchSeveral { batch: self, with }
    }

    fn read(&self, body: &[u8], with: &Credentials) -> Result<AnsweredParts, ReadError> {
        Batch::read(self, body, &with.secrets())
    }
}
