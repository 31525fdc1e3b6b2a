//! The language of a text, where it is beyond doubt. A detector names one for lists of products and names too.

use crate::extract::language;

/// Letters of a text at least: less may be names and addresses.
const ENOUGH: usize = 400;
/// Characters of a text that are looked at.
const LOOKED_AT: usize = 2_000;
/// Of so many words one at least is among the commonest of its language. In sentences it is every third to tenth.
const COMMON: usize = 20;

/// The commonest words of languages that share their script with others. What is not here, nor in [`OWN_SCRIPT`], is never
/// beyond doubt.
const WORDS: [(&str, &str); 27] = [
    ("ar", "في من على أن إلى هذا هذه التي عن مع كان ما"),
    ("bg", "и на да се в не за от са е с по"),
    ("ca", "el la de que i en els les per amb una del"),
    ("cs", "a je se v na že to s do ne z pro"),
    ("da", "og at det som en er af for ikke på til den"),
    ("de", "der die und das ist nicht mit ein den von in zu"),
    ("en", "the of and to in is that for with a it on"),
    ("es", "el la los que de en una por con del las y"),
    ("et", "ja on ei et see ka oli kui oma ta mis ning"),
    ("fa", "و در به از که این را با است برای آن"),
    ("fi", "ja on ei että se oli hän mutta kun ovat sen joka"),
    ("fr", "le la les et des est une dans pour que de un"),
    ("hr", "i je u se na da su za od koji s što"),
    ("hu", "a az és hogy nem is egy de van meg ez csak"),
    ("id", "yang dan di dengan untuk dari ini itu tidak dalam pada"),
    ("it", "il di che la per un è non con della i del"),
    ("nb", "og at det som en er av for ikke på til den"),
    ("nl", "de het een van en is niet dat op met in te"),
    ("pl", "i w nie na się że z do jest to o jak"),
    ("pt", "o que de em uma os para com não do da e"),
    ("ro", "și de în la cu nu este pe care un o din"),
    ("ru", "и в не на что с как это по из к для"),
    ("sk", "a je sa v na že to s do nie z pre"),
    ("sl", "in je se na da so za ki pri v z tudi"),
    ("sv", "och att det som en är av för inte på till den"),
    ("tr", "ve bir bu için ile de da ne olarak çok daha"),
    ("uk", "і в не на що з як це по та до для"),
];
/// Languages that are told by their script.
const OWN_SCRIPT: [&str; 13] = ["el", "gu", "hy", "ja", "ka", "km", "kn", "ko", "ml", "ta", "te", "th", "zh"];

/// Languages that are hard to tell apart, or that have one name for several.
const ALIKE: [&[&str]; 4] = [&["no", "nb", "nn", "da"], &["sr", "hr", "bs", "sh"], &["id", "ms"], &["cs", "sk"]];

pub fn are_alike(one: &str, other: &str) -> bool {
    one == other || ALIKE.iter().any(|group| group.contains(&one) && group.contains(&other))
}

/// The language of a text, if it is long enough, both of its halves are in it, and it has the words that no sentences go without.
pub fn beyond_doubt(text: &str) -> Option<String> {
    let text: String = text.chars().take(LOOKED_AT).collect();
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let middle = text.char_indices().nth(text.chars().count() / 2)?.0;
    let (first, second) = text.split_at(middle);
    let language = language::detect(first).filter(|_| letters >= ENOUGH)?;
    let is_whole = language::detect(second).is_some_and(|second| second == language);
    (is_whole && has_its_words(&text, &language)).then_some(language)
}

fn has_its_words(text: &str, language: &str) -> bool {
    let Some((_, common)) = WORDS.iter().find(|(known, _)| *known == language) else {
        return OWN_SCRIPT.contains(&language);
    };
    let text = text.to_lowercase();
    let words: Vec<_> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let common: Vec<_> = common.split(' ').collect();
    words.iter().filter(|word| common.contains(word)).count() * COMMON >= words.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_the_words_of_their_language_and_lists_have_none() {
        for (language, text) in [
            ("en", "The harvestman lives in woods and gardens and walks about at night, when it is cold."),
            ("de", "Der Weberknecht lebt in Wäldern und Gärten und ist nachts unterwegs."),
            ("fi", "Lukki elää metsissä ja puutarhoissa, ja se on liikkeellä öisin, mutta ei talvella."),
            ("ru", "Сенокосец живёт в лесах и садах и ходит по ночам."),
            ("ja", "ザトウムシは森や庭に住み、夜に歩き回ります。"),
        ] {
            assert!(has_its_words(text, language), "{language}");
        }
        let list = "Hedge lantern, ferry orchard ledger, barrel bridge candle meadow harbour thistle anvil";
        for (language, _) in WORDS {
            assert!(!has_its_words(list, language), "{language}");
        }
        assert!(!has_its_words("Lëtzebuerg ass e Land", "lb"), "what is not known is never beyond doubt");
    }

    #[test]
    fn every_language_with_words_can_be_told() {
        let known = WORDS.iter().map(|(language, _)| *language).chain(OWN_SCRIPT);
        known.for_each(|language| assert!(language::can_tell(language), "{language}"));
    }
}
