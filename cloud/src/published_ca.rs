//! The CAs that Alibaba Cloud publishes for the gateways of dedicated KMS instances: the root, and the
//! CAs of the regions that it signed, since a gateway may send no more than its own certificate.
//!
//! `published_ca/certificates.pem` has what the official client for secrets carries in its folder `ca`
//! (the Python package alibabacloud-secretsmanager-client-v2, version 2.0.0), but for the CA of its
//! test environment. A test holds the root's fingerprint and each signature.

/// PEM. It counts for such gateways alone, as any private CA.
pub const PUBLISHED_CA: &str = include_str!("published_ca/certificates.pem");

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use rustls::RootCertStore;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::crypto::sha256_hex;

    /// The first value of DER, without its head and with it, and what comes behind.
    fn first(der: &[u8]) -> (&[u8], &[u8], &[u8]) {
        let (head, length) = match usize::from(der[1]) {
            short @ 0..=0x7f => (2, short),
            0x81 => (3, usize::from(der[2])),
            0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
            other => panic!("a length of {other:#x}"),
        };
        (&der[head..head + length], &der[..head + length], &der[head + length..])
    }

    #[test]
    fn the_published_cas_are_the_root_of_that_fingerprint_and_what_it_signed() {
        let all = CertificateDer::pem_slice_iter(PUBLISHED_CA.as_bytes());
        let all: Vec<_> = all.map(Result::unwrap).collect();
        assert_eq!(all.len(), 1 + 26);
        assert_eq!(
            sha256_hex(&all[0]),
            "1cd01c9b95e9b507af8971d50c584103e4435631e92fc3a4658023cc01e8afd0"
        );
        let mut roots = RootCertStore::empty();
        roots.add(all[0].clone()).unwrap();
        // An algorithm, then the key as a string of bits.
        let info = roots.roots[0].subject_public_key_info.to_vec();
        let (_, _, key) = first(&info);
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &first(key).0[1..]);
        for certificate in &all {
            roots.add(certificate.clone()).unwrap();
            let (parts, _, _) = first(certificate);
            let (_, signed, rest) = first(parts);
            let (_, _, signature) = first(rest);
            key.verify(signed, &first(signature).0[1..]).unwrap();
        }
    }
}
