//! The proxy's `/status`, as numbers.

use super::http::{Http, get};
use std::error::Error;
use std::net::SocketAddr;

/// One upstream at one moment.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub state: String,
    pub weight: u32,
    pub in_flight: u32,
    pub highest: u32,
    pub cap_then: u32,
    pub above_cap: u64,
    pub served: u64,
}

/// Asks the proxy for the state of its upstreams.
pub async fn status(http: &Http, admin: SocketAddr) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = get(http, format!("http://{admin}/status").parse()?).await?;
    text.lines().skip(1).map(row).collect()
}

fn row(line: &str) -> Result<Row, Box<dyn Error>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let &[
        name,
        state,
        weight,
        in_flight,
        _cap,
        highest,
        cap_then,
        above_cap,
        _sessions,
        served,
    ] = fields.as_slice()
    else {
        return Err(format!("not a line of /status: {line}").into());
    };
    Ok(Row {
        name: name.to_owned(),
        state: state.to_owned(),
        weight: weight.parse()?,
        in_flight: in_flight.parse()?,
        highest: highest.parse()?,
        cap_then: cap_then.parse()?,
        above_cap: above_cap.parse()?,
        served: served.parse()?,
    })
}
