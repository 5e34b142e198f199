//! Whom a certificate is for.

use x509_parser::parse_x509_certificate;

/// The common name of the subject of the certificate in `der`: what Kubernetes takes for the name
/// of a user. `None` where there is none, or more than one.
pub fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}
