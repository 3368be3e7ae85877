//! For tests: the cases of Project Wycheproof that `tests/vectors/wycheproof` keeps.

use serde::Deserialize;

/// Cases of one algorithm.
#[derive(Deserialize)]
pub(crate) struct Suite {
    pub(crate) groups: Vec<Group>,
}

/// Cases that have their parameters in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(crate) struct Group {
    /// Of a MAC, in bits.
    pub(crate) tag_size: usize,
    pub(crate) private_key_pem: String,
    pub(crate) tests: Vec<Case>,
}

/// One case; byte strings in hexadecimal.
#[derive(Deserialize, Default, Debug)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Case {
    pub(crate) tc_id: u32,
    pub(crate) comment: String,
    pub(crate) flags: Vec<String>,
    pub(crate) key: String,
    pub(crate) iv: String,
    pub(crate) msg: String,
    pub(crate) ct: String,
    pub(crate) tag: String,
    pub(crate) password: String,
    pub(crate) salt: String,
    pub(crate) iteration_count: u32,
    pub(crate) dk_len: usize,
    pub(crate) dk: String,
    pub(crate) result: Verdict,
}

/// What the case asks for.
#[derive(Deserialize, Default, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    #[default]
    Valid,
    Invalid,
    /// Right, but something that not everybody allows.
    Acceptable,
}

impl Case {
    pub(crate) fn is_valid(&self) -> bool {
        self.result == Verdict::Valid
    }

    /// Whether it is marked `flag`.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

/// The cases of the file `name`.
pub(crate) fn suite(name: &str) -> Suite {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/wycheproof/");
    let text = std::fs::read(format!("{folder}{name}.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// All cases of the file `name`, which must be `count`: none is lost unnoticed.
pub(crate) fn cases(name: &str, count: usize) -> Vec<Case> {
    let cases: Vec<Case> = suite(name).groups.into_iter().flat_map(|group| group.tests).collect();
    assert_eq!(cases.len(), count, "{name}");
    cases
}

/// The bytes of `text`.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}
