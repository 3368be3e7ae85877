//! What few keys have: all of RFC 6030 that is not on the hot path, in the order of its schema
//! (§11; `AlgorithmParameters` is a sequence there by erratum 2759).

use super::super::receiver::Receiver;
use super::super::writer::WriteError;
use super::text::{Text, push, push_number};
use crate::token::{
    Algorithm, CryptoModule, Data, Details, Device, Fragment, KeyUsage, Parameters, PinPolicy,
    Token, ValueFormat,
};

impl Text<'_> {
    /// What of `DeviceInfo` stands behind `Model`.
    pub(super) fn device(&self, device: &Device, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.element("IssueNo", device.issue_number.as_deref(), out)?;
        self.element("DeviceBinding", device.binding.as_deref(), out)?;
        self.date("StartDate", device.start_date, out);
        self.date("ExpiryDate", device.expiry_date, out);
        self.element("UserId", device.user.as_deref(), out)?;
        fragments(&device.extensions, out);
        Ok(())
    }

    pub(super) fn crypto_module(
        &self,
        module: &CryptoModule,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        push(out, &["<CryptoModuleInfo>"]);
        self.element("Id", Some(&module.id), out)?;
        fragments(&module.extensions, out);
        push(out, &["</CryptoModuleInfo>"]);
        Ok(())
    }

    /// `suite`: how the receiver spells the hash, if it must be told.
    pub(super) fn parameters(
        &self,
        suite: Option<&'static str>,
        parameters: &Parameters,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let computes = !matches!(self.0.algorithm, Algorithm::Other(_));
        let Parameters { challenge, response, extensions, .. } = parameters;
        let suite = if computes { suite } else { parameters.suite.as_deref() };
        let nothing = suite.is_none() && challenge.is_none() && response.is_none();
        if nothing && extensions.is_empty() && !computes {
            return Ok(());
        }
        push(out, &["<AlgorithmParameters>"]);
        self.element("Suite", suite, out)?;
        if let Some(challenge) = challenge {
            push(out, &["<ChallengeFormat"]);
            self.attribute("Encoding", Some(challenge.encoding.as_str()), out)?;
            length("Min", challenge.min, out);
            length("Max", challenge.max, out);
            check_digits(challenge.check_digits, out);
        }
        match response {
            Some(response) => {
                let digits = computes.then(|| self.0.digits.into());
                push(out, &["<ResponseFormat"]);
                length("Length", response.length.or(digits), out);
                self.attribute("Encoding", Some(response.encoding.as_str()), out)?;
                check_digits(response.check_digits, out);
            }
            None if computes => {
                push(out, &["<ResponseFormat"]);
                length("Length", Some(self.0.digits.into()), out);
                self.attribute("Encoding", Some(ValueFormat::Decimal.as_str()), out)?;
                check_digits(false, out);
            }
            None => {}
        }
        fragments(extensions, out);
        push(out, &["</AlgorithmParameters>"]);
        Ok(())
    }

    /// What stands between `AlgorithmParameters` and `Data`.
    pub(super) fn names(&self, details: &Details, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.element("KeyProfileId", details.key_profile.as_deref(), out)?;
        self.element("KeyReference", details.reference.as_deref(), out)?;
        if let Some(name) = &details.friendly_name {
            push(out, &["<FriendlyName"]);
            self.attribute("xml:lang", name.language.as_deref(), out)?;
            push(out, &[">"]);
            self.escaped("FriendlyName", &name.text, out)?;
            push(out, &["</FriendlyName>"]);
        }
        Ok(())
    }

    /// `Policy`, if it says anything, and the extensions of the key behind it.
    pub(super) fn policy(
        &self,
        details: &Details,
        receiver: Receiver,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let (token, device, policy) = (self.0, &details.device, &details.policy);
        let start = token
            .start_date
            .filter(|date| !(device.lends.start_date && device.start_date == Some(*date)));
        let expiry = token
            .expiry_date
            .filter(|date| !(device.lends.expiry_date && device.expiry_date == Some(*date)));
        if start.is_some() || expiry.is_some() || *policy != Default::default() {
            push(out, &["<Policy>"]);
            self.date("StartDate", start, out);
            self.date("ExpiryDate", expiry, out);
            if let Some(pin) = &policy.pin {
                self.pin_policy(pin, out)?;
            }
            // Their order means nothing, but to who reads the first alone.
            let first =
                |usage: &&KeyUsage| receiver.reads_first_usage_only() && **usage == KeyUsage::Otp;
            let others = policy.usages.iter().filter(|usage| !first(usage));
            for usage in policy.usages.iter().filter(first).chain(others) {
                self.element("KeyUsage", Some(usage.as_str()), out)?;
            }
            if let Some(transactions) = policy.transactions {
                push(out, &["<NumberOfTransactions>"]);
                push_number(out, transactions);
                push(out, &["</NumberOfTransactions>"]);
            }
            fragments(&policy.unknown, out);
            push(out, &["</Policy>"]);
        }
        fragments(&details.extensions, out);
        Ok(())
    }

    fn pin_policy(&self, pin: &PinPolicy, out: &mut Vec<u8>) -> Result<(), WriteError> {
        push(out, &["<PINPolicy"]);
        self.attribute("PINKeyId", pin.key_id.as_deref(), out)?;
        self.attribute("PINUsageMode", pin.usage.as_ref().map(|usage| usage.as_str()), out)?;
        length("MaxFailedAttempts", pin.max_failed_attempts, out);
        length("MinLength", pin.min_length, out);
        length("MaxLength", pin.max_length, out);
        self.attribute("PINEncoding", pin.encoding.as_ref().map(|word| word.as_str()), out)?;
        for (number, attribute) in pin.unknown.iter().enumerate() {
            let prefix = format!("a{number}");
            if !attribute.namespace.is_empty() {
                push(out, &[" xmlns:", &prefix, "=\""]);
                self.escaped("PINPolicy", &attribute.namespace, out)?;
                push(out, &["\""]);
            }
            let colon = if attribute.namespace.is_empty() { ["", ""] } else { [&prefix, ":"] };
            push(out, &[" ", colon[0], colon[1], &attribute.name, "=\""]);
            self.escaped("PINPolicy", &attribute.value, out)?;
            push(out, &["\""]);
        }
        if pin.unknown_elements.is_empty() {
            push(out, &["/>"]);
        } else {
            push(out, &[">"]);
            fragments(&pin.unknown_elements, out);
            push(out, &["</PINPolicy>"]);
        }
        Ok(())
    }
}

