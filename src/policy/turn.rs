//! Whose turn is next among the pending URLs of a host.

use crate::visit::{Target, UrlId};

/// Generates from one list both the order of targets and the columns by which a store has the same order.
macro_rules! turn_by {
    ($first:ident: $type:ty $(, $field:ident: $more:ty)+) => {
        /// The least is next.
        pub type Turn = ($type, $($more),+);

        /// Its columns, as tables and views have them.
        pub const COLUMNS: &str = concat!(stringify!($first) $(, ", ", stringify!($field))+);

        pub fn turn(target: &Target) -> Turn {
            (target.$first, $(target.$field),+)
        }
    };
}

// New ones before those of which a page is stored, then by depth, then in the order they were met.
turn_by!(known: bool, depth: u32, id: UrlId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::CanonicalUrl;

    #[test]
    fn what_is_new_comes_first_then_the_shortest_path_then_the_order_of_discovery() {
        let target = |known, id, depth| {
            let url = CanonicalUrl::parse("http://h.test/").unwrap();
            Target { known, ..Target::new(id, 1, url, depth) }
        };
        let mut targets = [target(true, 1, 0), target(false, 4, 2), target(false, 3, 1), target(false, 2, 2)];
        targets.sort_by_key(turn);
        assert_eq!(targets.map(|target| target.id), [3, 2, 4, 1]);
        assert_eq!(COLUMNS, "known, depth, id");
    }
}
