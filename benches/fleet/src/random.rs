//! Random numbers that a seed determines.

/// A generator of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Returns a number from 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Returns a hash of the number.
pub fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Zipf's distribution: the probability of a rank is proportional to `rank^-skew`.
#[derive(Debug)]
pub struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    pub fn new(ranks: usize, skew: f64) -> Self {
        let mut sum = 0.0;
        let cumulated = (1..=ranks).map(|rank| {
            sum += (rank as f64).powf(-skew);
            sum
        });
        Self {
            cumulated: cumulated.collect(),
        }
    }

    /// Returns a rank, from 0.
    pub fn sample(&self, random: &mut Random) -> usize {
        let most = self.cumulated.last().copied().unwrap_or_default();
        let at = random.fraction() * most;
        let rank = self.cumulated.partition_point(|sum| *sum <= at);
        rank.min(self.cumulated.len() - 1)
    }
}
