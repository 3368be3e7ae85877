//! From the words of a definition to a format: every field name, encoding, pattern and template is
//! checked here, once, with the key of the definition in the message.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::cell::{Case, Column, Condition, Needed, Piece};
use super::example::Example;
use super::field::{Choice, Field};
use super::limits::{FieldLimit, HashByLen, Limits};
use super::lines::{Delimiter, Lines};
use super::loss::Carriage;
use super::pieces;
use super::shape::{
    CaseShape, ColumnShape, CsvShape, FieldShape, LimitsShape, SettingShape, Shape, Wanted,
};
use super::template::Templates;
use crate::definition::{Definition, DefinitionError, parse};

/// How one kind of server wants its import file.
#[derive(Debug)]
pub struct Format {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) source: Vec<String>,
    pub(super) with_roster: Option<String>,
    pub(super) settings: BTreeMap<String, SettingShape>,
    pub(super) limits: Limits,
    pub(super) carriage: Carriage,
    pub(super) body: Body,
    pub(super) examples: Vec<Example>,
}

/// The kinds of files there are.
#[derive(Debug)]
pub(super) enum Body {
    Lines(Lines),
    Templates(Box<Templates>),
    Pskc,
}

impl Format {
    /// Compiles `definition`.
    ///
    /// # Errors
    /// [`DefinitionError`], with line and column where the shape is wrong and with the key where
    /// the meaning is.
    pub fn compile(definition: &Definition) -> Result<Self, DefinitionError> {
        let shape: Shape = parse(&definition.file, &definition.text)?;
        compile(definition, shape).map_err(|why| DefinitionError::meaning(&definition.file, why))
    }

    /// Its name: that of the file, without `.toml`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What to know of it.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Where its facts come from.
    #[must_use]
    pub fn source(&self) -> &[String] {
        &self.source
    }

    /// The format to take instead when there is a roster.
    #[must_use]
    pub fn with_roster(&self) -> Option<&str> {
        self.with_roster.as_deref()
    }

    /// Whether files of this format can be read back into keys.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        matches!(self.body, Body::Lines(_) | Body::Pskc)
    }

    /// Whether each key becomes a file of its own, in a folder.
    #[must_use]
    pub fn is_file_per_key(&self) -> bool {
        matches!(&self.body, Body::Templates(templates) if templates.file_per_key)
    }

    /// Whether it is an encrypted container rather than seeds in plain text.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.body, Body::Pskc)
    }

    /// Name, default and meaning of each setting that `--set` may give.
    pub fn settings(&self) -> impl Iterator<Item = (&str, Option<&str>, &str)> {
        self.settings
            .iter()
            .map(|(name, setting)| (name.as_str(), setting.default.as_deref(), &*setting.about))
    }
}

fn compile(definition: &Definition, shape: Shape) -> Result<Format, String> {
    let body = match (shape.csv, shape.template, shape.pskc) {
        (Some(csv), None, None) => Body::Lines(lines(csv)?),
        (None, Some(template), None) => Body::Templates(Box::new(Templates::compile(&template)?)),
        (None, None, Some(_)) => Body::Pskc,
        _ => return Err("exactly one of the tables [csv], [template], [pskc] is wanted".into()),
    };
    let carriage = Carriage {
        details: matches!(body, Body::Pskc),
        carried: carried(&body),
        assumed: facts("assumed", shape.assumed.iter().map(|(k, v)| (k, v.text())))?,
        by_hand: facts("by_hand", shape.by_hand.iter().map(|(k, v)| (k, v.clone())))?,
    };
    for field in &carriage.carried {
        if let Field::Setting(name) = field
            && !shape.settings.contains_key(name)
        {
            return Err(format!("set.{name} is used, but there is no [settings.{name}]"));
        }
    }
    let whole = matches!(body, Body::Pskc);
    let limits = Limits { whole, ..limits(&shape.limits, &shape.fields)? };
    let unexplained = carriage.unexplained(&limits);
    if let (Some(field), None) = (unexplained.first(), &limits.refused) {
        return Err(format!(
            "nothing says how the {field} reaches the server: carry it in the file, limit it to \
             one value under [limits], or say what the server takes under [assumed] or [by_hand]"
        ));
    }
    if shape.example.is_empty() {
        return Err("at least one [[example]] is wanted: it is the format's test".into());
    }
    let examples = shape.example.into_iter().enumerate();
    Ok(Format {
        name: definition.name.clone(),
        file: definition.file.clone(),
        title: shape.title,
        about: shape.about,
        source: shape.source,
        with_roster: shape.with_roster,
        settings: shape.settings,
        limits,
        carriage,
        body,
        examples: examples
            .map(|(index, example)| {
                Example::compile(example).map_err(|why| format!("example[{index}]: {why}"))
            })
            .collect::<Result<_, _>>()?,
    })
}

