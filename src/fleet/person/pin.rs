//! The PIN that a person chooses, and how it is mistyped.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Characters without look-alikes.
const PIN_CHARACTERS: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// A PIN of `length` of them.
pub(super) fn choose_pin(length: u8, rng: &mut ChaCha8Rng) -> String {
    (0..length)
        .map(|_| char::from(PIN_CHARACTERS[rng.random_range(0..PIN_CHARACTERS.len())]))
        .collect()
}

/// The PIN with one character wrong; which one differs from person to person.
pub(super) fn mistyped(pin: &str, index: u32) -> String {
    let place = index as usize % pin.len().max(1);
    let other = |c: char| if c == '2' { '3' } else { '2' };
    pin.chars().enumerate().map(|(at, c)| if at == place { other(c) } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_mistyped_pin_differs_and_a_chosen_one_has_its_length() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for index in 0..50 {
            let pin = choose_pin(4 + (index % 3) as u8, &mut rng);
            assert_eq!(pin.len(), 4 + index as usize % 3);
            let wrong = mistyped(&pin, index);
            assert_ne!(wrong, pin);
            assert_eq!(wrong.len(), pin.len());
        }
    }
}
