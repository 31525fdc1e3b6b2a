//! Text of scripts that set no spaces between words, made ready for the full-text index. Only a dictionary knows which
//! characters are a word there; so each is indexed by itself, and a word is found as a phrase of characters. Hangul is cut
//! too: it has spaces, but particles stick to the words.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// What is put between characters. FTS5 takes it for white space, and SQL can take it out of a snippet again.
pub const SEPARATOR: char = '\u{1f}';

/// What Japanese keyboards give for a space.
const WIDE_SPACE: char = '\u{3000}';

/// How FTS5 is to take what is cut: a mark is a separator to `unicode61`, and words that differ in one would be the same.
pub fn tokenizer() -> String {
    let marks: String = ('\u{e00}'..='\u{abff}').filter(|&c| is_mark(c)).collect();
    format!("unicode61 remove_diacritics 2 tokenchars '{marks}'")
}

/// The text with its characters of such scripts apart, and full-width and half-width forms as they are usually written.
/// None if it has none of these, as most texts.
pub fn cut(text: &str) -> Option<String> {
    cut_and_tell(text, |_, _| ())
}

/// The same, and tells for each piece where it begins: in what is cut, and in the text.
pub fn cut_and_tell(text: &str, mut tell: impl FnMut(usize, usize)) -> Option<String> {
    // Every character of these scripts takes three bytes or more in UTF-8, which is seen at a glance of most texts.
    if text.bytes().all(|byte| byte < 0xe0) {
        return None;
    }
    let mut at = text.find(is_cut)?;
    let mut cut = String::with_capacity(text.len() + text.len() / 2);
    cut.push_str(&text[..at]);
    // A character that stands apart is the last thing in `cut`.
    let mut is_apart = false;
    while at < text.len() {
        let rest = &text[at..];
        let end = rest.find(is_cut).unwrap_or(rest.len());
        if end > 0 {
            if is_apart && !rest.starts_with(char::is_whitespace) {
                cut.push(SEPARATOR);
            }
            tell(cut.len(), at);
            cut.push_str(&rest[..end]);
            (at, is_apart) = (at + end, false);
            continue;
        }
        let piece = &rest[..piece(rest)];
        let mut is_told = false;
        for c in normalized(piece).chars() {
            let is_word = c.is_ascii();
            let joins = is_mark(c) || (is_word && !is_apart);
            if !joins && !cut.is_empty() && !cut.ends_with(|c: char| c.is_whitespace()) {
                cut.push(SEPARATOR);
            }
            if !std::mem::replace(&mut is_told, true) {
                tell(cut.len(), at);
            }
            cut.push(c);
            is_apart = !is_word;
        }
        at += piece.len();
    }
    Some(cut)
}

/// A search in FTS5's syntax, its words cut as the index is. What stands apart there is a phrase here.
pub fn query(words: &str) -> Cow<'_, str> {
    if cut(words).is_none() {
        return words.into();
    }
    let mut query = String::new();
    for (index, part) in words.split('"').enumerate() {
        if index % 2 == 1 {
            // Within quotation marks, which are doubled where they are part of the text.
            query.push('"');
            query.push_str(&cut(part).unwrap_or_else(|| part.to_owned()));
            continue;
        }
        if index > 0 {
            query.push('"');
        }
        for word in part.split_inclusive(|c| !is_bareword(c)) {
            let word_end = word.trim_end_matches(|c| !is_bareword(c)).len();
            let (word, end) = word.split_at(word_end);
            match cut(word) {
                Some(cut) => query.extend(["\"", &cut, "\""]),
                None => query.push_str(word),
            }
            query.push_str(&end.replace(WIDE_SPACE, " "));
        }
    }
    query.into()
}

/// What FTS5 takes for a word without quotation marks (its documentation, section 3.1 "FTS5 strings").
fn is_bareword(c: char) -> bool {
    let is_bareword = !c.is_ascii() || c.is_ascii_alphanumeric() || c == '_' || c == '\u{1a}';
    is_bareword && c != WIDE_SPACE
}

/// Bytes of the first character with what belongs to it.
fn piece(text: &str) -> usize {
    let mut characters = text.chars();
    let first = characters.next().map_or(0, char::len_utf8);
    let belongs = |c: &char| is_mark(*c) || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}');
    first + characters.take_while(belongs).map(char::len_utf8).sum::<usize>()
}

fn normalized(piece: &str) -> Cow<'_, str> {
    match piece.len() {
        // Kana, ideographs and syllables by themselves are as they should be.
        3 if matches!(piece.chars().next(), Some('\u{3041}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')) => piece.into(),
        _ => ComposingNormalizerBorrowed::new_nfkc().normalize(piece),
    }
}

/// Whether the character is of a script that is cut, or a form of one that is written differently.
pub fn is_cut(c: char) -> bool {
    c >= '\u{e01}'
        && matches!(c,
            // Thai and Lao, Burmese, Khmer
            '\u{e01}'..='\u{edf}' | '\u{1000}'..='\u{109f}' | '\u{a9e0}'..='\u{a9fe}' | '\u{aa60}'..='\u{aa7f}'
            | '\u{1780}'..='\u{17e9}'
            // Hangul
            | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7fb}'
            // Ideographs with their radicals, marks of repetition and numerals, and bopomofo
            | '\u{2e80}'..='\u{2fd5}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
            | '\u{3038}'..='\u{303c}' | '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
            // Kana
            | '\u{3041}'..='\u{309a}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
            | '\u{31f0}'..='\u{31ff}' | '\u{1aff0}'..='\u{1b16f}'
            // Full-width digits and letters, half-width katakana and hangul
            | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{ff66}'..='\u{ffdc}')
}

