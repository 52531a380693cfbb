//! [`Token`] and [`TokenRange`]: places on the circle of 2⁶⁴.

use core::fmt;

/// A hashed key: a place on the circle of 2⁶⁴.
///
/// Hash a key once at the edge of your program and pass the token on. Everything that takes a token
/// is the same code for every type of key.
///
/// Prints as `0x` and 16 hexadecimal digits. With the feature `serde` it is read and written as 16
/// lower-case hexadecimal digits, because many readers of JSON keep only 53 bits of a number.
///
/// # Examples
/// ```
/// # let ring: clockwise::HashRing<&str> = clockwise::HashRing::from_nodes(["a", "b"])?;
/// let token = ring.token("user:42");
/// assert_eq!(ring.route_token(token), ring.route("user:42"));
/// # Ok::<(), clockwise::NodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct Token(#[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))] u64);

impl Token {
    /// Creates the token at `place`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Token};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let stored: u64 = ring.token("user:42").get(); // beside the value, in your database
    /// assert_eq!(ring.route_token(Token::new(stored)), ring.route("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub const fn new(place: u64) -> Self {
        Token(place)
    }

    /// Returns the place on the circle, 0 to 2⁶⁴ − 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::Token;
    ///
    /// assert_eq!(Token::new(7).get(), 7);
    /// ```
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Shows `Token(0x…)`, always with 16 digits.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// Shows `0x…`, always with 16 digits.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

/// The tokens from a first to a last one, both included.
///
/// A range is never empty and does not wrap round the circle. The part of the circle that passes
/// 2⁶⁴ − 1 and begins again at 0 is two ranges. Ranges are ordered by their first tokens, then by
/// their last ones.
///
/// Prints as `0x…..=0x…`. With the feature `serde` it is read and written as the two tokens in
/// hexadecimal with a `-` between them. A range whose first token is greater than its last one is
/// an error when it is read.
///
/// # Examples
/// ```
/// use clockwise::{Token, TokenRange};
///
/// let (first, last) = (Token::new(0x10), Token::new(0x1f));
/// let range = TokenRange::new(first, last).expect("first <= last");
/// assert_eq!(range.len(), 16);
/// assert!(range.contains(last));
/// assert_eq!(TokenRange::new(last, first), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenRange {
    first: Token,
    last: Token,
}

impl TokenRange {
    /// The whole circle.
    pub const ALL: TokenRange = TokenRange {
        first: Token(0),
        last: Token(u64::MAX),
    };

    /// Creates the range from `first` to `last`, both included. Returns `None` if `first` is
    /// greater than `last`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Token, TokenRange};
    ///
    /// let range = TokenRange::new(Token::new(10), Token::new(19));
    /// assert_eq!(range.map(|range| range.len()), Some(10));
    /// assert_eq!(TokenRange::new(Token::new(19), Token::new(10)), None);
    /// ```
    #[inline]
    pub const fn new(first: Token, last: Token) -> Option<Self> {
        if first.0 <= last.0 {
            Some(TokenRange { first, last })
        } else {
            None
        }
    }

    /// Returns the first token.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Token, TokenRange};
    ///
    /// assert_eq!(TokenRange::ALL.first(), Token::new(0));
    /// ```
    #[inline]
    pub const fn first(&self) -> Token {
        self.first
    }

    /// Returns the last token, which belongs to the range.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Token, TokenRange};
    ///
    /// assert_eq!(TokenRange::ALL.last(), Token::new(u64::MAX));
    /// ```
    #[inline]
    pub const fn last(&self) -> Token {
        self.last
    }

    /// Returns the number of tokens, 1 to 2⁶⁴.
    ///
    /// # Examples
    /// ```
    /// use clockwise::TokenRange;
    ///
    /// assert_eq!(TokenRange::ALL.len(), 1 << 64); // which is why it is a u128
    /// ```
    #[expect(
        clippy::len_without_is_empty,
        reason = "a range holds at least one token"
    )]
    #[inline]
    pub const fn len(&self) -> u128 {
        (self.last.0 - self.first.0) as u128 + 1
    }

    /// Returns the fraction of all tokens that the range holds, greater than 0.0 and at most 1.0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Token, TokenRange};
    ///
    /// let half = TokenRange::new(Token::new(0), Token::new(u64::MAX / 2)).unwrap();
    /// assert_eq!(half.share(), 0.5);
    /// ```
    pub fn share(&self) -> f64 {
        self.len() as f64 / 18_446_744_073_709_551_616.0
    }

    /// Returns `true` if `token` is in the range.
    ///
    /// # Examples
    /// ```
    /// use clockwise::HashRing;
    ///
    /// // Which of these keys are in the range of a move?
    /// let old = HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let migration = old.diff(&new)?;
    /// let step = migration.moves().next().unwrap();
    /// let keys: Vec<u32> = (0..9999).filter(|key| step.range.contains(old.token(key))).collect();
    /// assert!(keys.iter().all(|key| new.route(key) == step.to));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub const fn contains(&self, token: Token) -> bool {
        self.first.0 <= token.0 && token.0 <= self.last.0
    }
}

