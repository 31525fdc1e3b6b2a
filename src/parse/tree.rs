//! From HTML to a tree: html5gum reads the tokens, html5ever builds, scraper holds.
//!
//! html5gum's tokenizer is used because it takes a fraction of the time of html5ever's own and hands over borrowed bytes,
//! so that what nobody reads is dropped before anything is allocated or interned for it.

mod interests;
mod names;
mod tag;
mod xml;

use std::cell::Cell;
use std::time::Instant;

use ego_tree::{NodeId, Tree};
use encoding_rs::Encoding;
use html5ever::interface::TreeSink;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Doctype, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{LocalName, local_name};
use html5gum::{Emitter, Error, State, Tokenizer};
use scraper::{Html, HtmlTreeSink, Node};

use super::charset;
use super::reader::Interest;
use interests::Interests;
use tag::{TagParts, tendril};

/// Bytes read between two looks at the clock.
const STEP: usize = 16 << 10;
/// Bytes of ordinary HTML to a node of its tree.
const BYTES_PER_NODE: usize = 16;

/// What became of a document.
#[derive(Debug)]
pub(super) struct Built {
    pub document: Html,
    /// False if the deadline passed before its end.
    pub is_whole: bool,
    /// A `<meta>` names another character encoding than the one supposed, and the tree ends there.
    pub declared: Option<&'static Encoding>,
}

/// Builds the tree as far as `deadline` allows, since some inputs take quadratic time (deep nesting, for one). The tree
/// holds what `interests` name, or what decides how it is built. `supposed`: the encoding that the document was decoded
/// from, if it is one that a `<meta>` may correct.
pub(super) fn build(
    html: &str,
    interests: &[&[Interest]],
    deadline: Instant,
    supposed: Option<&'static Encoding>,
) -> Built {
    let mut document = Html::new_document();
    // Growing a large tree by doubling would hold it twice.
    document.tree = Tree::with_capacity(Node::Document, html.len() / BYTES_PER_NODE);
    // No script runs here, so what stands in <noscript> is what a reader gets.
    let opts = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let builder = TreeBuilder::new(HtmlTreeSink::new(document), opts);
    let interests = Interests::new(interests);
    let charset = Charset { supposed: Cell::new(supposed), declared: Cell::new(None) };
    let mut tokens = Tokenizer::new_with_emitter(html, Tokens::new(&builder, &interests, &charset, html.len()));
    let is_whole = tokens.all(|left| charset.declared.get().is_none() && (left == Ok(0) || Instant::now() < deadline));
    drop(tokens);
    send(&builder, Token::EOFToken);
    builder.end();
    Built { document: builder.sink.finish(), is_whole, declared: charset.declared.get() }
}

/// The same from XHTML, by the rules of XML. None if it is not well-formed.
pub(super) fn build_xml(xml: &str, interests: &[&[Interest]], deadline: Instant) -> Option<Built> {
    let (document, is_whole) = xml::build(xml, &Interests::new(interests), deadline)?;
    Some(Built { document, is_whole, declared: None })
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

type Builder = TreeBuilder<NodeId, HtmlTreeSink>;

/// Only a tag changes how the tokenizer goes on.
fn send(builder: &Builder, token: Token) {
    let _ = builder.process_token(token, NO_LINE);
}

/// Nobody asks where a token stands.
const NO_LINE: u64 = 1;

/// The token at hand, put together from what the tokenizer reads, for the tree builder (WHATWG HTML, 13.2.5). Only what
/// is read of a page, or shapes its tree, gets that far: most attributes are classes, ids and styles, and few read scripts
/// and style sheets.
struct Tokens<'a> {
    builder: &'a Builder,
    interests: &'a Interests,
    charset: &'a Charset,
    /// Characters that follow upon each other.
    text: Vec<u8>,
    /// Between the tags of a script or style sheet that nobody reads.
    in_code: bool,
    tag: TagParts<'a>,
    last_start_tag: Vec<u8>,
    doctype: DoctypeParts,
    /// Bytes read since the clock was looked at, and those to be read.
    read: usize,
    left: usize,
}

#[derive(Default)]
struct DoctypeParts {
    name: Vec<u8>,
    public_id: Option<Vec<u8>>,
    system_id: Option<Vec<u8>>,
    force_quirks: bool,
}

impl<'a> Tokens<'a> {
    fn new(builder: &'a Builder, interests: &'a Interests, charset: &'a Charset, left: usize) -> Self {
        Self {
            builder,
            interests,
            charset,
            text: Vec::new(),
            in_code: false,
            tag: TagParts::new(interests),
            last_start_tag: Vec::new(),
            doctype: DoctypeParts::default(),
            read: 0,
            left,
        }
    }

    /// Hands on the characters before a token of another kind.
    fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if self.text.contains(&0) {
            self.send_with_nulls();
        } else {
            send(self.builder, Token::CharacterTokens(tendril(&self.text)));
        }
        self.text.clear();
    }

    /// The tree builder takes null characters by themselves. Few texts have any, and looking for one is quick.
    fn send_with_nulls(&self) {
        for (index, part) in self.text.split(|&byte| byte == 0).enumerate() {
            if index > 0 {
                send(self.builder, Token::NullCharacterToken);
            }
            if !part.is_empty() {
                send(self.builder, Token::CharacterTokens(tendril(part)));
            }
        }
    }

    /// Whether nobody reads what stands in a script or style sheet.
    fn skips(&self, element: &LocalName) -> bool {
        self.interests.of(element).next().is_none()
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
        if self.read < STEP && self.charset.declared.get().is_none() {
            return None;
        }
        self.read = 0;
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
                self.text.extend_from_slice(&rest[..end]);
                self.end_text();
                rest = &rest[end..];
            }
        }
        self.text.extend_from_slice(rest);
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
        self.end_text();
        self.in_code = false;
        let tag = self.tag.end();
        let code = [local_name!("script"), local_name!("style")].into_iter().find(|name| *name == tag.name);
        // It is asked for only between a start tag and what ends its text, so an end tag may clear it too.
        self.last_start_tag.clear();
        if tag.kind == TagKind::StartTag {
            std::mem::swap(&mut self.last_start_tag, &mut self.tag.name);
        }
        let next = match self.builder.process_token(Token::TagToken(tag), NO_LINE) {
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
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }

    // Nobody reads comments, but where one stands matters within a table.
    fn init_comment(&mut self) {}

    fn push_comment(&mut self, _: &[u8]) {}

    fn emit_current_comment(&mut self) {
        self.end_text();
        send(self.builder, Token::CommentToken(StrTendril::new()));
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
        send(self.builder, Token::DoctypeToken(Doctype { name, public_id, system_id, force_quirks }));
    }
}
