//! `robots`: which URLs a robots.txt allows, and the line that decides.

use std::io::Write as _;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::config::{Config, Login, product_token};
use crate::fetch::{Fetch as _, HttpClient, Read, Request};
use crate::parse::body::Body;
use crate::parse::memory::Memory;
use crate::policy::robots::{MAX_ROBOTS_BYTES, MAX_ROBOTS_REDIRECTS, Rules, answer_of};
use crate::visit::{Method, RobotsAnswer};

use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::settings;

pub async fn run(typed: &[String], user_agent: Option<String>, console: &Console) -> Result<u8, Failure> {
    let agent = settings::user_agent()?;
    let token = user_agent.as_deref().unwrap_or(&agent);
    let token = product_token(token);
    let (robots, urls) = told_apart(typed)?;
    let answer = match CanonicalUrl::parse(robots) {
        Ok(url) => {
            let url =
                if urls == typed { url.host().robots_url().map_err(|e| Failure::new(e.to_string()))? } else { url };
            if !url.url().path().ends_with(".txt") {
                console.warn(&format!("{url} is read as a robots.txt, since it comes first"));
            }
            fetch(url, &agent, Login::of_seed(robots).as_slice()).await?
        }
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

/// The robots.txt and the URLs that it is asked about. Of one URL alone, it is the same.
fn told_apart(typed: &[String]) -> Result<(&str, &[String]), Failure> {
    let [robots, urls @ ..] = typed else { return Err(no_url_to_judge()) };
    match CanonicalUrl::parse(robots) {
        _ if !urls.is_empty() => Ok((robots, urls)),
        Ok(url) if url.url().path() != "/robots.txt" => Ok((robots, typed)),
        _ => Err(no_url_to_judge()),
    }
}

fn no_url_to_judge() -> Failure {
    let failure = Failure::new("there is no URL that the robots.txt is asked about").code(2);
    failure.hint("name URLs after it, such as https://example.com/private; or one URL alone")
}

async fn fetch(mut url: CanonicalUrl, agent: &str, logins: &[Login]) -> Result<RobotsAnswer, Failure> {
    let typed = url.host();
    let config = Config { user_agent: agent.to_owned(), ..Config::default() };
    let client = HttpClient::new(&config, logins).map_err(|e| Failure::new(e.to_string()))?;
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
