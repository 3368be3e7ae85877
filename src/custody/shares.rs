//! Taking a key apart, and putting it together again.

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use vsss_rs::Gf256;
use zeroize::Zeroize;

use super::{CustodyError, Kcv, Part, Scheme, SetId};
use crate::secret::Secret;

/// Takes `key` apart into 2 or 3 components whose XOR it is: all but the last are random, so that
/// any set without one of them is independent of the key.
///
/// # Errors
/// [`CustodyError::KeyLength`], [`CustodyError::Counts`] or [`CustodyError::Random`].
pub fn split_xor(key: &Secret, components: u8) -> Result<Vec<Part>, CustodyError> {
    let key_kcv = Kcv::of(key)?;
    if !(2..=3).contains(&components) {
        return Err(CustodyError::Counts(format!(
            "a key is split into 2 or 3 components, not {components}"
        )));
    }
    let mut last = key.clone();
    let mut data = Vec::new();
    for _ in 1..components {
        let component = Secret::random(key.len())?;
        last = xor(&last, &component);
        data.push(component);
    }
    data.push(last);
    refuse_weak(&data)?;
    let set = SetId::random()?;
    let parts = (1..=components).zip(data).map(|(index, data)| Part {
        scheme: Scheme::Xor,
        set,
        index,
        of: components,
        needed: components,
        key_kcv,
        data,
    });
    checked(key, parts.collect())
}

/// Takes `key` apart into `shares` shares of which any `threshold` make it again, and fewer tell
/// nothing about it (Shamir 1979). 2 <= `threshold` <= `shares` <= 255.
///
/// # Errors
/// [`CustodyError::KeyLength`], [`CustodyError::Counts`] or [`CustodyError::Random`].
pub fn split_threshold(key: &Secret, threshold: u8, shares: u8) -> Result<Vec<Part>, CustodyError> {
    let key_kcv = Kcv::of(key)?;
    if !(2..=shares).contains(&threshold) {
        return Err(CustodyError::Counts(format!(
            "{threshold} of {shares} shares is no threshold: it takes 2 <= K <= N"
        )));
    }
    // The generator below panics without entropy; asking first makes that an error.
    drop(Secret::random(1)?);
    let split =
        Gf256::split_bytes(threshold.into(), shares.into(), key.expose(), UnwrapErr(SysRng))
            .map_err(|error| refused(Scheme::Threshold, error))?;
    let set = SetId::random()?;
    let parts = split.into_iter().map(|mut point| {
        let data = Secret::from(&point[1..]);
        let index = point[0];
        point.zeroize();
        Part { scheme: Scheme::Threshold, set, index, of: shares, needed: threshold, key_kcv, data }
    });
    checked(key, parts.collect())
}

/// Puts a key together from `parts`, each with the name of its file. All components, or at least
/// as many shares as needed, in any order; the result is held against the key's check value.
///
/// # Errors
/// [`CustodyError::Mixed`], [`CustodyError::Duplicate`], [`CustodyError::TooFew`] or
/// [`CustodyError::KeyCheck`]: then no key comes out.
pub fn combine(parts: &[(String, Part)]) -> Result<Secret, CustodyError> {
    let Some((first_file, first)) = parts.first() else {
        return Err(CustodyError::TooFew { given: 0, needed: 2, missing: String::new() });
    };
    for (position, (file, part)) in parts.iter().enumerate() {
        if let Some(what) = difference(first, part) {
            let (file, first) = (file.clone(), first_file.clone());
            return Err(CustodyError::Mixed { file, first, what });
        }
        if let Some((other, _)) = parts[..position].iter().find(|(_, p)| p.index == part.index) {
            let (file, other, index) = (file.clone(), other.clone(), part.index);
            return Err(CustodyError::Duplicate { file, other, index });
        }
    }
    if parts.len() < first.needed.into() {
        let missing = match first.scheme {
            Scheme::Threshold => String::new(),
            Scheme::Xor => missing(parts, first.of),
        };
        return Err(CustodyError::TooFew { given: parts.len(), needed: first.needed, missing });
    }
    let key = match first.scheme {
        Scheme::Xor => parts[1..].iter().fold(first.data.clone(), |key, (_, p)| xor(&key, &p.data)),
        Scheme::Threshold => interpolate(parts)?,
    };
    match Kcv::of(&key)? {
        found if found == first.key_kcv => Ok(key),
        found => Err(CustodyError::KeyCheck { stated: first.key_kcv, found }),
    }
}

