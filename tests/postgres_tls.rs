//! TLS to the server of a PostgreSQL database, `sslmode` as libpq has it. The server here speaks no more of the protocol than
//! how a connection begins (https://www.postgresql.org/docs/current/protocol-flow.html).
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Bench, stderr};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate for localhost and 127.0.0.1 that vouches for itself, and its key.
const IDENTITY: &str = "tests/common/localhost.pem";

fn acceptor() -> TlsAcceptor {
    let identity = Path::new(env!("CARGO_MANIFEST_DIR")).join(IDENTITY);
    let certificate = CertificateDer::from_pem_file(&identity).unwrap();
    let key = PrivateKeyDer::from_pem_file(&identity).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()))
}

/// Its port. It answers the first message of a client with an error that says how it came.
async fn server(speaks_tls: bool) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, speaks_tls));
        }
    });
    port
}

async fn answer(mut stream: TcpStream, speaks_tls: bool) -> std::io::Result<()> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).await?;
    if head[4..] != 80_877_103_u32.to_be_bytes() {
        return refuse(&mut stream, "it came in the clear").await;
    }
    stream.write_all(if speaks_tls { b"S" } else { b"N" }).await?;
    if speaks_tls {
        let mut stream = acceptor().accept(stream).await?;
        stream.read_exact(&mut head).await?;
        return refuse(&mut stream, "it came over TLS").await;
    }
    stream.read_exact(&mut head).await?;
    refuse(&mut stream, "it came in the clear").await
}

async fn refuse(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), message: &str) -> std::io::Result<()> {
    let fields = format!("SFATAL\0VFATAL\0C28000\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[b"E", &length[..], fields.as_bytes()].concat()).await?;
    stream.shutdown().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_says_whether_there_is_to_be_tls_and_what_is_checked() {
    let bench = Bench::on_sqlite();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(IDENTITY).display().to_string();
    let (with, without) = (server(true).await, server(false).await);
    for (port, mode, expected) in [
        (with, "prefer", "it came over TLS"),
        (with, "require", "it came over TLS"),
        (with, "disable", "it came in the clear"),
        (with, "verify-full", "certificate"),
        (with, "verify-ca", "certificate"),
        (with, &*format!("verify-full&sslrootcert={root}"), "it came over TLS"),
        (with, &*format!("verify-ca&sslrootcert={root}"), "it came over TLS"),
        (without, "prefer", "it came in the clear"),
        (without, "require", "does not support TLS"),
    ] {
        let url = format!("postgres://me:hunter2@localhost:{port}/crawl?sslmode={mode}");
        let refused = bench.run(&["status", "-d", &url]).await;
        let told = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{mode}: {told}");
        assert!(told.starts_with("error: cannot open the database `postgres://localhost:"), "{mode}: {told}");
        assert!(told.contains(expected) && !told.contains("hunter2"), "{mode}: {told}");
    }
}