fn carried(body: &Body) -> BTreeSet<Field> {
    match body {
        Body::Lines(lines) => lines.columns.iter().flat_map(Column::fields).cloned().collect(),
        Body::Templates(templates) => templates.fields.iter().cloned().collect(),
        Body::Pskc => super::field::NAMED.into_iter().map(|(_, field)| field).collect(),
    }
}

fn facts<'a>(
    table: &str,
    entries: impl Iterator<Item = (&'a String, String)>,
) -> Result<BTreeMap<Field, String>, String> {
    entries
        .map(|(name, value)| {
            Field::parse(name).map(|field| (field, value)).map_err(|why| format!("{table}: {why}"))
        })
        .collect()
}

fn limits(shape: &LimitsShape, fields: &BTreeMap<String, FieldShape>) -> Result<Limits, String> {
    fn words<T: std::str::FromStr<Err = String>>(
        key: &str,
        words: Option<&Vec<String>>,
    ) -> Result<Option<Vec<T>>, String> {
        let parse = |word: &String| word.parse().map_err(|why| format!("limits.{key}: {why}"));
        words.map(|words| words.iter().map(parse).collect()).transpose()
    }
    let mut by_len = None;
    if !shape.hash_by_secret_bytes.is_empty() {
        let (mut lengths, mut default) = (Vec::new(), None);
        for (key, hash) in &shape.hash_by_secret_bytes {
            match key.parse() {
                Ok(len) => lengths.push((len, hash.clone())),
                Err(_) if key == "other" => default = Some(hash.clone()),
                Err(_) => {
                    return Err(format!(
                        "limits.hash_by_secret_bytes.{key}: a number of bytes, or `other`"
                    ));
                }
            }
        }
        let default = default.ok_or("limits.hash_by_secret_bytes wants an entry `other`")?;
        by_len = Some(HashByLen { lengths, default });
    }
    Ok(Limits {
        algorithms: words("algorithms", shape.algorithms.as_ref())?,
        hashes: words("hashes", shape.hashes.as_ref())?,
        digits: shape.digits.clone(),
        periods: shape.periods.clone(),
        whole: false,
        secret_min: shape.secret_bytes.and_then(|range| range.min).unwrap_or(1),
        secret_max: shape.secret_bytes.and_then(|range| range.max),
        hash_by_len: by_len,
        rows: shape.rows,
        bytes: shape.bytes,
        refused: shape.refused.clone(),
        fields: fields
            .iter()
            .map(|(name, field)| {
                field_limit(name, field).map_err(|why| format!("fields.{name}: {why}"))
            })
            .collect::<Result<_, _>>()?,
    })
}

fn field_limit(name: &str, shape: &FieldShape) -> Result<FieldLimit, String> {
    let pattern = match &shape.pattern {
        Some(pattern) => {
            let whole =
                Regex::new(&format!("^(?:{pattern})$")).map_err(|e| format!("pattern: {e}"))?;
            Some((pattern.clone(), whole))
        }
        None => None,
    };
    let choice = Choice::parse(name)?;
    if choice.0.contains(&Field::Secret) {
        return Err("the seed has limits.secret_bytes".into());
    }
    let FieldShape { max, required, unique, .. } = *shape;
    Ok(FieldLimit { choice, pattern, max, required, unique, why: shape.why.clone() })
}

