//! A method for each option, for a builder that holds settings: generated from the list of options.

/// Implements the methods for a type with a field `config`. To be called by way of
/// [`with_options`](super::options::with_options).
macro_rules! setters {
    (
        ($Builder:ident)
        $(#[$about:meta])*
        pub struct $Settings:ident;
        $(
            $(#[doc = $doc:literal])+
            $field:ident $(as $option:ident)?: [$($type:tt)+] = $default:expr, $memory:ident, $kind:ty, $help:literal $(, $words:literal)?;
        )+
    ) => {
        impl $Builder {
            $($crate::config::setters::setter! {
                $(#[doc = $doc])+
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`.")]
                $field: $($type)+
            })+
        }
    };
}

/// A method that takes what is convenient to write for the type.
macro_rules! setter {
    ($(#[$doc:meta])+ $field:ident: Vec<Header>) => {
        $(#[$doc])+
        ///
        /// Each call adds one.
        pub fn $field(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
            self.config.$field.push(Header { name: name.into(), value: value.into() });
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: Vec<$type:ty>) => {
        $(#[$doc])+
        ///
        /// Each call adds one.
        pub fn $field(mut self, value: $type) -> Self {
            self.config.$field.push(value);
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: Option<Secret>) => {
        $(#[$doc])+
        pub fn $field(mut self, value: impl Into<Secret>) -> Self {
            self.config.$field = Some(value.into());
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: Option<$type:ty>) => {
        $(#[$doc])+
        pub fn $field(mut self, value: $type) -> Self {
            self.config.$field = Some(value);
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: String) => {
        $(#[$doc])+
        pub fn $field(mut self, value: impl Into<String>) -> Self {
            self.config.$field = value.into();
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: Recrawl) => {
        $(#[$doc])+
        pub fn $field(mut self, value: impl Into<Recrawl>) -> Self {
            self.config.$field = value.into();
            self
        }
    };
    ($(#[$doc:meta])+ $field:ident: $type:ty) => {
        $(#[$doc])+
        pub fn $field(mut self, value: $type) -> Self {
            self.config.$field = value;
            self
        }
    };
}

pub(crate) use {setter, setters};
