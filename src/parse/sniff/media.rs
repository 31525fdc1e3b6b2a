//! How films and sound begin that no fixed bytes tell of (WHATWG MIME Sniffing, sections 6.2.1 to 6.2.3). Where the
//! standard's steps contradict the formats, by what web-platform-tests and the formats have.

/// The signature of MP4 (section 6.2.1): a box of brands, one of which is `mp4`.
pub fn is_mp4(header: &[u8]) -> bool {
    let Some((size, rest)) = header.split_first_chunk() else { return false };
    let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
    let brands = || [8].into_iter().chain((16..size).step_by(4)).filter_map(|at| header.get(at..at + 3));
    header.len() >= 12
        && size <= header.len()
        && size.is_multiple_of(4)
        && rest.starts_with(b"ftyp")
        && brands().any(|brand| brand == b"mp4")
}

/// The signature of WebM (section 6.2.2): an EBML header whose document type is `webm`.
pub fn is_webm(header: &[u8]) -> bool {
    let is_document_type = |at: usize| {
        let Some([0x42, 0x82, rest @ ..]) = header.get(at..) else { return false };
        // The length of the name is a number whose own length its leading zero bits tell.
        let length = rest.first().map_or(1, |first| first.leading_zeros().min(7) as usize + 1);
        let name = rest.get(length..).unwrap_or_default();
        let padding = name.iter().take_while(|byte| **byte == 0).count();
        name[padding..].starts_with(b"webm")
    };
    header.starts_with(b"\x1a\x45\xdf\xa3") && (4..38).any(is_document_type)
}

/// The signature of MP3 without ID3 (section 6.2.3): a frame, and another where it ends.
pub fn is_mp3(header: &[u8]) -> bool {
    let second = mp3_frame(header).and_then(|size| header.get(size..));
    second.is_some_and(|second| mp3_frame(second).is_some())
}

/// Thousands of bits in a second by index, in MPEG-1 and in later versions.
const RATES: [[usize; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The size of a frame of layer III that begins here.
fn mp3_frame(bytes: &[u8]) -> Option<usize> {
    let [0xff, second @ 0xe0..=0xff, third, _, ..] = *bytes else { return None };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    let (later, frequency, samples) = match version {
        3 => (0, 1, 144),
        2 => (1, 2, 72),
        0 => (1, 4, 72),
        _ => return None,
    };
    let rate = RATES[later].get(usize::from(third >> 4))? * 1000;
    let frequency = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))? / frequency;
    let size = rate * samples / frequency + usize::from(third >> 1 & 1);
    (layer == 1 && size >= 4).then_some(size)
}
