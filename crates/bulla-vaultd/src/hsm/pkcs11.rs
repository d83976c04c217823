//! Keys in a PKCS #11 module. The keys are generated inside the module and cannot be extracted.
//! This code refers to them by handle.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::{Hsm, HsmError};

const SEAL: &str = "bulla-vault seal";
const COUNTER: &str = "bulla-vault counter";
const OPRF: &str = "bulla-vault oprf";
const DERIVATION: &str = "bulla-vault derivation";

/// A PKCS #11 module and the label of one of its tokens.
#[derive(Debug, Clone)]
pub struct Pkcs11Options {
    /// Path to the module, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
}

/// An HSM that is accessed through PKCS #11.
pub struct Pkcs11 {
    module: Module,
    slot: Slot,
    /// Keeps the user logged in while this value exists.
    login: Mutex<Session>,
    /// Idle sessions. Each operation runs in one session.
    idle: Mutex<Vec<Session>>,
    keys: Keys,
}

#[derive(Clone, Copy)]
struct Keys {
    counter: ObjectHandle,
    oprf: ObjectHandle,
    derivation: ObjectHandle,
}

impl Pkcs11Options {
    /// Parses `MODULE?token=LABEL`, the part after `pkcs11:` on the command line.
    pub fn parse(text: &str) -> Option<Pkcs11Options> {
        let (module, token) = text.split_once("?token=")?;
        (!module.is_empty() && !token.is_empty())
            .then(|| Pkcs11Options { module: module.into(), token: token.to_owned() })
    }
}

impl Pkcs11 {
    /// Generates the vault's keys in a token that has none.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::AlreadyInitialized`] if the token has any of these keys.
    pub fn create(options: &Pkcs11Options, pin: &str) -> Result<Pkcs11, HsmError> {
        let (module, slot, session) = log_in(options, pin)?;
        refuse_second(&session)?;
        for (label, bytes) in [(COUNTER, 32u64), (OPRF, 64), (DERIVATION, 64)] {
            let mut template = mac_key(label);
            template.push(Attribute::ValueLen(bytes.into()));
            session
                .generate_key(&Mechanism::GenericSecretKeyGen, &template)
                .map_err(unavailable)?;
        }
        generate_seal_key(&session, 1)?;
        Pkcs11::with(module, slot, session)
    }

    /// Opens a token in which [`create`](Self::create) generated the keys.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::NotInitialized`] if a key is missing, or [`HsmError::Exposed`] if a key
    /// can be extracted.
    pub fn open(options: &Pkcs11Options, pin: &str) -> Result<Pkcs11, HsmError> {
        let (module, slot, session) = log_in(options, pin)?;
        let hsm = Pkcs11::with(module, slot, session)?;
        let session = hsm.login();
        let named = [("counter", COUNTER), ("OPRF", OPRF), ("derivation", DERIVATION)];
        for (name, label) in named {
            check_kept_inside(&session, find(&session, label)?, name)?;
        }
        for (_, handle) in seal_keys(&session)? {
            check_kept_inside(&session, handle, "seal")?;
        }
        drop(session);
        Ok(hsm)
    }

    /// Imports the given keys (counter, OPRF, derivation, and the seal key for epoch 1) into a
    /// token that has none. Use this to move a vault from a key file to a token, or to compare the
    /// two. A key that has ever been outside the token is no better protected than it was there.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::AlreadyInitialized`] if the token has any of these keys.
    pub fn import(
        options: &Pkcs11Options,
        pin: &str,
        keys: &[Vec<u8>; 4],
    ) -> Result<Pkcs11, HsmError> {
        let (module, slot, session) = log_in(options, pin)?;
        refuse_second(&session)?;
        let [counter, oprf, derivation, seal] = keys;
        for (label, value) in [(COUNTER, counter), (OPRF, oprf), (DERIVATION, derivation)] {
            let mut template = mac_key(label);
            template.extend([
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::Value(value.clone()),
            ]);
            session.create_object(&template).map_err(unavailable)?;
        }
        let mut template = aes_key(1);
        template
            .extend([Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Value(seal.clone())]);
        session.create_object(&template).map_err(unavailable)?;
        Pkcs11::with(module, slot, session)
    }

