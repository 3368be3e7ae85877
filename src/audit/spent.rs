//! Which codes were taken: a fixed amount of memory per key, however long a run lasts.

/// Steps remembered per key: 17 hours of a 60 s key. No server's window is anywhere near as wide;
/// shards of one test, read one after the other, overlap by as much.
const STEPS: u64 = 1024;
const WORDS: usize = (STEPS / 64) as usize;

/// The steps (or counters) of each key whose code was taken.
#[derive(Debug, Default)]
pub(super) struct Spent(Vec<Option<Box<Steps>>>);

/// A ring of bits: bit `step mod STEPS` stands for `step`, for those within `STEPS` of the newest.
#[derive(Debug)]
struct Steps {
    newest: u64,
    bits: [u64; WORDS],
}

impl Spent {
    /// Enters `step` of `key`; true when it was there already. One so old that it is not
    /// remembered counts as new.
    pub(super) fn enter(&mut self, key: u32, step: u64) -> bool {
        let key = key as usize;
        if key >= self.0.len() {
            self.0.resize_with(key + 1, || None);
        }
        let fresh = || Box::new(Steps { newest: step, bits: [0; WORDS] });
        self.0[key].get_or_insert_with(fresh).enter(step)
    }

    /// Bytes held.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Option<Box<Steps>>>()
            + self.0.iter().flatten().count() * size_of::<Steps>()
    }
}

impl Steps {
    fn enter(&mut self, step: u64) -> bool {
        if step > self.newest {
            let passed = step - self.newest;
            if passed >= STEPS {
                self.bits = [0; WORDS];
            } else {
                (self.newest + 1..=step).for_each(|step| self.clear(step));
            }
            self.newest = step;
        } else if self.newest - step >= STEPS {
            return false;
        }
        let (word, bit) = place(step);
        let before = self.bits[word] & bit != 0;
        self.bits[word] |= bit;
        before
    }

    fn clear(&mut self, step: u64) {
        let (word, bit) = place(step);
        self.bits[word] &= !bit;
    }
}

#[allow(clippy::cast_possible_truncation)] // below STEPS
fn place(step: u64) -> (usize, u64) {
    let at = step % STEPS;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_each_key_once() {
        let mut spent = Spent::default();
        for step in [29_800_000, 29_800_005, 29_799_990, 29_800_001] {
            assert!(!spent.enter(3, step), "{step}");
            assert!(spent.enter(3, step), "{step}");
            assert!(!spent.enter(2, step), "{step}");
        }
    }

    #[test]
    fn agrees_with_a_set_over_what_it_remembers() {
        use std::collections::HashSet;
        let (mut spent, mut all) = (Spent::default(), HashSet::new());
        let (mut step, mut seed) = (1_000_000_u64, 1_u64);
        let mut newest = step;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Forward by up to 60, or back by up to 1,000; now and then a leap over everything.
            step = match seed >> 60 {
                0 => newest - (seed >> 32) % 1000,
                1 if seed >> 50 & 0xff == 0 => newest + 5000,
                _ => newest + (seed >> 32) % 60,
            };
            newest = newest.max(step);
            assert_eq!(spent.enter(0, step), !all.insert(step), "{step}");
        }
    }

    #[test]
    fn memory_does_not_grow_with_time() {
        let mut spent = Spent::default();
        for key in 0..1000 {
            spent.enter(key, 1);
        }
        let after_one = spent.bytes();
        // A week of sixty-second steps.
        for step in 2..10_080 {
            for key in (0..1000).step_by(50) {
                assert!(!spent.enter(key, step));
            }
        }
        assert_eq!(spent.bytes(), after_one);
        assert!(after_one < 1000 * 160, "{after_one}");
    }
}
