//! Numbers, sizes, times and names as people read them.

use std::time::Duration;

/// Digits in groups of three.
pub fn count(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, with an s unless the number is 1.
pub fn counted(number: impl Into<i128>, noun: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Bytes with a binary unit.
pub fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut amount = bytes as f64 / 1024.0;
    if amount < 1.0 {
        return counted(bytes, "byte");
    }
    let mut unit = 0;
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// Seconds, from a minute on with the larger units before them.
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", duration.as_millis() as f64 / 1000.0),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{} h {minutes:02} min", count(i128::from(hours))),
    }
}

/// A time as far as it matters to who waits: whole seconds, from two minutes on whole minutes, from two days on whole days.
pub fn roughly(duration: Duration) -> String {
    let seconds = duration.as_millis().div_ceil(1000);
    let minutes = (seconds + 30) / 60;
    match minutes {
        0 | 1 => format!("{seconds} s"),
        2..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} days", count(i128::try_from(minutes / 1_440).unwrap_or(i128::MAX))),
    }
}

/// One argument of a POSIX shell, quoted where it must be. Control characters take the `$'…'` of bash, zsh and ksh.
pub fn shell(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    if super::text::printable(argument) == argument {
        return format!("'{}'", argument.replace('\'', r"'\''"));
    }
    let quoted = argument.chars().fold(String::new(), |mut text, c| {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            c if super::text::is_unsafe(c) => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
            }
            c => text.push(c),
        }
        text
    });
    format!("$'{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_well_at_every_magnitude() {
        let numbers = [0_i64, 999, 1_000, 12_345, 1_234_567, -4_321].map(count);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567", "-4,321"]);
        let sizes = [0, 1, 1023, 1024, 1 << 20, 1_048_575, 5 << 30, i64::MAX].map(size);
        assert_eq!(
            sizes,
            ["0 bytes", "1 byte", "1,023 bytes", "1.0 KiB", "1.0 MiB", "1.0 MiB", "5.0 GiB", "8192.0 PiB"]
        );
        let times = [0, 59_940, 61_000, 3_600_000, 90_061_000].map(|ms| time(Duration::from_millis(ms)));
        assert_eq!(times, ["0.0 s", "59.9 s", "1 min 01 s", "1 h 00 min", "25 h 01 min"]);
        let rough =
            [0, 1, 61_001, 90_000, 3_570_000, 3_600_000, 200_000_000].map(|ms| roughly(Duration::from_millis(ms)));
        assert_eq!(rough, ["0 s", "1 s", "62 s", "2 min", "1 h 00 min", "1 h 00 min", "2 days"]);
        assert_eq!([counted(1, "host"), counted(2, "host")], ["1 host", "2 hosts"]);
    }

    #[test]
    fn what_is_quoted_for_the_shell_comes_out_of_it_unchanged() {
        for text in ["crawl.db", "", "my crawl.db", "it's", "$(id)", "`id`;|&", "a\nb\u{1b}[31m'\\", "ü\u{202e}", "*"]
        {
            let script = format!("printf %s {}", shell(text));
            let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{script}");
            assert_eq!(super::super::output::printable(&script), script);
        }
    }
}
