//! A message head, byte for byte from the wire.

/// Start line and fields, in order. Each byte becomes one Latin-1 character, so that no byte is
/// lost.
#[derive(Clone, Debug)]
pub struct Head {
    /// The bytes up to and with the empty line.
    pub raw: Vec<u8>,
    pub start: String,
    pub fields: Vec<(String, String)>,
}

impl Head {
    pub fn parse(raw: Vec<u8>) -> Self {
        let text = latin1(&raw);
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let fields = fields(lines);
        Self { raw, start, fields }
    }

    /// Returns the values of all lines of that name, in order. The case of the name doesn't matter.
    pub fn values(&self, name: &str) -> Vec<&str> {
        values(&self.fields, name)
    }

    /// Returns the single value of that name; `None` if there is no such line.
    pub fn value(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() <= 1, "more than one {name}: {values:?}");
        values.first().copied()
    }

    pub fn has(&self, name: &str) -> bool {
        !self.values(name).is_empty()
    }

    /// Returns the names of all lines, in lower case and sorted, with duplicates.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .fields
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names
    }

    /// Returns the request line's target.
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the request line's method.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// Returns the status line's code.
    pub fn status(&self) -> u16 {
        self.target().parse().unwrap_or_default()
    }
}

/// Returns the values of all pairs of that name.
pub fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields
        .iter()
        .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

/// Returns the field lines up to the first empty line.
pub fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
        })
        .collect()
}

/// Returns the text in which each byte is the character of that number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
