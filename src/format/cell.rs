//! One column: what to write for a key, and the same read back.
//!
//! A column has cases; the first whose conditions hold is written. Each case is a row of pieces,
//! literal or a field in an encoding. Reading tries the cases in the same order: a case fits when
//! its pieces match the cell and its conditions do not contradict what is known already; then its
//! fields *and its conditions* are known (`HOTP/T60/6` says algorithm, period and digits).

use regex::Regex;
use zeroize::Zeroizing;

use super::codec::Chain;
use super::draft::Draft;
use super::field::{Choice, Field, Record};

/// A column of a line.
#[derive(Debug)]
pub(super) struct Column {
    /// For messages.
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
    /// Stands for a value that is not there.
    pub(super) empty: String,
    /// May be left off at the end of the line.
    pub(super) optional: bool,
    /// What a line that ends before this column means.
    pub(super) default: Option<String>,
}

/// One thing a column can hold.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) when: Vec<Condition>,
    pub(super) pieces: Vec<Piece>,
    /// Reads the pieces back; each group is the value of a field, in order.
    pub(super) shape: Regex,
}

/// What must hold for a case to be written.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) field: Field,
    pub(super) wanted: Needed,
}

/// The value or presence that a condition wants.
#[derive(Debug)]
pub(super) enum Needed {
    Present(bool),
    OneOf(Vec<String>),
}

/// A part of a cell.
#[derive(Debug)]
pub(super) enum Piece {
    Literal(String),
    Value { choice: Choice, chain: Chain, map: Vec<(String, String)> },
}

/// What a column holds for one key.
pub(super) enum Cell {
    Text(Zeroizing<String>),
    /// No value: `empty` is to be written, or the column left off.
    Empty,
}

impl Column {
    /// What to write for `record`.
    pub(super) fn write(&self, record: &Record<'_>) -> Result<Cell, String> {
        let Some(case) = self.cases.iter().find(|case| case.holds(record)) else {
            if self.optional {
                return Ok(Cell::Empty);
            }
            return Err(format!("the column {} has no case for {}", self.name, self.seen(record)));
        };
        let mut out = Zeroizing::new(String::new());
        for piece in &case.pieces {
            match piece.write(record).map_err(|why| format!("column {}: {why}", self.name))? {
                Some(text) => out.push_str(&text),
                None if case.pieces.len() == 1 => return Ok(Cell::Empty),
                None => return Err(format!("the key has no {}", piece.describe())),
            }
        }
        Ok(Cell::Text(out))
    }

    /// The values that the conditions of the cases look at, for a message.
    fn seen(&self, record: &Record<'_>) -> String {
        let mut fields: Vec<&Field> = self
            .cases
            .iter()
            .flat_map(|case| &case.when)
            .map(|condition| &condition.field)
            .collect();
        fields.sort();
        fields.dedup();
        let value = |field: &Field| {
            format!("{field} {}", record.text(field).as_deref().unwrap_or("(none)"))
        };
        fields.into_iter().map(value).collect::<Vec<_>>().join(", ")
    }

    /// Reads `cell` into `draft`. The message never holds the cell of a secret column.
    pub(super) fn read(&self, cell: &str, draft: &mut Draft) -> Result<(), String> {
        if cell == self.empty && self.may_be_empty() {
            return Ok(());
        }
        let mut why = None;
        for case in &self.cases {
            let mut attempt = draft.clone();
            match case.read(cell, &mut attempt) {
                Ok(true) => {
                    *draft = attempt;
                    return Ok(());
                }
                Ok(false) => {}
                Err(message) => why = why.or(Some(message)),
            }
        }
        let shown = if self.is_secret() { "the cell".into() } else { format!("{cell:?}") };
        Err(match why {
            Some(why) => format!("column {}: {why}", self.name),
            None => format!("column {}: {shown} is nothing this column can hold", self.name),
        })
    }

    fn may_be_empty(&self) -> bool {
        self.cases.iter().any(|case| matches!(case.pieces[..], [Piece::Value { .. }]))
    }

