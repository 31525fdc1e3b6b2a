//! From HTML to a tree: html5gum reads the tokens, html5ever builds, scraper holds.
//!
//! html5gum's tokenizer is used because it takes a fraction of the time of html5ever's own and hands over borrowed bytes,
//! so that what nobody reads is dropped before anything is allocated or interned for it.

mod interests;
mod names;
mod run;
mod tag;
mod trees;
mod xml;

use std::cell::Cell;

use encoding_rs::Encoding;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Doctype, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::{LocalName, local_name};
use html5gum::{Emitter, Error, State, Tokenizer};
use scraper::Html;

use super::charset;
use super::deadline::{Deadline, Left};
use super::reader::Interest;
use interests::Interests;
use run::{Run, Source, tendril};
use tag::TagParts;
use trees::{CONTEXT, NO_LINE, Take, Trees, send};

/// Bytes read between two looks at the clock.
const STEP: usize = 16 << 10;
/// Nodes of one tree, for tests.
#[cfg(test)]
pub(super) const MAX_NODES: usize = trees::MAX_NODES;

/// How the reading of a document ended.
#[derive(Debug)]
pub(super) struct End {
    /// False if the deadline passed before its end.
    pub is_whole: bool,
    /// A `<meta>` names another character encoding than the one supposed: nothing that was read counts.
    pub declared: Option<&'static Encoding>,
}

/// Builds the trees of a document as far as `deadline` allows. They hold what `interests` name, or what decides how they
/// are built. `supposed`: the encoding that the document was decoded from, if it is one that a `<meta>` may correct.
pub(super) fn build(
    html: &str,
    interests: &[&[Interest]],
    deadline: Deadline,
    supposed: Option<&'static Encoding>,
    take: Take<'_>,
) -> End {
    let interests = Interests::new(interests);
    let charset = Charset { supposed: Cell::new(supposed), declared: Cell::new(None) };
    let trees = Trees::new(html.len(), take);
    let source = Source::new(html);
    let mut tokens = Tokenizer::new_with_emitter(html, Tokens::new(&source, &trees, &interests, &charset));
    let mut is_whole = true;
    let reached = tokens.all(|left| {
        if charset.declared.get().is_some() {
            return false;
        }
        if left == Ok(0) {
            return true;
        }
        let left = deadline.left();
        if left == Left::Nothing {
            return false;
        }
        if left == Left::Skim && !trees.skims.replace(true) {
            is_whole = false;
            trees.turn(0);
        } else if trees.is_full() || trees.is_deep() {
            trees.turn(CONTEXT);
        }
        true
    });
    drop(tokens);
    let declared = charset.declared.get();
    if declared.is_none() {
        trees.end();
    }
    End { is_whole: is_whole && reached, declared }
}

/// The same from XHTML, by the rules of XML. None if it is not well-formed: nothing that was read counts.
pub(super) fn build_xml(xml: &str, interests: &[&[Interest]], deadline: Deadline, take: Take<'_>) -> Option<End> {
    let is_whole = xml::build(xml, &Interests::new(interests), deadline, take)?;
    Some(End { is_whole, declared: None })
}

/// All of an XHTML document in one tree, with each attribute and text, and whether the deadline let it be read to its end.
/// None if it is not well-formed.
pub(super) fn whole_xml(xml: &str, deadline: Deadline) -> Option<(Html, bool)> {
    let mut tree = None;
    let is_whole = xml::build(xml, &Interests::whole(), deadline, &mut |whole| tree = Some(whole.clone()))?;
    Some((tree?, is_whole))
}

/// Whether a tag counts where only links and words are read: it makes a link, or decides how what follows is tokenized.
fn is_skimmed(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 14] = [
        b"a",
        b"area",
        b"base",
        b"iframe",
        b"link",
        b"meta",
        b"noembed",
        b"noframes",
        b"plaintext",
        b"script",
        b"style",
        b"textarea",
        b"title",
        b"xmp",
    ];
    NAMES.contains(&name)
}

/// Whether the root element of what begins so is that of a page in XHTML.
pub(super) fn is_xhtml(xml: &str) -> bool {
    xml::is_xhtml(xml)
}

/// The encoding that the document is taken for until a `<meta>` confirms it, and another that one names.
struct Charset {
    supposed: Cell<Option<&'static Encoding>>,
    declared: Cell<Option<&'static Encoding>>,
}

