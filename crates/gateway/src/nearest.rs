//! The names that a misspelled name may mean.

/// The maximum number of names in a hint.
const NAMES: usize = 3;

/// The maximum length of a name that is compared, in characters.
const LONGEST: usize = 64;

/// Returns `; did you mean ...?` with the names that are most similar, or nothing if no name is similar.
pub(crate) fn hint<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let wanted: Vec<char> = wanted.to_lowercase().chars().take(LONGEST + 1).collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return String::new();
    }
    let most = wanted.len() / 3;
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let chars: Vec<char> = name.chars().take(LONGEST).collect();
            // A part of a name, such as `drive` for `google-drive`.
            let has_part = wanted.len() > 2 && name.contains(&wanted.iter().collect::<String>());
            let distance = match has_part {
                true => most,
                false => distance(&wanted, &chars),
            };
            (distance <= most).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<_> = near
        .iter()
        .take(NAMES)
        .map(|(_, name)| format!("`{}`", name.escape_debug()))
        .collect();
    match near.as_slice() {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Returns the number of characters to insert, remove, replace or exchange with their neighbor.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, char) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, their) in other.iter().enumerate() {
            let at = |costs: &[usize], column: usize| {
                costs.get(column).copied().unwrap_or(usize::MAX / 2)
            };
            let mut cost = at(&last, column) + usize::from(char != their);
            cost = cost
                .min(at(&last, column + 1) + 1)
                .min(at(&next, column) + 1);
            if let (Some(row), Some(column)) = (row.checked_sub(1), column.checked_sub(1)) {
                if one.get(row) == Some(their) && other.get(column) == Some(char) {
                    cost = cost.min(at(&before, column) + 1);
                }
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_found() {
        let names = ["hubspot", "github", "google-drive", "slack", "stripe"];
        for (wanted, expected) in [
            ("hubspt", "; did you mean `hubspot`?"),
            ("HubSpot", "; did you mean `hubspot`?"),
            ("hubsopt", "; did you mean `hubspot`?"),
            ("drive", "; did you mean `google-drive`?"),
            ("slak", "; did you mean `slack`?"),
            ("zzz", ""),
            ("h", ""),
            ("", ""),
        ] {
            assert_eq!(hint(wanted, names.into_iter()), expected, "{wanted}");
        }
        assert_eq!(hint(&"h".repeat(100), names.into_iter()), "");
    }

    #[test]
    fn neighbors_are_exchanged_in_one_step() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("ab"), &chars("ba")), 1);
        assert_eq!(distance(&chars("abc"), &chars("")), 3);
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
    }
}
