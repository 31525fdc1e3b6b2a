//! How the values of options are written: on the command line, in the environment, in the settings file, in the stored
//! document and in the help.

use std::ffi::OsString;
use std::fmt::Display;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::values::{self, Choices, Secret, Typed, ValueError, print_span, span};

/// How often an option may stand on the command line, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Once, with a value.
    One,
    /// Once; no value means `true`.
    Flag,
    /// As often as one likes, each time with a value.
    Many,
}

/// A way to write values.
pub trait Kind {
    type Value;

    /// Stands for the value in the help.
    const VALUE_NAME: &'static str;
    const SHAPE: Shape = Shape::One;
    /// Empty if any text may be a value.
    const CHOICES: Choices = &[];
    /// Whether a value may begin with a hyphen, so that it is refused as a value and not as an unknown option.
    const HYPHEN: bool = false;
    /// Whether a value names a file, which a shell can complete.
    const IS_FILE: bool = false;
    /// Whether a value may be or hold a password, so that no message repeats it.
    const IS_SECRET: bool = false;

    fn parse(text: &str) -> Result<Self::Value, ValueError>;

    /// The value as `parse` reads it; empty if it cannot be shown.
    fn print(value: &Self::Value) -> String;

    /// From all the texts that were given for the option.
    fn gather(texts: &[OsString]) -> Result<Self::Value, ValueError> {
        let last = texts.last().ok_or_else(|| ValueError("needs a value".into()))?;
        Self::parse(last.to_str().ok_or_else(|| ValueError("is not UTF-8".into()))?)
    }

    /// From the settings file or the stored document, where most values are texts.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self::Value, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A way to write values that may be stored.
pub trait Stored: Kind {
    /// As `read` reads it.
    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Self::print(value))
    }
}

/// A value that is read in the manner of its kind.
pub struct Read<K: Kind>(pub K::Value);

impl<'de, K: Kind> Deserialize<'de> for Read<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        K::read(from).map(Self)
    }
}

/// A value that is written in the manner of its kind.
pub struct Written<'a, K: Kind>(pub &'a K::Value);

impl<K: Stored> Serialize for Written<'_, K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        K::write(self.0, to)
    }
}

/// A value that may be missing.
pub struct Maybe<K>(PhantomData<K>);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;

    const VALUE_NAME: &'static str = K::VALUE_NAME;
    const HYPHEN: bool = K::HYPHEN;
    const IS_FILE: bool = K::IS_FILE;
    const IS_SECRET: bool = K::IS_SECRET;

    fn parse(text: &str) -> Result<Self::Value, ValueError> {
        K::parse(text).map(Some)
    }

    fn print(value: &Self::Value) -> String {
        value.as_ref().map(K::print).unwrap_or_default()
    }

    fn gather(texts: &[OsString]) -> Result<Self::Value, ValueError> {
        K::gather(texts).map(Some)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self::Value, D::Error> {
        Ok(Option::<Read<K>>::deserialize(from)?.map(|read| read.0))
    }
}

impl<K: Stored> Stored for Maybe<K> {
    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Written::<K>).serialize(to)
    }
}

/// Values of an option that is repeatable; a list in the file.
pub struct Many<K>(PhantomData<K>);

impl<K: Kind> Kind for Many<K> {
    type Value = Vec<K::Value>;

    const VALUE_NAME: &'static str = K::VALUE_NAME;
    const SHAPE: Shape = Shape::Many;
    const IS_SECRET: bool = K::IS_SECRET;

    fn parse(text: &str) -> Result<Self::Value, ValueError> {
        K::parse(text).map(|value| vec![value])
    }

    fn print(_: &Self::Value) -> String {
        String::new()
    }

    fn gather(texts: &[OsString]) -> Result<Self::Value, ValueError> {
        texts.iter().map(|text| K::gather(std::slice::from_ref(text))).collect()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self::Value, D::Error> {
        Ok(Vec::<Read<K>>::deserialize(from)?.into_iter().map(|read| read.0).collect())
    }
}

impl<K: Stored> Stored for Many<K> {
    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(value.len()))?;
        value.iter().try_for_each(|value| list.serialize_element(&Written::<K>(value)))?;
        list.end()
    }
}

