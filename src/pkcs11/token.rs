//! From the name of a key to the key: module, token, PIN.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::fault::{failure, words};
use super::uri::{Class, encoded_id};
use super::{KeyUri, Pin, PinNeed, Pkcs11Error, TokenKey};

/// A token, with a session.
#[derive(Debug)]
pub struct CryptoToken {
    module: Pkcs11,
    slot: Slot,
    session: Session,
    info: TokenInfo,
}

impl CryptoToken {
    /// Loads the module that `uri` names and chooses the token.
    ///
    /// # Errors
    /// [`Pkcs11Error::NoModule`], [`Pkcs11Error::Module`], [`Pkcs11Error::NoToken`],
    /// [`Pkcs11Error::Tokens`].
    pub fn find(uri: &KeyUri) -> Result<Self, Pkcs11Error> {
        let path = uri.module()?;
        let unusable = |error: &Error| Pkcs11Error::Module {
            path: path.display().to_string(),
            reason: match error {
                Error::LibraryLoading(error) => error.to_string(),
                error => words(error),
            },
        };
        let module = Pkcs11::new(path).map_err(|error| unusable(&error))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Another key of the same module is in use.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(&error)),
        }
        let slots = module.get_slots_with_token().map_err(|error| unusable(&error))?;
        let (mut found, mut present) = (Vec::new(), Vec::new());
        for slot in slots {
            // A token may go away between the two questions.
            let Ok(info) = module.get_token_info(slot) else { continue };
            if info.token_initialized() {
                present.push(format!("{:?}", info.label()));
            }
            if matches(uri, slot, &info) {
                found.push((slot, info));
            }
        }
        match <[_; 1]>::try_from(found) {
            Ok([(slot, info)]) => {
                let session = module
                    .open_ro_session(slot)
                    .map_err(|error| failure(info.label(), "open a session", "sessions", &error))?;
                Ok(Self { module, slot, session, info })
            }
            Err(found) if found.is_empty() => Err(Pkcs11Error::NoToken {
                uri: uri.to_string(),
                present: listed("the token", "the tokens", &present, "no token"),
            }),
            Err(found) => {
                let each = |(slot, info): &(Slot, TokenInfo)| {
                    format!("slot-id={} (serial={})", slot.id(), info.serial_number())
                };
                let found: Vec<String> = found.iter().map(each).collect();
                Err(Pkcs11Error::Tokens { uri: uri.to_string(), found: found.join(", ") })
            }
        }
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &str {
        self.info.label()
    }

    /// What it needs before it shows its keys.
    ///
    /// # Errors
    /// [`Pkcs11Error::Failed`].
    pub fn need(&self) -> Result<PinNeed, Pkcs11Error> {
        let state = self.session.get_session_info().map_err(|error| self.failed(&error))?;
        Ok(match state.session_state() {
            SessionState::RoUser | SessionState::RwUser => PinNeed::None,
            _ if !self.info.login_required() => PinNeed::None,
            _ if self.info.protected_authentication_path() => PinNeed::OnToken,
            _ => PinNeed::Here,
        })
    }

    /// Logs in, once, with `pin`, or with what is typed on the token itself.
    ///
    /// # Errors
    /// [`Pkcs11Error::Pin`], with what the token says of further tries; [`Pkcs11Error::Locked`],
    /// [`Pkcs11Error::LastTry`] and [`Pkcs11Error::NotReady`], without having tried.
    pub fn log_in(&self, pin: Option<&Pin>) -> Result<(), Pkcs11Error> {
        let token = || self.label().to_owned();
        if self.info.user_pin_locked() {
            return Err(Pkcs11Error::Locked { token: token() });
        }
        if !self.info.user_pin_initialized() {
            let problem = "has no user PIN yet";
            return Err(Pkcs11Error::NotReady { token: token(), problem });
        }
        if self.info.user_pin_final_try() && pin.is_some_and(|pin| !pin.typed) {
            return Err(Pkcs11Error::LastTry { token: token() });
        }
        let pin = match pin.map(|pin| String::from_utf8(pin.secret.expose().to_vec())) {
            Some(Ok(pin)) => Some(AuthPin::from(pin)),
            Some(Err(_)) => return Err(Pkcs11Error::Pin { token: token(), left: "" }),
            None => None,
        };
        match self.session.login(UserType::User, pin.as_ref()) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => {
                Err(Pkcs11Error::Locked { token: token() })
            }
            Err(Error::Pkcs11(RvError::PinExpired, _)) => {
                let problem = "wants its PIN changed first";
                Err(Pkcs11Error::NotReady { token: token(), problem })
            }
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => Err(Pkcs11Error::Pin { token: token(), left: self.tries_left() }),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// What the token says after a wrong PIN; many say nothing.
    fn tries_left(&self) -> &'static str {
        match self.module.get_token_info(self.slot) {
            Ok(info) if info.user_pin_locked() => "; it is locked now",
            Ok(info) if info.user_pin_final_try() => "; one try is left",
            Ok(info) if info.user_pin_count_low() => "; few tries are left",
            _ => "",
        }
    }

    /// The key that `uri` names.
    ///
    /// # Errors
    /// [`Pkcs11Error::NoKey`], [`Pkcs11Error::Keys`], [`Pkcs11Error::Kind`].
    pub fn key(self, uri: &KeyUri) -> Result<TokenKey, Pkcs11Error> {
        let found = self.find_keys(uri)?;
        match found[..] {
            [(handle, class)] => TokenKey::take(self.session, handle, class, uri.to_string()),
            [] => Err(Pkcs11Error::NoKey {
                uri: uri.to_string(),
                token: self.label().to_owned(),
                present: self.keys_present()?,
            }),
            _ => {
                let names = found.iter().map(|(handle, _)| self.name(*handle));
                let found = names.collect::<Vec<_>>().join(", ");
                Err(Pkcs11Error::Keys { uri: uri.to_string(), found })
            }
        }
    }

    /// Makes a random AES key of `bytes` bytes in the token, which never leaves it, named as `uri`
    /// says.
    ///
    /// # Errors
    /// [`Pkcs11Error::Exists`]; [`Pkcs11Error::Uri`] without `object=`; those of the token.
    pub fn new_key(self, uri: &KeyUri, bytes: usize) -> Result<TokenKey, Pkcs11Error> {
        let label = uri
            .object()
            .ok_or_else(|| Pkcs11Error::Uri("a new key needs a label: object=LABEL".to_owned()))?;
        if uri.class == Some(Class::Private) {
            return Err(Pkcs11Error::Uri("a transport key is a secret key, not private".into()));
        }
        let same_name = KeyUri { id: None, class: None, ..uri.clone() };
        if !self.find_keys(&same_name)?.is_empty() {
            let token = self.label().to_owned();
            return Err(Pkcs11Error::Exists { uri: uri.to_string(), token });
        }
        let mut template = vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::ValueLen((bytes as u64).into()),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
            Attribute::Sign(true),
        ];
        template.extend(uri.id.clone().map(Attribute::Id));
        let name = uri.to_string();
        let failed = |error: Error| failure(&name, "make a key", "CKM_AES_KEY_GEN", &error);
        let writable = self.module.open_rw_session(self.slot).map_err(failed)?;
        let handle = writable.generate_key(&Mechanism::AesKeyGen, &template).map_err(failed)?;
        TokenKey::take(writable, handle, Class::Secret, name)
    }

    fn find_keys(&self, uri: &KeyUri) -> Result<Vec<(ObjectHandle, Class)>, Pkcs11Error> {
        let mut found = Vec::new();
        for (class, object) in
            [(Class::Secret, ObjectClass::SECRET_KEY), (Class::Private, ObjectClass::PRIVATE_KEY)]
        {
            if uri.class.is_some_and(|wanted| wanted != class) {
                continue;
            }
            let mut template = vec![Attribute::Class(object)];
            template.extend(uri.object.as_ref().map(|text| Attribute::Label(text.clone().into())));
            template.extend(uri.id.clone().map(Attribute::Id));
            let handles =
                self.session.find_objects(&template).map_err(|error| self.failed(&error))?;
            found.extend(handles.into_iter().map(|handle| (handle, class)));
        }
        Ok(found)
    }

    /// The keys there are, for somebody who mistyped a name.
    fn keys_present(&self) -> Result<String, Pkcs11Error> {
        let all = self.find_keys(&KeyUri::default())?;
        let names: Vec<String> = all.iter().take(20).map(|(key, _)| self.name(*key)).collect();
        Ok(listed("the key", "the keys", &names, "no key"))
    }

    /// `object=LABEL;id=%01` of an object.
    fn name(&self, object: ObjectHandle) -> String {
        let wanted = [AttributeType::Label, AttributeType::Id];
        let mut parts = Vec::new();
        for attribute in self.session.get_attributes(object, &wanted).unwrap_or_default() {
            match attribute {
                Attribute::Label(label) if !label.is_empty() => {
                    let clean = |c: char| if c.is_control() { '?' } else { c };
                    let label: String =
                        String::from_utf8_lossy(&label).chars().take(80).map(clean).collect();
                    parts.push(format!("object={label}"));
                }
                Attribute::Id(id) if !id.is_empty() => {
                    parts.push(format!("id={}", encoded_id(&id)));
                }
                _ => {}
            }
        }
        if parts.is_empty() { "one without name".into() } else { parts.join(";") }
    }

    fn failed(&self, error: &Error) -> Pkcs11Error {
        failure(self.label(), "answer", "sessions", error)
    }
}

fn matches(uri: &KeyUri, slot: Slot, info: &TokenInfo) -> bool {
    let fits = |wanted: &Option<String>, has: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted.trim_end() == has.trim_end())
    };
    info.token_initialized()
        && fits(&uri.token, info.label())
        && fits(&uri.manufacturer, info.manufacturer_id())
        && fits(&uri.model, info.model())
        && fits(&uri.serial, info.serial_number())
        && uri.slot_id.is_none_or(|wanted| wanted == slot.id())
}

fn listed(one: &str, several: &str, names: &[String], none: &str) -> String {
    match names {
        [] => none.to_owned(),
        [name] => format!("{one} {name}"),
        names => format!("{several} {}", names.join(", ")),
    }
}
