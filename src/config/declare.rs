//! Turns a list of options into a type of settings: its fields and defaults, how they are read and stored, and the table
//! from which the command line and the documentation are made.

use std::ffi::OsString;

use serde::de::MapAccess;

use super::kinds::Shape;
use super::values::{Choices, ValueError};

/// Where an option may be given, and whether it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Stored. A change has what was skipped judged again.
    Judges,
    /// Stored.
    Stored,
    /// Not stored: a secret, or of no interest afterwards.
    Unstored,
    /// Not stored, and no key of the settings file.
    Typed,
    /// Not stored, and set by code alone.
    Code,
}

/// One option of the settings `T`, as a user meets it.
#[derive(Debug)]
pub struct Setting<T> {
    /// The long option, without the hyphens, and the key in the settings file.
    pub name: &'static str,
    pub variable: &'static str,
    pub help: &'static str,
    pub value_name: &'static str,
    pub shape: Shape,
    pub choices: Choices,
    pub may_begin_with_hyphen: bool,
    pub is_file: bool,
    pub is_secret: bool,
    pub memory: Memory,
    /// The default as the help shows it; empty if it shows none.
    pub default: fn() -> String,
    /// Sets the option to what was typed.
    pub set: fn(&mut T, &[OsString]) -> Result<(), ValueError>,
}

/// Settings that are read from a list of keys and values.
pub trait Keys {
    /// Whether it has a setting of this key.
    fn knows(&self, key: &str) -> bool;

    /// Whether the value of a key may be or hold a password.
    fn is_secret(&self, key: &str) -> bool;

    /// Takes the value of a key that it knows.
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

/// `name` with hyphens in place of underscores.
pub const fn hyphenated<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        let byte = name.as_bytes()[at];
        bytes[at] = if byte == b'_' { b'-' } else { byte };
        at += 1;
    }
    bytes
}

/// `name` in capital letters, as the names of environment variables are written.
pub const fn in_capitals<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = name.as_bytes()[at].to_ascii_uppercase();
        at += 1;
    }
    bytes
}

/// The text of an array made at compile time.
macro_rules! const_text {
    ($make:ident, $name:expr) => {
        const {
            const NAME: &str = $name;
            const BYTES: [u8; NAME.len()] = $crate::config::declare::$make(NAME);
            match std::str::from_utf8(&BYTES) {
                Ok(text) => text,
                Err(_) => panic!("a name is ASCII"),
            }
        }
    };
}

/// The name of an option: that of its field, unless the field says the opposite.
macro_rules! option_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $option:ident) => {
        stringify!($option)
    };
}

/// What the help shows as a default: the words given for it, or else the value.
macro_rules! shown_default {
    ($value:expr, $kind:ty) => {
        <$kind as $crate::config::kinds::Kind>::print(&$value)
    };
    ($value:expr, $kind:ty, $words:literal) => {
        String::from($words)
    };
}

/// Writes an entry of the stored document, if the option is stored: other kinds of values could not be written.
macro_rules! write_entry {
    (Judges $map:ident $name:expr, $kind:ty, $value:expr) => {
        $crate::config::declare::write_entry!(Stored $map $name, $kind, $value)
    };
    (Stored $map:ident $name:expr, $kind:ty, $value:expr) => {
        $map.serialize_entry($name, &$crate::config::kinds::Written::<$kind>($value))?
    };
    ($other:ident $map:ident $name:expr, $kind:ty, $value:expr) => {};
}

