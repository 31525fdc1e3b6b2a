//! The generated web on loopback: what `harvestman demo`, the tests and the benches crawl instead of the real one.

mod graph;
mod markup;
mod server;
mod sites;

use std::io;
use std::net::Ipv4Addr;

pub use graph::graph_page;
pub use server::{Hit, Reply, Server};
use server::{Host, any_port, listen};
use sites::{Origins, demo_sites};

/// Where the demo's hosts listen, one after the other.
const FIRST_PORT: u16 = 18_470;

/// The demo: a newspaper, a shop, an encyclopedia and a quiet corner, some three hundred pages in all. They hold what
/// a crawler meets: duplicates, redirects, a loop, broken links, old encodings, a slow page, one that fails at first.
#[derive(Debug)]
pub struct DemoWeb {
    /// The hosts, in the order of `seeds`.
    pub servers: Vec<Server>,
    /// The absolute URL of every host's front page.
    pub seeds: Vec<String>,
}

impl DemoWeb {
    /// Starts the four hosts on ports of 127.0.0.1: always the same while they are free, so that a second crawl knows
    /// its pages again. All ports are taken before any page is written, since the pages link from host to host.
    pub async fn start() -> io::Result<Self> {
        let usual: io::Result<Vec<_>> =
            (0..4).map(|host| listen((Ipv4Addr::LOCALHOST, FIRST_PORT + host).into())).collect();
        let listeners = usual.or_else(|_| (0..4).map(|_| listen(any_port())).collect())?;
        let mut origins = Origins::default();
        for (origin, listener) in origins.iter_mut().zip(&listeners) {
            *origin = format!("http://{}", listener.local_addr()?);
        }
        let mut servers = Vec::new();
        for (listener, site) in listeners.into_iter().zip(demo_sites(&origins)) {
            servers.push(Server::serve(listener, Host::new(site.into_handler(), true))?);
        }
        let seeds = servers.iter().map(|server| server.url("/")).collect();
        Ok(Self { servers, seeds })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use url::{Position, Url};

    use super::sites::FLAKY;
    use super::*;

    fn hrefs(html: &[u8]) -> Vec<String> {
        let html = String::from_utf8_lossy(html);
        let hrefs = html.split("<a ").skip(1).filter_map(|rest| rest.split("href=\"").nth(1)?.split('"').next());
        hrefs.map(|href| href.replace("&amp;", "&")).collect()
    }

    async fn get(server: &Server, path: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn a_walk_along_the_links_finds_every_answer_of_the_demo() {
        let origins: Origins = std::array::from_fn(|host| format!("http://127.0.0.1:{}", 9001 + host));
        let sites = demo_sites(&origins);
        let mut queue: Vec<_> = origins.iter().map(|origin| Url::parse(origin).unwrap()).collect();
        let (mut seen, mut missed, mut found) = (HashSet::new(), Vec::new(), 0);
        while let Some(mut page) = queue.pop() {
            page.set_fragment(None);
            let path = page[Position::BeforePath..].to_owned();
            let site = page.port().map(|port| &sites[usize::from(port) - 9001]);
            let Some(reply) = site.and_then(|site| site.pages.get(&path)) else {
                missed.push(path);
                continue;
            };
            if seen.insert(page.clone()) {
                found += 1;
                let location = reply.headers.iter().find(|(name, _)| name == "location").map(|(_, to)| to.clone());
                queue.extend(hrefs(&reply.body).iter().chain(&location).map(|href| page.join(href).unwrap()));
            }
        }
        missed.sort();
        let lost = ["/article/lost"; 4];
        assert_eq!(missed, [&["/", "/"], &lost[..], &["/wiki/Missing"; 3]].concat(), "outside and broken links");
        let robots = 3;
        assert_eq!(found + robots, sites.iter().map(|site| site.pages.len()).sum::<usize>());
        assert_eq!(sites[1].pages["/item/15"], sites[1].pages["/item/15/print"]);
    }

    #[test]
    fn every_page_of_a_graph_is_reached_and_as_long_as_asked() {
        let (mut queue, mut seen) = (vec!["/".to_owned()], HashSet::new());
        while let Some(path) = queue.pop() {
            let page = graph_page(500, 10_000, &path);
            assert_eq!((page.status, page.body.len() / 1000), (200, 10), "{path}");
            queue.extend(hrefs(&page.body).into_iter().filter(|href| seen.insert(href.clone())));
        }
        assert_eq!(seen.len(), 500);
        for path in ["/p/500", "/p/", "/p/+1", "/p/01", "/p/1?x", "/robots.txt", "/p/99999999999999999999999"] {
            assert_eq!(graph_page(500, 10_000, path).status, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn a_server_logs_counts_hangs_and_stops() {
        let mut web = DemoWeb::start().await.unwrap();
        let wiki = web.servers.remove(2);
        assert!(get(&wiki, FLAKY).await.contains("retry-after: 1\r\n"));
        let (again, lost, _) = tokio::join!(get(&wiki, FLAKY), get(&wiki, "/wiki/Missing"), get(&wiki, "/slow"));
        assert!(again.starts_with("HTTP/1.1 200") && lost.starts_with("HTTP/1.1 404"));
        assert_eq!((wiki.hit_count(), wiki.hits().len(), wiki.hits()[0].header("Host")), (4, 4, Some("x")));
        let hang = Server::without_log(|_| Reply::text("never").delayed(Duration::MAX)).await.unwrap();
        let both = async { tokio::join!(get(&hang, "/"), get(&hang, "/")) };
        assert!(tokio::time::timeout(Duration::from_millis(100), both).await.is_err());
        assert_eq!((hang.hit_count(), hang.hits().len(), hang.most_in_flight()), (2, 0, 2));
        let address = hang.address();
        drop(hang);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(TcpStream::connect(address).await.is_err());
    }
}
