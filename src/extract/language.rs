//! Which language a text is in.

/// Characters of a text that are looked at.
const LOOKED_AT: usize = 4_000;

/// The codes of ISO 639-3 that languages are told by, and those of ISO 639-1 that pages use. Mandarin is what `zh` is said of.
#[rustfmt::skip]
const TWO_LETTERS: [(&str, &str); 70] = [
    ("afr", "af"), ("aka", "ak"), ("amh", "am"), ("ara", "ar"), ("aze", "az"), ("bel", "be"), ("ben", "bn"),
    ("bul", "bg"), ("cat", "ca"), ("ces", "cs"), ("cmn", "zh"), ("cym", "cy"), ("dan", "da"), ("deu", "de"),
    ("ell", "el"), ("eng", "en"), ("epo", "eo"), ("est", "et"), ("fin", "fi"), ("fra", "fr"), ("guj", "gu"),
    ("heb", "he"), ("hin", "hi"), ("hrv", "hr"), ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ita", "it"),
    ("jav", "jv"), ("jpn", "ja"), ("kan", "kn"), ("kat", "ka"), ("khm", "km"), ("kor", "ko"), ("lat", "la"),
    ("lav", "lv"), ("lit", "lt"), ("mal", "ml"), ("mar", "mr"), ("mkd", "mk"), ("mya", "my"), ("nep", "ne"),
    ("nld", "nl"), ("nob", "nb"), ("ori", "or"), ("pan", "pa"), ("pes", "fa"), ("pol", "pl"), ("por", "pt"),
    ("ron", "ro"), ("rus", "ru"), ("sin", "si"), ("slk", "sk"), ("slv", "sl"), ("sna", "sn"), ("spa", "es"),
    ("srp", "sr"), ("swe", "sv"), ("tam", "ta"), ("tel", "te"), ("tgl", "tl"), ("tha", "th"), ("tuk", "tk"),
    ("tur", "tr"), ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("yid", "yi"), ("zul", "zu"),
];

/// The language of a text as ISO 639 has it, two letters if it has two for it; none if the text leaves it open.
pub fn detect(text: &str) -> Option<String> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(at, _)| at);
    let found = whatlang::detect(&text[..end]).filter(whatlang::Info::is_reliable)?;
    let code = found.lang().code();
    let short = TWO_LETTERS.iter().find(|(long, _)| *long == code).map(|(_, short)| *short);
    Some(short.unwrap_or(code).to_owned())
}

/// Whether texts in a language, as pages name it, can be told from others. Norwegian is told as Bokmål.
pub fn can_tell(code: &str) -> bool {
    code == "no" || TWO_LETTERS.iter().any(|(_, short)| *short == code)
}

#[cfg(test)]
mod tests {
    use super::detect;

    #[test]
    fn the_language_of_a_text_is_told_by_two_letters_or_left_open() {
        let texts = [
            (
                "The quick brown fox jumps over the lazy dog, and nobody in the village knows why it does so.",
                Some("en"),
            ),
            ("Der Verkehr auf der Brücke wurde gestern wegen eines Unfalls für mehrere Stunden gesperrt.", Some("de")),
            ("Les habitants du village se sont réunis hier soir pour parler de la nouvelle école.", Some("fr")),
            ("昨日の夜、村の人々は新しい学校について話し合うために集まりました。", Some("ja")),
            ("村民们昨天晚上聚集在一起讨论新学校的事情，大家都很高兴。", Some("zh")),
            ("", None),
            ("4711 0815 +49", None),
        ];
        for (text, language) in texts {
            assert_eq!(detect(text).as_deref(), language, "{text}");
        }
    }

    #[test]
    fn every_language_that_can_be_told_has_a_code_of_two_letters() {
        for language in whatlang::Lang::all() {
            assert!(super::TWO_LETTERS.iter().any(|(long, _)| *long == language.code()), "{language}");
        }
    }
}
