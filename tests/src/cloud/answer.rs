//! Answers: the envelopes of the services, and how the bytes leave.

use serde_json::{Map, Value, json};

use super::issuer::random_uuid;
use super::refusal::Refusal;

const JSON: &str = "application/json;charset=utf-8";
/// Exactly this text makes the SDKs read XML.
const XML: &str = "text/xml;charset=utf-8";

#[derive(Debug, Clone)]
pub(crate) struct CloudAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
    pub(crate) code: Option<String>,
    pub(crate) request_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Slow {
        bytes: usize,
        millis: u64,
    },
    /// The head promises the whole body, half of it comes.
    Truncated,
    /// Not even a head.
    Reset,
}

impl CloudAnswer {
    pub(crate) fn success(body: Value, xml: Option<&str>) -> Self {
        let request_id = request_id();
        let mut body = if let Value::Object(body) = body { body } else { Map::new() };
        body.insert("RequestId".to_owned(), json!(request_id));
        Self::of(200, request_id, &Value::Object(body), None, xml)
    }

    pub(crate) fn refusal(refusal: &Refusal, host: &str, xml: bool) -> Self {
        let request_id = request_id();
        let body = if refusal.from_kms {
            json!({
                "HttpStatus": refusal.status,
                "Code": refusal.code,
                "Message": refusal.message,
                "RequestId": request_id,
            })
        } else {
            json!({
                "RequestId": request_id,
                "HostId": host,
                "Code": refusal.code,
                "Message": refusal.message,
                "Recommend": format!(
                    "https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw", refusal.code
                ),
            })
        };
        let mut answer = Self::of(
            refusal.status,
            request_id,
            &body,
            Some(refusal.code.clone()),
            xml.then_some("Error"),
        );
        if let Some(millis) = refusal.retry_after_millis {
            answer.headers.push(("x-acs-retry-after", millis.to_string()));
        }
        answer
    }

    /// What a proxy or a broken service sends instead.
    pub(crate) fn raw(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            body,
            delivery: Delivery::Whole,
            code: None,
            request_id: request_id(),
        }
    }

    fn of(
        status: u16,
        request_id: String,
        body: &Value,
        code: Option<String>,
        xml: Option<&str>,
    ) -> Self {
        let (content_type, body) = match xml {
            Some(root) => (XML, xml_document(root, body)),
            None => (JSON, body.to_string()),
        };
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: vec![("x-acs-request-id", request_id.clone())],
            body: body.into_bytes(),
            delivery: Delivery::Whole,
            code,
            request_id,
        }
    }
}

/// Upper case, as the services write it.
fn request_id() -> String {
    random_uuid().to_ascii_uppercase()
}

fn xml_document(root: &str, value: &Value) -> String {
    let mut text = String::from("<?xml version='1.0' encoding='UTF-8'?>");
    element(root, value, &mut text);
    text
}

fn element(name: &str, value: &Value, text: &mut String) {
    if let Value::Array(items) = value {
        for item in items {
            element(name, item, text);
        }
        return;
    }
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(name, value, text)),
        Value::String(plain) => text.push_str(&escaped(plain)),
        Value::Null => {}
        other => text.push_str(&other.to_string()),
    }
    text.push_str(&format!("</{name}>"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kms_and_the_gateway_have_envelopes_of_their_own() {
        let kms = CloudAnswer::refusal(
            &Refusal::kms(429, "Rejected.Throttling", "QPS Limit Exceeded"),
            "h",
            false,
        );
        let body: Value = serde_json::from_slice(&kms.body).unwrap();
        assert_eq!(body["HttpStatus"], 429);
        assert_eq!(body["RequestId"], kms.request_id);
        let gateway = CloudAnswer::refusal(
            &Refusal::new(400, "Throttling.User", "m").retry_after(Some(7)),
            "h",
            false,
        );
        let body: Value = serde_json::from_slice(&gateway.body).unwrap();
        assert_eq!(body["HostId"], "h");
        assert!(gateway.headers.contains(&("x-acs-retry-after", "7".to_owned())));
        assert_eq!(kms.request_id, kms.request_id.to_uppercase());
        assert_eq!(kms.request_id.len(), 36);
    }

    #[test]
    fn xml_is_written_when_asked() {
        let answer = CloudAnswer::success(json!({"A": "<&>", "B": {"C": ["x", 1]}}), Some("R"));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(
            text.contains("<R><A>&lt;&amp;&gt;</A><B><C>x</C><C>1</C></B><RequestId>"),
            "{text}"
        );
        assert_eq!(answer.content_type, XML);
    }
}