impl Charset {
    /// WHATWG HTML, 13.2.3.4 "changing the encoding while parsing".
    fn meta(&self, label: &str) {
        if let Some(supposed) = self.supposed.get()
            && let Some(declared) = charset::declared(label)
        {
            self.supposed.set(None);
            self.declared.set(Some(declared).filter(|declared| *declared != supposed && !charset::is_utf16(supposed)));
        }
    }
}

/// The token at hand, put together from what the tokenizer reads, for the tree builder (WHATWG HTML, 13.2.5). Only what
/// is read of a page, or shapes its tree, gets that far: most attributes are classes, ids and styles, and few read scripts
/// and style sheets.
struct Tokens<'a> {
    source: &'a Source<'a>,
    trees: &'a Trees<'a>,
    interests: &'a Interests,
    charset: &'a Charset,
    /// Characters that follow upon each other.
    text: Run,
    /// Between the tags of a script or style sheet that nobody reads.
    in_code: bool,
    tag: TagParts<'a>,
    last_start_tag: Vec<u8>,
    doctype: DoctypeParts,
    /// Bytes read since the clock was looked at, and those to be read.
    read: usize,
    left: usize,
    /// It is time to begin another tree.
    is_full: bool,
}

#[derive(Default)]
struct DoctypeParts {
    name: Vec<u8>,
    public_id: Option<Vec<u8>>,
    system_id: Option<Vec<u8>>,
    force_quirks: bool,
}

impl<'a> Tokens<'a> {
    fn new(source: &'a Source<'a>, trees: &'a Trees<'a>, interests: &'a Interests, charset: &'a Charset) -> Self {
        Self {
            source,
            trees,
            interests,
            charset,
            text: Run::default(),
            in_code: false,
            tag: TagParts::new(source, interests),
            last_start_tag: Vec::new(),
            doctype: DoctypeParts::default(),
            read: 0,
            left: source.len(),
            is_full: false,
        }
    }

    /// Hands on the characters before a token of another kind.
    fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if self.text.bytes(self.source).contains(&0) {
            self.send_with_nulls();
        } else {
            self.send(Token::CharacterTokens(self.text.tendril(self.source)));
        }
        self.text.clear();
    }

    /// The tree builder takes null characters by themselves. Few texts have any, and looking for one is quick.
    fn send_with_nulls(&self) {
        for (index, part) in self.text.bytes(self.source).split(|&byte| byte == 0).enumerate() {
            if index > 0 {
                self.send(Token::NullCharacterToken);
            }
            if !part.is_empty() {
                self.send(Token::CharacterTokens(tendril(part)));
            }
        }
    }

    fn send(&self, token: Token) {
        send(&self.trees.builder.borrow(), token);
    }

    /// Whether nobody reads what stands in a script or style sheet.
    fn skips(&self, element: &LocalName) -> bool {
        !self.interests.name(element)
    }
}

/// Whether this byte of UTF-8 is the first of its character.
fn begins_character(byte: &u8) -> bool {
    byte & 0xc0 != 0x80
}

