//! A macro that implements a trait for the pointers to an implementor.

/// Implements a trait for each listed pointer type by calls on the value that it points to.
macro_rules! through_pointers {
    (impl[$($generics:tt)*] $Trait:path { $($body:tt)* } for $($(#[$attr:meta])* $Pointer:ty;)*) => {
        through_pointers! { @each [$($generics)*] [$Trait] { $($body)* } $([$(#[$attr])* $Pointer])* }
    };
    (@each $generics:tt $Trait:tt $body:tt $($pointer:tt)*) => {
        $(through_pointers! { @one $generics $Trait $body $pointer })*
    };
    (@one [$($generics:tt)*] [$Trait:path] { $($body:tt)* } [$(#[$attr:meta])* $Pointer:ty]) => {
        $(#[$attr])*
        impl<$($generics)*> $Trait for $Pointer { $($body)* }
    };
}
pub(crate) use through_pointers;
