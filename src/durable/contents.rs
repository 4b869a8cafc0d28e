//! The encrypted part of a connection as bytes: its variables, and then its secrets, as names and values. Each is preceded by its length.
//! The integration is stored without encryption.

use super::sealed::SealError;
use crate::connection::Connection;

/// Returns the number of bytes that [`write`] adds. The buffer of a secret must not grow, because growing would leave a copy behind that
/// isn't wiped.
pub(super) fn length(connection: &Connection) -> usize {
    let variables = connection.variables().iter();
    let variables = variables.map(|(name, value)| entry(name.as_bytes(), value.as_bytes()));
    let secrets = connection.credential().iter();
    let secrets = secrets.map(|(name, secret)| entry(name.as_bytes(), secret.expose()));
    2 * LENGTH + variables.chain(secrets).sum::<usize>()
}

const LENGTH: usize = size_of::<u64>();

fn entry(name: &[u8], value: &[u8]) -> usize {
    2 * LENGTH + name.len() + value.len()
}

pub(super) fn write(connection: &Connection, buffer: &mut Vec<u8>) {
    let variables = connection.variables();
    write_length(variables.iter().count(), buffer);
    for (name, value) in variables.iter() {
        write_bytes(name.as_bytes(), buffer);
        write_bytes(value.as_bytes(), buffer);
    }
    let credential = connection.credential();
    write_length(credential.iter().count(), buffer);
    for (name, secret) in credential.iter() {
        write_bytes(name.as_bytes(), buffer);
        write_bytes(secret.expose(), buffer);
    }
}

fn write_length(length: usize, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&(length as u64).to_le_bytes());
}

fn write_bytes(bytes: &[u8], buffer: &mut Vec<u8>) {
    write_length(bytes.len(), buffer);
    buffer.extend_from_slice(bytes);
}

pub(super) fn read(integration: &str, bytes: &[u8]) -> Result<Connection, SealError> {
    let mut rest = Reader(bytes);
    let mut connection = Connection::new(integration);
    for _ in 0..rest.length()? {
        connection = connection.with_variable(rest.text()?, rest.text()?);
    }
    for _ in 0..rest.length()? {
        connection = connection.with_secret(rest.text()?, rest.bytes()?);
    }
    if rest.0.is_empty() {
        Ok(connection)
    } else {
        Err(SealError::Unreadable)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn length(&mut self) -> Result<usize, SealError> {
        let (length, rest) = self
            .0
            .split_first_chunk::<LENGTH>()
            .ok_or(SealError::Unreadable)?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*length)).map_err(|_| SealError::Unreadable)
    }

    fn bytes(&mut self) -> Result<&'a [u8], SealError> {
        let length = self.length()?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(SealError::Unreadable)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'a str, SealError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| SealError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_as_it_was_written() {
        let connection = Connection::new("crm")
            .with_variable("", "")
            .with_variable("subdomain", "\u{e9}")
            .with_secret("token", vec![0, 255, 10])
            .with_secret("empty", "");
        let mut bytes = Vec::new();
        write(&connection, &mut bytes);
        assert_eq!(bytes.len(), length(&connection));
        let read_back = read("crm", &bytes);
        assert!(read_back.as_ref().is_ok_and(|other| {
            other.variables() == connection.variables()
                && other.credential().iter().eq(connection.credential().iter())
        }));
        for length in 0..bytes.len() {
            assert!(read("crm", bytes.get(..length).unwrap_or_default()).is_err());
        }
        bytes.push(0);
        assert!(read("crm", &bytes).is_err());
    }
}