    fn with(module: Module, slot: Slot, session: Session) -> Result<Pkcs11, HsmError> {
        let keys = Keys {
            counter: find(&session, COUNTER)?,
            oprf: find(&session, OPRF)?,
            derivation: find(&session, DERIVATION)?,
        };
        Ok(Pkcs11 { module, slot, login: Mutex::new(session), idle: Mutex::default(), keys })
    }

    fn login(&self) -> MutexGuard<'_, Session> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation in a session. If the operation fails, the session is closed rather than
    /// reused.
    fn work<T>(&self, work: impl FnOnce(&Session) -> Result<T, HsmError>) -> Result<T, HsmError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let session = match idle {
            Some(session) => session,
            None => self.module.open_ro_session(self.slot).map_err(unavailable)?,
        };
        let done = work(&session)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(done)
    }

    fn sign(
        &self,
        mechanism: &Mechanism<'_>,
        key: ObjectHandle,
        message: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        self.work(|session| {
            session.sign(mechanism, key, message).map(Zeroizing::new).map_err(unavailable)
        })
    }

    fn sign_sha512(
        &self,
        key: ObjectHandle,
        message: &[u8],
    ) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        let mac = self.sign(&Mechanism::Sha512Hmac, key, message)?;
        let mac = mac[..].try_into().map(Zeroizing::new);
        mac.map_err(|_| HsmError::Unavailable("HMAC: wrong length".to_owned()))
    }
}

impl Hsm for Pkcs11 {
    fn epochs(&self) -> Result<Vec<u32>, HsmError> {
        let keys = self.work(seal_keys)?;
        Ok(keys.into_iter().map(|(epoch, _)| epoch).collect())
    }

    fn seal(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HsmError> {
        let mut nonce = *nonce;
        self.work(|session| {
            let key = seal_key(session, epoch)?;
            let params = GcmParams::new(&mut nonce, ad, 128.into()).map_err(unavailable)?;
            session.encrypt(&Mechanism::AesGcm(params), key, plain).map_err(unavailable)
        })
    }

    fn open(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let mut nonce = *nonce;
        self.work(|session| {
            let key = seal_key(session, epoch)?;
            let params = GcmParams::new(&mut nonce, ad, 128.into()).map_err(unavailable)?;
            let opened = session.decrypt(&Mechanism::AesGcm(params), key, ciphertext);
            opened.map(Zeroizing::new).map_err(not_authentic)
        })
    }

    fn mac(&self, message: &[u8]) -> Result<[u8; 32], HsmError> {
        let mac = self.sign(&Mechanism::Sha256Hmac, self.keys.counter, message)?;
        mac[..].try_into().map_err(|_| HsmError::Unavailable("HMAC: wrong length".to_owned()))
    }

    fn oprf(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        self.sign_sha512(self.keys.oprf, message)
    }

    fn derive(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        self.sign_sha512(self.keys.derivation, message)
    }

    fn new_epoch(&self) -> Result<u32, HsmError> {
        let session = self.module.open_rw_session(self.slot).map_err(unavailable)?;
        let epoch = seal_keys(&session)?.last().map_or(0, |(epoch, _)| *epoch) + 1;
        generate_seal_key(&session, epoch)?;
        Ok(epoch)
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError> {
        let session = self.module.open_rw_session(self.slot).map_err(unavailable)?;
        let keys = seal_keys(&session)?;
        if keys.last().is_some_and(|(last, _)| *last == epoch) {
            return Err(HsmError::LastEpoch);
        }
        let (_, handle) =
            keys.into_iter().find(|(e, _)| *e == epoch).ok_or(HsmError::NoSuchEpoch(epoch))?;
        session.destroy_object(handle).map_err(unavailable)
    }
}

fn log_in(options: &Pkcs11Options, pin: &str) -> Result<(Module, Slot, Session), HsmError> {
    let module = Module::new(&options.module).map_err(unavailable)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // This process already uses another token in this module.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(e) => return Err(unavailable(e)),
    }
    let slots = module.get_slots_with_initialized_token().map_err(unavailable)?;
    let labelled =
        |slot: &Slot| module.get_token_info(*slot).is_ok_and(|info| info.label() == options.token);
    let slot = slots.into_iter().find(labelled);
    let slot = slot.ok_or_else(|| {
        HsmError::Unavailable(format!("no token has the label {:?}", options.token))
    })?;
    let session = module.open_rw_session(slot).map_err(unavailable)?;
    match session.login(UserType::User, Some(&AuthPin::new(pin.into()))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(e) => return Err(unavailable(e)),
    }
    Ok((module, slot, session))
}

/// Returns the attributes that all keys share: persistent, sensitive, not extractable and not
/// modifiable.
fn kept_inside(label: &str) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        // Modules allow some uses unless they are denied explicitly.
        Attribute::Verify(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
        Attribute::Label(label.into()),
    ]
}