/// Declares settings. An option is
///
/// ```text
/// /// What the field means, for whoever sets it in code.
/// field: [type] = default, memory, kind, "help";
/// field as option: [type] = default, memory, kind, "help", "the default in words";
/// ```
///
/// with the name of the option where it says the opposite of the field, a variant of [`Memory`], and the
/// [`Kind`](super::kinds::Kind) in which the value is written.
macro_rules! declare_options {
    (
        $(#[$about:meta])*
        pub struct $Settings:ident;
        $(
            $(#[doc = $doc:literal])+
            $field:ident $(as $option:ident)?: [$($type:tt)+] = $default:expr, $memory:ident, $kind:ty, $help:literal $(, $words:literal)?;
        )+
    ) => {
        $(#[$about])*
        pub struct $Settings {
            $(
                $(#[doc = $doc])+
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`.")]
                pub $field: $($type)+,
            )+
        }

        impl Default for $Settings {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $Settings {
            /// Every option, in the order of the help.
            pub(crate) const OPTIONS: &'static [$crate::config::declare::Setting<Self>] = &[$(
                $crate::config::declare::Setting {
                    name: $crate::config::declare::const_text!(hyphenated, $crate::config::declare::option_name!($field $($option)?)),
                    variable: $crate::config::declare::const_text!(in_capitals, concat!("HARVESTMAN_", $crate::config::declare::option_name!($field $($option)?))),
                    help: $help,
                    value_name: <$kind as $crate::config::kinds::Kind>::VALUE_NAME,
                    shape: <$kind as $crate::config::kinds::Kind>::SHAPE,
                    choices: <$kind as $crate::config::kinds::Kind>::CHOICES,
                    may_begin_with_hyphen: <$kind as $crate::config::kinds::Kind>::HYPHEN,
                    is_file: <$kind as $crate::config::kinds::Kind>::IS_FILE,
                    is_secret: <$kind as $crate::config::kinds::Kind>::IS_SECRET,
                    memory: $crate::config::declare::Memory::$memory,
                    default: || $crate::config::declare::shown_default!({ let value: $($type)+ = $default; value }, $kind $(, $words)?),
                    set: |settings, texts| {
                        settings.$field = <$kind as $crate::config::kinds::Kind>::gather(texts)?;
                        Ok(())
                    },
                },
            )+];
        }

        impl $crate::config::declare::Keys for $Settings {
            fn knows(&self, key: &str) -> bool {
                use $crate::config::declare::Memory;
                let is_key = |memory| !matches!(memory, Memory::Typed | Memory::Code);
                Self::OPTIONS.iter().any(|option| option.name == key && is_key(option.memory))
            }

            fn is_secret(&self, key: &str) -> bool {
                Self::OPTIONS.iter().any(|option| option.name == key && option.is_secret)
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
                $(
                    if key == $crate::config::declare::const_text!(hyphenated, $crate::config::declare::option_name!($field $($option)?)) {
                        self.$field = map.next_value::<$crate::config::kinds::Read<$kind>>()?.0;
                        return Ok(());
                    }
                )+
                map.next_value::<serde::de::IgnoredAny>().map(|_| ())
            }
        }
    };
}

/// The stored document of settings that were declared, and their comparison.
macro_rules! store_options {
    (
        $(#[$about:meta])*
        pub struct $Settings:ident;
        $(
            $(#[doc = $doc:literal])+
            $field:ident $(as $option:ident)?: [$($type:tt)+] = $default:expr, $memory:ident, $kind:ty, $help:literal $(, $words:literal)?;
        )+
    ) => {
        impl serde::Serialize for $Settings {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = to.serialize_map(None)?;
                $(
                    $crate::config::declare::write_entry!(
                        $memory map $crate::config::declare::const_text!(hyphenated, $crate::config::declare::option_name!($field $($option)?)), $kind, &self.$field
                    );
                )+
                map.end()
            }
        }

        impl $Settings {
            /// Whether what was skipped under `other` would be skipped for the same reasons under these settings. That
            /// depends on the seeds too, which are no part of the settings.
            pub fn judges_like(&self, other: &Self) -> bool {
                use $crate::config::declare::Memory;
                true $(&& (!matches!(Memory::$memory, Memory::Judges) || self.$field == other.$field))+
            }
        }
    };
}

pub(crate) use {const_text, declare_options, option_name, shown_default, store_options, write_entry};
