//! What was read of one package so far.

use jiff::Timestamp;

use super::super::error::Fault;
use crate::secret::Secret;
use crate::token::{Algorithm, Details, Fragment, ResponseFormat};

/// What was read of one package so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) device_user: Option<String>,
    pub(super) device_start: Option<Timestamp>,
    pub(super) device_expiry: Option<Timestamp>,
    pub(super) has_key: bool,
    pub(super) id: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) issuer: Option<String>,
    pub(super) user: Option<String>,
    pub(super) suite: Option<String>,
    pub(super) response: Option<ResponseFormat>,
    pub(super) secret: Option<Secret>,
    pub(super) counter: Option<u64>,
    pub(super) time: Option<i64>,
    pub(super) interval: Option<i64>,
    pub(super) drift: Option<i64>,
    pub(super) start: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
    /// What few keys have.
    details: Option<Box<Details>>,
    /// Bytes that its extensions may still have.
    pub(super) room: u64,
}

impl Draft {
    /// Nothing yet; its extensions may have `room` bytes.
    pub(super) fn new(room: u64) -> Self {
        Self { room, ..Self::default() }
    }

    /// What few keys have.
    pub(super) fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    /// The details, if there are any.
    pub(super) fn take_details(&mut self) -> Option<Box<Details>> {
        self.details.take().filter(|details| !details.is_empty())
    }

    /// Adds to a list of fragments.
    pub(super) fn keep(
        &mut self,
        list: impl FnOnce(&mut Details) -> &mut Vec<Fragment>,
        fragment: Fragment,
    ) {
        list(self.details()).push(fragment);
    }
}

/// Sets what may be given once.
pub(super) fn once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Fault> {
    match slot.replace(value) {
        Some(_) => Err(Fault::Repeated(what)),
        None => Ok(()),
    }
}
