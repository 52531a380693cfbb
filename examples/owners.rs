//! Prints who owns your keys in a placement of another program, to compare with that program.
//!
//! Input, fields separated by tabs:
//!
//! ```text
//! case    nginx | pingora | ketama | twemproxy | envoy-ring | grpc | envoy-maglev | haproxy | jump
//! option  <name>  <value>             one line for each option
//! server  <text>  <weight>  [down]    one line for each server
//! key     <hexadecimal>               one line for each key
//! ```
//!
//! Output: one line for each key with the texts in order of preference, the owner first, separated
//! by tabs, at most `LONGEST` of them. If the placement is refused, a line `error` with the reason.
//! Another `case` may follow.

use clockwise::compat::{
    EnvoyMaglev, EnvoyRing, EnvoyRingBuilder, HaproxyConsistent, HaproxyHash, Jump, Ketama,
    KetamaHash, Nginx,
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
        "nginx" => boxed(Nginx::from_weighted(servers)),
        "pingora" => boxed(Nginx::pingora().from_weighted(servers)),
        "ketama" => boxed(Ketama::from_weighted(servers)),
        "jump" => boxed(Jump::from_weighted(servers)),
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
            boxed(pool.from_weighted(servers))
        }
        "envoy-ring" => boxed(sized(EnvoyRing::builder(), options)?.from_weighted(servers)),
        "grpc" => boxed(sized(EnvoyRing::grpc(), options)?.from_weighted(servers)),
        "envoy-maglev" => {
            let mut maglev = EnvoyMaglev::builder();
            for option in options {
                maglev = match option {
                    ("table_size", size) => maglev.table_size(size.parse()?),
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(maglev.from_weighted(servers))
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
                        let id = |id: &str| match id {
                            "-" => Ok(None),
                            id => id.parse::<u32>().map(Some),
                        };
                        let ids: Result<Vec<_>, _> = ids.split(',').map(id).collect();
                        backend.ids(ids?)
                    }
                    other => return Err(format!("no option {other:?}").into()),
                };
            }
            boxed(backend.from_weighted(servers))
        }
        other => Err(format!("no system {other:?}").into()),
    }
}

fn sized<'a>(
    mut ring: EnvoyRingBuilder<String>,
    options: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<EnvoyRingBuilder<String>, AnyError> {
    for option in options {
        ring = match option {
            ("minimum_ring_size", size) => ring.min_ring_size(size.parse()?),
            ("maximum_ring_size", size) => ring.max_ring_size(size.parse()?),
            ("ring_size_cap", size) => ring.ring_size_cap(size.parse()?),
            other => return Err(format!("no option {other:?}").into()),
        };
    }
    Ok(ring)
}

fn boxed<P, E>(placement: Result<P, E>) -> Result<Placement, AnyError>
where
    P: Membership<Node = String> + 'static,
    E: Error + 'static,
{
    Ok(Box::new(placement?))
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, AnyError> {
    if hex.len() % 2 == 1 || !hex.is_ascii() {
        return Err(format!("not hexadecimal: {hex:?}").into());
    }
    let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16);
    Ok((0..hex.len() / 2).map(byte).collect::<Result<_, _>>()?)
}
