//! By which CAs dedicated KMS gateways are trusted.

use serde::{Deserialize, Serialize};

use crate::text_type::text_type;

/// It counts for such gateways alone, and nothing else counts there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayCa {
    /// Alibaba Cloud publishes them for all instances, and the fetcher has them.
    Published,
    /// The one of a ConfigMap is mounted.
    Mounted,
    /// The operator names them.
    Given(CaBundle),
}

/// Certificates in PEM, each from its `BEGIN` to its `END`, and nothing else. Whether they can be used
/// is not known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaBundle(String);

/// A plan travels with all of it: some five certificates.
pub const MAX_CA_BYTES: usize = 8 * 1024;

/// What is wrong with a text; nothing of it is repeated, since it may be a key by mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCa {
    #[error("there is no certificate in PEM")]
    Nothing,
    #[error("line {0} does not belong into a certificate in PEM")]
    Line(usize),
    #[error("it has {0} bytes; at most {MAX_CA_BYTES} are allowed")]
    TooLarge(usize),
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl CaBundle {
    /// What stands around the certificates is left out, such as the names that tools write there.
    pub fn parse(text: &str) -> Result<Self, InvalidCa> {
        let mut bundle = String::with_capacity(text.len().min(MAX_CA_BYTES));
        let mut is_open = false;
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            let of_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
            match (is_open, line) {
                (false, BEGIN) => is_open = true,
                (true, END) => is_open = false,
                (true, line) if !line.is_empty() && line.bytes().all(of_base64) => {}
                (true, _) => return Err(InvalidCa::Line(number)),
                (false, line) if line.starts_with("-----") => return Err(InvalidCa::Line(number)),
                (false, _) => continue,
            }
            bundle.push_str(line);
            bundle.push('\n');
            if bundle.len() > MAX_CA_BYTES {
                return Err(InvalidCa::TooLarge(text.len()));
            }
        }
        match (is_open, bundle.is_empty()) {
            (false, false) => Ok(Self(bundle)),
            _ => Err(InvalidCa::Nothing),
        }
    }
}

text_type!(InvalidCa: CaBundle);

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n";

    #[test]
    fn of_a_text_the_certificates_stay_and_nothing_else() {
        let written = format!("# the gateway's\r\n  {}\nissuer=x\n{CERTIFICATE}", {
            CERTIFICATE.replace('\n', "\r\n   ")
        });
        let bundle = CaBundle::parse(&written).unwrap();
        assert_eq!(bundle.as_str(), CERTIFICATE.repeat(2));
        assert_eq!(CaBundle::parse(bundle.as_str()).unwrap(), bundle);
    }

    #[test]
    fn what_is_no_certificate_is_told_by_its_line_and_never_repeated() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
        for (text, problem) in [
            (String::new(), InvalidCa::Nothing),
            ("MIIB".to_owned(), InvalidCa::Nothing),
            ("-----BEGIN CERTIFICATE-----\nMIIB\n".to_owned(), InvalidCa::Nothing),
            (format!("{CERTIFICATE}{key}"), InvalidCa::Line(4)),
            (format!("{BEGIN}\nMI IB\n{END}"), InvalidCa::Line(2)),
            (format!("{BEGIN}\nMI$IB\n{END}"), InvalidCa::Line(2)),
            (format!("{BEGIN}\n{CERTIFICATE}{END}"), InvalidCa::Line(2)),
            (CERTIFICATE.repeat(200), InvalidCa::TooLarge(CERTIFICATE.len() * 200)),
        ] {
            let found = CaBundle::parse(&text).unwrap_err();
            assert_eq!(found, problem, "{text}");
            assert!(!found.to_string().contains("MIIB"), "{found}");
        }
    }
}