fn lines(shape: CsvShape) -> Result<Lines, String> {
    let mut characters = shape.delimiter.chars();
    let delimiter = match (shape.delimiter.as_str(), characters.next(), characters.next()) {
        ("whitespace", ..) => Delimiter::Whitespace,
        (_, Some(c), None) if c.is_ascii() && !c.is_alphanumeric() => Delimiter::Char(c),
        (other, ..) => {
            return Err(format!(
                "csv.delimiter: {other:?} is neither one punctuation character nor \"whitespace\""
            ));
        }
    };
    if shape.column.is_empty() {
        return Err("csv.column: at least one column is wanted".into());
    }
    let columns = shape
        .column
        .iter()
        .enumerate()
        .map(|(index, column)| {
            self::column(index, column).map_err(|why| format!("csv.column[{index}]: {why}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let open = columns.iter().rposition(|column| !column.optional).unwrap_or(0);
    if let Some(column) = columns[..open].iter().find(|column| column.optional) {
        return Err(format!("csv.column {}: only the last columns may be optional", column.name));
    }
    Ok(Lines {
        delimiter,
        preamble: shape.preamble.into_iter().chain(shape.header).collect(),
        quote: shape.quote,
        eol: shape.eol,
        comment: shape.comment,
        formulas: shape.formulas,
        columns,
    })
}

fn column(index: usize, shape: &ColumnShape) -> Result<Column, String> {
    let lone = CaseShape {
        field: shape.field.clone(),
        text: shape.text.clone(),
        encoding: shape.encoding.clone(),
        map: shape.map.clone(),
        ..CaseShape::default()
    };
    let cases = match (shape.cases.is_empty(), lone.field.is_some() || lone.text.is_some()) {
        (true, true) => vec![case(&lone)?],
        (false, false) => shape.cases.iter().map(case).collect::<Result<_, _>>()?,
        _ => return Err("one of `field`, `text` or `cases` is wanted".into()),
    };
    let name = shape.name.as_ref().or(shape.field.as_ref());
    Ok(Column {
        name: name
            .map_or_else(|| (index + 1).to_string(), |name| format!("{} ({name})", index + 1)),
        cases,
        empty: shape.empty.clone(),
        optional: shape.optional,
        default: shape.default.clone(),
    })
}

fn case(shape: &CaseShape) -> Result<Case, String> {
    let mut pieces = match (&shape.field, &shape.text) {
        (Some(field), None) => vec![pieces::value(field, shape.encoding.as_deref())?],
        (None, Some(_)) if shape.encoding.is_some() => {
            return Err("in `text` the encoding stands in the braces: {secret:hex}".into());
        }
        (None, Some(text)) => pieces::parse(text)?,
        _ => return Err("one of `field` and `text` is wanted".into()),
    };
    match pieces.as_mut_slice() {
        [Piece::Value { map, .. }] => {
            *map = shape.map.iter().map(|(ours, theirs)| (ours.clone(), theirs.clone())).collect();
        }
        _ if shape.map.is_empty() => {}
        _ => return Err("a `map` is for a single field".into()),
    }
    let when = shape.when.iter().map(condition).collect::<Result<_, _>>()?;
    Ok(Case { when, shape: pieces::shape(&pieces)?, pieces })
}

fn condition((name, wanted): (&String, &Wanted)) -> Result<Condition, String> {
    use super::shape::Scalar;
    let field = Field::parse(name).map_err(|why| format!("when: {why}"))?;
    let wanted = match wanted {
        Wanted::One(Scalar::Flag(present)) => Needed::Present(*present),
        Wanted::One(one) => Needed::OneOf(vec![one.text()]),
        Wanted::Any(any) => Needed::OneOf(any.iter().map(Scalar::text).collect()),
    };
    if field.is_secret() && !matches!(wanted, Needed::Present(_)) {
        return Err(format!("when.{name}: a secret can only be present (true) or not (false)"));
    }
    Ok(Condition { field, wanted })
}
