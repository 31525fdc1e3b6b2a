//! What a page asks of crawlers, in `<meta name=robots>` and in the header `X-Robots-Tag`.

/// Whether these directives, separated by commas, forbid to follow links.
pub(super) fn forbids_following(directives: &str) -> bool {
    directives.split(',').any(|d| matches!(d.trim().to_ascii_lowercase().as_str(), "nofollow" | "none"))
}

/// Whether an `X-Robots-Tag` value forbids `product_token` to follow links. A value may be for one agent only, as in
/// `otherbot: nofollow`.
pub fn robots_tag_forbids_following(value: &str, product_token: &str) -> bool {
    let has_value = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"].contains(&name.as_str())
    };
    match value.split_once(':') {
        Some((agent, directives)) if !agent.contains(',') && !has_value(agent) => {
            agent.trim().eq_ignore_ascii_case(product_token) && forbids_following(directives)
        }
        _ => forbids_following(value),
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
