//! Which keys of an order go into which file of a set, known before the first is made.

use std::ops::Range;

use super::reencrypt::too_small;
use super::{Exit, Failure};
use crate::manifest::{Part, Split};
use crate::mint::Order;
use crate::pskc::{Sealer, WriteError, Writer};

/// The keys of each file, by number. The keys of a lot are of one size: their serials have as many
/// characters, their seeds as many bytes.
pub(super) fn plan(
    order: &Order,
    sealer: &Sealer,
    split: Split,
) -> Result<Vec<Range<u64>>, Failure> {
    if !split.is_wanted() {
        return Ok(std::iter::once(0..order.count()).collect());
    }
    let frame = size(order, 0..0, sealer)?;
    let (most_keys, most_bytes) = (split.rows.unwrap_or(u64::MAX), split.bytes.unwrap_or(u64::MAX));
    let mut parts = Vec::new();
    let (mut start, mut at, mut bytes) = (0, 0, frame);
    for lot in order.lots() {
        let one = size(order, at..at + 1, sealer)?.saturating_sub(frame).max(1);
        let end = at + lot.count;
        while at < end {
            let room = (most_keys - (at - start)).min(most_bytes.saturating_sub(bytes) / one);
            let taken = room.min(end - at);
            at += taken;
            bytes += taken * one;
            if taken > 0 {
                continue;
            }
            if at == start {
                let serial = order.serial(at).map(|serial| serial.to_string());
                return Err(too_small(&serial.unwrap_or_default(), most_bytes));
            }
            parts.push(start..at);
            (start, bytes) = (at, frame);
        }
    }
    parts.push(start..at);
    if parts.len() > 9999 {
        return Err(Failure::bad_input(format!(
            "{} files would be made, and a set has at most 9999",
            parts.len()
        ))
        .hint("raise --split-rows or --split-bytes"));
    }
    Ok(parts)
}

/// Bytes of a file of the keys number `range`: sample keys, which nobody sees.
fn size(order: &Order, range: Range<u64>, sealer: &Sealer) -> Result<u64, Failure> {
    let write = || -> Result<usize, WriteError> {
        let mut writer = Writer::new(Vec::new(), sealer)?;
        writer.write_all(order.part(range).map(|token| token.map_err(WriteError::from)))?;
        Ok(writer.finish()?.len())
    };
    match write() {
        Ok(bytes) => Ok(bytes as u64),
        Err(WriteError::Random(error)) => Err(Failure::new(Exit::Io, error)),
        Err(error) => Err(Failure::bad_input(&error).hint(error.hint())),
    }
}

/// What the manifest says of the keys number `range`.
pub(super) fn part(order: &Order, range: &Range<u64>) -> Part {
    let serial = |number| order.serial(number).map_or(String::new(), |serial| serial.to_string());
    Part {
        keys: range.end - range.start,
        first: serial(range.start),
        last: serial(range.end.saturating_sub(1)),
    }
}
