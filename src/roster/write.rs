//! From people to CSV.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::Roster;
use crate::secret::Secret;

impl Roster {
    /// Writes `user,serial,pin` as UTF-8 CSV that [`Roster::read`] reads back: with the PINs in
    /// clear, for files of their owner alone.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_pins(&self, out: impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["user", "serial", "pin"])?;
        for person in &self.people {
            let pin = person.pin.as_ref().map_or(&b""[..], Secret::expose);
            csv.write_record([person.user.as_bytes(), person.serial.as_str().as_bytes(), pin])?;
        }
        csv.flush()
    }

    /// Writes the roster as UTF-8 CSV that [`Roster::read`] reads back: header `user,serial` and
    /// the further columns by name. PINs are not written.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        let names: BTreeSet<&str> = self
            .people
            .iter()
            .flat_map(|person| person.fields.keys().map(String::as_str))
            .collect();
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["user", "serial"].into_iter().chain(names.iter().copied()))?;
        for person in &self.people {
            let fields = names
                .iter()
                .map(|name| person.fields.get(*name).map(String::as_str).unwrap_or_default());
            csv.write_record(
                [person.user.as_str(), person.serial.as_str()].into_iter().chain(fields),
            )?;
        }
        csv.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Person;
    use crate::serial::Serial;

    #[test]
    fn pins_are_written_only_where_they_are_meant_to_be() {
        let mut alice = Person::new("alice", Serial::new("A1").unwrap());
        alice.pin = Some(Secret::from(&b"a,\"1"[..]));
        let roster = Roster::new(vec![alice, Person::new("bob", Serial::new("A2").unwrap())]);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        roster.write_pins(&mut with).unwrap();
        roster.write_csv(&mut without).unwrap();
        let pins = |bytes: &[u8]| {
            let back = Roster::from_reader("", bytes).unwrap();
            back.people.into_iter().map(|person| person.pin).collect::<Vec<_>>()
        };
        assert_eq!(pins(&with), [Some(Secret::from(&b"a,\"1"[..])), None]);
        assert_eq!(pins(&without), [None, None]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut alice = Person::new("alice, \"the\" first", Serial::new("A1").unwrap());
        alice.fields.insert("upn".into(), "alice@x".into());
        let roster = Roster::new(vec![alice, Person::new("bob", Serial::new("A2").unwrap())]);
        let mut bytes = Vec::new();
        roster.write_csv(&mut bytes).unwrap();
        let back = Roster::from_reader("", &bytes[..]).unwrap();
        let strip = |mut roster: Roster| {
            roster.people.iter_mut().for_each(|person| person.line = 0);
            roster
        };
        assert_eq!(strip(back), roster);
    }
}
