//! Every element and attribute of RFC 6030 is kept: what was read is written, and what was written
//! is read back as the same key.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use trousseau::keystore::BatchKey;
use trousseau::otp::Hash;
use trousseau::pskc::{
    Encryption, Limits, Options, Reader, Receiver, Sealer, WriteError, Writer, fragment,
};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::token::{
    Algorithm, ChallengeFormat, CryptoModule, DEFAULT_PERIOD, Data, Details, Device,
    ForeignAttribute, Fragment, FriendlyName, KeyUsage, Lends, Parameters, PinPolicy, PinUsage,
    Policy, ResponseFormat, Token, ValueFormat,
};

const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";

fn write(tokens: &[Token], extensions: &[Fragment], key: Option<&BatchKey>) -> Vec<u8> {
    let sealer = match key {
        Some(key) => Sealer::new(key, Encryption::AesCbc).unwrap(),
        None => Sealer::in_clear(Receiver::Generic),
    };
    let mut writer = Writer::new(Vec::new(), &sealer).unwrap();
    writer.write_all(tokens.iter().cloned().map(Ok::<_, WriteError>)).unwrap();
    writer.extend(extensions);
    writer.finish().unwrap()
}

fn read(file: &[u8], key: Option<&BatchKey>) -> Result<(Vec<Token>, Vec<Fragment>), String> {
    let options = Options { allow_unauthenticated: true, ..Options::default() };
    read_with(file, key, options)
}

fn read_with(
    file: &[u8],
    key: Option<&BatchKey>,
    options: Options,
) -> Result<(Vec<Token>, Vec<Fragment>), String> {
    let mut reader = Reader::new(file, key, options).map_err(|error| error.to_string())?;
    let tokens: Result<Vec<_>, _> = reader.by_ref().collect();
    tokens.map(|tokens| (tokens, reader.extensions().to_vec())).map_err(|error| error.to_string())
}

fn transport() -> BatchKey {
    BatchKey::Transport(Secret::new(vec![0x5a; 16]))
}

/// Reads one key, given as the inside of its `KeyPackage`.
fn package(inside: &str) -> Result<Token, String> {
    let file = format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"{PSKC}\" xmlns:v=\"urn:vendor\"><KeyPackage>\
         {inside}</KeyPackage></KeyContainer>"
    );
    read(file.as_bytes(), None).map(|(mut tokens, _)| tokens.swap_remove(0))
}

/// Text without blanks at its ends, which XML files have and lose.
fn text() -> impl Strategy<Value = String> {
    "[!-~é€😀]([ -~é€😀]{0,9}[!-~é€😀])?"
}

fn maybe<T: Strategy>(strategy: T) -> impl Strategy<Value = Option<T::Value>>
where
    T::Value: Clone,
{
    prop::option::of(strategy)
}

fn date() -> impl Strategy<Value = Timestamp> {
    (0i64..4_000_000_000).prop_map(|seconds| Timestamp::from_second(seconds).unwrap())
}

fn extensions() -> impl Strategy<Value = Vec<Fragment>> {
    let one = (text(), text(), any::<bool>()).prop_map(|(value, content, definition)| {
        let escape =
            |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let definition = if definition { " definition=\"urn:vendor:1\"" } else { "" };
        let xml = format!(
            "<Extensions{definition}><v:Thing xmlns:v=\"urn:vendor\" v:a=\"{}\">{}<b xmlns=\"\"/>\
             </v:Thing></Extensions>",
            escape(&value),
            escape(&content),
        );
        fragment(&xml, &Limits::default()).unwrap()
    });
    prop::collection::vec(one, 0..3)
}

fn foreign() -> impl Strategy<Value = Vec<Fragment>> {
    let one = "[a-z]{1,8}".prop_map(|name| {
        fragment(&format!("<v:{name} xmlns:v=\"urn:vendor\"/>"), &Limits::default()).unwrap()
    });
    prop::collection::vec(one, 0..3)
}

fn encoding() -> impl Strategy<Value = ValueFormat> {
    prop_oneof![prop::sample::select(ValueFormat::ALL), Just(ValueFormat::from("MORSE"))]
}

fn usage() -> impl Strategy<Value = KeyUsage> {
    prop_oneof![prop::sample::select(KeyUsage::ALL), Just(KeyUsage::from("Vote"))]
}