/// Words of an option that is repeatable, and takes several with commas; a list in the file.
pub struct List<T>(PhantomData<T>);

impl<T: Typed + PartialEq> Kind for List<T> {
    type Value = Vec<T>;

    const VALUE_NAME: &'static str = T::VALUE_NAME;
    const SHAPE: Shape = Shape::Many;

    fn parse(text: &str) -> Result<Vec<T>, ValueError> {
        text.split(',').map(|word| word.trim().parse()).collect()
    }

    fn print(values: &Vec<T>) -> String {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    /// In one order, so that the same words are the same value.
    fn gather(texts: &[OsString]) -> Result<Vec<T>, ValueError> {
        let parse = |text: &OsString| Self::parse(text.to_str().ok_or_else(|| ValueError("is not UTF-8".into()))?);
        let mut values: Vec<T> =
            texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        values.sort_by_cached_key(ToString::to_string);
        values.dedup();
        Ok(values)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts: Vec<_> = Vec::<String>::deserialize(from)?.into_iter().map(OsString::from).collect();
        Self::gather(&texts).map_err(D::Error::custom)
    }
}

impl<T: Typed + PartialEq> Stored for List<T> {
    fn write<S: Serializer>(values: &Vec<T>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(ToString::to_string))
    }
}

/// A whole number.
pub struct Count<N>(PhantomData<N>);

macro_rules! counts {
    ($($number:ident: $parse:expr;)+) => {$(
        impl Kind for Count<$number> {
            type Value = $number;

            const VALUE_NAME: &'static str = "N";

            fn parse(text: &str) -> Result<$number, ValueError> {
                let parse: fn(&str) -> Result<$number, String> = $parse;
                parse(text).map_err(ValueError)
            }

            fn print(value: &$number) -> String {
                value.to_string()
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<$number, D::Error> {
                $number::deserialize(from)
            }
        }

        impl Stored for Count<$number> {
            fn write<S: Serializer>(value: &$number, to: S) -> Result<S::Ok, S::Error> {
                value.serialize(to)
            }
        }
    )+};
}

counts! {
    u32: |text| {
        let number: i64 = text.parse().map_err(in_words)?;
        u32::try_from(number).map_err(|_| format!("{number} is not in 0..={}", u32::MAX))
    };
    u64: |text| text.parse().map_err(in_words);
    usize: |text| text.parse().map_err(in_words);
}

fn in_words(e: impl Display) -> String {
    e.to_string()
}

/// Requests per second.
pub struct Rate;

impl Kind for Rate {
    type Value = f64;

    const VALUE_NAME: &'static str = "N";
    const HYPHEN: bool = true;

    fn parse(text: &str) -> Result<f64, ValueError> {
        let number = text.trim().parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0);
        number.ok_or_else(|| ValueError("write requests per second, such as 2 or 0.5; 0 is no limit".into()))
    }

    fn print(value: &f64) -> String {
        value.to_string()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        f64::deserialize(from)
    }
}

impl Stored for Rate {
    fn write<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

/// On or off.
pub struct Flag;
/// A flag whose option says that something is not done, while the setting says that it is.
pub struct Negative;

macro_rules! flags {
    ($($Flag:ident: $is_on:literal;)+) => {$(
        impl Kind for $Flag {
            type Value = bool;

            const VALUE_NAME: &'static str = "BOOL";
            const SHAPE: Shape = Shape::Flag;
            const CHOICES: Choices = &[("true", ""), ("false", "")];

            fn parse(text: &str) -> Result<bool, ValueError> {
                text.parse::<bool>().map(|given| given == $is_on).map_err(|e| ValueError(e.to_string()))
            }

            fn print(_: &bool) -> String {
                String::new()
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
                bool::deserialize(from).map(|given| given == $is_on)
            }
        }

        impl Stored for $Flag {
            fn write<S: Serializer>(value: &bool, to: S) -> Result<S::Ok, S::Error> {
                (*value == $is_on).serialize(to)
            }
        }
    )+};
}

flags! {
    Flag: true;
    Negative: false;
}

/// The texts of a type that is made for settings.
pub struct As<T>(PhantomData<T>);

impl<T: Typed> Kind for As<T> {
    type Value = T;

