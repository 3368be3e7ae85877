//! The TOML shape of a definition, word for word; `docs/formats.md` is its manual. What the words
//! mean together is checked in `compile`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A definition file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) title: String,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) source: Vec<String>,
    pub(super) with_roster: Option<String>,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, SettingShape>,
    #[serde(default)]
    pub(super) limits: LimitsShape,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, FieldShape>,
    #[serde(default)]
    pub(super) assumed: BTreeMap<String, Scalar>,
    #[serde(default)]
    pub(super) by_hand: BTreeMap<String, String>,
    pub(super) csv: Option<CsvShape>,
    pub(super) template: Option<TemplateShape>,
    pub(super) pskc: Option<PskcShape>,
    #[serde(default)]
    pub(super) example: Vec<ExampleShape>,
}

/// `[settings.NAME]`: what `--set NAME=VALUE` may give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingShape {
    pub(super) about: String,
    pub(super) default: Option<String>,
}

/// `[limits]`: what the server takes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsShape {
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) hashes: Option<Vec<String>>,
    pub(super) digits: Option<Vec<u8>>,
    pub(super) periods: Option<Vec<u32>>,
    pub(super) secret_bytes: Option<RangeShape>,
    #[serde(default)]
    pub(super) hash_by_secret_bytes: BTreeMap<String, String>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) refused: Option<String>,
}

/// `{ min = 16, max = 32 }`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeShape {
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
}

/// `[fields.NAME]`: what the server takes in one field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldShape {
    pub(super) pattern: Option<String>,
    pub(super) max: Option<usize>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) unique: bool,
    /// Why, in words for the person who gets the refusal.
    pub(super) why: Option<String>,
}

/// A number, a text or a truth value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Flag(bool),
    Number(u64),
    Text(String),
}

impl Scalar {
    /// As the text that a field has.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// `[csv]`: one line per key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CsvShape {
    pub(super) delimiter: String,
    #[serde(default)]
    pub(super) preamble: Vec<String>,
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) quote: Quote,
    #[serde(default)]
    pub(super) eol: Eol,
    pub(super) comment: Option<String>,
    #[serde(default)]
    pub(super) formulas: Formulas,
    pub(super) column: Vec<ColumnShape>,
}

/// When cells are quoted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Quote {
    /// The server knows no quotes: a cell that would need them is refused.
    #[default]
    Never,
    Needed,
    Always,
}

/// How lines end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Eol {
    #[default]
    Lf,
    Crlf,
}

/// What to do with a cell that a spreadsheet would run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Formulas {
    #[default]
    Refuse,
    /// The file is no spreadsheet's business.
    Exact,
}

/// `[[csv.column]]`: a cell, or the cases it has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnShape {
    pub(super) name: Option<String>,
    pub(super) field: Option<String>,
    pub(super) text: Option<String>,
    pub(super) encoding: Option<String>,
    #[serde(default)]
    pub(super) map: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) cases: Vec<CaseShape>,
    #[serde(default)]
    pub(super) empty: String,
    #[serde(default)]
    pub(super) optional: bool,
    pub(super) default: Option<String>,
}

/// One case of a cell, taken when every condition holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseShape {
    #[serde(default)]
    pub(super) when: BTreeMap<String, Wanted>,
    pub(super) field: Option<String>,
    pub(super) text: Option<String>,
    pub(super) encoding: Option<String>,
    #[serde(default)]
    pub(super) map: BTreeMap<String, String>,
}

/// What a condition wants: a value, one of several, or whether there is any.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Wanted {
    One(Scalar),
    Any(Vec<Scalar>),
}

/// `[template]`: a text per key, and one before, between and after.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateShape {
    pub(super) escape: Escape,
    pub(super) file: Option<String>,
    #[serde(default)]
    pub(super) head: String,
    pub(super) record: String,
    #[serde(default)]
    pub(super) separator: String,
    #[serde(default)]
    pub(super) foot: String,
}

/// How every value in a template is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Escape {
    /// As it is (control characters are refused everywhere).
    None,
    Xml,
    /// The inside of a JSON string; also right between YAML double quotes.
    Json,
    Url,
}

/// `[pskc]`: an RFC 6030 file under another key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PskcShape {}

/// `[[example]]`: keys in, exact text out; or keys in, refused with these words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleShape {
    pub(super) about: String,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) allow_loss: bool,
    pub(super) output: Option<String>,
    pub(super) refused: Option<String>,
    #[serde(default = "yes")]
    pub(super) reads_back: bool,
    pub(super) key: Vec<KeyShape>,
}

/// `[[example.key]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyShape {
    pub(super) serial: String,
    pub(super) secret_hex: String,
    pub(super) algorithm: String,
    #[serde(default = "sha1")]
    pub(super) hash: String,
    #[serde(default = "six")]
    pub(super) digits: u8,
    pub(super) period: Option<u32>,
    #[serde(default)]
    pub(super) counter: u64,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) start_date: Option<String>,
    pub(super) expiry_date: Option<String>,
    pub(super) user: Option<String>,
    pub(super) pin: Option<String>,
    #[serde(default)]
    pub(super) roster: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

fn sha1() -> String {
    "sha1".into()
}

fn six() -> u8 {
    6
}
