//! Where a URL stands.

/// What became of a URL so far: each is in exactly one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It waits to be fetched.
    Pending,
    /// A response is stored, and nothing waits.
    Fetched,
    /// The last requests for it gave no usable response.
    Failed,
    /// It is deliberately not requested.
    Skipped,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Fetched, Self::Failed, Self::Skipped];

    /// The number used in the database.
    pub fn number(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Fetched => 1,
            Self::Failed => 2,
            Self::Skipped => 3,
        }
    }

    /// Reads the number back.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }
}
