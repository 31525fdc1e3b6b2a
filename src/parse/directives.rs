//! What a page asks of crawlers, in `<meta name=robots>` and in the header `X-Robots-Tag`.

/// Whether these directives, separated by commas, hold one that forbids, such as `noindex`; `none` is all of them.
pub fn forbid(directives: &str, what: &str) -> bool {
    directives.split(',').map(str::trim).any(|d| d.eq_ignore_ascii_case(what) || d.eq_ignore_ascii_case("none"))
}

/// Whether these directives forbid to follow links.
pub(super) fn forbids_following(directives: &str) -> bool {
    forbid(directives, "nofollow")
}

/// Whether an `X-Robots-Tag` value forbids `product_token` to follow links.
pub fn robots_tag_forbids_following(value: &str, product_token: &str) -> bool {
    robots_tag_for(value, &[product_token]).is_some_and(forbids_following)
}

/// The directives of an `X-Robots-Tag` value if they are for one of these agents: a value may be for one agent only, as in
/// `otherbot: nofollow`.
pub fn robots_tag_for<'v>(value: &'v str, product_tokens: &[&str]) -> Option<&'v str> {
    let has_value = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"].contains(&name.as_str())
    };
    match value.split_once(':') {
        Some((agent, directives)) if !agent.contains(',') && !has_value(agent) => {
            product_tokens.iter().any(|token| agent.trim().eq_ignore_ascii_case(token)).then_some(directives)
        }
        _ => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_forbids_following_for_all_or_for_the_agent_it_names() {
        assert!(robots_tag_forbids_following("noindex, nofollow", "harvestman"));
        assert!(robots_tag_forbids_following("Harvestman: none", "harvestman"));
        assert!(!robots_tag_forbids_following("otherbot: nofollow", "harvestman"));
        assert!(robots_tag_forbids_following("max-image-preview:large, nofollow", "harvestman"));
    }
}