/// A use named twice is one.
fn usages() -> impl Strategy<Value = Vec<KeyUsage>> {
    prop::collection::vec(usage(), 0..4).prop_map(|all| {
        let fresh = |(at, usage): &(usize, &KeyUsage)| !all[..*at].contains(usage);
        all.iter().enumerate().filter(fresh).map(|(_, usage)| usage.clone()).collect()
    })
}

fn attributes() -> impl Strategy<Value = Vec<ForeignAttribute>> {
    let one = |name: &'static str| {
        (prop::sample::select(vec!["", "urn:a?b&c", "urn:d"]), text()).prop_map(
            move |(namespace, value)| ForeignAttribute {
                namespace: namespace.into(),
                name: name.into(),
                value,
            },
        )
    };
    (maybe(one("First")), maybe(one("Second")))
        .prop_map(|(first, second)| first.into_iter().chain(second).collect())
}

prop_compose! {
    fn pin_policy()(
        key_id in maybe(text()),
        usage in maybe(prop::sample::select(PinUsage::ALL)),
        lengths in (maybe(any::<u32>()), maybe(any::<u32>()), maybe(any::<u32>())),
        encoding in maybe(encoding()),
        unknown in attributes(),
        unknown_elements in foreign(),
    ) -> PinPolicy {
        let (max_failed_attempts, min_length, max_length) = lengths;
        PinPolicy {
            key_id, usage, max_failed_attempts, min_length, max_length, encoding, unknown,
            unknown_elements,
        }
    }
}

prop_compose! {
    fn policy()(
        pin in maybe(pin_policy()),
        usages in usages(),
        transactions in maybe(any::<u64>()),
        unknown in foreign(),
    ) -> Policy {
        Policy { pin, usages, transactions, unknown }
    }
}

prop_compose! {
    fn device()(
        issue_number in maybe(text()),
        binding in maybe(text()),
        start_date in maybe(date()),
        expiry_date in maybe(date()),
        user in maybe(text()),
        extensions in extensions(),
    ) -> Device {
        let lends = Lends::default();
        Device { issue_number, binding, start_date, expiry_date, user, lends, extensions }
    }
}

prop_compose! {
    fn parameters()(
        suite in maybe(text()),
        challenge in maybe((encoding(), maybe(any::<u32>()), maybe(any::<u32>()), any::<bool>())),
        response in maybe((encoding(), maybe(any::<u32>()), any::<bool>())),
        extensions in extensions(),
    ) -> Parameters {
        let challenge = challenge.map(|(encoding, min, max, check_digits)| ChallengeFormat {
            encoding, min, max, check_digits,
        });
        let response = response.map(|(encoding, length, check_digits)| ResponseFormat {
            encoding, length, check_digits,
        });
        Parameters { suite, challenge, response, extensions }
    }
}

prop_compose! {
    fn data()(
        counter in maybe(any::<u64>()),
        numbers in (maybe(any::<i64>()), maybe(any::<i64>()), maybe(any::<i64>())),
        other in foreign(),
    ) -> Data {
        // No computer has a second for -2^63.
        let least = |number: Option<i64>| number.map(|number| number.max(-i64::MAX));
        let (time, interval, drift) = (least(numbers.0), least(numbers.1), least(numbers.2));
        Data { counter, time, interval, drift, other }
    }
}

prop_compose! {
    fn details()(
        device in device(),
        crypto_module in maybe((text(), extensions())),
        parameters in parameters(),
        names in (maybe(text()), maybe(text()), maybe((text(), maybe("[a-z]{2}")))),
        data in data(),
        policy in policy(),
        extensions in (extensions(), extensions()),
    ) -> Details {
        let (key_profile, reference, friendly_name) = names;
        Details {
            device,
            crypto_module: crypto_module.map(|(id, extensions)| CryptoModule { id, extensions }),
            parameters,
            key_profile,
            reference,
            friendly_name: friendly_name.map(|(text, language)| FriendlyName { text, language }),
            data,
            policy,
            extensions: extensions.0,
            package_extensions: extensions.1,
        }
    }
}

prop_compose! {
    fn token()(
        algorithm in prop::sample::select(vec![
            Algorithm::Hotp,
            Algorithm::Totp,
            Algorithm::Other("urn:ietf:params:xml:ns:keyprov:pskc:pin".into()),
            Algorithm::Other("urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1:HOTP-SHA1-6:QN08".into()),
        ]),
        numbers in (6u8..=10, 1u32..=3600, any::<u64>()),
        secret in prop::collection::vec(any::<u8>(), 0..40),
        user in maybe(text()),
        dates in (maybe(date()), maybe(date())),
        details in details(),
    ) -> Token {
        normal(algorithm, numbers, secret, user, dates, details)
    }
}

