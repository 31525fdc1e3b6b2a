//! How wide a text is shown in a list of search results.

use unicode_width::UnicodeWidthChar as _;

/// The size of the type of titles and of descriptions, in pixels, and the widths that have room.
pub const TITLE: Room = Room { size: 20, most: 600 };
pub const DESCRIPTION: Room = Room { size: 14, most: 985 };

/// Where a text is shown.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    size: u32,
    pub most: u32,
}

impl Room {
    /// The width of a text in pixels.
    pub fn width(self, text: &str) -> u32 {
        let thousandths: u64 = text.chars().map(|c| u64::from(advance(c)) * u64::from(self.size)).sum();
        u32::try_from(thousandths.div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

/// From the space on, in thousandths of the size: Arial has the widths of Helvetica (Adobe Font Metrics of Helvetica).
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// What a character takes. Letters beyond ASCII are taken as wide as the mean letter, or as a square where they are one.
fn advance(c: char) -> u16 {
    let known = u32::from(c).checked_sub(32).and_then(|at| ASCII.get(usize::try_from(at).ok()?));
    known.copied().unwrap_or_else(|| match c.width().unwrap_or(0) {
        0 => 0,
        1 => 560,
        _ => 1_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_characters_are_shown() {
        let widths =
            [("", 0), ("iiiii", 23), ("WWWWW", 95), ("Hello", 46), ("蜘蛛の糸", 80), ("e\u{301}", 12), ("ü", 12)];
        for (text, width) in widths {
            assert_eq!(TITLE.width(text), width, "{text}");
        }
        assert!(TITLE.width(&"i".repeat(100)) < TITLE.most, "a hundred narrow letters have room");
        assert!(TITLE.width(&"W".repeat(35)) > TITLE.most, "35 wide ones have not");
    }
}
