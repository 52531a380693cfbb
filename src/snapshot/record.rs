//! Reads a snapshot in memory proportional to its size, because no length that it claims is
//! believed.
//!
//! The factor depends on the format. A member with a `String` takes 56 bytes in memory and its text,
//! and 2.25 times that while the list grows. As JSON with named fields it is as long as that, so a
//! snapshot costs up to twice its size. As JSON arrays it costs up to 8 times, and in a binary
//! format, in which a member can be 4 bytes long, up to 32 times.

use crate::nodes::Entry;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// Named numbers as a map.
pub(super) mod parameters {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt;
    use serde::de::{Deserializer, Error, MapAccess, Visitor};
    use serde::ser::Serializer;

    /// More than any placement has.
    const MOST: usize = 8;

    pub(in crate::snapshot) fn serialize<S: Serializer>(
        parameters: &[(String, u64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(parameters.iter().map(|(name, value)| (name, value)))
    }

    /// In order of name, whatever order they come in.
    pub(in crate::snapshot) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, u64)>, D::Error> {
        struct Named;
        impl<'de> Visitor<'de> for Named {
            type Value = Vec<(String, u64)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST} named numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut parameters = Vec::new();
                while let Some(parameter) = map.next_entry()? {
                    parameters.push(parameter);
                    if parameters.len() > MOST {
                        return Err(A::Error::invalid_length(parameters.len(), &self));
                    }
                }
                parameters.sort_unstable();
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(Named)
    }
}

/// The members. The vector grows by a quarter, because doubling it would hold three times the
/// members at the same time.
pub(super) fn members<'de, N, D>(deserializer: D) -> Result<Vec<Entry<N>>, D::Error>
where
    N: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Listed<N>(PhantomData<N>);
    impl<'de, N: Deserialize<'de>> Visitor<'de> for Listed<N> {
        type Value = Vec<Entry<N>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of members")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = seq.next_element()? {
                if members.len() == members.capacity() {
                    members.reserve_exact(1 + members.len() / 4);
                }
                members.push(member);
            }
            Ok(members)
        }
    }
    deserializer.deserialize_seq(Listed(PhantomData))
}
