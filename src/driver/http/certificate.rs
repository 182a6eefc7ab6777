//! Looking at a TLS certificate: also, and above all, at one that is no longer valid.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::read::late;
use super::{Http, address};
use crate::driver::{Failure, Limits, Reading, Target};

const DAY: i64 = 24 * 3600;

impl Http {
    /// `{reached, days_left, not_after, subject, issuer, names, verified, why}`.
    pub(super) async fn certificate(&self, target: &Target, limits: Limits) -> Result<Reading, Failure> {
        let url = address(&target.probe, "", &Default::default())?;
        let host = url
            .host_str()
            .filter(|_| url.scheme() == "https")
            .ok_or_else(|| {
                Failure::Refused(format!(
                    "`{}` does not speak TLS: its address begins with http://",
                    target.name
                ))
            })?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let (chain, doubt) = match timeout(limits.timeout, handshake(&host, port)).await {
            Ok(seen) => seen?,
            Err(_) => return Err(Failure::Unreachable(late(limits))),
        };
        let first = chain
            .first()
            .ok_or_else(|| Failure::Refused("The server showed no certificate".to_owned()))?;
        let (_, certificate) = X509Certificate::from_der(first)
            .map_err(|error| Failure::Refused(format!("The certificate cannot be read: {error}")))?;
        let not_after = certificate.validity().not_after;
        let left = not_after.timestamp() - self.clock.now().timestamp();
        let names: Vec<String> = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(dns_name).collect())
            .unwrap_or_default();
        let answer = json!({
            "reached": true,
            "days_left": left.div_euclid(DAY),
            "not_after": chrono::DateTime::from_timestamp(not_after.timestamp(), 0).map(crate::catalog::params::stamp),
            "subject": certificate.subject().to_string(),
            "issuer": certificate.issuer().to_string(),
            "names": names.join(", "),
            "verified": doubt.is_none(),
            "why": doubt,
        });
        let caveats = doubt.map(|why| format!("The certificate does not pass verification: {why}."));
        Ok(Reading {
            answer,
            raw: first.to_vec(),
            caveats: caveats.into_iter().collect(),
        })
    }
}

fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
        _ => None,
    }
}

/// The chain a server shows, and what is wrong with it. Nothing is sent over the connection.
async fn handshake(host: &str, port: u16) -> Result<(Vec<CertificateDer<'static>>, Option<String>), Failure> {
    let refused =
        |error: &dyn std::fmt::Display| Failure::Refused(format!("TLS cannot be set up here: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider)).map_err(|error| refused(&error))?;
    let witness = Arc::new(Witness {
        judge: verifier,
        doubt: Mutex::new(None),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refused(&error))?;
    let unreachable = |error: std::io::Error| Failure::Unreachable(format!("No TLS connection: {error}"));
    let stream = TcpStream::connect((host, port)).await.map_err(unreachable)?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(unreachable)?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let chain = chain
        .iter()
        .map(|certificate| certificate.clone().into_owned())
        .collect();
    let doubt = witness
        .doubt
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    Ok((chain, doubt))
}

/// Lets every certificate pass and remembers what the platform's verifier said. Only for looking: no request and no
/// credential ever goes over such a connection.
#[derive(Debug)]
struct Witness {
    judge: Verifier,
    doubt: Mutex<Option<String>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Err(error) = self.judge.verify_server_cert(end, intermediates, name, ocsp, now) {
            *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
