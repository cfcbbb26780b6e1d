//! The box's own certificate: made at the first start with a key that never leaves the data folder, used until somebody
//! puts another one there. TLS 1.2 and 1.3 by rustls with ring.
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where certificate and key are kept, PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Its key; readable by the box only.
    pub key: PathBuf,
    /// Names and addresses written into a certificate that has to be made.
    pub names: Vec<String>,
}

/// Reads the certificate, or makes it first. Blocks.
///
/// # Errors
/// A file cannot be read or written, or holds no usable certificate; says which and why.
pub fn load_or_make(identity: &Identity) -> Result<Arc<ServerConfig>, Error> {
    if !identity.certificate.exists() || !identity.key.exists() {
        make(identity)?;
    }
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&identity.certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|e| bad(&identity.certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|e| bad(&identity.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&identity.certificate, &e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| bad(&identity.certificate, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// When the certificate of a file runs out, in seconds since 1970.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn ends(certificate: &Path) -> Result<i64, Error> {
    let first = CertificateDer::from_pem_file(certificate).map_err(|e| bad(certificate, &e))?;
    let (_, read) = x509_parser::parse_x509_certificate(&first).map_err(|e| bad(certificate, &e))?;
    Ok(read.validity().not_after.timestamp())
}

fn make(identity: &Identity) -> Result<(), Error> {
    let fail = |e: rcgen::Error| bad(&identity.certificate, &e);
    let key = KeyPair::generate().map_err(fail)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Belfry");
    for name in &identity.names {
        match name.parse::<IpAddr>() {
            Ok(address) => params.subject_alt_names.push(SanType::IpAddress(address)),
            Err(_) => {
                params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into().map_err(fail)?))
            }
        }
    }
    // Far enough for the life of the box: a self-made certificate that runs out only locks people out.
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2050, 1, 1);
    let certificate = params.self_signed(&key).map_err(fail)?;
    write(&identity.key, &key.serialize_pem(), 0o600)?;
    write(&identity.certificate, &certificate.pem(), 0o644)
}

/// Whole or not at all: a power cut between the two leaves a key that the next start replaces together with its
/// certificate.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(mode).open(&part).map_err(|e| bad(&part, &e))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| bad(&part, &e))?;
    file.sync_all().map_err(|e| bad(&part, &e))?;
    std::fs::rename(&part, path).map_err(|e| bad(path, &e))
}

fn bad(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(dir: &Path) -> Identity {
        let names = vec!["belfry.local".to_owned(), "192.0.2.7".to_owned()];
        Identity { certificate: dir.join("cert.pem"), key: dir.join("key.pem"), names }
    }

    #[test]
    fn the_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let identity = identity(dir.path());
        load_or_make(&identity).unwrap();
        let first = std::fs::read(&identity.certificate).unwrap();
        load_or_make(&identity).unwrap();
        assert_eq!(std::fs::read(&identity.certificate).unwrap(), first);
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&identity.key).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let identity = identity(dir.path());
        load_or_make(&identity).unwrap();
        std::fs::write(&identity.key, "rubbish").unwrap();
        let error = load_or_make(&identity).unwrap_err().to_string();
        assert!(error.contains("key.pem"), "{error}");
    }
}
