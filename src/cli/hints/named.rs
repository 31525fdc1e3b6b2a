//! Some of many names.

/// How many names are kept for one fact; all are counted.
pub(super) const NAMES: usize = 3;

/// Some of many names: the first few and how many there are in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub first: Vec<String>,
    pub total: i64,
}

impl Named {
    pub fn push(&mut self, name: String) {
        self.total += 1;
        if self.first.len() < NAMES {
            self.first.push(name);
        }
    }
}

impl FromIterator<String> for Named {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        let mut named = Self::default();
        names.into_iter().for_each(|name| named.push(name));
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_kept_and_all_are_counted() {
        let names: Named = ["a", "b", "c", "d"].map(str::to_owned).into_iter().collect();
        assert_eq!((names.first.concat().as_str(), names.total), ("abc", 4));
    }
}
