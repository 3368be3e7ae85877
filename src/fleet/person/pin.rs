//! The PIN that a person chooses, and how it is mistyped.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::target::PinCharacters;

/// Characters without look-alikes, the digits first.
const CHARACTERS: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyz";
/// How many of them are digits.
const DIGITS: usize = 8;

/// A PIN of `length` characters of the kinds that the server takes; at least 2 where it wants both.
pub(super) fn choose_pin(length: u8, characters: PinCharacters, rng: &mut ChaCha8Rng) -> String {
    let choice = match characters {
        PinCharacters::Digits => &CHARACTERS[..DIGITS],
        PinCharacters::Letters => &CHARACTERS[DIGITS..],
        PinCharacters::LettersOrDigits | PinCharacters::LettersAndDigits => CHARACTERS,
    };
    loop {
        let pin: String =
            (0..length).map(|_| char::from(choice[rng.random_range(0..choice.len())])).collect();
        let both = pin.contains(|c: char| c.is_ascii_digit())
            && pin.contains(|c: char| c.is_ascii_alphabetic());
        // Chosen anew as a whole: to put one in its place would make some PINs likelier.
        if both || length < 2 || characters != PinCharacters::LettersAndDigits {
            return pin;
        }
    }
}

/// The PIN with one character wrong, but of its kind; which one differs from person to person.
pub(super) fn mistyped(pin: &str, index: u32) -> String {
    let place = index as usize % pin.len().max(1);
    let other = |c: char| match c {
        '2' => '3',
        '0'..='9' => '2',
        'a' => 'b',
        _ => 'a',
    };
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
            let pin = choose_pin(4 + (index % 3) as u8, PinCharacters::default(), &mut rng);
            assert_eq!(pin.len(), 4 + index as usize % 3);
            let wrong = mistyped(&pin, index);
            assert_ne!(wrong, pin);
            assert_eq!(wrong.len(), pin.len());
        }
    }

    #[test]
    fn a_pin_is_of_the_characters_that_the_server_takes() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for characters in [
            PinCharacters::Digits,
            PinCharacters::Letters,
            PinCharacters::LettersOrDigits,
            PinCharacters::LettersAndDigits,
        ] {
            let pins: Vec<String> = (0..500).map(|_| choose_pin(4, characters, &mut rng)).collect();
            let with = |kind: fn(&char) -> bool| {
                pins.iter().filter(|pin| pin.chars().any(|c| kind(&c))).count()
            };
            let digits = with(char::is_ascii_digit);
            let letters = with(char::is_ascii_alphabetic);
            match characters {
                PinCharacters::Digits => assert_eq!((letters, digits), (0, 500)),
                PinCharacters::Letters => assert_eq!((letters, digits), (500, 0)),
                PinCharacters::LettersAndDigits => assert_eq!((letters, digits), (500, 500)),
                PinCharacters::LettersOrDigits => {
                    // Three quarters are letters: 4 of them in a PIN in one of three.
                    assert!((1..500).contains(&digits) && letters > digits, "{letters} {digits}");
                }
            }
        }
    }
}
