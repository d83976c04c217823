//! Keys in a file, for development. Anyone who can read the file can guess passwords without limit.
//!
//! ```text
//! bulla-vault development keys, NOT FOR PRODUCTION
//! counter HEX
//! oprf HEX
//! derivation HEX
//! seal 1 HEX
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Hsm, HsmError};

const TITLE: &str = "bulla-vault development keys, NOT FOR PRODUCTION";

/// An HSM whose keys are stored in a file.
pub struct KeyFile {
    path: PathBuf,
    keys: Mutex<Keys>,
}

/// The keys. They are secret, so this type has neither `Debug` nor `Clone`.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Keys {
    counter: [u8; 32],
    oprf: [u8; 64],
    derivation: [u8; 64],
    #[zeroize(skip)]
    seal: BTreeMap<u32, Zeroizing<[u8; 32]>>,
}

impl KeyFile {
    /// Creates a file with new keys that only its owner can read.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::AlreadyInitialized`] if the file exists.
    pub fn create(path: &Path) -> Result<KeyFile, HsmError> {
        let mut keys =
            Keys { counter: [0; 32], oprf: [0; 64], derivation: [0; 64], seal: BTreeMap::new() };
        random(&mut keys.counter)?;
        random(&mut keys.oprf)?;
        random(&mut keys.derivation)?;
        let mut first = Zeroizing::new([0; 32]);
        random(&mut *first)?;
        keys.seal.insert(1, first);
        if path.exists() {
            return Err(HsmError::AlreadyInitialized);
        }
        keys.write(path)?;
        Ok(KeyFile { path: path.to_owned(), keys: Mutex::new(keys) })
    }

    /// Opens a key file.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::NotInitialized`] if the file does not exist, or
    /// [`HsmError::Unavailable`] if it is malformed or other users can read it.
    pub fn open(path: &Path) -> Result<KeyFile, HsmError> {
        let text = match fs::read(path) {
            Ok(text) => Zeroizing::new(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(HsmError::NotInitialized);
            }
            Err(e) => return Err(unusable(path, e)),
        };
        owner_only(path)?;
        let keys = Keys::parse(&text).ok_or_else(|| unusable(path, "not a key file"))?;
        Ok(KeyFile { path: path.to_owned(), keys: Mutex::new(keys) })
    }

    /// Returns the warning that a program must show when it uses these keys.
    pub fn warning(&self) -> String {
        format!(
            "DEVELOPMENT KEYS: {} holds the vault's keys in plain text. Anyone who can read it can \
             test passwords without limit. Use a hardware security module (--hsm pkcs11:...) for \
             real keys.",
            self.path.display()
        )
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seal_key(&self, epoch: u32) -> Result<LessSafeKey, HsmError> {
        let keys = self.keys();
        let key = keys.seal.get(&epoch).ok_or(HsmError::NoSuchEpoch(epoch))?;
        let key = UnboundKey::new(&AES_256_GCM, &key[..]).map_err(|_| HsmError::NotAuthentic)?;
        Ok(LessSafeKey::new(key))
    }
}

impl Hsm for KeyFile {
    fn epochs(&self) -> Result<Vec<u32>, HsmError> {
        Ok(self.keys().seal.keys().copied().collect())
    }

    fn seal(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HsmError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut sealed = plain.to_vec();
        let key = self.seal_key(epoch)?;
        match key.seal_in_place_append_tag(nonce, Aad::from(ad), &mut sealed) {
            Ok(()) => Ok(sealed),
            Err(_) => {
                sealed.zeroize();
                Err(HsmError::Unavailable("AES-256-GCM: operation failed".to_owned()))
            }
        }
    }

    fn open(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        let opened = self.seal_key(epoch)?.open_in_place(nonce, Aad::from(ad), &mut plain);
        let len = opened.map_err(|_| HsmError::NotAuthentic)?.len();
        plain.truncate(len);
        Ok(plain)
    }

