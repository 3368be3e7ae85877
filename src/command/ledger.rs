//! What `mint` tells the inventory, if there is one: before the first key, before the files get
//! their names, and after.

use jiff::Timestamp;

use super::Failure;
use crate::cli::MintArgs;
use crate::custody::Kcv;
use crate::inventory::{Batch, FileDigest, Inventory, Reservation, SerialRange};
use crate::keystore::BatchKey;
use crate::manifest::Listed;
use crate::mint::{Order, Spec};

/// The reservation of a batch; nothing at all without an inventory.
pub(super) struct Ledger<'a> {
    reservation: Option<Reservation<'a>>,
    serials: String,
}

impl<'a> Ledger<'a> {
    /// Takes the identifier and the serials of the batch, for good. The last thing before the work:
    /// whatever can be refused was, so that no serial is lost to a slip.
    pub(super) fn reserve(
        inventory: Option<&'a mut Inventory>,
        args: &MintArgs,
        order: &Order,
        key: Option<&BatchKey>,
    ) -> Result<Self, Failure> {
        let serials: Vec<String> =
            order.serial_ranges().map(|(first, last)| format!("{first} to {last}")).collect();
        let reservation = match inventory {
            Some(inventory) => {
                Some(inventory.reserve(&batch(args, order, key)?, Timestamp::now())?)
            }
            None => None,
        };
        Ok(Self { reservation, serials: serials.join(", ") })
    }

    /// The content is whole, and about to get its name.
    pub(super) fn written(&mut self, files: &[Listed]) -> Result<(), Failure> {
        if let Some(reservation) = &mut self.reservation {
            let files: Vec<FileDigest> = files.iter().map(Listed::digest).collect();
            reservation.written(&files, Timestamp::now())?;
        }
        Ok(())
    }

    /// The files have their names.
    pub(super) fn complete(self) -> Result<(), Failure> {
        let Some(reservation) = self.reservation else { return Ok(()) };
        reservation.complete(Timestamp::now()).map_err(|error| {
            Failure::from(error)
                .also("the batch is whole: `trousseau inventory verify` records that it is")
        })
    }

    /// There will be no file. `failure` comes back with a word on the serials.
    pub(super) fn abandon(self, failure: Failure) -> Failure {
        let Some(reservation) = self.reservation else { return failure };
        // When even this cannot be recorded, the batch stays reserved, which is as safe.
        let _ = reservation.abandon(&failure.to_string(), Timestamp::now());
        failure.also(format!(
            "the serials {} stay taken in the inventory: go on behind them (--first-serial, or \
             `first` in the order, with an id of its own)",
            self.serials
        ))
    }
}

fn batch(args: &MintArgs, order: &Order, key: Option<&BatchKey>) -> Result<Batch, Failure> {
    let key_kcv = match key {
        Some(BatchKey::Transport(key)) => Some(Kcv::of(key)?.to_string()),
        // A key check value is a help, and no reason to make nothing.
        Some(BatchKey::Token(key)) => key.kcv().ok().map(|kcv| kcv.to_string()),
        _ => None,
    };
    let ranges: Vec<(String, String)> = order.serial_ranges().collect();
    let serials =
        order.lots().iter().zip(&ranges).map(|(lot, (first, last))| {
            SerialRange::new(&lot.serial_prefix, first, last, lot.count)
        });
    let outer = || match (ranges.first(), ranges.last()) {
        (Some((first, _)), Some((_, last))) => format!("{first}-{last}"),
        _ => String::new(),
    };
    Ok(Batch {
        id: args.batch_id.clone().or_else(|| order.id.clone()).unwrap_or_else(outer),
        spec: match order.text() {
            Some(text) => text.to_owned(),
            None => order.lots().iter().map(options).collect(),
        },
        key_kcv,
        serials: serials.collect::<Result<_, _>>()?,
    })
}

/// A lot that the options ordered, as TOML under their names.
fn options(spec: &Spec) -> String {
    let mut lines = vec![
        ("count", spec.count.to_string()),
        ("serial-prefix", quoted(&spec.serial_prefix)),
        ("first-serial", spec.first_serial.to_string()),
    ];
    lines.extend(spec.serial_width.map(|width| ("serial-width", width.to_string())));
    lines.extend([
        ("algorithm", quoted(spec.algorithm.name())),
        ("hash", quoted(spec.hash.name())),
        ("digits", spec.digits.to_string()),
        ("period", spec.period.to_string()),
        ("secret-bytes", spec.secret_bytes.to_string()),
    ]);
    for (name, text) in
        [("manufacturer", &spec.manufacturer), ("model", &spec.model), ("issuer", &spec.issuer)]
    {
        lines.extend(text.as_deref().map(|text| (name, quoted(text))));
    }
    lines.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_toml_whatever_is_in_its_texts() {
        let model = Some("\"C\" \u{1b}\n = 'x'".to_owned());
        let spec = Spec { model: model.clone(), serial_width: Some(8), ..Spec::default() };
        let table: toml::Table = options(&spec).parse().unwrap();
        assert_eq!(table["model"].as_str(), model.as_deref());
        assert_eq!(table["serial-width"].as_integer(), Some(8));
        assert_eq!(table["algorithm"].as_str(), Some("totp"));
        assert!(!table.contains_key("issuer"));
    }
}
