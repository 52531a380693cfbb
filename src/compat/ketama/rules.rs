//! What differs between libmemcached and twemproxy: the hash of keys, and the texts of nodes.

use md5::{Digest, Md5};

/// The hash of keys in twemproxy: its `hash:` option.
///
/// # Examples
/// ```
/// use clockwise::compat::{Ketama, KetamaHash};
///
/// // hash: fnv1a_64
/// let pool = Ketama::twemproxy().hash(KetamaHash::Fnv1a64).from_nodes(["10.0.0.1:11211"])?;
/// assert_eq!(pool.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KetamaHash {
    /// `md5`, which libmemcached uses too.
    Md5,
    /// `fnv1a_64`, the default of twemproxy.
    Fnv1a64,
}

/// What differs between the two programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) hash: KetamaHash,
    /// The bytes that open and close the part of a key that counts.
    pub(super) tag: Option<(u8, u8)>,
    /// `true` if texts are names, which keep a suffix `:11211`.
    pub(super) named: bool,
    /// Twemproxy does not hash the empty key. It sorts its servers by name, shorter names first.
    pub(super) twemproxy: bool,
}

pub(super) const LIBMEMCACHED: Rules = Rules {
    hash: KetamaHash::Md5,
    tag: None,
    named: false,
    twemproxy: false,
};

/// Returns the MD5 as four little-endian numbers.
#[inline]
pub(super) fn words(bytes: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    let word =
        |i: usize| u32::from_le_bytes([digest[i], digest[i + 1], digest[i + 2], digest[i + 3]]);
    [word(0), word(4), word(8), word(12)]
}

impl Rules {
    /// Returns the part before the `-` of a node's labels.
    pub(super) fn stem(self, text: &[u8]) -> &[u8] {
        match text.strip_suffix(b":11211") {
            Some(host) if !self.named => host,
            _ => text,
        }
    }

    #[inline]
    pub(super) fn hash(self, key: &[u8]) -> u32 {
        let key = self.tag.map_or(key, |tag| tagged(key, tag));
        if key.is_empty() && self.twemproxy {
            return 0;
        }
        match self.hash {
            KetamaHash::Md5 => words(key)[0],
            KetamaHash::Fnv1a64 => fnv1a_64(key),
        }
    }
}

/// Returns the part between the first opening byte and the next closing one. Returns the whole key
/// if there is no such part or it is empty.
fn tagged(key: &[u8], (open, close): (u8, u8)) -> &[u8] {
    let inside = |from: usize| {
        let rest = &key[from + 1..];
        let to = rest.iter().position(|&byte| byte == close)?;
        Some(&rest[..to])
    };
    key.iter()
        .position(|&byte| byte == open)
        .and_then(inside)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key)
}

/// Returns what twemproxy calls `fnv1a_64`: the loop of FNV-1a over signed bytes, with the 64-bit
/// constants cut to 32 bits.
fn fnv1a_64(key: &[u8]) -> u32 {
    key.iter().fold(0x8422_2325, |hash: u32, &byte| {
        let signed = i32::from(i8::from_le_bytes([byte]));
        (hash ^ signed as u32).wrapping_mul(0x1b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tag_counts_if_it_is_something() {
        for (key, counts) in [
            ("user:{42}:name", "42"),
            ("{a}{b}", "a"),
            ("{{a}}", "{a"),
            ("}{a}", "a"),
            ("{}", "{}"),
            ("{}{a}", "{}{a}"),
            ("{a", "{a"),
            ("a}", "a}"),
            ("", ""),
        ] {
            assert_eq!(
                tagged(key.as_bytes(), (b'{', b'}')),
                counts.as_bytes(),
                "{key}"
            );
        }
        assert_eq!(tagged(b"a|b|c", (b'|', b'|')), b"b");
    }

    #[test]
    fn fnv_extends_the_sign_of_bytes() {
        assert_eq!(fnv1a_64(b""), 0x8422_2325);
        assert_eq!(fnv1a_64(b"a"), (0x8422_2325u32 ^ 0x61).wrapping_mul(0x1b3));
        assert_eq!(
            fnv1a_64(b"\xff"),
            (0x8422_2325u32 ^ 0xffff_ffff).wrapping_mul(0x1b3)
        );
    }
}
