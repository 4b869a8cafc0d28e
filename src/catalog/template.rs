//! Templates of credentials: text with `{names}` of secrets and variables.

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(&'static str),
    Name(&'static str),
}

/// Returns the pieces of a template. Text after an unpaired brace is a piece of text; the catalog has no such template.
pub(super) fn pieces(template: &'static str) -> impl Iterator<Item = Piece> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest
            .strip_prefix('{')
            .and_then(|opened| opened.split_once('}'))
        {
            rest = after;
            return Some(Piece::Name(name));
        }
        let end = rest.find('{').filter(|&end| end > 0);
        let (text, after) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        rest = after;
        Some(Piece::Text(text))
    })
}

/// Returns the names in a template.
pub(super) fn names(template: &'static str) -> impl Iterator<Item = &'static str> {
    pieces(template).filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_text_and_names() {
        let all: Vec<_> = pieces("{email}/token={a}{b};").collect();
        let expected = [
            Piece::Name("email"),
            Piece::Text("/token="),
            Piece::Name("a"),
            Piece::Name("b"),
            Piece::Text(";"),
        ];
        assert_eq!(all, expected);
        assert_eq!(pieces("").count(), 0);
        assert_eq!(pieces("{a").collect::<Vec<_>>(), [Piece::Text("{a")]);
    }
}
