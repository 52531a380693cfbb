//! The requests: who asks, when, and which part of a prompt others share.
//!
//! The README says which published figures the shape follows. `Shape` measures them on the trace.

use crate::cache::PrefixCache;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp, Geometric, LogNormal, Zipf};
use std::collections::HashMap;

/// Tokens of a block of the cache, as in Mooncake's traces.
pub const BLOCK: u32 = 512;

/// Blocks of a prompt that the router hashes.
const KEY_BLOCKS: u32 = 4;

/// Applications that call the interface, each with a long prompt of its own.
const APPLICATIONS: u32 = 400;

/// The fraction of the requests that applications send. The rest is chat.
const API_FRACTION: f64 = 0.4;

/// A prompt: the blocks of its stem are shared with other conversations, the rest is its own.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// When it arrives, in seconds.
    pub at: f64,
    stem: u32,
    stem_blocks: u32,
    conversation: u32,
    /// Tokens of the prompt, the conversation so far included.
    pub prompt: u32,
    /// Tokens of the answer.
    pub answer: u32,
}

impl Request {
    /// The identity of a block stands for all tokens from the start of the prompt to its end.
    fn block(&self, place: u32) -> u64 {
        let shared = place < self.stem_blocks;
        // Conversations and stems are numbered from 0, so one of them gets the high bit.
        let owner = if shared {
            self.stem
        } else {
            self.conversation | 1 << 31
        };
        u64::from(owner) << 32 | u64::from(place)
    }

    /// Returns what the router hashes: the first 2048 tokens.
    pub fn key(&self) -> u64 {
        let last = (self.prompt.div_ceil(BLOCK)).clamp(1, KEY_BLOCKS) - 1;
        self.block(last)
    }

    /// Returns the whole blocks of the first `tokens` tokens.
    pub fn blocks(&self, tokens: u32) -> impl DoubleEndedIterator<Item = u64> + '_ {
        (0..tokens / BLOCK).map(|place| self.block(place))
    }
}

/// A trace of `seconds` at `rate` requests a second, in the order of arrival.
pub fn trace(seconds: f64, rate: f64, seed: u64) -> Vec<Request> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut requests = Vec::new();
    api_calls(seconds, rate * API_FRACTION, &mut random, &mut requests);
    chats(
        seconds,
        rate * (1.0 - API_FRACTION),
        &mut random,
        &mut requests,
    );
    requests.sort_by(|a, b| a.at.total_cmp(&b.at));
    requests
}

/// One call, one answer: the application's prompt, then text that no other call has.
fn api_calls(seconds: f64, rate: f64, random: &mut ChaCha8Rng, requests: &mut Vec<Request>) {
    let popularity = Zipf::new(f64::from(APPLICATIONS), 1.0).expect("a valid exponent");
    let prompts: Vec<u32> = (0..APPLICATIONS)
        .map(|_| tokens(random, 5_000.0, 0.5, 2_048, 20_000))
        .collect();
    let gap = Exp::new(rate).expect("a positive rate");
    let mut at = gap.sample(random);
    for call in 0.. {
        if at >= seconds {
            return;
        }
        let application = popularity.sample(random) as u32 - 1;
        let prompt = prompts[application as usize];
        requests.push(Request {
            at,
            stem: application + 1,
            stem_blocks: prompt / BLOCK,
            conversation: call,
            prompt: prompt + tokens(random, 3_000.0, 1.0, 16, 60_000),
            answer: tokens(random, 150.0, 0.8, 1, 2_000),
        });
        at += gap.sample(random);
    }
}

/// Conversations: all begin with the same block, and each turn contains the turns before it.
fn chats(seconds: f64, rate: f64, random: &mut ChaCha8Rng, requests: &mut Vec<Request>) {
    const TURNS: f64 = 3.0;
    let more_turns = Geometric::new(1.0 / TURNS).expect("a probability");
    let gap = Exp::new(rate / TURNS).expect("a positive rate");
    let pause = Exp::new(1.0 / 180.0).expect("a positive rate");
    // Conversations that began before the trace are in it with their later turns.
    let mut begin = -3_600.0 + gap.sample(random);
    for conversation in 1 << 30.. {
        if begin >= seconds {
            return;
        }
        let mut at = begin;
        let mut prompt = BLOCK + tokens(random, 3_000.0, 1.2, 16, 100_000);
        for _ in 0..=more_turns.sample(random) {
            let answer = tokens(random, 350.0, 0.7, 1, 4_000);
            if (0.0..seconds).contains(&at) {
                requests.push(Request {
                    at,
                    stem: 0,
                    stem_blocks: 1,
                    conversation,
                    prompt,
                    answer,
                });
            }
            at += 10.0 + pause.sample(random);
            prompt += answer + tokens(random, 400.0, 1.0, 8, 20_000);
        }
        begin += gap.sample(random);
    }
}

/// A log-normal number of tokens, cut to a range.
fn tokens(random: &mut impl Rng, median: f64, sigma: f64, least: u32, most: u32) -> u32 {
    let numbers = LogNormal::new(median.ln(), sigma).expect("a finite median");
    (numbers.sample(random) as u32).clamp(least, most)
}

/// The figures of a trace that publications report.
#[derive(Debug)]
pub struct Shape {
    pub requests: usize,
    pub median_prompt: u32,
    pub median_answer: u32,
    /// The hit rate of one cache without a limit, over the second half of the trace.
    pub ceiling: f64,
    /// The share of the reuses that the most reused tenth of the reused blocks has.
    pub top_tenth: f64,
}

impl Shape {
    pub fn of(requests: &[Request]) -> Self {
        let mut cache = PrefixCache::new(usize::MAX);
        let mut reuses: HashMap<u64, u64> = HashMap::new();
        let (mut hit, mut asked) = (0, 0);
        for (i, request) in requests.iter().enumerate() {
            let cached = cache.cached_tokens(request);
            for block in request.blocks(request.prompt) {
                *reuses.entry(block).or_default() += 1;
            }
            cache.insert(request, request.prompt + request.answer);
            if i >= requests.len() / 2 {
                hit += u64::from(cached);
                asked += u64::from(request.prompt);
            }
        }
        // The first use of a block is no reuse.
        let mut counts: Vec<u64> = reuses.values().map(|uses| uses - 1).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        let top: u64 = counts[..counts.len() / 10].iter().sum();
        Shape {
            requests: requests.len(),
            median_prompt: median(requests.iter().map(|request| request.prompt)),
            median_answer: median(requests.iter().map(|request| request.answer)),
            ceiling: hit as f64 / asked as f64,
            top_tenth: top as f64 / counts.iter().sum::<u64>() as f64,
        }
    }
}

fn median(numbers: impl Iterator<Item = u32>) -> u32 {
    let mut numbers: Vec<u32> = numbers.collect();
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable(middle).1
}