    /// Whether a seed or a PIN stands here.
    pub(super) fn is_secret(&self) -> bool {
        self.fields().any(Field::is_secret)
    }

    /// Every field whose value this column carries.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.cases.iter().flat_map(|case| {
            // A condition is carried only where a literal tells it apart from the other cases.
            let literal = case.pieces.iter().any(|piece| matches!(piece, Piece::Literal(_)));
            let told = case.when.iter().filter(move |_| literal).filter_map(Condition::told);
            told.map(|(field, _)| field).chain(case.pieces.iter().flat_map(Piece::fields))
        })
    }
}

impl Case {
    fn holds(&self, record: &Record<'_>) -> bool {
        self.when.iter().all(|condition| condition.holds(record))
    }

    /// Whether the cell fits; an error when it fits but says something impossible.
    fn read(&self, cell: &str, draft: &mut Draft) -> Result<bool, String> {
        for Condition { field, wanted } in &self.when {
            if let Needed::OneOf(values) = wanted
                && !draft.allows(field, values)
            {
                return Ok(false);
            }
        }
        let Some(groups) = self.shape.captures(cell) else { return Ok(false) };
        for (field, value) in self.when.iter().filter_map(Condition::told) {
            draft.set(field, value.as_bytes())?;
        }
        let values = self.pieces.iter().filter(|piece| matches!(piece, Piece::Value { .. }));
        for (piece, text) in values.zip(groups.iter().skip(1).flatten()) {
            piece.read(text.as_str(), draft)?;
        }
        Ok(true)
    }
}

impl Condition {
    fn holds(&self, record: &Record<'_>) -> bool {
        match &self.wanted {
            Needed::Present(wanted) => record.bytes(&self.field).is_some() == *wanted,
            Needed::OneOf(values) => {
                record.text(&self.field).is_some_and(|text| values.iter().any(|v| *v == text))
            }
        }
    }

    /// The one value that holding means.
    fn told(&self) -> Option<(&Field, &String)> {
        match &self.wanted {
            Needed::OneOf(values) if values.len() == 1 => Some((&self.field, &values[0])),
            _ => None,
        }
    }
}

impl Piece {
    fn fields(&self) -> impl Iterator<Item = &Field> {
        let fields = match self {
            Self::Value { choice, .. } => choice.0.as_slice(),
            Self::Literal(_) => &[],
        };
        fields.iter()
    }

    fn describe(&self) -> String {
        match self {
            Self::Value { choice, .. } => choice.to_string(),
            Self::Literal(text) => format!("{text:?}"),
        }
    }

    fn write(&self, record: &Record<'_>) -> Result<Option<Zeroizing<String>>, String> {
        let (choice, chain, map) = match self {
            Self::Literal(text) => return Ok(Some(Zeroizing::new(text.clone()))),
            Self::Value { choice, chain, map } => (choice, chain, map),
        };
        let Some(bytes) = choice.bytes(record) else { return Ok(None) };
        let text = chain
            .encode(&bytes)
            .ok_or_else(|| format!("the {choice} is no text and cannot be written as it is"))?;
        if map.is_empty() {
            return Ok(Some(text));
        }
        match map.iter().find(|(ours, _)| *ours == *text) {
            Some((_, theirs)) => Ok(Some(Zeroizing::new(theirs.clone()))),
            None => Err(format!("the server has no word for {choice} {}", *text)),
        }
    }

    fn read(&self, text: &str, draft: &mut Draft) -> Result<(), String> {
        let Self::Value { choice, chain, map } = self else { return Ok(()) };
        let Some(target) = choice.target() else { return Ok(()) };
        let mut ours = text;
        if !map.is_empty() {
            let exact = map.iter().find(|(_, theirs)| theirs == text);
            let found = exact.or_else(|| map.iter().find(|(_, t)| t.eq_ignore_ascii_case(text)));
            ours = &found.ok_or_else(|| format!("{text:?} is no known {choice}"))?.0;
        }
        let bytes = chain.decode(ours).ok_or_else(|| {
            let name = chain.name();
            format!("the {choice} is not {name}")
        })?;
        draft.set(target, &bytes)
    }
}
