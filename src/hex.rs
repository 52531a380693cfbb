//! Numbers and bytes as hexadecimal text, because many readers of JSON keep only 53 bits of a
//! number, and JSON has no bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Error, Visitor};

/// Reads and writes a `u64` as exactly 16 lower-case digits.
pub(crate) mod word {
    use serde::{Deserializer, Serializer, de::Error};

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's `with` passes a reference"
    )]
    pub(crate) fn serialize<S: Serializer>(word: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{word:016x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let bytes = super::bytes::deserialize::<alloc::vec::Vec<u8>, D>(deserializer)?;
        match <[u8; 8]>::try_from(bytes) {
            Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
            Err(bytes) => Err(D::Error::invalid_length(
                2 * bytes.len(),
                &"16 hexadecimal digits",
            )),
        }
    }
}

/// Reads and writes bytes as lower-case digits, two for each byte.
pub(crate) mod bytes {
    use alloc::vec::Vec;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&super::Hex(bytes.as_ref()))
    }

    pub(crate) fn deserialize<'de, B: From<Vec<u8>>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        deserializer.deserialize_str(super::Digits).map(B::from)
    }
}

/// Reads exactly 16 lower-case digits.
pub(crate) fn read_word(text: &str) -> Option<u64> {
    if text.len() != 16 {
        return None;
    }
    text.bytes()
        .try_fold(0, |word, c| Some(word << 4 | u64::from(digit(c)?)))
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an even number of lower-case hexadecimal digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        let invalid = || {
            let shown: String = text.chars().take(64).collect();
            E::invalid_value(serde::de::Unexpected::Str(&shown), &self)
        };
        if text.len() % 2 != 0 {
            return Err(invalid());
        }
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
            .collect::<Option<_>>()
            .ok_or_else(invalid)
    }
}
