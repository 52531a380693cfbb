//! The verbs of [`Route`](crate::Route) as methods of a type.

/// The verbs of [`Route`](super::Route) as methods of a type, in the order of use.
macro_rules! routing_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident $(, where [$($bounds:tt)*])?) => {
        /// Routing.
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the token of a key.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let token = strategy.token("user:42");
            /// assert_eq!(token, strategy.token(b"user:42")); // a text and its bytes are one key
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            pub fn token<K: $crate::Key + ?Sized>(&self, key: &K) -> $crate::Token {
                $crate::Strategy::token_of(self, key.key_bytes().as_ref())
            }

            /// Returns the node for `key`. Returns `None` only if no node is eligible and passes
            /// the filters.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let node = strategy.route("user:42").expect("no node is eligible");
            /// assert!(strategy.contains(node));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            pub fn route<K: $crate::Key + ?Sized>(&self, key: &K) -> Option<&$N> {
                $crate::Strategy::route_token(self, self.token(key))
            }

            /// Returns the node for a token. Returns `None` only if no node is eligible and passes
            /// the filters.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// // Keep the token of a key that you route again and again.
            /// let token = strategy.token("user:42");
            /// assert!(strategy.route_token(token).is_some());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            pub fn route_token(&self, token: $crate::Token) -> Option<&$N> {
                $crate::Strategy::route_token(self, token)
            }

            /// Returns the first node in `key`'s order of preference whose identity is not in
            /// `tried`: the next one to ask after failures.
            ///
            /// See [`Route::route_except`](crate::Route::route_except).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// // `eu-1` and `us-1` have failed for this request.
            /// let next = strategy.route_except("user:42", &["eu-1", "us-1"]).unwrap();
            /// assert!(next.starts_with("eu-2"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn route_except<K, Q>(&self, key: &K, tried: &[Q]) -> Option<&$N>
            where
                K: $crate::Key + ?Sized,
                Q: $crate::Key,
            {
                $crate::Route::route_except(self, key, tried)
            }

            /// Returns `n` nodes in `key`'s order of preference, spread over domains (zones,
            /// racks): never two in one domain while another is unused.
            ///
            /// See [`Route::replicas_across`](crate::Route::replicas_across).
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let copies = strategy.replicas_across("user:42", 2, |node| node.starts_with("eu"));
            /// assert_ne!(copies[0].starts_with("eu"), copies[1].starts_with("eu"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn replicas_across<'a, K, Z, F>(
                &'a self,
                key: &K,
                n: usize,
                domain: F,
            ) -> alloc::vec::Vec<&'a $N>
            where
                K: $crate::Key + ?Sized,
                Z: PartialEq,
                F: FnMut(&'a $N) -> Z,
            {
                $crate::Route::replicas_across(self, key, n, domain)
            }

            /// Returns what `replicas_across` returns, if all `n` nodes are in distinct domains.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let zone = |node: &_| strategy.weight(node);
            /// assert!(strategy.try_replicas_across("user:42", 1, zone).is_ok());
            ///
            /// let error = strategy.try_replicas_across("user:42", 2, zone).unwrap_err();
            /// assert_eq!((error.wanted, error.found), (2, 1)); // all weights are 1
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// [`NotEnoughDomains`](crate::error::NotEnoughDomains) if fewer than `n` domains have
            /// an eligible node.
            pub fn try_replicas_across<'a, K, Z, F>(
                &'a self,
                key: &K,
                n: usize,
                domain: F,
            ) -> Result<alloc::vec::Vec<&'a $N>, $crate::error::NotEnoughDomains>
            where
                K: $crate::Key + ?Sized,
                Z: PartialEq,
                F: FnMut(&'a $N) -> Z,
            {
                $crate::Route::try_replicas_across(self, key, n, domain)
            }
        }
    };
}
pub(crate) use routing_verbs;

