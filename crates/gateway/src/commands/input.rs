//! Reads the input of a command, from a file or from standard input.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;

/// The path that means standard input.
pub(super) const STDIN: &str = "-";

/// Returns the name of the input for errors, and its content. At a terminal, prompts the user for
/// `asked_for`.
pub(super) fn read<'a>(
    file: &'a Path,
    asked_for: &str,
    most: usize,
) -> Result<(&'a Path, Vec<u8>), Failure> {
    let (place, bytes) = match file == Path::new(STDIN) {
        true => {
            let mut stdin = io::stdin();
            if stdin.is_terminal() {
                eprintln!("{asked_for}; then Ctrl-D:");
            }
            (Path::new("stdin"), to_end(&mut stdin, most))
        }
        false => (file, fs::read(file)),
    };
    let unreadable =
        |error: io::Error| Failure::Usage(format!("{}: can't be read: {error}", place.display()));
    Ok((place, bytes.map_err(unreadable)?))
}

/// Reads everything into memory that is wiped. Data that the system buffers for a pipe can't be
/// wiped.
fn to_end(input: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Zeroizing::new(vec![0; 1 << 16]);
    let mut length = 0;
    loop {
        if length > most {
            return Err(io::Error::other("the input is too large"));
        }
        if length == buffer.len() {
            // A new buffer is allocated, because growing in place would leave a copy of the secret
            // behind.
            let mut larger = Zeroizing::new(vec![0; length * 2]);
            if let Some(start) = larger.get_mut(..length) {
                start.copy_from_slice(&buffer);
            }
            buffer = larger;
        }
        let room = buffer.get_mut(length..).unwrap_or_default();
        match input.read(room) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(length);
    Ok(std::mem::take(&mut *buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_read_up_to_the_most() {
        let text = vec![b'a'; 200_000];
        let read = |most| to_end(&mut text.as_slice(), most).ok();
        assert_eq!(read(200_000).as_ref(), Some(&text));
        assert_eq!(read(199_999), None);
    }
}
