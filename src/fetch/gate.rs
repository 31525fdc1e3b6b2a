//! The lease that requests are made under. A name is looked up and a connection made in seconds at times, and more than that
//! lease may be over then: so it is looked at once more when a connection stands, right before its request is sent.

use std::sync::OnceLock;

use crate::visit::Lease;

/// Lets connections through as long as the lease is held; all of them if there is none.
#[derive(Debug, Default)]
pub(super) struct Gate(OnceLock<Lease>);

/// What became of a connection that was made too late.
#[derive(Debug, thiserror::Error)]
#[error("the lease ended before the request could be sent")]
pub(super) struct Lapsed;

impl Gate {
    /// From now on this lease counts. One process has one.
    pub(super) fn close_with(&self, lease: Lease) {
        let _ = self.0.set(lease);
    }

    pub(super) fn pass<C>(&self, connection: C) -> Result<C, Lapsed> {
        if self.0.get().is_none_or(Lease::is_held) { Ok(connection) } else { Err(Lapsed) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::canonical::CanonicalUrl;
    use crate::config::Config;
    use crate::fetch::{Fetch as _, FetchError, HttpClient, Read, Request};
    use crate::parse::memory::Memory;
    use crate::visit::Method;

    #[tokio::test]
    async fn nothing_is_sent_by_a_connection_that_stands_when_the_lease_has_ended() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = CanonicalUrl::parse(&format!("http://{}/", server.local_addr().unwrap())).unwrap();
        let (wants, memory) = (|_, _: &http::HeaderMap| Read::Nothing, Memory::default());
        let request = Request {
            url: &url,
            method: Method::Get,
            licensed: true,
            validators: None,
            wants: &wants,
            memory: &memory,
        };
        let lease = Lease::new(Duration::from_secs(60));
        for is_lenient in [false, true] {
            let client = HttpClient::new(&Config::default(), &[]).unwrap();
            client.under(lease.clone());
            if is_lenient {
                client.read_leniently(url.host());
            }
            assert!(matches!(client.fetch(request).await, Err(FetchError::Lapsed)), "it was never granted");
            let (mut connection, _) = server.accept().await.unwrap();
            let mut said = Vec::new();
            connection.read_to_end(&mut said).await.unwrap();
            assert_eq!(said, b"");
        }
    }
}
