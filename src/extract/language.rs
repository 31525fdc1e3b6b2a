//! Which language a text is in.

use isolang::Language;

/// Characters of a text that are looked at.
const LOOKED_AT: usize = 4_000;

/// The language of a text as ISO 639 has it, two letters if it has two for it; none if the text leaves it open.
pub fn detect(text: &str) -> Option<String> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(at, _)| at);
    let found = whatlang::detect(&text[..end]).filter(whatlang::Info::is_reliable)?;
    let code = found.lang().code();
    // ISO 639-3 tells Mandarin from the other languages that `zh` is said of.
    let short = Language::from_639_3(if code == "cmn" { "zho" } else { code }).and_then(|language| language.to_639_1());
    Some(short.unwrap_or(code).to_owned())
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
}
