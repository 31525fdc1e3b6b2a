//! Values as the database holds them, and as Rust wants them.

/// One value: what SQLite knows of types.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A whole number; also a truth value, as 0 or 1.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text. Bytes that are no UTF-8 are replaced.
    Text(String),
    /// Bytes, such as a body.
    Blob(Vec<u8>),
}

impl Value {
    /// What it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
        }
    }

    pub(crate) fn read(value: rusqlite::types::ValueRef<'_>) -> Self {
        use rusqlite::types::ValueRef as V;
        match value {
            V::Null => Self::Null,
            V::Integer(number) => Self::Integer(number),
            V::Real(number) => Self::Real(number),
            V::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            V::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }

    pub(crate) fn into_sqlite(self) -> rusqlite::types::Value {
        use rusqlite::types::Value as V;
        match self {
            Self::Null => V::Null,
            Self::Integer(number) => V::Integer(number),
            Self::Real(number) => V::Real(number),
            Self::Text(text) => V::Text(text),
            Self::Blob(bytes) => V::Blob(bytes),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A type that a [`Value`] can be taken as: integers, `f64`, `bool`, text, bytes, and `Option` of these for NULL.
pub trait FromValue<'v>: Sized {
    /// What a value must be for it, in words.
    const KIND: &'static str;

    /// The value as this type; `None` if it is of another, or does not fit.
    fn from_value(value: &'v Value) -> Option<Self>;
}

impl<'v> FromValue<'v> for i64 {
    const KIND: &'static str = "an integer";

    fn from_value(value: &'v Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl<'v> FromValue<'v> for u16 {
    const KIND: &'static str = "a small integer that is not negative";

    fn from_value(value: &'v Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl<'v> FromValue<'v> for u32 {
    const KIND: &'static str = "an integer that is not negative";

    fn from_value(value: &'v Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl<'v> FromValue<'v> for bool {
    const KIND: &'static str = "a truth value";

    fn from_value(value: &'v Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl<'v> FromValue<'v> for f64 {
    const KIND: &'static str = "a number";

    fn from_value(value: &'v Value) -> Option<Self> {
        match value {
            Value::Real(number) => Some(*number),
            Value::Integer(number) => Some(*number as Self),
            _ => None,
        }
    }
}

impl<'v> FromValue<'v> for &'v str {
    const KIND: &'static str = "text";

    fn from_value(value: &'v Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'v> FromValue<'v> for String {
    const KIND: &'static str = "text";

    fn from_value(value: &'v Value) -> Option<Self> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

/// Text counts as its bytes.
impl<'v> FromValue<'v> for &'v [u8] {
    const KIND: &'static str = "bytes";

    fn from_value(value: &'v Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes),
            Value::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

impl<'v> FromValue<'v> for Vec<u8> {
    const KIND: &'static str = "bytes";

    fn from_value(value: &'v Value) -> Option<Self> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }
}

impl<'v, T: FromValue<'v>> FromValue<'v> for Option<T> {
    const KIND: &'static str = T::KIND;

    fn from_value(value: &'v Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_as_what_it_is_and_as_nothing_else() {
        assert_eq!(i64::from_value(&7.into()), Some(7));
        assert_eq!(u16::from_value(&70_000.into()), None);
        assert_eq!(f64::from_value(&7.into()), Some(7.0));
        assert_eq!(i64::from_value(&7.5.into()), None);
        assert_eq!(<&str>::from_value(&"x".into()), Some("x"));
        assert_eq!(String::from_value(&Value::Null), None);
        assert_eq!(Option::<String>::from_value(&Value::Null), Some(None));
        assert_eq!(Option::<String>::from_value(&7.into()), None);
        assert_eq!(<&[u8]>::from_value(&"x".into()), Some(&b"x"[..]));
    }
}
