//! What an operator sees: one line for each upstream.

use super::pool::Pool;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

pub const COLUMNS: &str =
    "name state weight in_flight cap highest cap_then above_cap sessions served";

/// Returns the state of each upstream as a table whose columns are separated by blanks.
pub fn status(pool: &Pool) -> String {
    let stack = pool.stack.load();
    let mut text = format!("{COLUMNS}\n");
    for member in stack.members() {
        let (node, state) = (member.node, &member.node.state);
        let service = match (state.is_up(), member.drained) {
            (_, true) => "draining",
            (true, false) => "up",
            (false, false) => "down",
        };
        let (name, weight, in_flight) = (&node.name, member.weight, node.in_flight());
        let cap = stack.strategy().cap(&**name).unwrap_or(0);
        let audit = &state.audit;
        let [highest, cap_then] = [&audit.highest, &audit.cap_then].map(|n| n.load(Relaxed));
        let [above, served] = [&audit.above_cap, &state.served].map(|n| n.load(Relaxed));
        let sessions = stack.sessions_on(&**name);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{name} {service} {weight} {in_flight} {cap} {highest} {cap_then} {above} {sessions} {served}"
        );
    }
    text
}
