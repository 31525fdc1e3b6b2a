//! The words that the database, the log and the summary use for what became of a URL.

use std::sync::Arc;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The word used in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
            /// Reads the word back.
            pub fn from_word(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

/// Why a known URL is deliberately not requested.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SkipReason {
    Scope,
    Excluded,
    Depth,
    Robots,
    RobotsUnreachable,
    Nofollow,
    PrivateAddress,
    /// It brings nothing new, as far as those like it tell.
    Trap,
    UrlTooLong,
    /// Only links of responses with a status of 400 or more lead there.
    ErrorPage,
    /// A hook of the program that runs the crawl: `hook: ` and what it said.
    Hook(Arc<str>),
}

impl SkipReason {
    /// Every reason the crawler has of its own, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Scope,
        Self::Excluded,
        Self::Depth,
        Self::Robots,
        Self::RobotsUnreachable,
        Self::Nofollow,
        Self::PrivateAddress,
        Self::Trap,
        Self::UrlTooLong,
        Self::ErrorPage,
    ];
    const HOOK: &str = "hook: ";

    /// The reason of a hook, which is kept apart from the crawler's own by its first word.
    pub fn hook(reason: &str) -> Self {
        Self::Hook(format!("{}{reason}", Self::HOOK).into())
    }

    /// The word used in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Scope => "scope",
            Self::Excluded => "excluded",
            Self::Depth => "depth",
            Self::Robots => "robots",
            Self::RobotsUnreachable => "robots_unreachable",
            Self::Nofollow => "nofollow",
            Self::PrivateAddress => "private_address",
            Self::Trap => "trap",
            Self::UrlTooLong => "url_too_long",
            Self::ErrorPage => "error_page",
            Self::Hook(reason) => reason,
        }
    }

    /// Reads the word back.
    pub fn from_word(text: &str) -> Option<Self> {
        if text.starts_with(Self::HOOK) {
            return Some(Self::Hook(text.into()));
        }
        Self::ALL.iter().find(|reason| reason.as_str() == text).cloned()
    }
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

named! {
    /// Why a request gave no usable response.
    FailureKind {
        Dns = "dns",
        Connect = "connect",
        Tls = "tls",
        Timeout = "timeout",
        /// Cut off before a whole response.
        Closed = "closed",
        /// What answered does not speak HTTP.
        Protocol = "protocol",
        /// Broken or unsupported content coding.
        Decode = "decode",
        TooLarge = "too_large",
        /// Loop, too many hops, or no usable target.
        Redirect = "redirect",
    }
}

/// How a URL leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Link,
    /// A sitemap names it. However many files a sitemap is spread over, what it names is one link from the site.
    Listing,
    Redirect,
}

impl Way {
    /// The way that a link of this element is.
    pub fn of(element: Element) -> Self {
        match element {
            Element::Redirect => Self::Redirect,
            Element::Sitemap => Self::Listing,
            Element::A | Element::Area | Element::Iframe | Element::Frame | Element::Link | Element::Meta => Self::Link,
        }
    }

    /// The depth of a URL to which it leads from one of `depth`. A redirect is no step.
    pub fn depth_below(self, depth: u32) -> u32 {
        match self {
            Self::Link => depth + 1,
            Self::Listing => depth.max(1),
            Self::Redirect => depth,
        }
    }
}

named! {
    /// The part of a page that a link stands in: the innermost of the landmarks around it.
    Landmark {
        Main = "main",
        Nav = "nav",
        Header = "header",
        Footer = "footer",
        Aside = "aside",
    }
}

named! {
    /// How a request asks.
    Method {
        Head = "HEAD",
        Get = "GET",
    }
}

named! {
    /// What a URL that is checked is to the pages that name it.
    CheckKind {
        /// The target of a link, which is not crawled.
        External = "external",
        /// A part of the page.
        Resource = "resource",
    }
}

named! {
    /// What a check says of a URL.
    Verdict {
        Ok = "ok",
        Broken = "broken",
        /// The server tells no crawler.
        Unsure = "unsure",
    }
}

named! {
    /// The element (or header) a link was found in.
    Element {
        A = "a",
        Area = "area",
        Iframe = "iframe",
        Frame = "frame",
        Link = "link",
        Meta = "meta",
        Redirect = "redirect",
        /// Not an element of a page: the file is a sitemap, or robots.txt names the target as one.
        Sitemap = "sitemap",
    }
}
