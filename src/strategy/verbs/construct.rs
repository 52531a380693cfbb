//! Construction from nodes: the constructors of a strategy, and the last calls on its builder.

/// The constructors from nodes, for a type with `new` and `extend_weighted`.
macro_rules! construct_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident, $limits:literal) => {
        impl<$($generics)*> $Type {
            /// Creates a strategy of these nodes, each of weight 1, otherwise as `new` does.
            ///
            /// A tuple is a node too. For a list of nodes with weights use `from_weighted`.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use ", $crate::strategy::import!($Ex), ";")]
            ///
            #[doc = concat!(
                "let strategy = ", stringify!($Ex), "::from_nodes([",
                $crate::strategy::node!($Ex, "eu-1"), ", ", $crate::strategy::node!($Ex, "us-1"),
                "])?;"
            )]
            /// assert_eq!(strategy.len(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            #[doc = concat!(
                "[`NodeError::Duplicate`](crate::NodeError::Duplicate), ",
                "[`NodeError::EmptyIdentity`](crate::NodeError::EmptyIdentity)", $limits, "."
            )]
            pub fn from_nodes<I>(nodes: I) -> Result<Self, $crate::NodeError>
            where
                I: IntoIterator<Item = $N>,
            {
                Self::from_weighted(nodes.into_iter().map(|node| (node, 1)))
            }

            /// Creates a strategy of these nodes with their weights, otherwise as `new` does.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use ", $crate::strategy::import!($Ex), ";")]
            ///
            #[doc = concat!(
                "let nodes = [(", $crate::strategy::node!($Ex, "eu-1"), ", 1), (",
                $crate::strategy::node!($Ex, "us-1"), ", ", $crate::strategy::weight!($Ex), ")];"
            )]
            #[doc = concat!("let strategy = ", stringify!($Ex), "::from_weighted(nodes)?;")]
            #[doc = concat!(
                "assert_eq!(strategy.weight(\"us-1\"), Some(", $crate::strategy::weight!($Ex),
                "));"
            )]
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As `from_nodes`, and [`NodeError::ZeroWeight`](crate::NodeError::ZeroWeight).
            pub fn from_weighted<I>(nodes: I) -> Result<Self, $crate::NodeError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                let mut strategy = Self::new();
                strategy.extend_weighted(nodes)?;
                Ok(strategy)
            }
        }
    };
}
pub(crate) use construct_verbs;

/// The last calls on a builder, for one with `build`.
macro_rules! builder_verbs {
    (impl[$($generics:tt)*] $Builder:ty, $Type:ty, $N:ty, example $Ex:ident, $builder:literal) => {
        #[allow(clippy::wrong_self_convention, reason = "the same names as on the type")]
        impl<$($generics)*> $Builder {
            /// Builds a strategy of these nodes, each of weight 1.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use ", $crate::strategy::import!($Ex), ";")]
            ///
            #[doc = concat!(
                "let strategy = ", stringify!($Ex), "::", $builder, ".from_nodes([",
                $crate::strategy::node!($Ex, "eu-1"), ", ", $crate::strategy::node!($Ex, "us-1"),
                "])?;"
            )]
            /// assert_eq!(strategy.len(), 2);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As `build`, and [`ConfigError::Node`](crate::ConfigError::Node) for a node that is
            /// refused.
            pub fn from_nodes<I>(self, nodes: I) -> Result<$Type, $crate::ConfigError>
            where
                I: IntoIterator<Item = $N>,
            {
                self.from_weighted(nodes.into_iter().map(|node| (node, 1)))
            }

            /// Builds a strategy of these nodes with their weights.
            ///
            /// # Examples
            /// ```
            #[doc = concat!("use ", $crate::strategy::import!($Ex), ";")]
            ///
            #[doc = concat!(
                "let nodes = [(", $crate::strategy::node!($Ex, "eu-1"), ", 1), (",
                $crate::strategy::node!($Ex, "us-1"), ", ", $crate::strategy::weight!($Ex), ")];"
            )]
            #[doc = concat!(
                "let strategy = ", stringify!($Ex), "::", $builder, ".from_weighted(nodes)?;"
            )]
            #[doc = concat!(
                "assert_eq!(strategy.weight(\"us-1\"), Some(", $crate::strategy::weight!($Ex),
                "));"
            )]
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As `from_nodes`.
            pub fn from_weighted<I>(self, nodes: I) -> Result<$Type, $crate::ConfigError>
            where
                I: IntoIterator<Item = ($N, u32)>,
            {
                let mut strategy = self.build()?;
                strategy.extend_weighted(nodes)?;
                Ok(strategy)
            }
        }
    };
}
pub(crate) use builder_verbs;
