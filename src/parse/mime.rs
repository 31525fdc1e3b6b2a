//! What a Content-Type says.

/// Type and subtype, lower case. None if they cannot be read.
pub fn essence(content_type: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content_type);
    let essence = text.split([';', ',']).next()?.trim().to_ascii_lowercase();
    essence.contains('/').then_some(essence)
}

/// The charset, read as leniently as browsers do (WHATWG MIME Sniffing, section 4.4).
pub(super) fn charset_label(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let label = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, value)| value);
    label.map(|value| value.trim().trim_matches(['"', '\''])).find(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_found_however_its_header_is_written() {
        for text in ["text/html; charset=x", "text/html ;;Charset = 'x';", "a/b;charset=;q=1;charset=\"x\";charset=y"] {
            assert_eq!(charset_label(text), Some("x"), "{text}");
        }
        assert_eq!(charset_label("text/html"), None);
        assert_eq!(charset_label("charset=x"), None);
    }

    #[test]
    fn type_and_subtype_are_lower_case_and_without_parameters() {
        assert_eq!(essence(b" Text/HTML ;charset=x").as_deref(), Some("text/html"));
        assert_eq!(essence(b"text/html, text/plain").as_deref(), Some("text/html"));
        assert_eq!(essence(b"html"), None);
    }
}
