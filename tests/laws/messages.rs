//! HTTP/1 responses brought into good form, however their bytes come in.

use harvestman::internals::parse::message::Responses;

/// What a response may grow to when it is written anew: LF becomes CR LF, a byte that is no text a mark of three.
const GROWTH: usize = 4;
/// Bytes that are added to a head, however short.
const ADDED: usize = 256;

/// How many bytes come at once, in a byte, and what comes.
pub fn message(input: &[u8]) {
    let Some((&at_once, input)) = input.split_first() else { return };
    let whole = read(input, input.len().max(1));
    for at_once in [1, usize::from(at_once) + 1] {
        assert_eq!(read(input, at_once), whole, "{at_once} at once");
    }
    let (text, _) = &whole;
    assert!(text.len() <= GROWTH * input.len() + ADDED, "{} of {} bytes", text.len(), input.len());
}

/// What a reader sees of one response, and how it ends.
fn read(input: &[u8], at_once: usize) -> (Vec<u8>, Result<bool, String>) {
    let (mut responses, mut made, mut seen) = (Responses::default(), Vec::new(), Vec::new());
    assert!(responses.request(false, &mut made));
    for bytes in input.chunks(at_once) {
        let kept = responses.read(bytes, &mut made);
        seen.extend_from_slice(&bytes[..kept]);
        seen.append(&mut made);
        if !matches!(responses.is_over(), Ok(false)) {
            break;
        }
    }
    let end = responses.is_over().and_then(|is_over| responses.close().map(|()| is_over));
    (seen, end.map_err(|problem| problem.to_string()))
}