impl Emitter for Tokens<'_> {
    /// It is time to look at the clock and the encoding, with so many bytes to be read.
    type Token = usize;

    fn pop_token(&mut self) -> Option<usize> {
        if self.read < STEP && !self.is_full && self.charset.declared.get().is_none() {
            return None;
        }
        self.read = 0;
        self.is_full = false;
        self.end_text();
        Some(self.left)
    }

    fn move_position(&mut self, offset: isize) {
        self.read = self.read.saturating_add_signed(offset);
        self.left = self.left.saturating_sub_signed(offset);
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn emit_error(&mut self, _: Error) {}

    fn emit_eof(&mut self) {
        self.end_text();
        self.left = 0;
    }

    fn emit_string(&mut self, characters: &[u8]) {
        if self.in_code {
            return;
        }
        let mut rest = characters;
        // A long run goes on in pieces, or it would be held twice; never within a character, whose first byte can come
        // alone.
        if self.text.len() + rest.len() > STEP && rest.first().is_some_and(begins_character) {
            self.end_text();
            while rest.len() > STEP {
                let end = (1..=STEP).rev().find(|&end| begins_character(&rest[end])).unwrap_or(STEP);
                self.text.push(self.source, &rest[..end]);
                self.end_text();
                rest = &rest[end..];
            }
        }
        self.text.push(self.source, rest);
    }

    fn init_start_tag(&mut self) {
        self.tag.begin(TagKind::StartTag);
    }

    fn init_end_tag(&mut self) {
        self.tag.begin(TagKind::EndTag);
    }

    fn push_tag_name(&mut self, part: &[u8]) {
        self.tag.name.extend_from_slice(part);
    }

    fn set_self_closing(&mut self) {
        self.tag.self_closing = true;
    }

    fn init_attribute(&mut self) {
        self.tag.begin_attribute();
    }

    fn push_attribute_name(&mut self, part: &[u8]) {
        self.tag.push_attribute(part);
    }

    fn init_attribute_value(&mut self) {
        self.tag.begin_value();
    }

    fn push_attribute_value(&mut self, part: &[u8]) {
        self.tag.push_value(part);
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        if self.trees.skims.get() && !is_skimmed(&self.tag.name) {
            self.text.push(self.source, b" ");
            return None;
        }
        self.end_text();
        self.in_code = false;
        let tag = self.tag.end();
        let code = [local_name!("script"), local_name!("style")].into_iter().find(|name| *name == tag.name);
        // It is asked for only between a start tag and what ends its text, so an end tag may clear it too.
        self.last_start_tag.clear();
        if tag.kind == TagKind::StartTag {
            std::mem::swap(&mut self.last_start_tag, &mut self.tag.name);
        }
        let result = self.trees.builder.borrow().process_token(Token::TagToken(tag), NO_LINE);
        let next = match result {
            TokenSinkResult::Continue | TokenSinkResult::Script(_) => None,
            TokenSinkResult::EncodingIndicator(label) => {
                self.charset.meta(&label);
                None
            }
            TokenSinkResult::Plaintext => Some(State::PlainText),
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(State::RcData),
            TokenSinkResult::RawData(RawKind::Rawtext) => Some(State::RawText),
            TokenSinkResult::RawData(RawKind::ScriptData | RawKind::ScriptDataEscaped(_)) => Some(State::ScriptData),
        };
        self.is_full = next.is_none() && self.trees.is_full();
        self.in_code = next.is_some() && code.is_some_and(|code| self.skips(&code));
        next
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.kind == TagKind::EndTag && !self.last_start_tag.is_empty() && self.last_start_tag == self.tag.name
    }

    /// For html5gum's own tests.
    fn set_last_start_tag(&mut self, _: Option<&[u8]>) {}

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        // It may open formatting elements anew, and so decide which node is the current one.
        self.end_text();
        self.trees.builder.borrow().adjusted_current_node_present_but_not_in_html_namespace()
    }

    // Nobody reads comments, but where one stands matters within a table.
    fn init_comment(&mut self) {}

    fn push_comment(&mut self, _: &[u8]) {}

    fn emit_current_comment(&mut self) {
        self.end_text();
        self.send(Token::CommentToken(StrTendril::new()));
    }

    fn init_doctype(&mut self) {
        self.doctype = DoctypeParts::default();
    }

    fn push_doctype_name(&mut self, part: &[u8]) {
        self.doctype.name.extend_from_slice(part);
    }

    fn set_doctype_public_identifier(&mut self, value: &[u8]) {
        self.doctype.public_id = Some(value.to_vec());
    }

    fn set_doctype_system_identifier(&mut self, value: &[u8]) {
        self.doctype.system_id = Some(value.to_vec());
    }

    fn push_doctype_public_identifier(&mut self, part: &[u8]) {
        self.doctype.public_id.get_or_insert_default().extend_from_slice(part);
    }

    fn push_doctype_system_identifier(&mut self, part: &[u8]) {
        self.doctype.system_id.get_or_insert_default().extend_from_slice(part);
    }

    fn set_force_quirks(&mut self) {
        self.doctype.force_quirks = true;
    }

    fn emit_current_doctype(&mut self) {
        self.end_text();
        let DoctypeParts { name, public_id, system_id, force_quirks } = std::mem::take(&mut self.doctype);
        let name = Some(name).filter(|name| !name.is_empty());
        let [name, public_id, system_id] = [name, public_id, system_id].map(|part| part.as_deref().map(tendril));
        self.send(Token::DoctypeToken(Doctype { name, public_id, system_id, force_quirks }));
    }
}
