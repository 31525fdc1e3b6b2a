//! CSS selectors of rules, matched within a page's time.
//!
//! The matching is that of scraper's own selectors. They are asked through elements that look at the clock at each step,
//! because one question can take hours: `:has()` of a chain of descendants goes through a whole document for each element.

use std::cell::{Cell, RefCell};
use std::fmt;

use cssparser::{BasicParseErrorKind, ParseErrorKind};
use html5ever::Namespace;
use scraper::ElementRef;
use scraper::selector::{CssLocalName, CssString, NonTSPseudoClass, Parser, PseudoElement, Simple};
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::{MatchingForInvalidation, NeedsSelectorFlags, QuirksMode, SelectorCaches};
use selectors::matching::{ElementSelectorFlags, MatchingContext, MatchingMode, matches_selector};
use selectors::parser::{ParseRelative, SelectorList, SelectorParseErrorKind as Problem};
use selectors::{Element, OpaqueElement};

use super::super::work::Work;

/// Bytes of a selector: it takes stack to match a long one.
const MAX_LENGTH: usize = 1_000;
/// Levels below an element at which `:has()` looks, at most: it takes stack to go down.
const MAX_LEVELS: u32 = 200;

/// A list of selectors.
#[derive(Debug)]
pub struct Css {
    list: SelectorList<Simple>,
    /// It speaks of the element in which it is looked for, and may be that element.
    has_scope: bool,
}

impl Css {
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("the selector is longer than {MAX_LENGTH} bytes"));
        }
        let list = SelectorList::parse(&Parser, &mut cssparser::Parser::new(text), ParseRelative::No);
        let list = list.map_err(|e| {
            let problem = match e.kind {
                ParseErrorKind::Basic(BasicParseErrorKind::EndOfInput) => "it ends too early",
                ParseErrorKind::Basic(BasicParseErrorKind::TooManyNestedBlocks) => {
                    "too many parentheses within each other"
                }
                ParseErrorKind::Custom(Problem::EmptySelector) => "a selector is missing",
                ParseErrorKind::Custom(Problem::DanglingCombinator) => "it ends with a combinator",
                ParseErrorKind::Custom(Problem::UnsupportedPseudoClassOrElement) => {
                    "it has a pseudo-class that is not known, or that only a browser knows"
                }
                ParseErrorKind::Custom(Problem::ExpectedNamespace) => "it has a namespace that is not known",
                _ => "something stands where it cannot stand",
            };
            format!("it is no CSS selector: {problem}")
        })?;
        Ok(Self { list, has_scope: text.contains(":scope") })
    }
}

/// Answers for one page which elements a selector matches.
pub struct Matcher<'w> {
    work: &'w Work,
    caches: RefCell<SelectorCaches>,
    /// `:has()` did not look at all levels.
    pub is_deep: Cell<bool>,
}

impl fmt::Debug for Matcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("work", self.work).finish_non_exhaustive()
    }
}

impl<'w> Matcher<'w> {
    pub fn new(work: &'w Work) -> Self {
        Self { work, caches: RefCell::default(), is_deep: Cell::new(false) }
    }

    /// The elements below `within` that match, in the order of the document, as far as there is time. `:scope` is
    /// `within`, which is among them if the selector names it and matches it.
    pub fn matches<'a>(&self, css: &'a Css, within: ElementRef<'a>) -> impl Iterator<Item = ElementRef<'a>> {
        let itself = css.has_scope.then_some(within);
        let below = within.descendants().skip(1).filter_map(ElementRef::wrap);
        let in_time = itself.into_iter().chain(below).take_while(|_| self.work.step());
        // What was found when the time ended is not certain.
        in_time.filter(move |element| self.is_match(css, *element, within) && self.work.step())
    }

    fn is_match(&self, css: &Css, element: ElementRef<'_>, scope: ElementRef<'_>) -> bool {
        let mut caches = self.caches.borrow_mut();
        let mut context = MatchingContext::new(
            MatchingMode::Normal,
            None,
            &mut caches,
            QuirksMode::NoQuirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        context.scope_element = Some(scope.opaque());
        let element = Timed { element, level: 0, matcher: self };
        css.list.slice().iter().any(|selector| matches_selector(selector, 0, None, &element, &mut context))
    }
}

/// An element that is at the end of its document once the time is over.
#[derive(Clone, Debug)]
struct Timed<'a> {
    element: ElementRef<'a>,
    /// Below the element that was asked first.
    level: u32,
    matcher: &'a Matcher<'a>,
}

impl<'a> Timed<'a> {
    fn at(&self, element: Option<ElementRef<'a>>, level: u32) -> Option<Self> {
        let matcher = self.matcher;
        element.filter(|_| matcher.work.step()).map(|element| Self { element, level, matcher })
    }
}

impl Element for Timed<'_> {
    type Impl = Simple;

    fn opaque(&self) -> OpaqueElement {
        self.element.opaque()
    }

    fn parent_element(&self) -> Option<Self> {
        self.at(self.element.parent_element(), self.level.saturating_sub(1))
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        self.element.parent_node_is_shadow_root()
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        self.element.is_pseudo_element()
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.at(self.element.prev_sibling_element(), self.level)
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.at(self.element.next_sibling_element(), self.level)
    }

    fn first_element_child(&self) -> Option<Self> {
        if self.level >= MAX_LEVELS {
            self.matcher.is_deep.set(true);
            return None;
        }
        self.at(self.element.first_element_child(), self.level + 1)
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.element.is_html_element_in_html_document()
    }

    fn has_local_name(&self, name: &CssLocalName) -> bool {
        self.element.has_local_name(name)
    }

    fn has_namespace(&self, namespace: &Namespace) -> bool {
        self.element.has_namespace(namespace)
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.element.is_same_type(&other.element)
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Namespace>,
        name: &CssLocalName,
        operation: &AttrSelectorOperation<&CssString>,
    ) -> bool {
        self.element.attr_matches(namespace, name, operation)
    }

    fn match_non_ts_pseudo_class(&self, class: &NonTSPseudoClass, _: &mut MatchingContext<'_, Simple>) -> bool {
        match *class {}
    }

    fn match_pseudo_element(&self, element: &PseudoElement, _: &mut MatchingContext<'_, Simple>) -> bool {
        match *element {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.element.is_link()
    }

    fn is_html_slot_element(&self) -> bool {
        self.element.is_html_slot_element()
    }

    fn has_id(&self, id: &CssLocalName, case: CaseSensitivity) -> bool {
        self.element.has_id(id, case)
    }

    fn has_class(&self, name: &CssLocalName, case: CaseSensitivity) -> bool {
        self.element.has_class(name, case)
    }

    fn has_custom_state(&self, _: &CssLocalName) -> bool {
        false
    }

    fn imported_part(&self, _: &CssLocalName) -> Option<CssLocalName> {
        None
    }

    fn is_part(&self, _: &CssLocalName) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.element.is_empty()
    }

    fn is_root(&self) -> bool {
        self.element.is_root()
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
