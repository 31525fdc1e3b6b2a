//! `robots`: which URLs a robots.txt allows, and the line that decides.

use std::io::Write as _;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::config::{Config, Login, product_token};
use crate::fetch::{Fetch as _, HttpClient, Read, Request};
use crate::parse::body::Body;
use crate::parse::memory::Memory;
use crate::policy::robots::{MAX_ROBOTS_BYTES, MAX_ROBOTS_REDIRECTS, Rules, answer_of};
use crate::visit::{Method, RobotsAnswer};

use super::failure::Failure;
use super::output::printable;

pub async fn run(robots: &str, urls: &[String], user_agent: &str) -> Result<u8, Failure> {
    let token = product_token(user_agent);
    let answer = match CanonicalUrl::parse(robots) {
        Ok(url) => fetch(url, Login::of_seed(robots).as_slice()).await?,
        Err(_) => {
            let body = std::fs::read(robots)
                .map_err(|e| Failure::new(format!("cannot read `{}`", without_userinfo(robots))).cause(&e))?;
            RobotsAnswer::Rules { status: 200, body }
        }
    };
    let rules = Rules::from_answer(&answer, token);
    let line = |url: &CanonicalUrl| match &answer {
        RobotsAnswer::Rules { body, .. } => rules.deciding_place(body, url).map(|(_, line)| line),
        _ => None,
    };
    let mut out = std::io::stdout().lock();
    let mut all_allowed = true;
    let no_url = |text: &str, e| {
        let failure = Failure::new(format!("`{}` is no URL that can be crawled", without_userinfo(text))).cause(&e);
        failure.hint("write the whole URL, such as https://example.com/private")
    };
    let urls: Result<Vec<_>, _> =
        urls.iter().map(|text| CanonicalUrl::parse(text).map_err(|e| no_url(text, e))).collect();
    for url in urls? {
        let allowed = rules.forbid(&url).is_none();
        all_allowed &= allowed;
        let verdict = if allowed { "allowed" } else { "disallowed" };
        writeln!(out, "{verdict}\t{url}\t{}", printable(&line(&url).unwrap_or_default()))?;
    }
    Ok(if all_allowed { 0 } else { 3 })
}

async fn fetch(mut url: CanonicalUrl, logins: &[Login]) -> Result<RobotsAnswer, Failure> {
    let typed = url.host();
    let client = HttpClient::new(&Config::default(), logins).map_err(|e| Failure::new(e.to_string()))?;
    let memory = Memory::default();
    let wants = |_, _: &http::HeaderMap| Read::Start(MAX_ROBOTS_BYTES);
    for _ in 0..=MAX_ROBOTS_REDIRECTS {
        let request = Request {
            url: &url,
            method: Method::Get,
            licensed: url.host() == typed,
            validators: None,
            wants: &wants,
            memory: &memory,
        };
        let fetched =
            client.fetch(request).await.map_err(|e| Failure::new(format!("cannot fetch `{url}`")).cause(&e))?;
        let body = fetched.body.map(Body::load).transpose()?;
        match fetched.status {
            status @ 300..=399 => {
                let location = fetched.headers.get("location");
                match location.and_then(|at| CanonicalUrl::join_header(url.url(), at.as_bytes()).ok()) {
                    Some(next) => url = next,
                    None => return Ok(answer_of(status, body)),
                }
            }
            status => return Ok(answer_of(status, body)),
        }
    }
    Ok(answer_of(310, None))
}
