//! TLS certificates: one that is valid for long, one that has expired, both vouched for by nobody but themselves.

use std::sync::Arc;

use orderly::incident::Verdict;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{ask, target};

/// Serves TLS with one of the certificates beside this file.
async fn server(name: &str) -> String {
    orderly::driver::install_tls();
    let path = format!("{}/tests/catalog/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let certificate = CertificateDer::from_pem_file(format!("{path}.crt.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(format!("{path}.key.pem")).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().expect("an address").port()
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    url
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_failing_and_its_date_is_read_all_the_same() {
    let expired = ask(
        "http.tls_expiry",
        &target("http", &server("expired").await),
        json!({}),
    )
    .await;
    assert_eq!(expired.verdict, Verdict::Failing, "{}", expired.summary);
    assert!(
        expired
            .summary
            .starts_with("expired on 2021-01-01T00:00:00Z; not trusted: "),
        "{}",
        expired.summary
    );
    assert!(
        expired.caveats[0].starts_with("The certificate does not pass verification"),
        "{:?}",
        expired.caveats
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_suspect() {
    let unknown = ask(
        "http.tls_expiry",
        &target("http", &server("long").await),
        json!({}),
    )
    .await;
    assert_eq!(unknown.verdict, Verdict::Suspect, "{}", unknown.summary);
    assert!(
        unknown
            .summary
            .contains("until 2099-01-01T00:00:00Z; not trusted: "),
        "{}",
        unknown.summary
    );
    assert!(
        unknown.excerpt.contains("names: localhost"),
        "{}",
        unknown.excerpt
    );
}

/// Run by the test below, with the certificate among the trusted ones.
#[tokio::test]
#[ignore = "needs SSL_CERT_FILE; see a_trusted_certificate_is_fine"]
async fn with_the_certificate_trusted() {
    let url = server("long").await;
    let fine = ask("http.tls_expiry", &target("http", &url), json!({})).await;
    assert_eq!(fine.verdict, Verdict::Ok, "{}", fine.summary);
    assert!(
        fine.summary.ends_with("days left, until 2099-01-01T00:00:00Z"),
        "{}",
        fine.summary
    );
    assert!(fine.caveats.is_empty(), "{:?}", fine.caveats);
}

#[test]
fn a_trusted_certificate_is_fine() {
    let trusted = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalog/tls/long.crt.pem");
    let run = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "tls::with_the_certificate_trusted", "--ignored"])
        .env("SSL_CERT_FILE", trusted)
        .output()
        .expect("runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

#[tokio::test]
async fn a_service_without_tls_has_no_certificate() {
    let none = ask(
        "http.tls_expiry",
        &target("http", "http://127.0.0.1:1"),
        json!({}),
    )
    .await;
    assert_eq!(none.verdict, Verdict::Unknown);
    assert_eq!(
        none.summary,
        "`the-http` does not speak TLS: its address begins with http://"
    );
}