fn xor(a: &Secret, b: &Secret) -> Secret {
    Secret::new(a.expose().iter().zip(b.expose()).map(|(a, b)| a ^ b).collect())
}

fn interpolate(parts: &[(String, Part)]) -> Result<Secret, CustodyError> {
    let mut points: Vec<Vec<u8>> = parts
        .iter()
        .map(|(_, part)| {
            let mut point = Vec::with_capacity(1 + part.data.len());
            point.push(part.index);
            point.extend_from_slice(part.data.expose());
            point
        })
        .collect();
    let key = Gf256::combine_bytes(&points);
    points.zeroize();
    key.map(Secret::new).map_err(|error| refused(Scheme::Threshold, error))
}

fn difference(a: &Part, b: &Part) -> Option<&'static str> {
    [
        (a.set != b.set, "set"),
        (a.scheme != b.scheme, "scheme"),
        (a.of != b.of, "number of parts"),
        (a.needed != b.needed, "needed"),
        (a.data.len() != b.data.len(), "key-bits"),
        (a.key_kcv != b.key_kcv, "key-kcv"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}

fn missing(parts: &[(String, Part)], of: u8) -> String {
    let numbers: Vec<String> = (1..=of)
        .filter(|index| !parts.iter().any(|(_, part)| part.index == *index))
        .map(|index| index.to_string())
        .collect();
    format!(" (missing: {})", numbers.join(", "))
}

/// What a broken random source would give; a sound one does so once in 2^128 ceremonies.
fn refuse_weak(data: &[Secret]) -> Result<(), CustodyError> {
    let zero = data.iter().any(|part| part.expose().iter().all(|byte| *byte == 0));
    let equal = data.iter().enumerate().any(|(i, part)| data[..i].contains(part));
    if zero || equal {
        return Err(CustodyError::Random(": it repeats itself".to_owned()));
    }
    Ok(())
}

/// Puts the key together again before anybody relies on the parts.
fn checked(key: &Secret, parts: Vec<Part>) -> Result<Vec<Part>, CustodyError> {
    let named: Vec<(String, Part)> = parts.into_iter().map(|p| (p.index.to_string(), p)).collect();
    if combine(&named)? != *key {
        return Err(refused(named[0].1.scheme, "the parts do not make the key again"));
    }
    Ok(named.into_iter().map(|(_, part)| part).collect())
}

fn refused(scheme: Scheme, reason: impl ToString) -> CustodyError {
    CustodyError::Scheme { scheme, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::KEY_LENGTHS;
    use proptest::prelude::*;

    fn named(parts: &[Part]) -> Vec<(String, Part)> {
        parts.iter().map(|part| (format!("p{}", part.index), part.clone())).collect()
    }

    fn key(length: usize) -> Secret {
        Secret::random(length).unwrap()
    }

    /// Shamir over GF(2^8) modulo x^8+x^4+x^3+x+1 by the textbook, sharing nothing with the crate:
    /// parts can be put together without this program.
    fn textbook(parts: &[Part]) -> Vec<u8> {
        fn times(mut a: u8, mut b: u8) -> u8 {
            let mut product = 0;
            while b != 0 {
                if b & 1 != 0 {
                    product ^= a;
                }
                a = (a << 1) ^ if a & 0x80 != 0 { 0x1b } else { 0 };
                b >>= 1;
            }
            product
        }
        fn inverse(a: u8) -> u8 {
            (1..=255).find(|b| times(a, *b) == 1).unwrap()
        }
        (0..parts[0].data.len())
            .map(|byte| {
                parts.iter().fold(0, |sum, part| {
                    let weight = parts
                        .iter()
                        .filter(|p| p.index != part.index)
                        .fold(1, |w, p| times(w, times(p.index, inverse(p.index ^ part.index))));
                    sum ^ times(weight, part.data.expose()[byte])
                })
            })
            .collect()
    }

    #[test]
    fn components_make_the_key_in_any_order_and_only_together() {
        for length in KEY_LENGTHS {
            for components in [2, 3] {
                let key = key(length);
                let mut parts = named(&split_xor(&key, components).unwrap());
                parts.reverse();
                assert_eq!(combine(&parts).unwrap(), key);
                let lost = parts.pop().unwrap();
                let error = combine(&parts).unwrap_err().to_string();
                let (given, index) = (components - 1, lost.1.index);
                assert_eq!(
                    error,
                    format!(
                        "{given} of the {components} parts needed were given (missing: {index})"
                    )
                );
            }
        }
    }

    #[test]
    fn every_subset_of_enough_shares_makes_the_key() {
        let key = key(16);
        let parts = split_threshold(&key, 3, 5).unwrap();
        for chosen in 0u8..32 {
            let subset: Vec<Part> = parts
                .iter()
                .filter(|part| chosen & (1 << (part.index - 1)) != 0)
                .cloned()
                .collect();
            if subset.len() >= 3 {
                assert_eq!(combine(&named(&subset)).unwrap(), key);
                assert_eq!(textbook(&subset), key.expose());
            } else {
                let error = combine(&named(&subset)).unwrap_err();
                assert!(matches!(error, CustodyError::TooFew { .. }), "{error}");
            }
        }
    }

    #[test]
    fn mixed_doubled_and_altered_parts_are_named() {
        let key = key(32);
        let one = split_threshold(&key, 2, 3).unwrap();
        let two = split_threshold(&key, 2, 3).unwrap();
        let mixed = [("a".to_owned(), one[0].clone()), ("b".to_owned(), two[1].clone())];
        assert_eq!(
            combine(&mixed).unwrap_err().to_string(),
            "b is of another splitting than a (set differs)"
        );
        let doubled = [("a".to_owned(), one[0].clone()), ("b".to_owned(), one[0].clone())];
        assert_eq!(combine(&doubled).unwrap_err().to_string(), "b and a are both part 1");
        let mut altered = named(&one[..2]);
        altered[1].1.data = Secret::random(32).unwrap();
        let error = combine(&altered).unwrap_err();
        assert!(matches!(error, CustodyError::KeyCheck { .. }), "{error}");
        assert!(error.to_string().ends_with("no key was written"), "{error}");
    }

    #[test]
    fn senseless_numbers_are_refused() {
        let key = key(16);
        for components in [0, 1, 4] {
            let error = split_xor(&key, components).unwrap_err();
            assert!(matches!(error, CustodyError::Counts(_)), "{error}");
        }
        for (threshold, shares) in [(0, 3), (1, 3), (4, 3)] {
            let error = split_threshold(&key, threshold, shares).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{threshold} of {shares} shares")), "{error}");
        }
        assert!(split_xor(&Secret::new(vec![1; 20]), 2).is_err());
        assert_eq!(split_threshold(&key, 255, 255).unwrap().len(), 255);
    }

    proptest! {
        #[test]
        fn any_threshold_makes_the_key(k in 2u8..8, more in 0u8..8, long in 0usize..3) {
            let key = key(KEY_LENGTHS[long]);
            let parts = split_threshold(&key, k, k + more).unwrap();
            prop_assert_eq!(combine(&named(&parts[usize::from(more)..])).unwrap(), key);
        }
    }

    /// RUSTSEC-2024-0398: coefficients that are never zero let somebody with fewer shares rule out
    /// values. With a threshold of 2 a byte of a share is `secret + c * x`, so the secret byte
    /// itself must turn up; the chance of missing it in 64,000 draws is 10^-109.
    #[test]
    fn coefficients_may_be_zero() {
        let key = Secret::new(vec![7; 16]);
        let zero =
            (0..4_000).any(|_| split_threshold(&key, 2, 2).unwrap()[0].data.expose().contains(&7));
        assert!(zero);
    }
}