/// A token as a reader would make it: nothing is said twice.
fn normal(
    algorithm: Algorithm,
    (digits, period, counter): (u8, u32, u64),
    secret: Vec<u8>,
    user: Option<String>,
    (start, expiry): (Option<Timestamp>, Option<Timestamp>),
    mut details: Details,
) -> Token {
    let serial = Serial::new("A1").unwrap();
    let mut token = Token { algorithm, ..Token::totp60(serial, Secret::new(secret)) };
    let computes = matches!(token.algorithm, Algorithm::Hotp | Algorithm::Totp);
    let Details { device, parameters, data, .. } = &mut details;
    device.lends = Lends {
        user: user.is_none() && device.user.is_some(),
        start_date: start.is_none() && device.start_date.is_some(),
        expiry_date: expiry.is_none() && device.expiry_date.is_some(),
    };
    token.user = user.or_else(|| device.user.clone());
    token.start_date = start.or(device.start_date);
    token.expiry_date = expiry.or(device.expiry_date);
    token.digits = if computes { digits } else { 6 };
    if computes {
        parameters.suite = None;
        parameters.response = parameters
            .response
            .take()
            .filter(|response| response.check_digits || response.encoding != ValueFormat::Decimal);
        if let Some(response) = &mut parameters.response {
            let plain = response.encoding == ValueFormat::Decimal;
            response.length = if plain { None } else { Some(digits.into()) };
        }
    } else if let Some(response) = &parameters.response {
        token.digits = response.length.map_or(6, |length| u8::try_from(length).unwrap_or(u8::MAX));
    }
    token.period = DEFAULT_PERIOD;
    match token.algorithm {
        Algorithm::Totp => (token.period, data.interval) = (period, None),
        _ => {
            if let Some(interval @ 1..=31_536_000) = data.interval {
                token.period = interval as u32;
            }
        }
    }
    match token.algorithm {
        Algorithm::Hotp => (token.counter, data.counter) = (counter, None),
        _ => token.counter = data.counter.unwrap_or(0),
    }
    if !computes {
        let suite = parameters.suite.as_deref().map(str::parse::<Hash>);
        token.hash = suite.and_then(Result::ok).unwrap_or(Hash::Sha1);
    }
    if token.secret.is_empty() {
        details.reference.get_or_insert_with(|| "a label".into());
    }
    token.details = (!details.is_empty()).then(|| Arc::new(details));
    token
}

proptest! {
    #[test]
    fn what_was_written_is_read(token in token(), extensions in extensions(), sealed in any::<bool>()) {
        let key = transport();
        let key = sealed.then_some(&key);
        let file = write(std::slice::from_ref(&token), &extensions, key);
        let (tokens, found) = read(&file, key)
            .map_err(|why| TestCaseError::fail(format!("{why}\n{}", String::from_utf8_lossy(&file))))?;
        prop_assert_eq!(&tokens[0], &token, "{}", String::from_utf8_lossy(&file));
        prop_assert_eq!(found, extensions);
    }
}

#[test]
fn every_known_file_survives_being_written_again() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"));
    let manifest = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut read_files = 0;
    for line in manifest.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let key = match cells[2] {
            "key" => Some(BatchKey::Transport(Secret::from_hex(cells[3]).unwrap())),
            "pw" => Some(BatchKey::Passphrase(Secret::from(cells[3].as_bytes()))),
            "pem" => {
                let pem = fs::read(folder.join("generated").join(cells[3])).unwrap();
                Some(BatchKey::private(&Secret::new(pem), cells[3]).unwrap())
            }
            _ => None,
        };
        let file = fs::read(folder.join(cells[0])).unwrap();
        let Ok((tokens, extensions)) = read(&file, key.as_ref()) else { continue };
        read_files += 1;
        let again = write(&tokens, &extensions, Some(&transport()));
        assert_eq!(read(&again, Some(&transport())).unwrap(), (tokens, extensions), "{}", cells[0]);
    }
    // The rest is refused, or needs its IV.
    assert!(read_files >= 30, "{read_files} files were read");
}

