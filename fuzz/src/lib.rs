//! What the fuzz targets have in common.

use std::alloc::System;
use std::fmt::Debug;
use std::io::Read;

use trousseau::pskc::Limits;
use trousseau::secret::Secret;

/// Most that may be allocated at one time, the corpus apart: whatever a file of some kilobytes asks
/// for, it must not get this much. An allocation beyond fails, which ends the process.
const MOST: usize = 96 << 20;

#[global_allocator]
static ALLOCATOR: cap::Cap<System> = cap::Cap::new(System, MOST);

/// The transport key of the vectors of python-pskc, and of the seeds.
pub const KEY: [u8; 16] = [
    0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12,
];

/// The spellings in which `secret` could be shown: raw, base64, hexadecimal, base32.
pub fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, HEXLOWER, HEXUPPER};
    [&BASE64_NOPAD, &HEXLOWER, &HEXUPPER, &BASE32_NOPAD]
        .iter()
        .map(|encoding| encoding.encode(secret).into_bytes())
        .chain([secret.to_vec()])
        .collect()
}

/// Makes sure that no spelling of `secret`, which the target chose, is in `text`, unless `input` had
/// it there in clear.
pub fn assert_silent(text: &str, secret: &[u8], input: &[u8]) {
    for spelling in spellings(secret) {
        let shown = contains(text.as_bytes(), &spelling) && !contains(input, &spelling);
        assert!(!shown, "a secret is shown: {text}");
    }
}

/// Makes sure that no spelling of `secret` is in `text`, unless `input` had it there in clear. The
/// secret is of the fuzzer's making, which soon finds one that is a word of the message: only
/// spellings count that no word looks like.
pub fn assert_veiled(text: &str, secret: &[u8], input: &[u8]) {
    let telling = |spelling: &&Vec<u8>| {
        spelling.len() >= 22
            && spelling.iter().all(u8::is_ascii_alphanumeric)
            && !spelling.iter().all(u8::is_ascii_lowercase)
    };
    for spelling in spellings(secret).iter().filter(telling) {
        let shown = contains(text.as_bytes(), spelling) && !contains(input, spelling);
        assert!(!shown, "a secret is shown: {text}");
    }
}

/// Makes sure that the secret of `one` is not in its debugging output: `other`, which has another
/// secret of the same length, looks the same.
pub fn assert_redacted<T: Debug>(one: &T, other: &T) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"), "the secret is shown");
}

/// Another secret, as long as `secret`.
pub fn another(secret: &Secret) -> Secret {
    Secret::new(secret.expose().iter().map(|byte| !byte).collect())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The bytes of `input`, a few at a time, so that buffers end everywhere.
pub struct Trickle<'a> {
    input: &'a [u8],
    step: usize,
}

impl<'a> Trickle<'a> {
    /// Portions of 1, 2, 3 and so on up to 16 bytes, over and over.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, step: 0 }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.step = self.step % 16 + 1;
        let len = self.step.min(out.len());
        self.input.read(&mut out[..len])
    }
}

/// The secret in `bytes`.
pub fn secret(bytes: &[u8]) -> Secret {
    Secret::from(bytes)
}

/// The usual limits, but for iterations: what takes long finds little.
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.set("iterations=2000").expect("a limit");
    limits
}
