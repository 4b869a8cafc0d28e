//! What an answer may be.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;

/// A tenant at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    /// The id of the tenant's connection.
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    /// The text in each answer to this tenant, and to no other.
    pub(crate) mark: &'static str,
}

pub(crate) const ATTACKER: Tenant = Tenant {
    id: "attacker-one",
    secret: "At/tack+ers.Secret=1",
    mark: "m4rk-of-the-attacker",
};
pub(crate) const VICTIM: Tenant = Tenant {
    id: "victim-two",
    secret: "Vic/tims+own.Secret=2",
    mark: "m4rk-of-the-victim",
};

/// The codes of `docs/contract.md` that a gateway of these tests can answer with, and their statuses.
const CODES: [(&str, &[u16]); 12] = [
    ("bad-address", &[400]),
    ("bad-domain", &[400]),
    ("scope-refused", &[403]),
    ("domain-refused", &[403]),
    ("destination-refused", &[403, 502]),
    ("unknown-connection", &[404]),
    ("method-refused", &[405]),
    ("body-too-large", &[413]),
    ("upstream-protocol", &[502]),
    ("upstream-unreachable", &[502]),
    ("overloaded", &[503]),
    ("upstream-timeout", &[504]),
];

/// Checks a code of an error, and the status with which it came. gRPC callers get 200 for each code.
pub(crate) fn is_documented(code: &str, status: u16) -> Result<(), String> {
    let statuses = CODES.iter().find(|(known, _)| *known == code);
    match statuses {
        Some((_, statuses)) if statuses.contains(&status) || status == 200 => Ok(()),
        _ => Err(format!(
            "an error that the contract doesn't list: {status} {code:?}"
        )),
    }
}

/// All forms in which a secret could be shown.
static SECRETS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    [ATTACKER, VICTIM]
        .iter()
        .flat_map(|tenant| forms(tenant.secret))
        .collect()
});

fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut forms = vec![bytes.to_vec(), bytes.iter().rev().copied().collect()];
    let (mut percent, mut hexadecimal) = (String::new(), String::new());
    for byte in bytes {
        match byte.is_ascii_alphanumeric() || *byte == b'.' {
            true => percent.push(char::from(*byte)),
            false => write!(percent, "%{byte:02X}").unwrap(),
        }
        write!(hexadecimal, "{byte:02x}").unwrap();
    }
    forms.extend([percent.to_lowercase().into(), percent.into_bytes()]);
    forms.extend([hexadecimal.to_uppercase().into(), hexadecimal.into_bytes()]);
    forms.push(secret.replace('/', "\\/").into_bytes());
    forms.push(format!("{bytes:?}").into_bytes());
    // The characters that depend on no neighbour, at each of three offsets.
    for offset in 0..3 {
        let shifted = [&[0; 3][..offset], bytes].concat();
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&shifted);
        forms.push(text.as_bytes()[4 * usize::from(offset > 0)..4 * (shifted.len() / 3)].to_vec());
    }
    forms
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    // The first byte is searched alone, because it's much faster in a debug build.
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Checks that these bytes contain no secret.
pub(crate) fn is_silent(what: &str, bytes: &[u8]) -> Result<(), String> {
    match SECRETS.iter().find(|secret| contains(bytes, secret)) {
        Some(form) => Err(format!(
            "{what} shows a secret as {:?}",
            String::from_utf8_lossy(form)
        )),
        None => Ok(()),
    }
}

/// Checks that bytes that a tenant received contain no secret, and nothing of another tenant.
pub(crate) fn is_own(tenant: Tenant, bytes: &[u8]) -> Result<(), String> {
    is_silent("an answer", bytes)?;
    let other = if tenant == ATTACKER { VICTIM } else { ATTACKER };
    if contains(bytes, other.mark.as_bytes()) {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        return Err(format!(
            "{} received an answer of {}: {shown:?}",
            tenant.id, other.id
        ));
    }
    Ok(())
}

/// A number that differs for other bytes (FNV-1a).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The text of an upstream that received this request: no other request has the same text.
pub(crate) fn echo(
    tenant: Tenant,
    method: &str,
    target: &str,
    fields: &[(String, String)],
    body: &[u8],
    trailers: &[(String, String)],
) -> String {
    let pairs = |fields: &[(String, String)]| -> String {
        let known = known(fields);
        known
            .iter()
            .map(|(name, value)| format!("{name}={value:?};"))
            .collect()
    };
    format!(
        "{} {method} {target} {} {} {:016x} {}",
        tenant.mark,
        pairs(fields),
        body.len(),
        hash(body),
        pairs(trailers)
    )
}

/// The fields that only the two ends know. The order of different names isn't guaranteed, so they're sorted.
pub(crate) fn known(fields: &[(String, String)]) -> Vec<(String, String)> {
    let lower = fields
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut known: Vec<_> = lower.filter(|(name, _)| name.starts_with("x-q")).collect();
    known.sort_by(|(a, _), (b, _)| a.cmp(b));
    known
}
