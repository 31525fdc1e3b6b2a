//! Languages of translations as `hreflang` names them.

use language_tags::{LanguageTag, ValidationError};

/// The regions of ISO 3166-1. The registry has more: exceptional reservations such as `EU`, and countries that are gone.
#[rustfmt::skip]
const REGIONS: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";

/// A tag that is longer is none that anybody reads.
const LONGEST: usize = 40;

/// What is wrong with a tag, if it is neither `x-default` nor a language tag (BCP 47) whose parts the IANA Language Subtag
/// Registry knows, with a region of ISO 3166-1 or UN M.49 or without.
pub fn fault(tag: &str) -> Option<String> {
    if tag.eq_ignore_ascii_case("x-default") {
        return None;
    }
    let is_readable = tag.len() <= LONGEST && tag.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric());
    let Some(parsed) = is_readable.then(|| LanguageTag::parse(tag).ok()).flatten() else {
        let shown: String = tag.chars().take(LONGEST).collect();
        return Some(match tag.contains('_') {
            true => format!("`{shown}` has an underscore in place of a hyphen"),
            false => format!("`{shown}` is no language tag"),
        });
    };
    let region = parsed.region().unwrap_or_default().to_ascii_uppercase();
    let is_country = region.len() != 2 || REGIONS.split(' ').any(|known| known == region);
    let no_region = || match region.as_str() {
        "UK" => format!("`{tag}`: there is no region UK: the United Kingdom is GB"),
        region => format!("`{tag}`: there is no region {region}"),
    };
    match parsed.validate() {
        Err(ValidationError::PrimaryLanguageNotInRegistry) => {
            Some(format!("`{tag}`: there is no language {}", parsed.primary_language()))
        }
        Err(ValidationError::RegionNotInRegistry) => Some(no_region()),
        Err(e) => Some(format!("`{tag}`: {e}")),
        Ok(()) if parsed.as_str().starts_with("x-") => Some(format!("`{tag}` names no language")),
        Ok(()) if !is_country => Some(no_region()),
        Ok(()) => None,
    }
}

/// The language that a page says it is in, without script and region, whatever it sets between them.
pub fn primary(tag: &str) -> Option<String> {
    let language = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    let is_language = matches!(language.len(), 2 | 3) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    is_language.then_some(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_tag_is_what_stands_first() {
        for (tag, language) in
            [("en", Some("en")), (" EN_us", Some("en")), ("zh-Hant-TW", Some("zh")), ("english", None), ("", None)]
        {
            assert_eq!(primary(tag).as_deref(), language, "{tag}");
        }
    }

    #[test]
    fn a_language_with_or_without_script_and_region_is_fine() {
        let fine = [
            "en",
            "de",
            "DE-at",
            "en-GB",
            "en-us",
            "pt-BR",
            "zh-Hant",
            "zh-Hant-TW",
            "sr-Latn-RS",
            "es-419",
            "fil",
            "fil-PH",
            "de-CH-1996",
            "x-default",
            "X-Default",
            "uk",
            "uk-UA",
            "ja",
            "nb-NO",
        ];
        for tag in fine {
            assert_eq!(fault(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_is_no_language_or_no_region_is_told() {
        for (tag, words) in [
            ("en-UK", "region UK: the United Kingdom is GB"),
            ("uk-uk", "region UK"),
            ("es-EU", "no region EU"),
            ("de-YU", "no region YU"),
            ("en-XX", "no region XX"),
            ("us", "no language us"),
            ("jp", "no language jp"),
            ("eng", "no language eng"),
            ("xx-US", "no language xx"),
            ("en_GB", "underscore"),
            ("es-LATAM", "variant"),
            ("english", "no language english"),
            ("en-", "no language tag"),
            ("", "no language tag"),
            ("*", "no language tag"),
            ("de, at", "no language tag"),
            ("x-private", "names no language"),
            ("zh-Hanx", "script"),
            ("español", "no language tag"),
        ] {
            let told = fault(tag);
            assert!(told.as_ref().is_some_and(|told| told.contains(words)), "{tag}: {told:?}");
        }
        let long = fault(&"x".repeat(1_000_000));
        assert!(long.is_some_and(|told| told.len() < 100));
    }
}
