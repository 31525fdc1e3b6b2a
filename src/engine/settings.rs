//! A method of the builder for each setting.

use std::path::PathBuf;
use std::time::Duration;

use super::crawl::Crawl;
use crate::config::setters::setters;
use crate::config::values::*;
use crate::config::with_options;

with_options! { setters (Crawl) }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_a_method_of_its_name() {
        let crawl = Crawl::new(["http://a.test/"]).unwrap().rate(5.0).max_pages(100).max_depth(2).store_bodies(false);
        let crawl = crawl.header("X-A", "b").header("X-B", "c").user_agent("mybot/1").recrawl_after(Duration::ZERO);
        let crawl = crawl.include(Pattern::new("/a/").unwrap()).proxy("http://proxy.test:3128").scope(ScopeKind::Any);
        let config = &crawl.config;
        assert_eq!((config.rate, config.max_pages, config.max_depth), (5.0, Some(100), Some(2)));
        assert_eq!((config.header.len(), config.include.len(), config.store_bodies), (2, 1, false));
        assert_eq!(config.proxy.as_ref().unwrap().expose(), "http://proxy.test:3128");
    }
}
