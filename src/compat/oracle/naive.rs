//! The definitions of the placements, written naively.

use alloc::{format, string::String, vec, vec::Vec};
use md5::{Digest, Md5};
use xxhash_rust::xxh64::xxh64;

#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) text: String,
    pub(super) weight: u32,
    pub(super) down: bool,
}

pub(super) type List = Vec<Server>;

/// Returns the owners from the first point at or after the place on, once around.
pub(super) fn around<P: Ord + Copy>(points: &[(P, usize)], place: P) -> Vec<usize> {
    let first = points.iter().filter(|point| point.0 < place).count();
    let (before, after) = points.split_at(first);
    after.iter().chain(before).map(|point| point.1).collect()
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

pub(super) fn nginx_points(list: &List) -> Vec<(u32, usize)> {
    points_of_texts(list.iter().map(|server| server.text.clone()), list)
}

/// The points of nginx for texts without the brackets that pingora drops.
pub(super) fn pingora_points(list: &List) -> Vec<(u32, usize)> {
    let bare = |server: &Server| server.text.replace(['[', ']'], "");
    points_of_texts(list.iter().map(bare), list)
}

pub(super) fn points_of_texts(
    texts: impl Iterator<Item = String>,
    list: &List,
) -> Vec<(u32, usize)> {
    let mut points = Vec::new();
    for ((i, server), text) in list.iter().enumerate().zip(texts) {
        let text = text.as_str();
        let (host, port) = match text.rsplit_once(':') {
            _ if text.starts_with("unix:") => (&text[5..], ""),
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (text, ""),
        };
        let mut place = 0u32;
        for _ in 0..160 * server.weight {
            let hashed = [
                host.as_bytes(),
                b"\0",
                port.as_bytes(),
                &place.to_le_bytes(),
            ]
            .concat();
            place = crc32(&hashed);
            points.push((place, i));
        }
    }
    points.sort_unstable();
    points.dedup_by_key(|point| point.0);
    points
}

pub(super) fn md5(bytes: &[u8]) -> Vec<u32> {
    let digest: [u8; 16] = Md5::digest(bytes).into();
    let words = digest.chunks(4);
    words
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

pub(super) fn ketama_points(list: &List, named: bool) -> Vec<(u32, usize)> {
    let up = || list.iter().filter(|server| !server.down);
    let total: u64 = up().map(|server| u64::from(server.weight)).sum();
    let mut points = Vec::new();
    for (i, server) in list.iter().enumerate().filter(|(_, server)| !server.down) {
        let part = server.weight as f32 / total as f32;
        let count = ((part * 160.0 / 4.0 * up().count() as f32 + 1e-10).floor() as u32) * 4;
        let text = match server.text.strip_suffix(":11211") {
            Some(host) if !named => host,
            _ => &server.text,
        };
        for k in 0..count / 4 {
            points.extend(
                md5(format!("{text}-{k}").as_bytes())
                    .into_iter()
                    .map(|word| (word, i)),
            );
        }
    }
    points.sort_unstable();
    points
}

pub(super) fn parts(list: &List) -> Vec<(usize, f64)> {
    let up = || list.iter().enumerate().filter(|(_, server)| !server.down);
    let total: u64 = up().map(|(_, server)| u64::from(server.weight)).sum();
    up().map(|(i, server)| (i, f64::from(server.weight) / total as f64))
        .collect()
}

pub(super) fn envoy_points(list: &List, min: u64, max: u64) -> Vec<(u64, usize)> {
    let least = parts(list).iter().map(|part| part.1).fold(1.0, f64::min);
    let scale = ((least * min as f64).ceil() / least).min(max as f64);
    let (mut points, mut target, mut current) = (Vec::new(), 0.0, 0.0);
    for (i, part) in parts(list) {
        target += scale * part;
        let mut j = 0;
        while current < target {
            points.push((xxh64(format!("{}_{j}", list[i].text).as_bytes(), 0), i));
            current += 1.0;
            j += 1;
        }
    }
    points.sort_unstable();
    points
}

pub(super) fn maglev_table(list: &List, size: u64) -> Vec<usize> {
    maglev_table_of(parts(list), list, size)
}

/// The table for hosts with their parts of the weight, in any unit.
pub(super) fn maglev_table_of(mut hosts: Vec<(usize, f64)>, list: &List, size: u64) -> Vec<usize> {
    hosts.sort_by_key(|&(i, _)| &list[i].text);
    if hosts.is_empty() {
        return Vec::new();
    }
    let greatest = hosts.iter().map(|host| host.1).fold(0.0, f64::max);
    let mut targets = vec![0.0; hosts.len()];
    let mut nexts = vec![0u64; hosts.len()];
    let (mut table, mut free, mut round) = (vec![None; size as usize], size, 0.0);
    loop {
        round += 1.0;
        for (h, &(i, part)) in hosts.iter().enumerate() {
            if round * part < targets[h] {
                continue;
            }
            targets[h] += greatest;
            let text = list[i].text.as_bytes();
            let (offset, skip) = (xxh64(text, 0) % size, xxh64(text, 1) % (size - 1) + 1);
            loop {
                let slot = ((offset + skip * nexts[h]) % size) as usize;
                nexts[h] += 1;
                if table[slot].is_none() {
                    table[slot] = Some(i);
                    break;
                }
            }
            free -= 1;
            if free == 0 {
                return table.into_iter().flatten().collect();
            }
        }
    }
}

pub(super) fn full_hash(mut x: u32) -> u32 {
    x = x.wrapping_add(0x7ed5_5d16).wrapping_add(x << 12);
    x = (x ^ 0xc761_c23c) ^ (x >> 19);
    x = x.wrapping_add(0x1656_67b1).wrapping_add(x << 5);
    x = x.wrapping_add(0xd3a2_646c) ^ (x << 9);
    x = x.wrapping_add(0xfd70_46c5).wrapping_add(x << 3);
    x = (x ^ 0xb55a_4f09) ^ (x >> 16);
    x.wrapping_mul(3_221_225_473)
}

/// HAProxy's `wt6`, from its source.
pub(super) fn wt6(key: &[u8]) -> u32 {
    let mut h = [0xa53c_965a_u32, 0x5ca6_953a_u32];
    let mut step = [6u32, 18];
    for &byte in key {
        h[0] = !(h[0] ^ u32::from(byte));
        h[1] = !(h[1].wrapping_add(u32::from(byte)));
        h = [
            h[1] << step[0] | h[1].checked_shr(32 - step[0]).unwrap_or(0),
            h[0] << step[1] | h[0].checked_shr(32 - step[1]).unwrap_or(0),
        ];
        let mixed = ((h[0] >> 16) ^ h[1]) & 0xffff;
        step = [mixed & 0x1f, mixed >> 11];
    }
    h[0] ^ h[1]
}

/// The server that HAProxy takes if these points are in its tree.
pub(super) fn haproxy_nearest(points: &[(u32, usize)], place: u32) -> usize {
    let next = points
        .iter()
        .find(|point| point.0 >= place)
        .unwrap_or(&points[0]);
    let previous = points.iter().rfind(|point| point.0 < place);
    let previous = previous.unwrap_or(&points[points.len() - 1]);
    let (before, after) = (place.wrapping_sub(previous.0), next.0.wrapping_sub(place));
    if before <= after { previous.1 } else { next.1 }
}