fn figure(number: u8) -> Vec<Token> {
    let path =
        format!("{}/tests/vectors/rfc6030/figure{number}.pskcxml", env!("CARGO_MANIFEST_DIR"));
    read(&fs::read(path).unwrap(), None).unwrap().0
}

#[test]
fn the_figures_of_rfc_6030_say_what_they_say() {
    let reference = &figure(4)[0];
    let details = reference.details.as_deref().unwrap();
    assert_eq!(details.reference.as_deref(), Some("MasterKeyLabel"));
    assert_eq!(details.key_profile.as_deref(), Some("keyProfile1"));
    assert_eq!(details.crypto_module.as_ref().unwrap().id, "CM_ID_001");
    assert_eq!(details.policy.usages, [KeyUsage::Otp]);
    assert!(reference.secret.is_empty() && reference.forbidden().is_none());

    let [key, pin] = &figure(5)[..] else { panic!("figure 5 has two keys") };
    let policy = key.details.as_deref().unwrap().policy.pin.clone().unwrap();
    assert_eq!(policy.key_id.as_deref(), Some(pin.key_id.as_str()));
    assert_eq!((policy.min_length, policy.max_length), (Some(4), Some(4)));
    assert_eq!(policy.usage, Some(PinUsage::Local));
    assert_eq!(policy.encoding, Some(ValueFormat::Decimal));
    let response = pin.details.as_deref().unwrap().parameters.response.clone().unwrap();
    assert_eq!((response.length, pin.secret.len()), (Some(4), 4));
    // A PIN has no counter, and is given none.
    let file = String::from_utf8(write(&figure(5), &[], None)).unwrap();
    assert_eq!(file.matches("<Counter>").count(), 1, "{file}");

    let device = &figure(3)[0];
    let user = device.details.as_deref().unwrap().device.user.clone().unwrap();
    assert_ne!(Some(&user), device.user.as_ref());
}

const KEY: &str = "<Key Id=\"1\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:hotp\">";
const SECRET: &str = "<Secret><PlainValue>MTIz</PlainValue></Secret>";

#[test]
fn foreign_elements_keep_their_namespaces() {
    let token = package(&format!(
        "<DeviceInfo><SerialNo>7</SerialNo><Extensions definition=\"urn:d\"><v:Colour/></Extensions>\
         </DeviceInfo>{KEY}<Data>{SECRET}<v:Lot v:n=\"1\">x &amp; y</v:Lot></Data>\
         <Policy><v:OnlyOnSundays/></Policy></Key>"
    ))
    .unwrap();
    let file = String::from_utf8(write(&[token], &[], None)).unwrap();
    for kept in [
        "<Extensions xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:v=\"urn:vendor\" \
         definition=\"urn:d\"><v:Colour/></Extensions></DeviceInfo>",
        "</Counter><v:Lot xmlns:v=\"urn:vendor\" v:n=\"1\">x &amp; y</v:Lot></Data>",
        "<Policy><v:OnlyOnSundays xmlns:v=\"urn:vendor\"/></Policy>",
    ] {
        assert!(file.contains(kept), "{kept}\n{file}");
    }
}

#[test]
fn what_is_the_devices_stays_the_devices() {
    let token = package(&format!(
        "<DeviceInfo><SerialNo>7</SerialNo><StartDate>2026-01-01T00:00:00Z</StartDate>\
         <UserId>ada</UserId></DeviceInfo>{KEY}<Data>{SECRET}</Data></Key>"
    ))
    .unwrap();
    assert_eq!(token.user.as_deref(), Some("ada"));
    let file = String::from_utf8(write(std::slice::from_ref(&token), &[], None)).unwrap();
    assert_eq!((file.matches("ada").count(), file.contains("<Policy>")), (1, false), "{file}");
    // Given to somebody else, nothing says the old name.
    let mut token = token;
    token.assign("grace".into());
    let file = String::from_utf8(write(&[token], &[], None)).unwrap();
    assert!(file.contains("<UserId>grace</UserId><") && !file.contains("ada"), "{file}");
}