/// Shows `0x…..=0x…`, always with 16 digits each.
impl fmt::Display for TokenRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

/// Reads and writes a range as text: `00000000000000ff-0000000000000fff`.
#[cfg(feature = "serde")]
mod text {
    use super::{Token, TokenRange};
    use crate::hex::read_word;
    use core::fmt;
    use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl Serialize for TokenRange {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let (first, last) = (self.first.0, self.last.0);
            serializer.collect_str(&format_args!("{first:016x}-{last:016x}"))
        }
    }

    impl<'de> Deserialize<'de> for TokenRange {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(Ends)
        }
    }

    struct Ends;

    impl Visitor<'_> for Ends {
        type Value = TokenRange;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "two tokens of 16 hexadecimal digits with `-` between, the first not greater",
            )
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<TokenRange, E> {
            let read = |text| read_word(text).map(Token);
            text.split_once('-')
                .and_then(|(first, last)| TokenRange::new(read(first)?, read(last)?))
                .ok_or_else(|| {
                    // Shows as many characters as a range has, so that a long text does not make a
                    // long error.
                    let shown = text
                        .char_indices()
                        .nth(33)
                        .map_or(text, |(at, _)| &text[..at]);
                    E::invalid_value(Unexpected::Str(shown), &self)
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn range(first: u64, last: u64) -> TokenRange {
        TokenRange::new(Token(first), Token(last)).expect("first <= last")
    }

    #[test]
    fn a_range_includes_both_ends() {
        let some = range(5, 7);
        assert_eq!((some.first(), some.last()), (Token(5), Token(7)));
        assert_eq!(
            [4, 5, 6, 7, 8].map(|at| some.contains(Token(at))),
            [false, true, true, true, false]
        );
        assert_eq!(some.len(), 3);
        assert_eq!(range(7, 7).len(), 1);
        assert_eq!(TokenRange::new(Token(8), Token(7)), None);
        assert!(range(1, 9) < range(2, 3) && range(1, 9) < range(1, 10));
    }

    #[test]
    fn the_whole_circle_is_a_range() {
        assert_eq!(TokenRange::ALL, range(0, u64::MAX));
        assert_eq!(TokenRange::ALL.len(), 1 << 64);
        assert_eq!(TokenRange::ALL.share(), 1.0);
        assert_eq!(range(0, (1 << 62) - 1).share(), 0.25);
        assert!(range(u64::MAX, u64::MAX).share() > 0.0);
    }

    #[test]
    fn tokens_and_ranges_print_all_digits() {
        assert_eq!(Token(255).to_string(), "0x00000000000000ff");
        assert_eq!(
            alloc::format!("{:?}", Token(255)),
            "Token(0x00000000000000ff)"
        );
        assert_eq!(
            range(255, u64::MAX).to_string(),
            "0x00000000000000ff..=0xffffffffffffffff"
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn serde_reads_what_it_wrote_and_refuses_the_rest() {
        let json = serde_json::to_string(&(Token(255), range(255, 0xabc))).expect("serialises");
        assert_eq!(
            json,
            r#"["00000000000000ff","00000000000000ff-0000000000000abc"]"#
        );
        let read: (Token, TokenRange) = serde_json::from_str(&json).expect("is valid");
        assert_eq!(read, (Token(255), range(255, 0xabc)));
        let bytes = postcard::to_allocvec(&read).expect("serialises");
        assert_eq!(postcard::from_bytes(&bytes), Ok(read));

        for bad in [
            "",
            "-",
            "ff",
            "0x000000000000ff",
            "00000000000000FF",
            "+0000000000000ff",
            "000000000000000ff",
            "00000000000000é",
        ] {
            let json = serde_json::to_string(bad).expect("serialises");
            assert!(serde_json::from_str::<Token>(&json).is_err(), "{bad}");
            assert!(serde_json::from_str::<TokenRange>(&json).is_err(), "{bad}");
            let ranges = [
                alloc::format!("{bad}-00000000000000ff"),
                alloc::format!("0000000000000000-{bad}"),
                alloc::format!("0000000000000000-00000000000000ff-{bad}"),
            ];
            for bad in ranges {
                let json = serde_json::to_string(&bad).expect("serialises");
                assert!(serde_json::from_str::<TokenRange>(&json).is_err(), "{bad}");
            }
        }
        let reversed = r#""0000000000000002-0000000000000001""#;
        let error = serde_json::from_str::<TokenRange>(reversed).expect_err("is reversed");
        assert!(
            error.to_string().contains("the first not greater"),
            "{error}"
        );
        let long = alloc::format!("\"{}\"", "é".repeat(1000));
        let error = serde_json::from_str::<TokenRange>(&long).expect_err("is no range");
        assert!(error.to_string().len() < 300, "{error}");
    }
}