/// How many characters of a script without spaces say about as much as a word, where this is one of such a script: of
/// ideographs and kana two, of alphabets three. Hangul has spaces.
pub fn word_length(c: char) -> Option<usize> {
    let is_hangul = matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{a960}'..='\u{d7fb}');
    let is_form = ('\u{ff10}'..='\u{ffdc}').contains(&c);
    let is_alphabet = matches!(c, '\u{e01}'..='\u{17e9}' | '\u{a9e0}'..='\u{aa7f}');
    (is_cut(c) && !is_hangul && !is_form).then_some(if is_alphabet { 3 } else { 2 })
}

/// Whether the character stands on or beside another, as vowels and tones do. Kana have voiced marks.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}'
        | '\u{102b}'..='\u{103e}' | '\u{1056}'..='\u{1059}' | '\u{105e}'..='\u{1060}' | '\u{1062}'..='\u{1064}'
        | '\u{1067}'..='\u{106d}' | '\u{1071}'..='\u{1074}' | '\u{1082}'..='\u{108d}' | '\u{108f}'
        | '\u{109a}'..='\u{109d}' | '\u{a9e5}' | '\u{aa7b}'..='\u{aa7d}'
        | '\u{17b4}'..='\u{17d3}' | '\u{17dd}'
        | '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with the separator as a dot.
    fn dotted(text: &str) -> String {
        cut(text).unwrap_or_else(|| text.to_owned()).replace(SEPARATOR, "·")
    }

    #[test]
    fn each_character_of_a_script_without_spaces_stands_apart_and_others_as_they_are() {
        let table = [
            ("全文检索", "全·文·检·索"),
            ("我们 Rust，好。", "我·们 Rust，·好·。"),
            ("iPhone手机", "iPhone·手·机"),
            ("第3章 x", "第·3·章 x"),
            ("東京タワーへ", "東·京·タ·ワ·ー·へ"),
            ("時々、学問のすゝめ", "時·々·、·学·問·の·す·ゝ·め"),
            ("สวยงามที่สุด", "ส·ว·ย·ง·า·ม·ที่·สุ·ด"),
            ("ພາສາລາວຢູ່", "ພ·າ·ສ·າ·ລ·າ·ວ·ຢູ່"),
            ("ភាសាខ្មែរ", "ភា·សា·ខ្·មែ·រ"),
            ("မြန်မာ", "မြ·န်·မာ"),
            ("학교에서 봐", "학·교·에·서 봐"),
            ("𠮷野家", "𠮷·野·家"),
            ("café – naïve “x” 🕷 Ελλάδα नई दिल्ली", "café – naïve “x” 🕷 Ελλάδα नई दिल्ली"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(dotted(text), expected, "{text}");
        }
    }

    /// Unicode Standard Annex 15, form KC.
    #[test]
    fn forms_of_one_character_are_one() {
        let table = [
            ("ＡＢＣ１２３x", "ABC123x"),
            ("Ｂ級", "B·級"),
            ("ｶﾞｷﾞｰﾊﾟ", "ガ·ギ·ー·パ"),
            ("か\u{3099}", "が"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("\u{f9dd}⼈", "利·人"),
            ("น้ำ", "น้ํ·า"),
        ];
        for (text, expected) in table {
            assert_eq!(dotted(text), expected, "{text}");
        }
    }

    #[test]
    fn pieces_are_told_with_where_they_were() {
        let text = "a ｶﾞ手x น้ำ";
        let mut told = Vec::new();
        let cut = cut_and_tell(text, |cut, whole| told.push((cut, whole))).unwrap();
        let told: Vec<_> = told.iter().map(|&(at, whole)| (&cut[at..], &text[whole..])).collect();
        let expected = [
            ("ガ\u{1f}手\u{1f}x น้ํ\u{1f}า", "ｶﾞ手x น้ำ"),
            ("手\u{1f}x น้ํ\u{1f}า", "手x น้ำ"),
            ("x น้ํ\u{1f}า", "x น้ำ"),
            ("น้ํ\u{1f}า", "น้ำ"),
        ];
        assert_eq!(told[..3], expected[..3]);
        assert_eq!(told[3], expected[3]);
    }

    #[test]
    fn words_of_a_search_become_phrases_and_its_syntax_stays() {
        let table = [
            ("orb weaver*", "orb weaver*"),
            ("全文 检索", "\"全·文\" \"检·索\""),
            ("東京\u{3000}x", "\"東·京\" x"),
            ("title: 全文 NOT (手机 OR x*)", "title: \"全·文\" NOT (\"手·机\" OR x*)"),
            ("NEAR(手机 价格, 5)", "NEAR(\"手·机\" \"价·格\", 5)"),
            ("\"全文 x\" + 检索*", "\"全·文 x\" + \"检·索\"*"),
            ("^第3章", "^\"第·3·章\""),
            ("\"他说\"\"好\"\"\" x", "\"他·说\"\"好\"\"\" x"),
            ("\"手机", "\"手·机"),
            ("iPhone手机,x", "\"iPhone·手·机\",x"),
        ];
        for (words, expected) in table {
            assert_eq!(query(words).replace(SEPARATOR, "·"), expected, "{words}");
        }
    }
}
