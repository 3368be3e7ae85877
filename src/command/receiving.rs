//! What a person must know of a file that was written for one kind of server (`--for`).

use super::Failure;
use super::sealing::NewKey;
use crate::keystore::BatchKey;
use crate::mint::Order;
use crate::pskc::{Receiver, Unread};

/// Refuses to make keys for a server that could read their file only in clear: `mint` writes none.
pub(super) fn check_mint(receiver: Receiver) -> Result<(), Failure> {
    if !receiver.reads_clear_only() {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "{} reads secrets in clear alone, and mint encrypts every batch",
        receiver.name()
    ))
    .hint(
        "mint the batch without --for, then make its import file: trousseau export BATCH \
         --transport-key-file KEY --format pskc --for multiotp --out FILE",
    ))
}

/// What `receiver` leaves unread in the keys of `order`.
pub(super) fn unread(order: &Order, receiver: Receiver) -> Unread {
    let mut unread = Unread::default();
    let mut first = 0;
    for lot in order.lots() {
        // The keys of a lot are alike.
        if let Some(Ok(token)) = order.part(first..first + 1).next() {
            unread.add(receiver, &token, lot.count);
        }
        first += lot.count;
    }
    unread
}

/// All of it: what is left unread, and how `receiver` wants the key.
pub(super) fn notes(receiver: Receiver, unread: &Unread, key: Option<&NewKey>) -> Vec<String> {
    let path = key.and_then(NewKey::path);
    let key = match (receiver, key.and_then(NewKey::key)) {
        (Receiver::FreeIpa, Some(BatchKey::Transport(_))) => {
            let path = path.map_or("KEYFILE".into(), |path| path.display().to_string());
            Some(format!(
                "ipa-otptoken-import -k takes the bytes of the key, not hexadecimal text: `umask \
                 077; xxd -r -p {path} {path}.raw` makes such a file"
            ))
        }
        (Receiver::FreeIpa, Some(BatchKey::Passphrase(_))) => Some(
            "ipa-otptoken-import -k takes the passphrase from a file that has nothing else: no \
             newline at its end either"
                .to_owned(),
        ),
        _ => None,
    };
    unread.note(receiver).into_iter().chain(key).collect()
}
