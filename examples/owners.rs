//! Reads a placement and keys, prints who owns them: to compare with the program that you come from, on your own keys.
//!
//! Input, fields separated by tabs:
//!
//! ```text
//! case    nginx | ketama | twemproxy | envoy-ring | envoy-maglev | haproxy | jump
//! option  <name>  <value>             as often as there are options
//! server  <text>  <weight>  [down]    as often as there are servers
//! key     <hexadecimal>               as often as there are keys
//! ```
//!
//! Output: for every key one line, the texts in order of preference, the owner first, separated by tabs; no more than
//! `LONGEST`. Where the placement is refused, a line `error` with the reason instead. Another `case` may follow.

use clockwise::compat::{
    CompatError, EnvoyMaglev, EnvoyRing, HaproxyConsistent, HaproxyHash, Jump, Ketama, KetamaHash,
    Nginx,
};
use clockwise::{Manage, Membership, Route};
use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

const LONGEST: usize = 8;

type AnyError = Box<dyn Error>;
type Placement = Box<dyn Membership<Node = String>>;

#[derive(Default)]
struct Case {
    system: String,
    options: Vec<(String, String)>,
    servers: Vec<(String, u32)>,
    down: Vec<String>,
}

fn main() -> Result<(), AnyError> {
    let mut out = BufWriter::new(stdout().lock());
    let (mut case, mut placement) = (Case::default(), None);
    for line in stdin().lock().lines() {
        let line = line?;
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["case", system] => {
                placement = None;
                case = Case {
                    system: system.into(),
                    ..Case::default()
                };
            }
            ["option", name, value] => case.options.push((name.into(), value.into())),
            ["server", text, weight] => case.servers.push((text.into(), weight.parse()?)),
            ["server", text, weight, "down"] => {
                case.servers.push((text.into(), weight.parse()?));
                case.down.push(text.into());
            }
            ["key", hex] => {
                let built = placement.get_or_insert_with(|| build(&case));
                match built {
                    Ok(placement) => {
                        let order = placement.replicas(&bytes_of(hex)?, LONGEST);
                        let order: Vec<&str> = order.into_iter().map(String::as_str).collect();
                        writeln!(out, "{}", order.join("\t"))?;
                    }
                    Err(error) => writeln!(out, "error\t{error}")?,
                }
            }
            _ => return Err(format!("not understood: {line:?}").into()),
        }
    }
    Ok(())
}

fn build(case: &Case) -> Result<Placement, AnyError> {
    let mut placement = place(case)?;
    for text in &case.down {
        placement.drain(text.as_bytes())?;
    }
    Ok(placement)
}

fn place(case: &Case) -> Result<Placement, AnyError> {
    let servers = case.servers.iter().cloned();
    let options = case
        .options
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    match case.system.as_str() {
        "nginx" => boxed(Nginx::try_from_nodes(servers)),
        "ketama" => boxed(Ketama::try_from_nodes(servers)),
        "jump" => boxed(Jump::try_from_nodes(servers)),
        "twemproxy" => {
            let mut pool = Ketama::twemproxy();
            for option in options {
                pool = match option {
                    ("hash", "md5") => pool.hash(KetamaHash::Md5),
                    ("hash", "fnv1a_64") => pool.hash(KetamaHash::Fnv1a64),
                    ("hash_tag", tag) => pool.hash_tag(tag),
                    ("named", named) => pool.named(named.parse()?),
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(pool.try_from_nodes(servers))
        }
        "envoy-ring" => {
            let mut ring = EnvoyRing::builder();
            for option in options {
                ring = match option {
                    ("minimum_ring_size", size) => ring.min_ring_size(size.parse()?),
                    ("maximum_ring_size", size) => ring.max_ring_size(size.parse()?),
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(ring.try_from_nodes(servers))
        }
        "envoy-maglev" => {
            let mut maglev = EnvoyMaglev::builder();
            for option in options {
                maglev = match option {
                    ("table_size", size) => maglev.table_size(size.parse()?),
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(maglev.try_from_nodes(servers))
        }
        "haproxy" => {
            let mut backend = HaproxyConsistent::builder();
            for option in options {
                backend = match option {
                    ("hash", "sdbm") => backend.hash(HaproxyHash::Sdbm),
                    ("hash", "djb2") => backend.hash(HaproxyHash::Djb2),
                    ("hash", "wt6") => backend.hash(HaproxyHash::Wt6),
                    ("hash", "crc32") => backend.hash(HaproxyHash::Crc32),
                    ("avalanche", avalanche) => backend.avalanche(avalanche.parse()?),
                    ("ids", ids) => {
                        let ids: Result<Vec<u32>, _> = ids.split(',').map(str::parse).collect();
                        backend.ids(ids?)
                    }
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(backend.try_from_nodes(servers))
        }
        other => Err(format!("no system {other:?}").into()),
    }
}

fn boxed<P: Membership<Node = String> + 'static>(
    placement: Result<P, CompatError>,
) -> Result<Placement, AnyError> {
    Ok(Box::new(placement?))
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, AnyError> {
    if hex.len() % 2 == 1 || !hex.is_ascii() {
        return Err(format!("not hexadecimal: {hex:?}").into());
    }
    let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16);
    Ok((0..hex.len() / 2).map(byte).collect::<Result<_, _>>()?)
}