/// The numbers of `Data`, in clear: they are no secrets, and many readers decrypt none.
pub(super) fn numbers(token: &Token, data: &Data, out: &mut Vec<u8>) {
    let is = |algorithm| token.algorithm == algorithm;
    if let Some(counter) = if is(Algorithm::Hotp) { Some(token.counter) } else { data.counter } {
        number("Counter", counter, out);
    }
    if let Some(time) = data.time {
        number("Time", time, out);
    }
    let interval = if is(Algorithm::Totp) { Some(token.period.into()) } else { data.interval };
    if let Some(interval) = interval {
        number("TimeInterval", interval, out);
    }
    if let Some(drift) = data.drift {
        number("TimeDrift", drift, out);
    }
    fragments(&data.other, out);
}

/// A number of `Data`.
#[inline]
pub(super) fn number(name: &str, number: impl Into<i128>, out: &mut Vec<u8>) {
    push(out, &["<", name, "><PlainValue>"]);
    let number: i128 = number.into();
    if number < 0 {
        push(out, &["-"]);
    }
    // Of 64 bits at most.
    push_number(out, number.unsigned_abs() as u64);
    push(out, &["</PlainValue></", name, ">"]);
}

pub(super) fn fragments(fragments: &[Fragment], out: &mut Vec<u8>) {
    for fragment in fragments {
        push(out, &[fragment.expose_xml()]);
    }
}

fn length(name: &str, length: Option<u32>, out: &mut Vec<u8>) {
    if let Some(length) = length {
        push(out, &[" ", name, "=\""]);
        push_number(out, length.into());
        push(out, &["\""]);
    }
}

/// The end of a format.
fn check_digits(check_digits: bool, out: &mut Vec<u8>) {
    push(out, &[if check_digits { " CheckDigits=\"true\"/>" } else { "/>" }]);
}
