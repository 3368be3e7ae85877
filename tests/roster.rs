//! Rosters as people write them, through the library: any text is read or refused, never a panic.

use proptest::prelude::*;
use trousseau::roster::{Person, Roster, RosterError};
use trousseau::serial::Serial;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Roster::from_reader("users.csv", &bytes[..]);
    }

    #[test]
    fn any_cells_are_read_or_refused_with_a_place(
        cells in proptest::collection::vec("[a-c,;\"\t\n\r éE+0-9]{0,9}", 0..12)
    ) {
        let text = format!("user,serial\n{}", cells.join(","));
        if let Err(RosterError::Faults { faults, .. }) =
            Roster::from_reader("users.csv", text.as_bytes())
        {
            let lines = text.split('\n').count() as u64;
            for fault in faults {
                prop_assert!((1..=lines).contains(&fault.line), "{fault:?} of {lines} lines");
                prop_assert!(fault.column >= 1);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        users in proptest::collection::btree_map("[a-z]{1,8}", "[ -~é]{0,12}", 1..20)
    ) {
        let people = users.into_iter().enumerate().map(|(index, (user, mail))| {
            let mut person = Person::new(user, Serial::new(format!("A{index}")).unwrap());
            person.fields.insert("mail".into(), mail.trim().to_owned());
            person.fields.retain(|_, value| !value.is_empty());
            person
        });
        let roster = Roster::new(people.collect());
        let mut bytes = Vec::new();
        roster.write_csv(&mut bytes).unwrap();
        let mut back = Roster::from_reader("", &bytes[..]).unwrap();
        back.people.iter_mut().for_each(|person| person.line = 0);
        prop_assert_eq!(back, roster);
    }
}

#[test]
fn a_missing_roster_is_named() {
    let error = Roster::read("/nonexistent/users.csv").unwrap_err();
    assert!(error.to_string().starts_with("cannot read the roster /nonexistent/users.csv: "));
    assert_eq!(error.hint(), "check the path given with --roster");
}