/// The orders of a placement, for a type with `preference_of(token)` and `find(token, accept)`.
macro_rules! placement_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident) => {
        impl<$($generics)*> $Type {
            /// Returns the first node in `key`'s order of preference for which `accept` returns
            /// `true`. It is asked at most once for each node.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// // A health check of your own.
            /// let up = |name: &str| name != "us-1";
            /// let node = strategy.route_where("user:42", |node| up(node)).unwrap();
            /// assert!(node.starts_with("eu"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            #[must_use]
            pub fn route_where<'a, K, F>(&'a self, key: &K, accept: F) -> Option<&'a $N>
            where
                K: $crate::Key + ?Sized,
                F: FnMut(&'a $N) -> bool,
            {
                self.find(self.token(key), accept)
            }

            /// Returns the first `n` nodes in `key`'s order of preference, all distinct, or fewer
            /// if fewer are eligible.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let copies = strategy.replicas("user:42", 2);
            /// assert_eq!(copies.len(), 2);
            /// assert_eq!(strategy.replicas("user:42", 9).len(), 3); // there are no more
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn replicas<K: $crate::Key + ?Sized>(
                &self,
                key: &K,
                n: usize,
            ) -> alloc::vec::Vec<&$N> {
                let mut replicas = alloc::vec::Vec::with_capacity(n.min(self.nodes.eligible()));
                if n > 0 {
                    self.find(self.token(key), |node| {
                        replicas.push(node);
                        replicas.len() == n
                    });
                }
                replicas
            }

            /// Returns all eligible nodes in `key`'s order of preference, lazily, each once.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let mut order = strategy.preference("user:42");
            /// assert_eq!(order.next(), strategy.route("user:42"));
            /// assert_eq!(order.count(), 2); // where to turn next, lazily
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            pub fn preference<K: $crate::Key + ?Sized>(
                &self,
                key: &K,
            ) -> $crate::preference::Preference<'_, $N> {
                self.preference_of(self.token(key))
            }

            /// Returns all eligible nodes in a token's order of preference, lazily, each once.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let token = strategy.token("user:42");
            /// assert!(strategy.preference_token(token).eq(strategy.preference("user:42")));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[inline]
            pub fn preference_token(
                &self,
                token: $crate::Token,
            ) -> $crate::preference::Preference<'_, $N> {
                self.preference_of(token)
            }
        }
    };
}
pub(crate) use placement_verbs;

/// The verbs that pick, for a type that is no placement.
macro_rules! picking_verbs {
    (impl[$($generics:tt)*] $Type:ty, $N:ty, example $Ex:ident $(, where [$($bounds:tt)*])?) => {
        impl<$($generics)*> $Type $(where $($bounds)*)? {
            /// Returns the first node in `key`'s order of preference for which `accept` returns
            /// `true`. It is asked at most once for each node.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// // A health check of your own.
            /// let up = |name: &str| name != "us-1";
            /// let node = strategy.route_where("user:42", |node| up(node)).unwrap();
            /// assert!(node.starts_with("eu"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn route_where<'a, K, F>(&'a self, key: &K, accept: F) -> Option<&'a $N>
            where
                K: $crate::Key + ?Sized,
                F: FnMut(&'a $N) -> bool,
            {
                $crate::Route::route_where(self, key, accept)
            }

            /// Returns the first `n` nodes in `key`'s order of preference, all distinct, or fewer
            /// if fewer are eligible.
            ///
            /// # Examples
            /// ```
            #[doc = $crate::strategy::setup!($Ex, "let ")]
            ///
            /// let copies = strategy.replicas("user:42", 2);
            /// assert_eq!(copies.len(), 2);
            /// assert_eq!(strategy.replicas("user:42", 9).len(), 3); // there are no more
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn replicas<K: $crate::Key + ?Sized>(
                &self,
                key: &K,
                n: usize,
            ) -> alloc::vec::Vec<&$N> {
                $crate::Route::replicas(self, key, n)
            }
        }
    };
}
pub(crate) use picking_verbs;
