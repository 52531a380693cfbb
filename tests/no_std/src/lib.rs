//! See Cargo.toml.
#![no_std]

use clockwise::HashRing;

#[global_allocator]
static HEAP: emballoc::Allocator<65536> = emballoc::Allocator::new();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// The number of points of a ring of three nodes.
#[unsafe(no_mangle)]
pub extern "C" fn points() -> usize {
    HashRing::from_nodes(["a", "b", "c"]).map_or(0, |ring| ring.point_count())
}