fn mac_key(label: &str) -> Vec<Attribute> {
    let mut template = kept_inside(label);
    template.extend([
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Sign(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
    ]);
    template
}

fn aes_key(epoch: u32) -> Vec<Attribute> {
    let mut template = kept_inside(SEAL);
    template.extend([
        Attribute::KeyType(KeyType::AES),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Sign(false),
        Attribute::Id(epoch.to_be_bytes().to_vec()),
    ]);
    template
}

fn refuse_second(session: &Session) -> Result<(), HsmError> {
    match [SEAL, COUNTER, OPRF, DERIVATION].iter().any(|label| find(session, label).is_ok()) {
        true => Err(HsmError::AlreadyInitialized),
        false => Ok(()),
    }
}

fn check_kept_inside(
    session: &Session,
    key: ObjectHandle,
    name: &'static str,
) -> Result<(), HsmError> {
    let wanted = [AttributeType::Sensitive, AttributeType::Extractable];
    let found = session.get_attributes(key, &wanted).map_err(unavailable)?;
    let kept = found.contains(&Attribute::Sensitive(true))
        && found.contains(&Attribute::Extractable(false));
    if kept { Ok(()) } else { Err(HsmError::Exposed(name)) }
}

fn generate_seal_key(session: &Session, epoch: u32) -> Result<(), HsmError> {
    let mut template = aes_key(epoch);
    template.push(Attribute::ValueLen(32.into()));
    session.generate_key(&Mechanism::AesKeyGen, &template).map(|_| ()).map_err(unavailable)
}

fn find(session: &Session, label: &str) -> Result<ObjectHandle, HsmError> {
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(label.into())];
    let found = session.find_objects(&template).map_err(unavailable)?;
    found.first().copied().ok_or(HsmError::NotInitialized)
}

fn seal_key(session: &Session, epoch: u32) -> Result<ObjectHandle, HsmError> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Label(SEAL.into()),
        Attribute::Id(epoch.to_be_bytes().to_vec()),
    ];
    let found = session.find_objects(&template).map_err(unavailable)?;
    found.first().copied().ok_or(HsmError::NoSuchEpoch(epoch))
}

/// Returns the seal keys with their epochs, in ascending order.
fn seal_keys(session: &Session) -> Result<Vec<(u32, ObjectHandle)>, HsmError> {
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(SEAL.into())];
    let mut keys = Vec::new();
    for handle in session.find_objects(&template).map_err(unavailable)? {
        let attributes =
            session.get_attributes(handle, &[AttributeType::Id]).map_err(unavailable)?;
        if let Some(Attribute::Id(id)) = attributes.first()
            && let Ok(epoch) = id.as_slice().try_into().map(u32::from_be_bytes)
        {
            keys.push((epoch, handle));
        }
    }
    keys.sort_unstable_by_key(|(epoch, _)| *epoch);
    Ok(keys)
}

fn not_authentic(error: Error) -> HsmError {
    match error {
        // Modules differ in how they report a wrong tag. SoftHSM2 returns
        // CKR_ENCRYPTED_DATA_INVALID or CKR_GENERAL_ERROR.
        Error::Pkcs11(
            RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::GeneralError,
            _,
        ) => HsmError::NotAuthentic,
        e => unavailable(e),
    }
}

fn unavailable(error: impl std::fmt::Display) -> HsmError {
    HsmError::Unavailable(error.to_string())
}