#[test]
fn numbers_that_are_encrypted_are_read_and_written_in_clear() {
    // Made with: openssl enc -aes-128-cbc, over "-30" and over the bytes 01 00; without MAC.
    let value = |name: &str, bytes: &str| {
        format!(
            "<{name}><EncryptedValue><e:EncryptionMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/><e:CipherData>\
             <e:CipherValue>{bytes}</e:CipherValue></e:CipherData></EncryptedValue></{name}>"
        )
    };
    let key = BatchKey::Transport(Secret::from_hex("12345678901234567890123456789012").unwrap());
    let file = format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"{PSKC}\" xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\">\
         <EncryptionKey><d:KeyName xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\">k</d:KeyName>\
         </EncryptionKey><KeyPackage>{KEY}<Data>{SECRET}{}{}</Data></Key></KeyPackage></KeyContainer>",
        value("TimeInterval", INTERVAL),
        value("TimeDrift", DRIFT),
    );
    let (tokens, _) = read(file.as_bytes(), Some(&key)).unwrap();
    let data = &tokens[0].details.as_deref().unwrap().data;
    assert_eq!((data.interval, data.drift), (Some(256), Some(-30)));
    let again = String::from_utf8(write(&tokens, &[], Some(&key))).unwrap();
    assert!(again.contains("<TimeDrift><PlainValue>-30</PlainValue></TimeDrift>"), "{again}");
    // Nobody needs the key to see the rest.
    let options = Options { locked: true, ..Options::default() };
    let (locked, _) = read_with(file.as_bytes(), None, options).unwrap();
    assert_eq!(locked[0].details, None);
}

/// IV of zeros, then 01 00 in AES-128-CBC with PKCS #7 padding.
const INTERVAL: &str = "AAAAAAAAAAAAAAAAAAAAAGaQwL7WoJKoVOYppB/ayP8=";
/// The same of "-30".
const DRIFT: &str = "AAAAAAAAAAAAAAAAAAAAAD/ubP876iKw1FLqwkjgRa4=";

#[test]
fn extensions_are_bounded_for_each_key_and_for_the_container() {
    let long = "x".repeat(40_000);
    let extension = format!("<Extensions><v:a>{long}</v:a></Extensions>");
    let key = format!("{KEY}<Data>{SECRET}</Data>{extension}</Key>");
    let token = package(&key).unwrap();
    assert_eq!(token.details.unwrap().extensions.len(), 1);
    let refused = package(&format!("{key}{extension}")).unwrap_err();
    assert!(refused.contains("key 1: the length of") && refused.contains("65536"), "{refused}");
    let file = |count: usize| {
        let head = format!("<KeyContainer Version=\"1.0\" xmlns=\"{PSKC}\" xmlns:v=\"urn:v\">");
        format!("{head}{}</KeyContainer>", extension.repeat(count))
    };
    assert_eq!(read(file(1).as_bytes(), None).unwrap().1.len(), 1);
    assert!(read(file(2).as_bytes(), None).unwrap_err().contains("65536"));
}

#[test]
fn values_out_of_form_are_refused_with_their_names() {
    for (inside, why) in [
        (
            "<AlgorithmParameters><ChallengeFormat Encoding=\"DECIMAL\" Min=\"a\" Max=\"4\"/>\
          </AlgorithmParameters>",
            "Min of ChallengeFormat is not a whole number",
        ),
        (
            "<AlgorithmParameters><ResponseFormat Encoding=\"DECIMAL\" Length=\"4294967296\"/>\
          </AlgorithmParameters>",
            "Length of ResponseFormat is not below 4294967296",
        ),
        ("<Policy><PINPolicy/><PINPolicy/></Policy>", "PINPolicy appears twice"),
        (
            "<Policy><NumberOfTransactions>-1</NumberOfTransactions></Policy>",
            "NumberOfTransactions is not a whole number",
        ),
        (
            "<FriendlyName>a</FriendlyName><FriendlyName>b</FriendlyName>",
            "FriendlyName appears twice",
        ),
        (
            "<Data><TimeDrift><PlainValue>soon!</PlainValue></TimeDrift></Data>",
            "TimeDrift is not a whole number",
        ),
    ] {
        let refused = package(&format!("{KEY}{inside}<Data>{SECRET}</Data></Key>")).unwrap_err();
        assert!(refused.starts_with("line 1, column ") && refused.contains(why), "{refused}");
    }
}

#[test]
fn a_key_without_secret_and_reference_is_not_written() {
    let token = Token::totp60(Serial::new("A1").unwrap(), Secret::default());
    let sealer = Sealer::new(&transport(), Encryption::AesCbc).unwrap();
    let mut writer = Writer::new(Vec::new(), &sealer).unwrap();
    let refused = writer.write_all([Ok::<_, WriteError>(token)]).unwrap_err();
    assert_eq!(refused.to_string(), "key A1: it has no secret to write");
}
