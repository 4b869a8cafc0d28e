//! A message head as it stood on the wire.

/// Start line and fields, in order, each byte read as one Latin-1 character, so that none is lost.
#[derive(Clone, Debug)]
pub struct Head {
    /// Everything up to and with the empty line.
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

    /// The values of all lines of that name, in order, the name in any case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        values(&self.fields, name)
    }

    /// The one value of that name; `None` if there is no such line.
    pub fn value(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() <= 1, "more than one {name}: {values:?}");
        values.first().copied()
    }

    pub fn has(&self, name: &str) -> bool {
        !self.values(name).is_empty()
    }

    /// The names of all lines, in lower case and sorted, doubled ones too.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .fields
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names
    }

    /// The request line's target.
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The request line's method.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The status line's code.
    pub fn status(&self) -> u16 {
        self.target().parse().unwrap_or_default()
    }
}

/// The values of all pairs of that name.
pub fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields
        .iter()
        .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

/// Field lines up to the first empty one.
pub fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
        })
        .collect()
}

/// Each byte as the character of that number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
