//! One custodian's part of a key, and its text form.
//!
//! ```text
//! trousseau-key-part 1
//! # remarks for people
//! scheme: xor | threshold
//! set: 16 hexadecimal digits, equal in all parts of one splitting
//! part: 2 of 3
//! needed: 3
//! key-bits: 128 | 192 | 256
//! key-kcv: 6 hexadecimal digits, of the whole key
//! part-kcv: 6 hexadecimal digits, of this part
//! data: 32, 48 or 64 hexadecimal digits, in groups of four
//! ```

use std::fmt;
use std::fmt::Write as _;

use super::text::{Fields, grouped};
use super::{CustodyError, KEY_LENGTHS, Kcv};
use crate::named::named;
use crate::secret::Secret;

const MAGIC: &str = "trousseau-key-part 1";
const NAMES: &[&str] =
    &["scheme", "set", "part", "needed", "key-bits", "key-kcv", "part-kcv", "data"];

named! {
    /// How a key was taken apart.
    Scheme {
        /// Components: all are needed, and their XOR is the key.
        Xor = "xor",
        /// Shares of Shamir's scheme over GF(2^8) with the polynomial of AES, one secret byte per
        /// polynomial: any `needed` of them make the key.
        Threshold = "threshold",
    }
}

/// Names one splitting: parts of different splittings never go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetId([u8; 8]);

impl SetId {
    /// A new one.
    ///
    /// # Errors
    /// [`CustodyError::Random`].
    pub fn random() -> Result<Self, CustodyError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// One custodian's part. Its `Debug` is redacted as far as the data go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How the key was taken apart.
    pub scheme: Scheme,
    /// Which splitting it belongs to.
    pub set: SetId,
    /// Number of this part, from 1; the x coordinate of a share.
    pub index: u8,
    /// Parts made.
    pub of: u8,
    /// Parts needed.
    pub needed: u8,
    /// Check value of the whole key.
    pub key_kcv: Kcv,
    /// As many bytes as the key.
    pub data: Secret,
}

impl Part {
    /// Whether `text` begins as a part does.
    #[must_use]
    pub fn is_part(text: &Secret) -> bool {
        text.expose().starts_with(b"trousseau-key-part")
    }

    /// Check value of this part alone, by which a custodian sees that it was copied faithfully.
    ///
    /// # Errors
    /// [`CustodyError::KeyLength`].
    pub fn kcv(&self) -> Result<Kcv, CustodyError> {
        Kcv::of(&self.data)
    }

    /// The text form.
    ///
    /// # Errors
    /// [`CustodyError::KeyLength`].
    pub fn to_text(&self) -> Result<Secret, CustodyError> {
        let Self { scheme, set, index, of, needed, key_kcv, data } = self;
        let rule = match scheme {
            Scheme::Xor => format!("All {of} components together make the key"),
            Scheme::Threshold => format!("Any {needed} of the {of} shares make the key"),
        };
        // Room for all of it, so that no copy is left behind by growing.
        let mut text = String::with_capacity(1024);
        let _ = write!(
            text,
            "{MAGIC}\n# {rule}; fewer tell nothing about it.\n# Keep this part secret, and apart \
             from the others.\nscheme: {scheme}\nset: {set}\npart: {index} of {of}\nneeded: \
             {needed}\nkey-bits: {bits}\nkey-kcv: {key_kcv}\npart-kcv: {kcv}\ndata: ",
            bits = data.len() * 8,
            kcv = self.kcv()?,
        );
        text.push_str(&grouped(data));
        text.push('\n');
        Ok(Secret::new(text.into_bytes()))
    }