    const VALUE_NAME: &'static str = T::VALUE_NAME;
    const CHOICES: Choices = T::CHOICES;

    fn parse(text: &str) -> Result<T, ValueError> {
        text.parse()
    }

    fn print(value: &T) -> String {
        value.to_string()
    }
}

impl<T: Typed> Stored for As<T> {}

/// Kinds whose values are texts everywhere, of types that are not made for settings.
macro_rules! texts {
    ($($(#[$about:meta])* $Text:ident: $value:ty, $value_name:literal, $parse:expr, $print:expr;)+) => {$(
        $(#[$about])*
        pub struct $Text;

        impl $crate::config::kinds::Kind for $Text {
            type Value = $value;

            const VALUE_NAME: &'static str = $value_name;

            fn parse(text: &str) -> Result<$value, $crate::config::values::ValueError> {
                let parse: fn(&str) -> Result<$value, $crate::config::values::ValueError> = $parse;
                parse(text)
            }

            fn print(value: &$value) -> String {
                let print: fn(&$value) -> String = $print;
                print(value)
            }
        }

        impl $crate::config::kinds::Stored for $Text {}
    )+};
}

pub(crate) use texts;

texts! {
    /// Any text.
    Text: String, "TEXT", |text| Ok(text.to_owned()), Clone::clone;
    /// Names with commas.
    Names: String, "NAMES", |text| Ok(text.to_owned()), Clone::clone;
    /// A pattern of the view `traps`.
    TrapPattern: String, "PATTERN", |text| Ok(text.to_owned()), Clone::clone;
    /// A duration such as `90s`, `50m` or `1h 30m`.
    Span: Duration, "DURATION", span, print_span;
    /// A number of bytes such as `512KiB`, `10MiB` or `5000000`.
    Size: u64, "SIZE", size, print_size;
}

fn size(text: &str) -> Result<u64, ValueError> {
    const HOW: &str = "write a size such as 512KiB or 10MiB";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit: u64 = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        other => return Err(ValueError(format!("unknown unit `{other}`; {HOW}"))),
    };
    let number: u64 = digits.trim().parse().map_err(|_| ValueError(HOW.into()))?;
    number.checked_mul(unit).filter(|size| *size > 0).ok_or_else(|| ValueError("out of range".into()))
}

fn print_size(size: &u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.iter().find(|(_, bits)| *size > 0 && size.trailing_zeros() >= *bits);
    whole.map_or_else(|| size.to_string(), |(name, bits)| format!("{}{name}", size >> bits))
}

/// `Name: value`. Values are secrets, so they are neither printed nor stored.
pub struct Header;

impl Kind for Header {
    type Value = values::Header;

    const VALUE_NAME: &'static str = "'NAME: VALUE'";
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Result<Self::Value, ValueError> {
        text.parse()
    }

    fn print(_: &Self::Value) -> String {
        String::new()
    }
}

/// The URL of a proxy. It may hold a password, so it is neither printed nor stored.
pub struct Proxy;

impl Kind for Proxy {
    type Value = Secret;

    const VALUE_NAME: &'static str = "URL";
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Result<Secret, ValueError> {
        values::proxy_url(text).map(|_| text.into())
    }

    fn print(_: &Secret) -> String {
        String::new()
    }
}

/// The name of a file, which need not be UTF-8.
pub struct File;

impl Kind for File {
    type Value = PathBuf;

    const VALUE_NAME: &'static str = "FILE";
    const IS_FILE: bool = true;

    fn parse(text: &str) -> Result<PathBuf, ValueError> {
        Ok(text.into())
    }

    fn print(value: &PathBuf) -> String {
        value.display().to_string()
    }

    fn gather(texts: &[OsString]) -> Result<PathBuf, ValueError> {
        texts.last().map(PathBuf::from).ok_or_else(|| ValueError("needs a value".into()))
    }
}
