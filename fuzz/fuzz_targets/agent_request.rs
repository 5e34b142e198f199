//! A request to the local agent: method, path and query on three lines.
#![no_main]

use injector::{AgentRefusal, AgentRequest};
use plan::KmsSecret;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (method, path) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    match AgentRequest::parse(method, path, lines.next()) {
        Ok(AgentRequest::Ping) => assert_eq!((method, path), ("GET", "/ping")),
        Ok(AgentRequest::Metrics | AgentRequest::Ready) => {
            assert!(matches!(method, "GET" | "HEAD") && matches!(path, "/metrics" | "/readyz"));
        }
        Ok(AgentRequest::Get(wanted)) => {
            assert_eq!(method, "GET");
            assert!(KmsSecret::new(&wanted.id, None).is_ok(), "a name that KMS allows");
            for part in
                [Some(&wanted.id), wanted.version_id.as_ref(), wanted.version_stage.as_ref()]
            {
                let fits = |b: u8| b.is_ascii_graphic();
                assert!(
                    part.is_none_or(|part| part.bytes().all(fits)),
                    "nothing else gets further"
                );
            }
        }
        Err(AgentRefusal::Method) => assert_ne!(method, "GET"),
        Err(refusal) => {
            let said = refusal.to_string();
            assert!(said.len() <= 128 && said.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
        }
    }
});