    /// Reads the text form and holds the data against the part's own check value.
    ///
    /// # Errors
    /// [`CustodyError::File`], [`CustodyError::Line`] or [`CustodyError::PartCheck`], with `file`
    /// as the place.
    pub fn from_text(file: &str, text: &Secret) -> Result<Self, CustodyError> {
        let fields = Fields::read(file, text, MAGIC, NAMES)?;
        let scheme = fields.parse("scheme")?;
        let set = fields.hex("set", 8)?;
        let set = <[u8; 8]>::try_from(set.expose())
            .map_err(|_| fields.line(fields.get("set").0, "`set` has 16 hexadecimal digits"))?;
        let (part_line, part) = fields.get("part");
        let (index, of) = part
            .split_once(" of ")
            .and_then(|(index, of)| Some((index.trim().parse().ok()?, of.trim().parse().ok()?)))
            .filter(|(index, of): &(u8, u8)| *of >= 2 && (1..=*of).contains(index))
            .ok_or_else(|| fields.line(part_line, "`part` is not of the form `2 of 3`"))?;
        let needed: u8 = fields.parse("needed")?;
        let sensible = match scheme {
            Scheme::Xor => needed == of,
            Scheme::Threshold => (2..=of).contains(&needed),
        };
        if !sensible {
            let (line, _) = fields.get("needed");
            return Err(fields.line(line, format!("`needed` cannot be {needed} of {of}")));
        }
        let data = fields.hex("data", KEY_LENGTHS[2])?;
        let bits: usize = fields.parse("key-bits")?;
        if data.len() * 8 != bits || !KEY_LENGTHS.contains(&data.len()) {
            let (line, _) = fields.get("data");
            let problem = format!("`data` has {} bits, and `key-bits` says {bits}", data.len() * 8);
            return Err(fields.line(line, problem));
        }
        let stated = fields.parse("part-kcv")?;
        let key_kcv = fields.parse("key-kcv")?;
        let part = Self { scheme, set: SetId(set), index, of, needed, key_kcv, data };
        match part.kcv()? {
            found if found == stated => Ok(part),
            found => Err(CustodyError::PartCheck { file: file.to_owned(), index, stated, found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Part {
        Part {
            scheme: Scheme::Xor,
            set: SetId([1, 2, 3, 4, 5, 6, 7, 8]),
            index: 2,
            of: 3,
            needed: 3,
            key_kcv: "A1B2C3".parse().unwrap(),
            data: Secret::from_hex("2b7e151628aed2a6abf7158809cf4f3c").unwrap(),
        }
    }

    fn text_of(part: &Part) -> String {
        String::from_utf8(part.to_text().unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn the_text_form_is_this_and_is_read_back() {
        let text = text_of(&part());
        assert_eq!(
            text,
            "trousseau-key-part 1\n\
             # All 3 components together make the key; fewer tell nothing about it.\n\
             # Keep this part secret, and apart from the others.\n\
             scheme: xor\nset: 0102030405060708\npart: 2 of 3\nneeded: 3\nkey-bits: 128\n\
             key-kcv: A1B2C3\npart-kcv: 7AD386\n\
             data: 2b7e 1516 28ae d2a6 abf7 1588 09cf 4f3c\n"
        );
        assert_eq!(Part::from_text("p", &Secret::from(text.as_bytes())).unwrap(), part());
    }

    #[test]
    fn a_mistyped_digit_is_noticed_by_the_check_value() {
        let text = text_of(&part()).replace("2b7e 1516", "2b7e 1517");
        let error = Part::from_text("p2", &Secret::from(text.as_bytes())).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("p2: part 2 has the check value "), "{message}");
        assert!(message.ends_with(", but says 7AD386: it is damaged or mistyped"), "{message}");
        assert!(!message.contains("1517"));
    }

    #[test]
    fn every_impossible_field_is_placed() {
        for (from, to, expected) in [
            ("scheme: xor", "scheme: rot13", "p:4: `scheme`: unknown scheme \"rot13\""),
            ("set: 01", "set: ", "p:5: `set` has 16 hexadecimal digits"),
            ("part: 2 of 3", "part: 4 of 3", "p:6: `part` is not of the form `2 of 3`"),
            ("part: 2 of 3", "part: 0 of 3", "p:6: `part` is not of the form `2 of 3`"),
            ("part: 2 of 3", "part: 1 of 1", "p:6: `part` is not of the form `2 of 3`"),
            ("needed: 3", "needed: 2", "p:7: `needed` cannot be 2 of 3"),
            ("needed: 3", "needed: 300", "p:7: `needed`: number too large to fit in target type"),
            (
                "key-bits: 128",
                "key-bits: 192",
                "p:11: `data` has 128 bits, and `key-bits` says 192",
            ),
            (
                "part-kcv: 7",
                "part-kcv: x",
                "p:10: `part-kcv`: a key check value has 6 hexadecimal digits",
            ),
            ("09cf 4f3c", "09cf 4f", "p:11: `data` has 120 bits, and `key-bits` says 128"),
            ("09cf", "09cg", "p:11: `data` is not hexadecimal, or too long"),
        ] {
            let text = text_of(&part());
            assert!(text.contains(from), "{from}");
            let text = Secret::from(text.replacen(from, to, 1).as_bytes());
            assert_eq!(Part::from_text("p", &text).unwrap_err().to_string(), expected);
        }
    }
}
