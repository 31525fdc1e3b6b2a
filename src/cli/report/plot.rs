//! The arithmetic of plots: shares, scales, ticks, and what fits a label.

/// Three digits after the point are finer than a pixel.
pub fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// A share in percent. A part that is not empty is never shown as 0 %, one that is not the whole never as 100 %.
pub fn percent(part: i64, total: i64) -> String {
    let share = part as f64 * 100.0 / total.max(1) as f64;
    match share {
        s if part == 0 || part == total => format!("{s:.0} %"),
        s if s < 0.1 => "< 0.1 %".to_owned(),
        s if s > 99.9 => "> 99.9 %".to_owned(),
        s => format!("{s:.1} %"),
    }
}

/// A text of more than `most` characters with its middle left out.
pub fn shorten(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let tail = most / 3;
    let head: String = text.chars().take(most - tail - 1).collect();
    head + "…" + &text.chars().skip(length - tail).collect::<String>()
}

/// The smallest of 1, 2, 5, 10, 20, 50 … that is at least `number`.
fn nice_above(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|nice| *nice >= number).unwrap_or(number)
}

/// The values at which a scale from 0 to `most` gets its lines: few, round numbers no closer than `finest`, the last at
/// or above `most`.
pub fn lines(most: f64, finest: f64) -> Vec<f64> {
    let step = nice_above((most / 4.0).max(finest));
    let last = (most / step).ceil().max(1.0) as u32;
    (0..=last).map(|n| f64::from(n) * step).collect()
}

/// The 1-2-5 steps that enclose both ends, for a logarithmic axis of milliseconds; less than one counts as one.
pub fn log_steps(least: f64, most: f64) -> Vec<f64> {
    let (least, most) = (least.max(1.0), most.max(1.0));
    let mut steps: Vec<f64> = (0..18).flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10_f64.powi(power))).collect();
    let end = steps.iter().position(|step| *step >= most).unwrap_or(steps.len() - 1).max(1);
    let start = steps.iter().rposition(|step| *step <= least).unwrap_or(0).min(end - 1);
    steps.truncate(end + 1);
    steps.split_off(start)
}

/// Where a value lies on a logarithmic axis between two ends, in percent.
pub fn log_place(value: f64, least: f64, most: f64) -> f64 {
    round(((value.max(1.0) / least).ln() / (most / least).ln()).clamp(0.0, 1.0) * 100.0)
}

/// Widths of the time slots, in milliseconds, that people count in.
const SLOTS: [i64; 26] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
];

/// The width of a time slot, in milliseconds, so that a span takes at most 120 of them.
pub fn slot(span: i64) -> i64 {
    let most = 120;
    SLOTS.into_iter().find(|width| span / width < most).unwrap_or(span / most + 1)
}

/// The class of a size: 0 for none, 1 below 1 KiB, 2 below 2 KiB, 3 below 4 KiB …
pub fn size_class(bytes: i64) -> usize {
    match bytes {
        ..=0 => 0,
        _ => 1 + (i64::BITS - (bytes >> 10).leading_zeros()) as usize,
    }
}

/// The least size of a class.
pub fn class_start(class: usize) -> String {
    match class {
        0 => "empty".to_owned(),
        1 => "1 byte".to_owned(),
        _ => {
            let (unit, power) = [("KiB", 0), ("MiB", 10), ("GiB", 20), ("TiB", 30)][((class - 2) / 10).min(3)];
            format!("{} {unit}", 1_u64 << (class - 2 - power))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_hides_neither_the_little_nor_the_missing() {
        let shares = [(0, 0), (0, 9), (1, 9_000), (1, 3), (8_999, 9_000), (9, 9)].map(|(part, all)| percent(part, all));
        assert_eq!(shares, ["0 %", "0 %", "< 0.1 %", "33.3 %", "> 99.9 %", "100 %"]);
    }

    #[test]
    fn a_long_text_loses_its_middle_and_no_character_is_cut() {
        assert_eq!(shorten("äöüß", 4), "äöüß");
        assert_eq!(shorten("äöüßabcdefg", 7), "äöüß…fg");
        assert_eq!(shorten(&"ü".repeat(4096), 100).chars().count(), 100);
    }

    #[test]
    fn a_scale_ends_at_or_above_the_most_with_few_lines() {
        for most in [0.0, 0.003, 0.9, 1.0, 7.0, 99.0, 101.0, 54_321.0, 1e12] {
            let lines = lines(most, 0.001);
            assert!(
                (2..=6).contains(&lines.len()) && lines.last().is_some_and(|last| *last >= most),
                "{most}: {lines:?}"
            );
        }
        assert_eq!(lines(7.0, 1.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(lines(1.0, 1.0), [0.0, 1.0], "a count has no halves");
    }

    #[test]
    fn a_logarithmic_axis_encloses_its_values_whatever_they_are() {
        assert_eq!(log_steps(3.0, 42.0), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(log_steps(0.0, 0.0), [1.0, 2.0]);
        assert_eq!(log_steps(10.0, 10.0), [5.0, 10.0]);
        assert_eq!(log_steps(1e30, 1e30).len(), 2);
        assert_eq!([0.0, 10.0, 1e9].map(|value| log_place(value, 1.0, 100.0)), [0.0, 50.0, 100.0]);
    }

    #[test]
    fn no_span_takes_more_slots_than_a_phone_has_room_for() {
        for span in [0, 1, 999, 119_999, 120_000, 86_400_000 * 7, 86_400_000 * 36_500] {
            assert!(span / slot(span) < 121, "{span}");
        }
    }

    #[test]
    fn sizes_fall_into_the_classes_that_their_names_say() {
        let classes = [-1, 0, 1, 1023, 1024, 2047, 2048, 1 << 20, i64::MAX].map(size_class);
        assert_eq!(classes, [0, 0, 1, 1, 2, 2, 3, 12, 54]);
        let starts = [0, 1, 2, 3, 11, 12, 22, 54].map(class_start);
        let names = ["empty", "1 byte", "1 KiB", "2 KiB", "512 KiB", "1 MiB", "1 GiB", "4194304 TiB"];
        assert_eq!(starts, names);
    }
}