    fn mac(&self, message: &[u8]) -> Result<[u8; 32], HsmError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.keys().counter);
        let tag = hmac::sign(&key, message);
        tag.as_ref().try_into().map_err(|_| HsmError::Unavailable("HMAC: wrong length".to_owned()))
    }

    fn oprf(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        sha512_mac(&self.keys().oprf, message)
    }

    fn derive(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        sha512_mac(&self.keys().derivation, message)
    }

    fn new_epoch(&self) -> Result<u32, HsmError> {
        let mut keys = self.keys();
        let epoch = keys.seal.keys().last().copied().unwrap_or(0) + 1;
        let mut key = Zeroizing::new([0; 32]);
        random(&mut *key)?;
        keys.seal.insert(epoch, key);
        keys.write(&self.path).inspect_err(|_| _ = keys.seal.remove(&epoch))?;
        Ok(epoch)
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError> {
        let mut keys = self.keys();
        if keys.seal.keys().last() == Some(&epoch) {
            return Err(HsmError::LastEpoch);
        }
        keys.seal.remove(&epoch).ok_or(HsmError::NoSuchEpoch(epoch))?;
        // The file system may keep the old blocks, which is one reason why key files are only for
        // development.
        keys.write(&self.path)
    }
}

impl Keys {
    fn write(&self, path: &Path) -> Result<(), HsmError> {
        crate::files::replace(path, self.text().as_bytes()).map_err(|e| unusable(path, e))
    }

    fn text(&self) -> Zeroizing<String> {
        // The capacity must suffice for the whole text: growing the string would leave copies of
        // keys in freed memory.
        let mut text = Zeroizing::new(String::with_capacity(512 + 96 * self.seal.len()));
        text.push_str(TITLE);
        text.push('\n');
        let mut line = |name: &str, key: &[u8]| {
            text.push_str(name);
            text.push(' ');
            for byte in key {
                for digit in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(digit.into(), 16).unwrap_or('?'));
                }
            }
            text.push('\n');
        };
        line("counter", &self.counter);
        line("oprf", &self.oprf);
        line("derivation", &self.derivation);
        self.seal.iter().for_each(|(epoch, key)| line(&format!("seal {epoch}"), &key[..]));
        text
    }

    /// Parses a key file. Only text that [`text`](Self::text) would write is accepted, because a
    /// file edited by hand might contain two keys for one epoch, and one of them would be lost.
    fn parse(text: &[u8]) -> Option<Keys> {
        let mut lines = std::str::from_utf8(text).ok()?.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let mut keys =
            Keys { counter: [0; 32], oprf: [0; 64], derivation: [0; 64], seal: BTreeMap::new() };
        hex_into(lines.next()?.strip_prefix("counter ")?, &mut keys.counter)?;
        hex_into(lines.next()?.strip_prefix("oprf ")?, &mut keys.oprf)?;
        hex_into(lines.next()?.strip_prefix("derivation ")?, &mut keys.derivation)?;
        for line in lines {
            let (epoch, key) = line.strip_prefix("seal ")?.split_once(' ')?;
            let mut bytes = Zeroizing::new([0; 32]);
            hex_into(key, &mut *bytes)?;
            keys.seal.insert(epoch.parse().ok()?, bytes);
        }
        (!keys.seal.is_empty() && keys.text().as_bytes() == text).then_some(keys)
    }
}

/// Parses a key file and writes it again.
#[cfg(feature = "oracles")]
pub(crate) fn rewrite(text: &[u8]) -> Option<Zeroizing<String>> {
    Keys::parse(text).map(|keys| keys.text())
}

fn hex_into(text: &str, bytes: &mut [u8]) -> Option<()> {
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(())
}

fn sha512_mac(key: &[u8], message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, key), message);
    let mac = tag.as_ref().try_into().map(Zeroizing::new);
    mac.map_err(|_| HsmError::Unavailable("HMAC: wrong length".to_owned()))
}

fn random(bytes: &mut [u8]) -> Result<(), HsmError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| HsmError::Unavailable("operating system: no random numbers".to_owned()))
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> HsmError {
    HsmError::Unavailable(format!("{}: {why}", path.display()))
}

/// Rejects a file that other users can read.
fn owner_only(path: &Path) -> Result<(), HsmError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(|e| unusable(path, e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(unusable(path, "readable by other users; run `chmod 600` on it"));
        }
    }
    Ok(())
}
