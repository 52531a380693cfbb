use migration_model::{config::Config, rules::Rules, search::search};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut c = Config::new(a[1].parse().unwrap(), &a[2], &a[3]);
    for x in &a[4..] { c = match x.as_str() { "q" => c.quorum(), "f" => c.forward_only(), x if x.starts_with('w') => c.writes(x[1..].parse().unwrap()), x if x.starts_with('c') => c.copies(x[1..].parse().unwrap()), _ => panic!() }; }
    let mut r = Rules::correct(); if std::env::var("SRC").is_ok() { r.source = migration_model::rules::Source::Quorum } if std::env::var("REP").is_ok() { r.drain = migration_model::rules::Drain::Repeat }
 let t = std::time::Instant::now();
    match search(c, r) { Ok(e) => println!("{c}: {e:?}"), Err(e) => println!("{c}: {e}") }
    println!("{:?}", t.elapsed());
}
